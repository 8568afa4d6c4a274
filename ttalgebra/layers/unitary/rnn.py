"""The unitary evolution RNN: gradients that neither vanish nor explode.

Source: Arjovsky, Shah & Bengio (2016).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_positive
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG, Array, Backward
from ttalgebra.layers.plain.activation import require_real
from ttalgebra.layers.protocol import Layer, owned, require_axes
from ttalgebra.layers.unitary.matrix import (
    UnitaryMatrix,
    owned_complex,
    uniform,
)
from ttalgebra.layers.unitary.recurrence import Recurrence


@dataclass(frozen=True, eq=False)
class UnitaryRNN(Layer):
    """``h_t = modReLU(W h_{t-1} + V x_t)`` with a `UnitaryMatrix` ``W``.

    Maps sequences ``(samples, steps, features)`` to the last state, ``(samples, 2 n)``
    with the real parts before the imaginary ones, or to all of them, ``(samples,
    steps, 2 n)``. A `Dense` layer after it is the paper's real output map.

    ``W`` keeps norms, and modReLU with a bias of at most 0 lets none grow, so no
    gradient explodes, however many the steps; a positive bias can make it grow.

    Cost ``O(n log n + n features)`` flops a step and sample, twice that backward.
    ``2 n`` complex numbers are kept for each, or with ``recompute`` ``n``: what is in
    the middle of ``W`` then comes from its end by ``W^-1 = W^H``, at half as many
    transforms again.

    Parameters
    ----------
    phases, reflections, permutation
        Those of `UnitaryMatrix`.
    weight
        ``V``, complex, ``(n, features)``.
    bias
        That of modReLU, real, ``(n,)``.
    start
        ``h_0``, learned, complex, ``(n,)``.
    sequences
        Whether all states are given, or the last.
    recompute
        Whether backward recomputes.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import Dense, Sequential, UnitaryRNN
    >>> rnn = UnitaryRNN.random(1, 64, rng=0)
    >>> model = Sequential([rnn, Dense.random(128, 10, rng=1)])
    >>> y, backward = model(np.ones((5, 784, 1), np.float32))
    >>> dx, gradients = backward(y)
    >>> y.shape, dx.shape, gradients["0.phases"].shape, gradients["0.start"].dtype
    ((5, 10), (5, 784, 1), (3, 64), dtype('complex64'))
    """

    phases: Array
    reflections: Array
    weight: Array
    bias: Array
    start: Array
    permutation: np.ndarray
    sequences: bool = False
    recompute: bool = False

    def __post_init__(self) -> None:
        kinds = {"weight": owned_complex, "bias": owned, "start": owned_complex}
        for name, kept in kinds.items():
            array = kept(getattr(self, name), f"UnitaryRNN: {name}")
            require_axes(array, 2 if name == "weight" else 1, f"UnitaryRNN: {name}")
            object.__setattr__(self, name, array)
        for name in ("sequences", "recompute"):
            if not isinstance(value := getattr(self, name), bool):
                kind = type(value).__name__
                raise TypeError(f"UnitaryRNN: {name} must be a bool, got {kind}")
        for name in ("phases", "reflections", "permutation"):
            object.__setattr__(self, name, getattr(self.matrix, name))
        self._require_state(self.matrix.shape[0])

    def _require_state(self, n: int) -> None:
        require_real(self.bias, "UnitaryRNN: bias")
        for name in ("weight", "bias", "start"):
            array = getattr(self, name)
            if int(array.shape[0]) != n:
                message = f"UnitaryRNN: {name} has {array.shape[0]} rows"
                raise ShapeError(f"{message}, W has {n}; they must agree")

    @classmethod
    def random(
        cls,
        n_in: int,
        n: int,
        *,
        sequences: bool = False,
        recompute: bool = False,
        rng: RNG = None,
        dtype: Any = np.complex64,
    ) -> Self:
        """The paper's start: ``W`` as `UnitaryMatrix.random`, ``b = 0``.

        The parts of ``V`` are uniform within ``sqrt(6 / (n_in + 2 n))``, those of
        ``h_0`` within ``sqrt(3 / 2 n)``, so that ``|h_0|^2`` is 1 in the mean.
        """
        n_in, draw = as_positive(n_in, "UnitaryRNN: n_in"), generator(rng)
        W = UnitaryMatrix.random(n, rng=draw, dtype=dtype)
        kind = np.dtype(dtype)
        weight = uniform((n, n_in), (6 / (n_in + 2 * n)) ** 0.5, draw).astype(kind)
        start = uniform((n,), (1.5 / n) ** 0.5, draw).astype(kind)
        bias = np.zeros(n, kind.type(0).real.dtype)
        return cls(W.phases, W.reflections, weight, bias, start, W.permutation,
                   sequences, recompute)  # fmt: skip

    @cached_property
    def matrix(self) -> UnitaryMatrix:
        """``W`` as a value."""
        return UnitaryMatrix(self.phases, self.reflections, self.permutation)

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
        """Angles and vectors of ``W``, ``V``, the bias, ``h_0``."""
        names = ("phases", "reflections", "weight", "bias", "start")
        return {name: getattr(self, name) for name in names}

    @property
    def constants(self) -> dict[str, np.ndarray]:
        """The permutation."""
        return {"permutation": self.permutation}

    @property
    def config(self) -> dict[str, Any]:
        """What is given, and what is kept."""
        return {"sequences": self.sequences, "recompute": self.recompute}

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """The recurrence, and back through time."""
        if x.shape[1] == 0:
            raise ShapeError("UnitaryRNN: x has no steps; at least one is needed")
        xp, n = namespace_of(x, self.weight), self.matrix.shape[0]
        recurrence = Recurrence(self.matrix, self.weight, self.bias)
        timely = xp.permute_dims(x, (1, 0, 2))
        start = xp.broadcast_to(self.start, (x.shape[0], n))
        states, kept = recurrence.run(timely, start, recompute=self.recompute)
        states = xp.stack(states, axis=1) if self.sequences else states[-1]

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dh = dy[..., :n] + 1j * dy[..., n:]
            last = xp.zeros_like(start) if self.sequences else dh
            every = xp.permute_dims(dh, (1, 0, 2)) if self.sequences else None
            dx, dstart, gradients = recurrence.back(kept, every, last)
            gradients["start"] = xp.sum(dstart, axis=0)
            return xp.permute_dims(dx, (1, 0, 2)), gradients

        return xp.concat([xp.real(states), xp.imag(states)], axis=-1), backward
