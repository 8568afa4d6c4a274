"""A fixed scale and shift: a network that learns numbers near one gives any others."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from ttalgebra.arrays.checks import as_array
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.typing import Array, Backward
from ttalgebra.layers.protocol import Layer, owned, require_axes


@dataclass(frozen=True, eq=False)
class Rescale(Layer):
    """``scale * x + shift``, feature by feature, neither of them learned.

    As the last layer of a regression it leaves numbers of mean 0 and deviation 1 to the
    layers before it, and the loss in the units of the data.

    Parameters
    ----------
    scale, shift
        ``(features,)``; ShapeError unless they agree, NonFiniteError unless finite.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import Rescale
    >>> layer = Rescale.of(np.array([[990.0], [1010.0]]))
    >>> y, backward = layer(np.array([[-1.0], [0.0], [1.0]]))
    >>> y.tolist(), backward(np.ones((3, 1)))[0].tolist()
    ([[990.0], [1000.0], [1010.0]], [[10.0], [10.0], [10.0]])
    """

    scale: Array
    shift: Array

    def __post_init__(self) -> None:
        for name in ("scale", "shift"):
            array = owned(getattr(self, name), f"Rescale: {name}")
            require_axes(array, 1, f"Rescale: {name}")
            object.__setattr__(self, name, array)
        scales, shifts = self.scale.shape[0], self.shift.shape[0]
        if scales != shifts:
            message = f"Rescale: {scales} scales and {shifts} shifts"
            raise ShapeError(f"{message}; one of each for every feature is needed")

    @classmethod
    def of(cls, target: np.ndarray) -> Self:
        """From mean 0 and deviation 1 to those of ``target``, ``(n, features)``.

        What does not vary keeps a scale of 1. In the precision of ``target``.
        """
        target = as_array(target, "Rescale.of: target")
        require_axes(target, 2, "Rescale.of: target")
        mean = target.mean(axis=0, dtype=np.float64)
        deviation = target.std(axis=0, dtype=np.float64)
        scale = np.where(deviation > 0, deviation, 1.0)
        return cls(scale.astype(target.dtype), mean.astype(target.dtype))

    @property
    def inputs(self) -> tuple[int, ...]:
        """One feature for each entry of the scale."""
        return (int(self.scale.shape[0]),)

    @property
    def statistics(self) -> dict[str, Array]:
        """Scale and shift: measured once."""
        return {"scale": self.scale, "shift": self.shift}

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """Affine in ``x``."""
        return x * self.scale + self.shift, lambda dy: (dy * self.scale, {})
