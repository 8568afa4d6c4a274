"""The plain recurrent network, whose gradients vanish or explode: a baseline.

Source: Elman (1990).
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_dtype, as_positive
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import conj, namespace_of
from ttalgebra.arrays.random import generator, normal
from ttalgebra.arrays.typing import RNG, Array, Backward
from ttalgebra.cores.chain import reshape
from ttalgebra.layers.plain.initial import Variance, glorot
from ttalgebra.layers.protocol import Layer, owned, require_axes


@dataclass(frozen=True, eq=False)
class TanhRNN(Layer):
    """``h_t = tanh(A h_{t-1} + V x_t + b)`` from ``h_0 = 0``.

    Maps sequences ``(samples, steps, features)`` to the last state, ``(samples, n)``,
    or to all of them, ``(samples, steps, n)``. Cost ``2 n (n + features)`` flops a
    step and sample, twice that backward; the states are kept.

    Parameters
    ----------
    recurrent
        ``A``, ``(n, n)``.
    weight
        ``V``, ``(n, features)``.
    bias
        ``b``, ``(n,)``.
    sequences
        Whether all states are given, or the last.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import TanhRNN
    >>> rnn = TanhRNN([[1.0]], [[1.0]], [0.0], sequences=True)
    >>> rnn(np.array([[[0.5], [0.0]]]))[0].round(4).tolist()
    [[[0.4621], [0.4318]]]
    """

    recurrent: Array
    weight: Array
    bias: Array
    sequences: bool = False

    def __post_init__(self) -> None:
        for name, n_axes in (("recurrent", 2), ("weight", 2), ("bias", 1)):
            array = owned(getattr(self, name), f"TanhRNN: {name}")
            require_axes(array, n_axes, f"TanhRNN: {name}")
            object.__setattr__(self, name, array)
        n = int(self.bias.shape[0])
        found = tuple(self.recurrent.shape), int(self.weight.shape[0])
        if found != ((n, n), n):
            message = f"TanhRNN: recurrent has shape {found[0]} and weight {found[1]}"
            raise ShapeError(f"{message} rows; a bias of {n} entries needs {n} of each")
        if not isinstance(self.sequences, bool):
            kind = type(self.sequences).__name__
            raise TypeError(f"TanhRNN: sequences must be a bool, got {kind}")

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
        """Normal weights of the variance ``variance(rows, columns)``, zero bias."""
        n_in, n = as_positive(n_in, "TanhRNN: n_in"), as_positive(n, "TanhRNN: n")
        kind, draw = as_dtype(dtype), generator(rng)
        recurrent, weight = (
            normal((n, N), dtype=kind, rng=draw, scale=variance(n, N) ** 0.5)
            for N in (n, n_in)
        )
        return cls(recurrent, weight, np.zeros(n, kind), sequences)

    @property
    def axes(self) -> int:
        """3: ``(samples, steps, features)``."""
        return 3

    @property
    def inputs(self) -> tuple[int, ...]:
        """``(features,)``."""
        return (int(self.weight.shape[1]),)

    @property
    def parameters(self) -> dict[str, Array]:
        """``A``, ``V`` and ``b``."""
        names = ("recurrent", "weight", "bias")
        return {name: getattr(self, name) for name in names}

    @property
    def config(self) -> dict[str, Any]:
        """Whether all states are given."""
        return {"sequences": self.sequences}

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """The recurrence, and back through time."""
        if x.shape[1] == 0:
            raise ShapeError("TanhRNN: x has no steps; at least one is needed")
        xp = namespace_of(x, self.weight)
        timely = xp.permute_dims(x, (1, 0, 2))
        inputs = xp.matmul(timely, self.weight.T) + self.bias
        zero = xp.zeros_like(inputs[0, ...])
        states = [zero]
        for t in range(inputs.shape[0]):
            recalled = xp.matmul(states[-1], self.recurrent.T)
            states.append(xp.tanh(recalled + inputs[t, ...]))
        h = xp.stack(states)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            given = xp.permute_dims(dy, (1, 0, 2)) if self.sequences else None
            dz = self._back(h, given, zero if self.sequences else dy)
            return self._pulled(timely, h, dz)

        return xp.stack(states[1:], axis=1) if self.sequences else states[-1], backward

    def _back(self, h: Array, given: Array | None, dh: Array) -> Array:
        """The cotangents of what tanh was applied to, ``(steps, samples, n)``."""
        xp, A = namespace_of(h), conj(self.recurrent)
        slopes, dzs = conj(1 - h * h), []
        for t in reversed(range(1, h.shape[0])):
            dh = dh if given is None else dh + given[t - 1, ...]
            dzs.append(slopes[t, ...] * dh)
            dh = xp.matmul(dzs[-1], A)
        return xp.stack(dzs[::-1])

    def _pulled(self, x: Array, h: Array, dz: Array) -> tuple[Array, dict[str, Array]]:
        """All steps at once: the cotangent of ``x``, and the gradients."""
        xp = namespace_of(dz)
        dx = xp.permute_dims(xp.matmul(dz, conj(self.weight)), (1, 0, 2))
        columns = _flat(dz).T
        return dx, {
            "recurrent": xp.matmul(columns, conj(_flat(h[:-1, ...]))),
            "weight": xp.matmul(columns, conj(_flat(x))),
            "bias": xp.sum(dz, axis=(0, 1)),
        }


def _flat(x: Array) -> Array:
    """``(steps, samples, n) -> (steps * samples, n)``."""
    return reshape(x, x.shape[0] * x.shape[1], x.shape[2])
