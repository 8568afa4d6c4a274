"""A shift layer for inference: packed weights, 64-bit integers, no multiplication."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_count, as_dtype, as_positive
from ttalgebra.arrays.errors import NonFiniteError, ShapeError
from ttalgebra.arrays.namespace import dtype_of, is_numpy, to_numpy
from ttalgebra.arrays.typing import Array, Backward
from ttalgebra.layers.plain.activation import require_real
from ttalgebra.layers.protocol import Layer
from ttalgebra.layers.shift.exponents import DeepShiftPS
from ttalgebra.layers.shift.fixed_point import FixedPoint
from ttalgebra.layers.shift.integers.codes import Powers, from_codes, to_codes
from ttalgebra.layers.shift.integers.sums import shifted_sums
from ttalgebra.layers.shift.powers import as_bits
from ttalgebra.layers.shift.rounded import DeepShiftQ

_GUARDS = 15  # the largest shift
_ROWS = 64


@dataclass(frozen=True, eq=False)
class PackedShift(Layer):
    """``y_j = b_j + sum_i +-(x_i >> shift_ij)`` in units of ``2^-(F + guard)``.

    ``x`` is brought to fixed point, shifted and added as int64; ``y`` has the dtype
    that the layer which was packed gives. NaN is refused, NonFiniteError: no integer
    says it. Each shift drops what falls below the unit; `bound` is what this can cost
    against the layer that was packed, computed without roundoff: in float64 it has
    none while ``sum_i |x_i|`` is below ``2^22``. A guard of 15 bits drops nothing. Cost
    ``3 n M N`` integer operations, 4 with zeros. NumPy only, TypeError for others.

    Parameters
    ----------
    codes
        ``(M, ceil(N bits / 8))``, uint8; see `integers.codes`.
    offsets
        ``b / 2^-F``, ``(M,)``, int64.
    n_in, bits, ternary
        ``N``, the bits of a weight, and whether the largest shift stands for zero.
    integer, fraction
        Bits of `FixedPoint`.
    guard
        Bits below those of fixed point in sums, 0 to 15.
    dtype
        That of the layer that was packed, such as ``"float32"``. ShapeError where sums
        of ``N`` numbers could leave 63 bits.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import DeepShiftQ, PackedShift
    >>> layer = DeepShiftQ.random(784, 512, rng=0)
    >>> small = PackedShift.of(layer)
    >>> layer.weight.nbytes, small.codes.nbytes
    (1605632, 250880)
    >>> x = np.random.default_rng(0).random((3, 784))
    >>> bool((abs(small(x)[0] - layer(x)[0]) <= small.bound).all())
    True
    """

    codes: np.ndarray
    offsets: np.ndarray
    n_in: int
    bits: int
    ternary: bool
    integer: int = 16
    fraction: int = 16
    guard: int = 0
    dtype: str = "float32"

    def __post_init__(self) -> None:
        point = FixedPoint(self.integer, self.fraction)
        numbers = {
            "bits": as_bits(self.bits, self.name),
            "n_in": as_positive(self.n_in, f"{self.name}: n_in"),
            "guard": as_count(self.guard, f"{self.name}: guard"),
            "integer": point.integer,
            "fraction": point.fraction,
        }
        if numbers["guard"] > _GUARDS:
            message = f"{self.name}: guard is {self.guard}, at most {_GUARDS}"
            raise ShapeError(f"{message}: the largest shift")
        if not isinstance(self.ternary, bool):
            kind = type(self.ternary).__name__
            raise TypeError(f"{self.name}: ternary must be a bool, got {kind}")
        width = -(-numbers["n_in"] * numbers["bits"] // 8)
        object.__setattr__(self, "dtype", as_dtype(self.dtype).name)
        codes = _frozen(self.codes, "codes", np.uint8, (None, width))
        offsets = _frozen(self.offsets, "offsets", np.int64, (len(codes),))
        for name, value in {**numbers, "codes": codes, "offsets": offsets}.items():
            object.__setattr__(self, name, value)
        self._require_room()

    def _require_room(self) -> None:
        """Raise ShapeError where a sum could leave 63 bits."""
        each = 2 ** (self.integer + self.fraction - 1)
        most = self.n_in * each + max(abs(int(b)) for b in self.offsets)
        if most << self.guard >= 2**63:
            message = f"{self.name}: sums of {self.n_in} numbers of {self.integer} + "
            message += (
                f"{self.fraction} bits and a guard of {self.guard} need more than 63"
            )
            raise ShapeError(f"{message}; lower the guard or the bits")

    @classmethod
    def of(cls, layer: DeepShiftQ | DeepShiftPS, *, guard: int = 0) -> Self:
        """``layer``, from any array library, packed.

        Raises ShapeError for a zero weight of `DeepShiftQ`: no code is left for it.
        """
        if not isinstance(layer, (DeepShiftQ, DeepShiftPS)):
            kind = type(layer).__name__
            raise TypeError(f"PackedShift.of: a shift layer is needed, got {kind}")
        ternary = isinstance(layer, DeepShiftPS)
        codes = to_codes(to_numpy(layer.power), layer.bits, ternary=ternary)
        offsets = layer.point.integers(to_numpy(layer.bias))
        n_in, point = layer.inputs[0], (layer.integer, layer.fraction)
        dtype = dtype_of(layer.bias).name
        return cls(codes, offsets, n_in, layer.bits, ternary, *point, guard, dtype)

    @property
    def inputs(self) -> tuple[int, ...]:
        """``(N,)``."""
        return (self.n_in,)

    @property
    def constants(self) -> dict[str, np.ndarray]:
        """Codes and offsets, which nobody learns."""
        return {"codes": self.codes, "offsets": self.offsets}

    @property
    def config(self) -> dict[str, Any]:
        """Everything else."""
        names = (
            "n_in", "bits", "ternary", "integer", "fraction", "guard", "dtype",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}

    @property
    def nbytes(self) -> int:
        """Those of codes and offsets."""
        return self.codes.nbytes + self.offsets.nbytes

    def unpacked(self) -> Iterator[Powers]:
        """The weights of a few rows after the other: never all of them at once."""
        for row in range(0, len(self.codes), _ROWS):
            few = self.codes[row : row + _ROWS]
            yield from_codes(few, self.n_in, self.bits, ternary=self.ternary)

    @property
    def bound(self) -> np.ndarray:
        """``(M,)``: how far ``y`` can be from the layer that was packed.

        A shift by ``k`` bits drops at most ``1 - 2^-k`` units: downwards with a plus,
        upwards with a minus, and nothing while ``k <= guard``.
        """
        units = np.concatenate([_most(w, self.guard) for w in self.unpacked()])
        return units * 2.0 ** -(self.fraction + self.guard)

    def to(self, backend: str, device: object = None) -> Self:  # noqa: ARG002
        """The layer itself for ``"numpy"``; TypeError for any other library."""
        if backend != "numpy":
            raise TypeError(f"{self.name} runs in NumPy only, not in {backend!r}; "
                            "move the layer that it was packed from")  # fmt: skip
        return self

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """Fixed point, shifts, and back to floating point."""
        if not is_numpy(x):
            kind = type(x).__module__.split(".")[0]
            message = f"{self.name}: x is an array of {kind}; shifts run in NumPy only"
            raise TypeError(f"{message}: convert x, or use the layer that was packed")
        require_real(x, f"{self.name}: x")
        if np.isnan(x).any():
            raise NonFiniteError(f"{self.name}: x has NaN, which no integer says")
        counted = FixedPoint(self.integer, self.fraction).integers(x)
        counted <<= self.guard
        parts = [shifted_sums(counted, w) for w in self.unpacked()]
        sums = np.concatenate(parts, axis=1) + (self.offsets << self.guard)
        y = np.ldexp(sums.astype(np.float64), -(self.fraction + self.guard))
        return y.astype(np.result_type(x.dtype, self.dtype)), _no_backward


def _most(w: Powers, guard: int) -> np.ndarray:
    """What the shifts of each row can drop, in units."""
    beyond = np.maximum(w.shifts - guard, 0)
    dropped = np.where(w.nonzero, 1 - np.ldexp(1.0, -beyond), 0)
    down = np.where(w.negative, 0, dropped).sum(axis=1)
    up = np.where(w.negative, dropped, 0).sum(axis=1)
    most: np.ndarray = np.maximum(down, up)
    return most


def _no_backward(dy: Array) -> tuple[Array, dict[str, Array]]:  # noqa: ARG001
    raise TypeError("PackedShift has no backward; train the layer that it is made from")


def _frozen(
    x: Any, name: str, kind: type[np.generic], shape: tuple[int | None, ...]
) -> np.ndarray:
    """A read-only copy of a NumPy array of this dtype and, where given, these sizes."""
    if not is_numpy(x) or x.dtype != kind:
        found = getattr(x, "dtype", type(x).__name__)
        raise TypeError(f"PackedShift: {name} is {found}, {kind.__name__} is needed")
    fits = len(x.shape) == len(shape) and all(
        wanted in (None, size) for size, wanted in zip(x.shape, shape, strict=True)
    )
    if not fits or 0 in x.shape:
        wanted = ", ".join("M" if size is None else str(size) for size in shape)
        raise ShapeError(
            f"PackedShift: {name} has shape {x.shape}, expected ({wanted})"
        )
    own: np.ndarray = x.copy()
    own.flags.writeable = False
    return own
