"""Batch normalisation: by running statistics, or, in training, by those of the batch.

Source: Ioffe & Szegedy (2015), Algorithms 1 and 2.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_dtype, as_positive, as_scalar
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import namespace_of, to_numpy
from ttalgebra.arrays.typing import Array, Backward
from ttalgebra.layers.plain.activation import require_real
from ttalgebra.layers.protocol import Layer, owned, require_axes

_ARRAYS = ("scale", "shift", "mean", "variance")


@dataclass(frozen=True, eq=False)
class AbstractBatchNorm(Layer):
    """``scale * (x - mean) / sqrt(variance + eps) + shift``, whatever mean is meant."""

    scale: Array
    shift: Array
    mean: Array
    variance: Array
    eps: float = 1e-5
    momentum: float = 0.1

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            array = owned(getattr(self, name), f"BatchNorm: {name}")
            require_axes(array, 1, f"BatchNorm: {name}")
            require_real(array, f"BatchNorm: {name}")
            object.__setattr__(self, name, array)
        sizes = {int(getattr(self, name).shape[0]) for name in _ARRAYS}
        if len(sizes) > 1:
            raise ShapeError(f"BatchNorm: its arrays have {sorted(sizes)} entries")
        lowest = float(to_numpy(self.variance).min())
        if lowest < 0:
            raise ShapeError(f"BatchNorm: variance has a negative entry, {lowest}")
        for name in ("eps", "momentum"):
            value = as_scalar(getattr(self, name), f"BatchNorm: {name}")
            if isinstance(value, complex) or not 0 < value <= 1:
                message = f"BatchNorm: {name} must be above 0 and at most 1"
                raise ShapeError(f"{message}, got {value}")
            object.__setattr__(self, name, value)

    @classmethod
    def new(cls, features: int, *, dtype: Any = np.float32, **config: float) -> Self:
        """Scale 1, shift 0, mean 0, variance 1; ``eps`` and ``momentum`` as given."""
        n, kind = as_positive(features, "BatchNorm: features"), as_dtype(dtype)
        ones, zeros = np.ones(n, kind), np.zeros(n, kind)
        return cls(ones, zeros, zeros, ones, **config)

    @property
    def inputs(self) -> tuple[int, ...]:
        """One feature for each entry of the scale."""
        return (int(self.scale.shape[0]),)

    @property
    def parameters(self) -> dict[str, Array]:
        """Scale and shift."""
        return {"scale": self.scale, "shift": self.shift}

    @property
    def statistics(self) -> dict[str, Array]:
        """The running mean and variance."""
        return {"mean": self.mean, "variance": self.variance}

    @property
    def config(self) -> dict[str, Any]:
        """``eps`` and ``momentum``."""
        return {"eps": self.eps, "momentum": self.momentum}

    def _samples(self, x: Array) -> int:
        require_real(x, "BatchNorm: x")
        n = int(x.shape[0])
        if n < 2:
            message = f"BatchNorm: a batch of {n} has no variance"
            raise ShapeError(f"{message}; train with at least 2 samples in each batch")
        return n

    def _running(self, mean: Array, variance: Array) -> dict[str, Array]:
        return {
            "mean": self.mean + self.momentum * (mean - self.mean),
            "variance": self.variance + self.momentum * (variance - self.variance),
        }


@dataclass(frozen=True, eq=False)
class BatchNorm(AbstractBatchNorm):
    """Each feature to mean ``shift`` and standard deviation ``scale``.

    Parameters
    ----------
    scale, shift
        Learned, ``(features,)``.
    mean, variance
        Measured while training: ``running + momentum * (batch - running)``, the
        variance of the batch unbiased.
    eps
        Added to the variance.
    momentum
        The weight of the newest batch in the running values.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import BatchNorm
    >>> norm = BatchNorm.new(1, momentum=1.0, dtype=np.float64)
    >>> y, backward = norm.training(np.random.default_rng(0))([[1.0], [3.0]])
    >>> dx, gradients = backward(y)
    >>> y.round(4).tolist(), gradients["mean"], gradients["variance"]
    ([[-1.0], [1.0]], array([2.]), array([2.]))
    """

    def training(self, rng: np.random.Generator) -> "BatchNormOfBatch":  # noqa: ARG002
        """The form that normalises by the statistics of the batch itself."""
        return BatchNormOfBatch(**self.arrays, **self.config)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """By the running statistics: affine in ``x``."""
        require_real(x, "BatchNorm: x")
        xp = namespace_of(x, self.scale)
        inverse = 1 / xp.sqrt(self.variance + self.eps)
        normal = (x - self.mean) * inverse

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dscale = xp.sum(dy * normal, axis=0)
            dshift = xp.sum(dy, axis=0)
            return dy * (self.scale * inverse), {"scale": dscale, "shift": dshift}

        return normal * self.scale + self.shift, backward


@dataclass(frozen=True, eq=False)
class BatchNormOfBatch(AbstractBatchNorm):
    """Normalisation by the batch; backward also returns the new running values.

    Under the names of the statistics, ``gradients`` holds not gradients but what
    they shall be after this step. Raises ShapeError for a batch of one sample.
    """

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """Algorithm 1; backward as in section 3, summed in closed form."""
        n = self._samples(x)
        xp = namespace_of(x, self.scale)
        mean = xp.mean(x, axis=0)
        centered = x - mean
        variance = xp.mean(centered * centered, axis=0)
        inverse = 1 / xp.sqrt(variance + self.eps)
        normal = centered * inverse

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dscale = xp.sum(dy * normal, axis=0)
            dshift = xp.sum(dy, axis=0)
            dx = self.scale * inverse * (dy - (dshift + normal * dscale) / n)
            gradients = {"scale": dscale, "shift": dshift}
            return dx, gradients | self._running(mean, variance * (n / (n - 1)))

        return normal * self.scale + self.shift, backward
