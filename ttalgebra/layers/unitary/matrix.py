"""The unitary matrix of seven cheap factors, as a value.

Source: Arjovsky, Shah & Bengio (2016).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import pi, prod
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_array, as_dtype, as_positive
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import (
    device_of,
    is_array,
    is_complex,
    namespace_of,
    to_numpy,
)
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG, Array
from ttalgebra.cores.chain import reshape
from ttalgebra.layers.plain.activation import require_real
from ttalgebra.layers.protocol import as_like, owned, require_axes
from ttalgebra.layers.unitary import halves
from ttalgebra.layers.unitary.halves import Factors, Passage

Pullback = Callable[[Array], tuple[dict[str, Array], Array]]


@dataclass(frozen=True, eq=False)
class UnitaryMatrix:
    """``W = D3 R2 F^-1 D2 P R1 F D1``: ``7 n`` numbers, ``O(n log n)`` flops.

    ``D`` are diagonals of phases ``exp(i w)``, ``R`` reflections along ``v``, ``P`` a
    permutation and ``F`` the Fourier transform divided by ``sqrt(n)``. Products are
    off by a few ``eps log n`` of the norm, which they keep.

    Parameters
    ----------
    phases
        The angles ``w`` of ``D1``, ``D2``, ``D3``: real, ``(3, n)``.
    reflections
        The vectors ``v`` of ``R1`` and ``R2``: complex, ``(2, n)``, neither of them 0.
    permutation
        ``n`` different ints: entry ``k`` of ``P z`` is ``z[permutation[k]]``.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers.unitary import UnitaryMatrix
    >>> W, z = UnitaryMatrix.random(512, rng=0, dtype="c16"), np.ones(512)
    >>> bool(np.allclose(W.inverse(W.matvec(z)), z, rtol=1e-13))
    True
    """

    phases: Array
    reflections: Array
    permutation: np.ndarray

    def __post_init__(self) -> None:
        phases = owned(self.phases, "UnitaryMatrix: phases")
        reflections = owned_complex(self.reflections, "UnitaryMatrix: reflections")
        for name, array in (("phases", phases), ("reflections", reflections)):
            require_axes(array, 2, f"UnitaryMatrix: {name}")
            object.__setattr__(self, name, array)
        _require_factors(self.phases, self.reflections)
        order = _as_permutation(self.permutation, self.shape[0])
        object.__setattr__(self, "permutation", order)

    @classmethod
    def random(cls, n: int, *, rng: RNG = None, dtype: Any = np.complex64) -> Self:
        """Angles uniform in ``(-pi, pi)``, vectors in ``(-1, 1)`` in both parts."""
        n, draw = as_positive(n, "UnitaryMatrix: n"), generator(rng)
        kind = as_complex(dtype, "UnitaryMatrix")
        phases = draw.uniform(-pi, pi, (3, n)).astype(kind.type(0).real.dtype)
        vectors = uniform((2, n), 1.0, draw).astype(kind)
        return cls(phases, vectors, draw.permutation(n))

    @property
    def shape(self) -> tuple[int, int]:
        """``(n, n)``."""
        n = int(self.phases.shape[1])
        return n, n

    @cached_property
    def factors(self) -> Factors:
        """What is computed once for all products, in ``O(n)``."""
        return halves.factors(self.phases, self.reflections, self.permutation)

    def matvec(self, x: Array) -> Array:
        """``W x`` along the last axis, ``(..., n) -> (..., n)``."""
        x = self._checked(x, "matvec: x")
        return halves.second(halves.first(x, self.factors), self.factors)

    def inverse(self, y: Array) -> Array:
        """``W^-1 y``, which is ``W^H y``: the factors undone, from the last on."""
        y = self._checked(y, "inverse: y")
        return halves.first_adjoint(
            halves.second_adjoint(y, self.factors), self.factors
        )

    def vjp(self, x: Array) -> tuple[Array, Pullback]:
        """``W x`` and its pullback, ``dy -> ({"phases", "reflections"}, dx)``.

        Gradients are sums over all leading axes; ``dL = Re sum conj(g) dG``. The
        pullback raises ShapeError unless ``dy`` has the shape of ``y``, TypeError for
        another array library.
        """
        x = self._checked(x, "vjp: x")
        middle = halves.first(x, self.factors)
        y = halves.second(middle, self.factors)
        values = Passage(x, middle, y)

        def pullback(dy: Array) -> tuple[dict[str, Array], Array]:
            dy = as_array(dy, "vjp: dy")
            namespace_of(dy, y)
            if tuple(dy.shape) != tuple(y.shape):
                message = f"vjp: dy has shape {tuple(dy.shape)}"
                raise ShapeError(f"{message}, y has {tuple(y.shape)}; they must agree")
            between = halves.second_adjoint(dy, self.factors)
            dx = halves.first_adjoint(between, self.factors)
            return self.gradients(values, Passage(dx, between, dy)), as_like(dx, x)

        return y, pullback

    def gradients(self, values: Passage, cotangents: Passage) -> dict[str, Array]:
        """Those of the parameters, from vectors and cotangents on their way."""
        flat_values, flat_cotangents = (
            Passage(flat(way.x), flat(way.middle), flat(way.y))
            for way in (values, cotangents)
        )
        phases, reflections = halves.gradients(
            flat_values, flat_cotangents, self.reflections, self.factors
        )
        return {
            "phases": as_like(phases, self.phases),
            "reflections": as_like(reflections, self.reflections),
        }

    def to_dense(self) -> Array:
        """The ``n x n`` matrix, by ``n`` products: to look at."""
        like = self.reflections
        eye = namespace_of(like).eye(
            self.shape[0], dtype=like.dtype, device=device_of(like)
        )
        return self.matvec(eye).T

    def _checked(self, x: Array, name: str) -> Array:
        x, n = as_array(x, name), self.shape[0]
        if x.ndim == 0 or x.shape[-1] != n:
            message = f"{name} has shape {tuple(x.shape)}"
            raise ShapeError(f"{message}, its last axis must have {n} entries")
        return x


def as_complex(dtype: Any, name: str) -> np.dtype:
    """A complex dtype; TypeError for any other."""
    kind = as_dtype(dtype)
    if kind.kind != "c":
        raise TypeError(f"{name}: dtype {kind} is real; use complex64 or complex128")
    return kind


def owned_complex(x: Any, name: str) -> Array:
    """``x`` as a layer keeps it; real arrays become complex."""
    x = as_array(x, name)
    if not is_complex(x):
        xp = namespace_of(x)
        x = xp.astype(x, xp.complex64 if x.dtype == xp.float32 else xp.complex128)
    return owned(x, name)


def uniform(
    shape: tuple[int, ...], bound: float, draw: np.random.Generator
) -> np.ndarray:
    """Complex numbers whose parts are uniform in ``(-bound, bound)``."""
    parts = draw.uniform(-bound, bound, (2, *shape))
    numbers: np.ndarray = parts[0] + 1j * parts[1]
    return numbers


def _require_factors(phases: Array, reflections: Array) -> None:
    require_real(phases, "UnitaryMatrix: phases")
    n = int(phases.shape[1])
    for name, array, count in (("phases", phases, 3), ("reflections", reflections, 2)):
        if tuple(array.shape) != (count, n):
            message = f"UnitaryMatrix: {name} have shape {tuple(array.shape)}"
            raise ShapeError(f"{message}, expected ({count}, {n})")
    for k, vector in enumerate(to_numpy(reflections)):
        if not vector.any():
            message = f"UnitaryMatrix: reflection {k} is zero"
            raise ShapeError(f"{message}; a vector to reflect along is needed")


def _as_permutation(order: Any, n: int) -> np.ndarray:
    """``order`` on the host, read-only."""
    if not (is_array(order) or isinstance(order, (list, tuple))):
        kind = type(order).__name__
        raise TypeError(f"UnitaryMatrix: permutation must be a list, got {kind}")
    array = to_numpy(order) if is_array(order) else np.asarray(order)
    if array.dtype.kind not in "iu":
        raise TypeError(f"UnitaryMatrix: permutation holds {array.dtype}, not ints")
    if array.shape != (n,) or (np.sort(array) != np.arange(n)).any():
        message = f"UnitaryMatrix: permutation, of shape {array.shape}, must hold each"
        raise ShapeError(f"{message} of 0 to {n - 1} once")
    array = array.astype(np.int64)
    array.flags.writeable = False
    return array


def flat(x: Array) -> Array:
    """``(..., n) -> (samples, n)``."""
    return reshape(x, prod(x.shape[:-1]), x.shape[-1])
