"""The dense layer, against which every other one is measured."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_dtype, as_positive
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import conj, namespace_of
from ttalgebra.arrays.random import generator, normal
from ttalgebra.arrays.typing import RNG, Array, Backward
from ttalgebra.layers.plain.initial import Variance, glorot
from ttalgebra.layers.protocol import Layer, owned, require_axes


@dataclass(frozen=True, eq=False)
class Dense(Layer):
    """``y = x W^T + b``.

    Cost ``2 n M N`` flops forward, twice that backward.

    Parameters
    ----------
    weight
        ``W``, ``(M, N)``: rows are outputs, columns inputs.
    bias
        ``b``, ``(M,)``.

    Examples
    --------
    >>> from ttalgebra.layers import Dense
    >>> layer = Dense([[1.0, 2.0], [3.0, 4.0]], bias=[0.5, 0.0])
    >>> y, backward = layer([[1.0, 1.0]])
    >>> y
    array([[3.5, 7. ]])
    >>> dx, gradients = backward(y)
    >>> gradients["bias"]
    array([3.5, 7. ])
    """

    weight: Array
    bias: Array

    def __post_init__(self) -> None:
        for name, n_axes in (("weight", 2), ("bias", 1)):
            array = owned(getattr(self, name), f"Dense: {name}")
            require_axes(array, n_axes, f"Dense: {name}")
            object.__setattr__(self, name, array)
        if self.bias.shape[0] != self.weight.shape[0]:
            message = f"Dense: bias has {self.bias.shape[0]} entries"
            raise ShapeError(f"{message}, the weight {self.weight.shape[0]} rows")

    @classmethod
    def random(
        cls,
        n_in: int,
        n_out: int,
        *,
        variance: Variance = glorot,
        rng: RNG = None,
        dtype: Any = np.float32,
    ) -> Self:
        """Normal weights of the variance ``variance(n_out, n_in)``, zero bias."""
        N, M = as_positive(n_in, "Dense: n_in"), as_positive(n_out, "Dense: n_out")
        kind, scale = as_dtype(dtype), variance(M, N) ** 0.5
        weight = normal((M, N), dtype=kind, rng=generator(rng), scale=scale)
        return cls(weight, np.zeros(M, kind))

    @property
    def inputs(self) -> tuple[int, ...]:
        """``(N,)``."""
        return (int(self.weight.shape[1]),)

    @property
    def parameters(self) -> dict[str, Array]:
        """Weight and bias."""
        return {"weight": self.weight, "bias": self.bias}

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """``x W^T + b``."""
        xp = namespace_of(x, self.weight)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dweight = xp.matmul(dy.T, conj(x))
            dx = xp.matmul(dy, conj(self.weight))
            return dx, {"weight": dweight, "bias": xp.sum(dy, axis=0)}

        return xp.matmul(x, self.weight.T) + self.bias, backward
