"""DeepShift-Q: real weights are learned, and rounded to powers of two where used."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_positive
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG, Array, Backward
from ttalgebra.layers.plain.activation import require_real
from ttalgebra.layers.plain.dense import Dense
from ttalgebra.layers.protocol import Layer
from ttalgebra.layers.shift.fixed_point import FixedPoint
from ttalgebra.layers.shift.powers import rounded_weight
from ttalgebra.layers.shift.product import as_real, fixed_product, settle, uniform


@dataclass(frozen=True, eq=False)
class DeepShiftQ(Layer):
    """``y = [x] w^T + [b]``, ``w = sign(W) 2^round(log2 |W|)``, ``[.]`` fixed point.

    ``|W|`` counts as if it were in ``[2^lowest, 1]``; a zero stays zero. Backward is
    straight through: ``dW = dy^T [x]``, ``dx = dy w``. Source: Elhoushi et al. (2021).

    Parameters
    ----------
    weight
        ``W``, ``(M, N)``, real.
    bias
        ``b``, ``(M,)``.
    bits
        Of a weight, 2 to 5: exponents down to -1, -3, -7, -15.
    integer, fraction
        Bits of `FixedPoint`, for ``x`` and ``b``.

    Examples
    --------
    >>> from ttalgebra.layers import DeepShiftQ
    >>> layer = DeepShiftQ([[0.72, -0.3], [0.7, 0.0]], bias=[0.0, 1.0])
    >>> layer.power
    array([[ 1.  , -0.25],
           [ 0.5 ,  0.  ]])
    >>> y, backward = layer([[2.0, 4.0]])
    >>> y
    array([[1., 2.]])
    """

    weight: Array
    bias: Array
    bits: int = 5
    integer: int = 16
    fraction: int = 16

    def __post_init__(self) -> None:
        settle(self, ("weight",))

    @classmethod
    def random(
        cls,
        n_in: int,
        n_out: int,
        *,
        bits: int = 5,
        integer: int = 16,
        fraction: int = 16,
        rng: RNG = None,
        dtype: Any = np.float32,
    ) -> Self:
        """Weights and biases uniform in ``+-1 / sqrt(N)``."""
        N, M = (as_positive(n, f"{cls.__name__}: size") for n in (n_in, n_out))
        kind, draw, end = as_real(dtype, cls.__name__), generator(rng), N**-0.5
        W, b = (uniform(s, -end, end, draw, kind) for s in ((M, N), (M,)))
        return cls(W, b, bits, integer, fraction)

    @classmethod
    def from_dense(
        cls, layer: Dense, *, bits: int = 5, integer: int = 16, fraction: int = 16
    ) -> Self:
        """With the weight of ``layer`` as it is. What exceeds 1 is cut where used."""
        return cls(layer.weight, layer.bias, bits, integer, fraction)

    @property
    def power(self) -> Array:
        """``w``: what the layer multiplies by."""
        return rounded_weight(self.weight, self.bits)

    @property
    def point(self) -> FixedPoint:
        """The format of ``x`` and ``b``."""
        return FixedPoint(self.integer, self.fraction)

    @property
    def inputs(self) -> tuple[int, ...]:
        """``(N,)``."""
        return (int(self.weight.shape[1]),)

    @property
    def parameters(self) -> dict[str, Array]:
        """Weight and bias, real numbers both."""
        return {"weight": self.weight, "bias": self.bias}

    @property
    def config(self) -> dict[str, Any]:
        """The bits of weights and of fixed point."""
        names = ("bits", "integer", "fraction")
        return {name: getattr(self, name) for name in names}

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """``[x] w^T + [b]``."""
        require_real(x, f"{self.name}: x")
        y, pull = fixed_product(x, self.power, self.bias, self.point)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dx, G, dbias = pull(dy)
            return dx, {"weight": G, "bias": dbias}

        return y, backward
