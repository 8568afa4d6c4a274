"""DeepShift-PS: the exponents and the signs themselves are learned."""

from dataclasses import dataclass
from math import log
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_positive, as_scalar
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG, Array, Backward
from ttalgebra.layers.plain.activation import require_real
from ttalgebra.layers.plain.dense import Dense
from ttalgebra.layers.protocol import Layer
from ttalgebra.layers.shift.decay import DecayedPS
from ttalgebra.layers.shift.fixed_point import FixedPoint
from ttalgebra.layers.shift.powers import as_bits, composed_weight, lowest
from ttalgebra.layers.shift.product import as_real, fixed_product, settle, uniform


@dataclass(frozen=True, eq=False)
class DeepShiftPS(Layer):
    """``y = [x] w^T + [b]``, ``w = sign(round(S)) 2^round(P)``, ``[.]`` fixed point.

    ``P`` counts as if it were in ``[lowest, 0]``. Backward is straight through, with
    ``G = dy^T [x]``: ``dP = G w ln 2``, and ``dS = G``, which is not multiplied by
    ``2^P``. Source: Elhoushi et al. (2021); we round ``x`` and ``b`` to
    fixed point here too, so that training and inference agree.

    Parameters
    ----------
    shift, sign
        ``P`` and ``S``, ``(M, N)``, real.
    bias
        ``b``, ``(M,)``.
    bits
        Of a weight, 2 to 5: exponents down to 0, -2, -6, -14, and zero.
    integer, fraction
        Bits of `FixedPoint`, for ``x`` and ``b``.
    decay
        The training form adds the gradient of ``decay / 2 sum (2^P)^2``, which decays
        the weight, not its exponent; 1e-4 in the paper. Keep the decay of the optimizer
        off ``P`` and ``S``: `real_weights`.

    Examples
    --------
    >>> from ttalgebra.layers import DeepShiftPS
    >>> layer = DeepShiftPS([[-0.4, -1.5, -13.7]], [[0.6, -0.7, 0.4]], bias=[0.0])
    >>> layer.power
    array([[ 1.  , -0.25,  0.  ]])
    >>> _, backward = layer([[1.0, 1.0, 1.0]])
    >>> backward([[1.0]])[1]["shift"].round(4)
    array([[ 0.6931, -0.1733,  0.    ]])
    """

    shift: Array
    sign: Array
    bias: Array
    bits: int = 5
    integer: int = 16
    fraction: int = 16
    decay: float = 0.0

    def __post_init__(self) -> None:
        settle(self, ("shift", "sign"))
        decay = as_scalar(self.decay, "DeepShiftPS: decay")
        if isinstance(decay, complex) or decay < 0:
            raise ShapeError(f"DeepShiftPS: decay must be at least 0, got {decay}")
        object.__setattr__(self, "decay", decay)

    @classmethod
    def random(
        cls,
        n_in: int,
        n_out: int,
        *,
        bits: int = 5,
        integer: int = 16,
        fraction: int = 16,
        decay: float = 0.0,
        rng: RNG = None,
        dtype: Any = np.float32,
    ) -> Self:
        """``P`` uniform in its range, ``S`` in ``+-1``, biases in ``+-1 / sqrt(N)``.

        So half of the weights are zero.
        """
        N, M = (as_positive(n, f"{cls.__name__}: size") for n in (n_in, n_out))
        kind, draw = as_real(dtype, cls.__name__), generator(rng)
        low = lowest(as_bits(bits, cls.__name__), ternary=True)
        P = uniform((M, N), low, 0, draw, kind)
        S = uniform((M, N), -1, 1, draw, kind)
        b = uniform((M,), -(N**-0.5), N**-0.5, draw, kind)
        return cls(P, S, b, bits, integer, fraction, decay)

    @classmethod
    def from_dense(
        cls,
        layer: Dense,
        *,
        bits: int = 5,
        integer: int = 16,
        fraction: int = 16,
        decay: float = 0.0,
    ) -> Self:
        """``P = round(log2 |W|)`` in its range and ``S = sign(W)``."""
        W = layer.weight
        require_real(W, f"{cls.__name__}: weight")
        xp, low = namespace_of(W), lowest(as_bits(bits, cls.__name__), ternary=True)
        P = xp.round(xp.log2(xp.clip(xp.abs(W), min=2.0**low, max=1)))
        return cls(P, xp.sign(W), layer.bias, bits, integer, fraction, decay)

    @property
    def power(self) -> Array:
        """``w``: what the layer multiplies by."""
        return composed_weight(self.shift, self.sign, self.bits)

    @property
    def point(self) -> FixedPoint:
        """The format of ``x`` and ``b``."""
        return FixedPoint(self.integer, self.fraction)

    @property
    def inputs(self) -> tuple[int, ...]:
        """``(N,)``."""
        return (int(self.shift.shape[1]),)

    @property
    def parameters(self) -> dict[str, Array]:
        """Exponents, signs and bias, real numbers all."""
        return {"shift": self.shift, "sign": self.sign, "bias": self.bias}

    @property
    def config(self) -> dict[str, Any]:
        """The bits of weights and of fixed point, and the decay."""
        names = ("bits", "integer", "fraction", "decay")
        return {name: getattr(self, name) for name in names}

    def training(self, rng: np.random.Generator) -> Layer:  # noqa: ARG002
        """The layer with the gradient of its decay, if there is one."""
        return DecayedPS(self, self.shift, self.decay) if self.decay else self

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """``[x] w^T + [b]``."""
        require_real(x, f"{self.name}: x")
        w = self.power
        y, pull = fixed_product(x, w, self.bias, self.point)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dx, G, dbias = pull(dy)
            return dx, {"shift": G * w * log(2), "sign": G, "bias": dbias}

        return y, backward
