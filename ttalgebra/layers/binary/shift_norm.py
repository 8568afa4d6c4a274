"""Batch normalisation whose multiplications are shifts.

Source: Hubara et al. (2016), and the authors' code.
"""

from dataclasses import dataclass

import numpy as np

from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import Array, Backward
from ttalgebra.layers.binary.binarize import power_of_two
from ttalgebra.layers.plain.activation import require_real
from ttalgebra.layers.plain.normalization import AbstractBatchNorm


@dataclass(frozen=True, eq=False)
class ShiftBatchNorm(AbstractBatchNorm):
    """``P(scale) * (x - mean) * P(1 / sqrt(variance + eps)) + shift``.

    ``P`` rounds to a power of two, as in ``variance = mean(C * P(C))`` of the batch,
    ``C = x - mean``. Backward is that of `BatchNorm` with the rounded factors in the
    place of the true ones; the scale gets the gradient of ``P(scale)``. Parameters,
    statistics and errors are those of `BatchNorm`, but the running variance is the
    mean of what the batches had.

    >>> import numpy as np
    >>> from ttalgebra.layers import ShiftBatchNorm
    >>> norm = ShiftBatchNorm([0.75], [1.0], [2.0], [15.0], eps=1.0)
    >>> norm([[10.0], [-6.0]])[0]  # P(0.75) = 1 and P(1 / 4) = 1/4
    array([[ 3.],
           [-1.]])
    """

    def training(self, rng: np.random.Generator) -> "ShiftBatchNormOfBatch":  # noqa: ARG002
        """The form that normalises by the statistics of the batch itself."""
        return ShiftBatchNormOfBatch(**self.arrays, **self.config)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """By the running statistics: affine in ``x``."""
        require_real(x, "ShiftBatchNorm: x")
        xp = namespace_of(x, self.scale)
        scale = power_of_two(self.scale)
        inverse = power_of_two(1 / xp.sqrt(self.variance + self.eps))
        normal = (x - self.mean) * inverse

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dscale, dshift = xp.sum(dy * normal, axis=0), xp.sum(dy, axis=0)
            return dy * (scale * inverse), {"scale": dscale, "shift": dshift}

        return normal * scale + self.shift, backward


@dataclass(frozen=True, eq=False)
class ShiftBatchNormOfBatch(AbstractBatchNorm):
    """By the batch; backward also returns the new running values.

    With ``D = P(C)``, ``r = P(1 / sigma)`` and ``q = P(scale)``,
    ``dx = q r (dy - mean(dy) - r^2 (D - mean(D)) mean(D dy))``. The authors' code has
    ``D`` for ``D - mean(D)``; so it leaves a gradient along constant shifts of a
    feature, to which the layer is blind.
    """

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """By mean and shift-based variance of ``x``."""
        self._samples(x)
        xp = namespace_of(x, self.scale)
        mean = xp.mean(x, axis=0)
        centered = x - mean
        rounded = power_of_two(centered)
        variance = xp.mean(centered * rounded, axis=0)
        inverse = power_of_two(1 / xp.sqrt(variance + self.eps))
        normal, scale = centered * inverse, power_of_two(self.scale)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dshift, dscale = xp.sum(dy, axis=0), xp.sum(dy * normal, axis=0)
            slope = inverse * inverse * xp.mean(rounded * dy, axis=0)
            off = rounded - xp.mean(rounded, axis=0)
            dx = scale * inverse * (dy - xp.mean(dy, axis=0) - off * slope)
            gradients = {"scale": dscale, "shift": dshift}
            return dx, gradients | self._running(mean, variance)

        return normal * scale + self.shift, backward
