"""What gated recurrent layers share: a map of the inputs, a recurrent matrix."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from ttalgebra.arrays.checks import as_dtype, as_positive
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.factorize import qr
from ttalgebra.arrays.random import generator, normal
from ttalgebra.arrays.typing import RNG, Array
from ttalgebra.cores.chain import reshape
from ttalgebra.layers.plain.dense import Dense
from ttalgebra.layers.plain.initial import Variance, glorot
from ttalgebra.layers.protocol import Layer, owned, require_axes

_PREFIX = "gates."


@dataclass(frozen=True, eq=False)
class Gated(Layer):
    """The fields of `LSTM` and `GRU`, and all that does not depend on the formulas.

    ``STARTS`` are the biases that the gates start with: as many as there are gates.
    """

    STARTS: ClassVar[tuple[int, ...]] = ()

    gates: Layer
    recurrent: Array
    sequences: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.gates, Layer):
            kind = type(self.gates).__name__
            raise TypeError(f"{self.name}: gates is {kind}, not a layer")
        if self.gates.axes != 2:
            message = (
                f"{self.name}: gates is a {self.gates.name}, which meets sequences"
            )
            raise ShapeError(f"{message}; a layer of (samples, features) is needed")
        recurrent = owned(self.recurrent, f"{self.name}: recurrent")
        require_axes(recurrent, 2, f"{self.name}: recurrent")
        count = len(self.STARTS)
        if recurrent.shape[0] != count * recurrent.shape[1]:
            message = f"{self.name}: recurrent has shape {tuple(recurrent.shape)}"
            raise ShapeError(f"{message}, expected ({count} h, h)")
        object.__setattr__(self, "recurrent", recurrent)
        if not isinstance(self.sequences, bool):
            kind = type(self.sequences).__name__
            raise TypeError(f"{self.name}: sequences must be a bool, got {kind}")

    @classmethod
    def random(
        cls,
        n_in: int,
        n: int,
        *,
        sequences: bool = False,
        variance: Variance = glorot,
        rng: RNG = None,
        dtype: Any = np.float32,
    ) -> Self:
        """A dense map of the inputs; everything else as in `around`."""
        n, draw = as_positive(n, f"{cls.__name__}: n"), generator(rng)
        rows = len(cls.STARTS) * n
        gates = Dense.random(n_in, rows, variance=variance, rng=draw, dtype=dtype)
        return cls.around(gates, n, sequences=sequences, rng=draw, dtype=dtype)

    @classmethod
    def around(
        cls,
        gates: Layer,
        n: int,
        *,
        sequences: bool = False,
        rng: RNG = None,
        dtype: Any = np.float32,
    ) -> Self:
        """``n`` states behind the map ``gates``; each gate of ``U`` orthogonal.

        A bias of ``gates`` starts at 1 for the forget gates and 0 for the others.
        Source: Jozefowicz et al. (2015); Saxe et al. (2014).
        """
        n, kind = as_positive(n, f"{cls.__name__}: n"), as_dtype(dtype)
        draw = generator(rng)
        if "bias" in gates.parameters:
            bias = np.repeat(np.array(cls.STARTS, kind), n)
            gates = gates.with_arrays({"bias": bias})
        recurrent = np.concatenate([_orthogonal(n, kind, draw) for _ in cls.STARTS])
        return cls(gates, recurrent, sequences)

    @classmethod
    def restored(cls, arrays: Mapping[str, Array], **config: Any) -> Self:
        """From ``recurrent`` and the layer ``gates``, which has its own arrays."""
        own = [name for name in arrays if not name.startswith(_PREFIX)]
        if own != ["recurrent"]:
            found = ", ".join(own) or "none"
            raise ShapeError(f"{cls.__name__}: recurrent is its one array, got {found}")
        return cls(recurrent=arrays["recurrent"], **config)

    @property
    def axes(self) -> int:
        """3: ``(samples, steps, features)``."""
        return 3

    @property
    def inputs(self) -> tuple[int, ...]:
        """Those of the map of the inputs."""
        return self.gates.inputs

    @property
    def parameters(self) -> dict[str, Array]:
        """Those of the map, behind ``gates.``, and ``U``."""
        return prefixed(self.gates.parameters) | {"recurrent": self.recurrent}

    @property
    def statistics(self) -> dict[str, Array]:
        """Those of the map, measured over samples and steps."""
        return prefixed(self.gates.statistics)

    @property
    def constants(self) -> dict[str, np.ndarray]:
        """Those of the map."""
        return prefixed(self.gates.constants)

    @property
    def config(self) -> dict[str, Any]:
        """Whether all states are given; the map has its own."""
        return {"sequences": self.sequences}

    def training(self, rng: np.random.Generator) -> Self:
        """The map in its training form."""
        return type(self)(self.gates.training(rng), self.recurrent, self.sequences)

    def projected(self) -> Self:
        """The map projected."""
        return type(self)(self.gates.projected(), self.recurrent, self.sequences)

    def _rebuilt(self, arrays: Mapping[str, Array]) -> Self:
        gates = self.gates._rebuilt(unprefixed(arrays))
        return type(self)(gates, arrays["recurrent"], self.sequences)

    def require_gates(self, x: Array, met: Array) -> None:
        """Raise ShapeError unless there are steps, and as many gates as ``U`` has."""
        if x.shape[1] == 0:
            raise ShapeError(f"{self.name}: x has no steps; at least one is needed")
        if met.shape[2] != self.recurrent.shape[0]:
            message = f"{self.name}: {self.gates.name} gives {met.shape[2]} gates"
            raise ShapeError(f"{message}, recurrent has {self.recurrent.shape[0]} rows")


def unprefixed(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays of the map of the inputs, under its own names."""
    mine = {name: x for name, x in arrays.items() if name.startswith(_PREFIX)}
    return {name.removeprefix(_PREFIX): x for name, x in mine.items()}


def prefixed(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays of the map of the inputs, as the layer names them."""
    return {_PREFIX + name: x for name, x in arrays.items()}


def flat(x: Array) -> Array:
    """``(steps, samples, n) -> (steps * samples, n)``."""
    return reshape(x, x.shape[0] * x.shape[1], x.shape[2])


def _orthogonal(n: int, dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    """An orthogonal matrix, unitary where complex, of Haar's distribution."""
    q, r = qr(normal((n, n), dtype=dtype, rng=rng))
    diagonal = np.diagonal(r)
    uniform: np.ndarray = q * (diagonal / np.abs(diagonal))
    return uniform
