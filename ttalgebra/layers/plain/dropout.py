"""Dropout: while training, each feature of each sample is kept by chance."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ttalgebra.arrays.checks import as_scalar
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import dtype_of, from_numpy
from ttalgebra.arrays.typing import Array, Backward
from ttalgebra.layers.protocol import Layer


@dataclass(frozen=True, eq=False)
class Dropout(Layer):
    """The identity; in training form, a mask of zeros and ``1 / (1 - rate)``.

    So the mean of the training form is the other one. Source: Srivastava et al.
    (2014), with the factor applied while training, as their section 10 describes.

    Parameters
    ----------
    rate
        The probability, in ``[0, 1)``, that a feature is dropped.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import Dropout
    >>> drawn = Dropout(0.5).training(np.random.default_rng(0))
    >>> y, backward = drawn(np.ones((1, 6)))
    >>> sorted(set(y[0].tolist())), bool((drawn(np.ones((1, 6)))[0] == y).all())
    ([0.0, 2.0], True)
    """

    rate: float = 0.5

    def __post_init__(self) -> None:
        rate = as_scalar(self.rate, "Dropout: rate")
        if isinstance(rate, complex) or not 0 <= rate < 1:
            message = f"Dropout: rate must be at least 0 and below 1, got {rate}"
            raise ShapeError(f"{message}; it is the share of features to drop")
        object.__setattr__(self, "rate", rate)

    @property
    def config(self) -> dict[str, Any]:
        """The rate."""
        return {"rate": self.rate}

    def training(self, rng: np.random.Generator) -> "DrawnDropout":
        """A dropout whose mask is drawn: the same at every call, for checks."""
        return DrawnDropout(self.rate, int(rng.integers(2**63)))

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """``x`` itself."""
        return x, lambda dy: (dy, {})


@dataclass(frozen=True, eq=False)
class DrawnDropout(Layer):
    """``x * mask``, the mask drawn from ``seed``: linear, for one step of training."""

    rate: float
    seed: int

    @property
    def config(self) -> dict[str, Any]:
        """Rate and seed."""
        return {"rate": self.rate, "seed": self.seed}

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """``x * mask``."""
        mask = self._mask(x)
        return x * mask, lambda dy: (dy * mask, {})

    def _mask(self, x: Array) -> Array:
        """Zeros and ``1 / (1 - rate)`` in the shape, dtype and library of ``x``."""
        rng = np.random.default_rng(self.seed)
        kept = rng.random(tuple(x.shape), dtype=np.float32) >= self.rate
        return from_numpy(kept * dtype_of(x).type(1 / (1 - self.rate)), like=x)
