"""Long short-term memory over any map from inputs to gates, dense or compressed.

Source: Hochreiter & Schmidhuber (1997); the four gates as one map: Ye et al. (2018).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_dtype, as_positive
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.factorize import qr
from ttalgebra.arrays.namespace import conj, namespace_of
from ttalgebra.arrays.random import generator, normal
from ttalgebra.arrays.typing import RNG, Array, Backward
from ttalgebra.cores.chain import reshape
from ttalgebra.layers.plain.dense import Dense
from ttalgebra.layers.plain.initial import Variance, glorot
from ttalgebra.layers.protocol import Layer, owned, require_axes
from ttalgebra.layers.recurrent.cell import step
from ttalgebra.layers.recurrent.stepwise import Stepwise

_PREFIX = "gates."


@dataclass(frozen=True, eq=False)
class LSTM(Layer):
    """``h_t`` of an LSTM whose gates are ``gates(x_t) + U h_{t-1}``, from zero states.

    Maps sequences ``(samples, steps, features)`` to the last ``h_t``, ``(samples, h)``,
    or to all of them, ``(samples, steps, h)``. `cell` has the formulas. The map of the
    inputs meets all steps at once, forward and backward. Kept for backward: what it
    keeps, and about ``10 h`` numbers for each step and sample.

    Parameters
    ----------
    gates
        A layer ``(samples, features) -> (samples, 4 h)``: `Dense`, `TTLinear`,
        `BTLinear`. Its rows are input, forget, output gate and candidate, ``h`` each;
        so in a compressed map the gate is the slowest part of the first row mode.
    recurrent
        ``U``, ``(4 h, h)``.
    sequences
        Whether all ``h_t`` are given, or the last.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import LSTM
    >>> lstm = LSTM.random(3, 5, rng=0)
    >>> y, backward = lstm(np.ones((2, 7, 3), np.float32))
    >>> dx, gradients = backward(y)
    >>> y.shape, dx.shape, list(gradients)
    ((2, 5), (2, 7, 3), ['gates.weight', 'gates.bias', 'recurrent'])
    """

    gates: Layer
    recurrent: Array
    sequences: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.gates, Layer):
            raise TypeError(f"LSTM: gates is {type(self.gates).__name__}, not a layer")
        if self.gates.axes != 2:
            message = f"LSTM: gates is a {self.gates.name}, which meets sequences"
            raise ShapeError(f"{message}; a layer of (samples, features) is needed")
        recurrent = owned(self.recurrent, "LSTM: recurrent")
        require_axes(recurrent, 2, "LSTM: recurrent")
        if recurrent.shape[0] != 4 * recurrent.shape[1]:
            message = f"LSTM: recurrent has shape {tuple(recurrent.shape)}"
            raise ShapeError(f"{message}, expected (4 h, h)")
        object.__setattr__(self, "recurrent", recurrent)
        if not isinstance(self.sequences, bool):
            kind = type(self.sequences).__name__
            raise TypeError(f"LSTM: sequences must be a bool, got {kind}")

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
        n, draw = as_positive(n, "LSTM: n"), generator(rng)
        gates = Dense.random(n_in, 4 * n, variance=variance, rng=draw, dtype=dtype)
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
        n, kind, draw = as_positive(n, "LSTM: n"), as_dtype(dtype), generator(rng)
        if "bias" in gates.parameters:
            bias = np.repeat(np.array([0, 1, 0, 0], kind), n)
            gates = gates.with_arrays({"bias": bias})
        recurrent = np.concatenate([_orthogonal(n, kind, draw) for _ in range(4)])
        return cls(gates, recurrent, sequences)

    @classmethod
    def restored(cls, arrays: Mapping[str, Array], **config: Any) -> Self:
        """From ``recurrent`` and the layer ``gates``, which has its own arrays."""
        own = [name for name in arrays if not name.startswith(_PREFIX)]
        if own != ["recurrent"]:
            found = ", ".join(own) or "none"
            raise ShapeError(f"LSTM: recurrent is its one array, got {found}")
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
        return _prefixed(self.gates.parameters) | {"recurrent": self.recurrent}

    @property
    def statistics(self) -> dict[str, Array]:
        """Those of the map, measured over samples and steps."""
        return _prefixed(self.gates.statistics)

    @property
    def constants(self) -> dict[str, np.ndarray]:
        """Those of the map."""
        return _prefixed(self.gates.constants)

    @property
    def config(self) -> dict[str, Any]:
        """Whether all states are given; the map has its own."""
        return {"sequences": self.sequences}

    def training(self, rng: np.random.Generator) -> "LSTM":
        """The map in its training form."""
        return LSTM(self.gates.training(rng), self.recurrent, self.sequences)

    def projected(self) -> "LSTM":
        """The map projected."""
        return LSTM(self.gates.projected(), self.recurrent, self.sequences)

    def _rebuilt(self, arrays: Mapping[str, Array]) -> Self:
        gates = self.gates._rebuilt(unprefixed(arrays))
        return type(self)(gates, arrays["recurrent"], self.sequences)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """The map at all steps, the recurrence, and back through time."""
        met, pull_met = Stepwise(self.gates)(x)
        self._require_gates(x, met)
        xp = namespace_of(met, self.recurrent)
        timely = xp.permute_dims(met, (1, 0, 2))
        zero = xp.zeros_like(timely[0, :, : self.recurrent.shape[1]])
        states, memory, pulls = [zero], zero, []
        for t in range(timely.shape[0]):
            z = timely[t, ...] + xp.matmul(states[-1], self.recurrent.T)
            state, memory, pull = step(z, memory)
            states.append(state)
            pulls.append(pull)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dys = xp.permute_dims(dy, (1, 0, 2)) if self.sequences else None
            dh, dc, dzs = zero if self.sequences else dy, zero, []
            for t in reversed(range(len(pulls))):
                dz, dc = pulls[t](dh if dys is None else dh + dys[t, ...], dc)
                dh = xp.matmul(dz, conj(self.recurrent))
                dzs.append(dz)
            dz = xp.stack(dzs[::-1])
            recurrent = xp.matmul(_flat(dz).T, conj(_flat(xp.stack(states[:-1]))))
            dx, gradients = pull_met(xp.permute_dims(dz, (1, 0, 2)))
            return dx, _prefixed(gradients) | {"recurrent": recurrent}

        return xp.stack(states[1:], axis=1) if self.sequences else states[-1], backward

    def _require_gates(self, x: Array, met: Array) -> None:
        if x.shape[1] == 0:
            raise ShapeError("LSTM: x has no steps; at least one is needed")
        if met.shape[2] != self.recurrent.shape[0]:
            message = f"LSTM: {self.gates.name} gives {met.shape[2]} gates"
            raise ShapeError(f"{message}, recurrent has {self.recurrent.shape[0]} rows")


def unprefixed(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays of the map of the inputs, under its own names."""
    mine = {name: x for name, x in arrays.items() if name.startswith(_PREFIX)}
    return {name.removeprefix(_PREFIX): x for name, x in mine.items()}


def _prefixed(arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {_PREFIX + name: x for name, x in arrays.items()}


def _flat(x: Array) -> Array:
    """``(steps, samples, n) -> (steps * samples, n)``."""
    return reshape(x, x.shape[0] * x.shape[1], x.shape[2])


def _orthogonal(n: int, dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    """An orthogonal matrix, unitary where complex, of Haar's distribution."""
    q, r = qr(normal((n, n), dtype=dtype, rng=rng))
    diagonal = np.diagonal(r)
    uniform: np.ndarray = q * (diagonal / np.abs(diagonal))
    return uniform
