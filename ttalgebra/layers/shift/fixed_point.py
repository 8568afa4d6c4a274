"""Numbers in fixed point: multiples of ``2^-F`` in a range of ``I`` bits."""

from dataclasses import dataclass

import numpy as np

from ttalgebra.arrays.checks import as_count, as_positive
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import Array

_BITS = 32  # of a number, so that sums of 2^31 of them stay in 63


@dataclass(frozen=True)
class FixedPoint:
    """``floor(x / step) * step`` in ``[-2^(I-1), 2^(I-1) - 1]``, ``step = 2^-F``.

    The upper end is an integer, as in the authors' format: what lies between it and
    ``2^(I-1)`` becomes the end itself. Source: Elhoushi et al. (2021), their code.

    Parameters
    ----------
    integer
        ``I``, bits before the point, that of the sign included; at least 2.
    fraction
        ``F``, bits after it; ``I + F`` is at most 32.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers.shift import FixedPoint
    >>> FixedPoint(3, 5).rounded(np.array([0.3, -0.3, 3.9, -4.2]))
    array([ 0.28125, -0.3125 ,  3.     , -4.     ])
    """

    integer: int = 16
    fraction: int = 16

    def __post_init__(self) -> None:
        integer = as_positive(self.integer, "FixedPoint: integer")
        fraction = as_count(self.fraction, "FixedPoint: fraction")
        if integer < 2 or integer + fraction > _BITS:
            message = f"FixedPoint: integer is {integer} and fraction {fraction}"
            raise ShapeError(f"{message}; integer is at least 2, both at most {_BITS}")
        object.__setattr__(self, "integer", integer)
        object.__setattr__(self, "fraction", fraction)

    @property
    def step(self) -> float:
        """``2^-F``; the error of rounding is below it, except outside of the range."""
        return 2.0**-self.fraction

    def rounded(self, x: Array) -> Array:
        """``x`` in fixed point, in its own dtype."""
        return self._counted(x) * self.step

    def integers(self, x: np.ndarray) -> np.ndarray:
        """``x / step``, rounded, as int64."""
        counted: np.ndarray = self._counted(x).astype(np.int64)
        return counted

    def _counted(self, x: Array) -> Array:
        xp, end = namespace_of(x), 2.0 ** (self.integer - 1)
        inside = xp.clip(x, min=-end, max=end - 1)  # first, so that nothing overflows
        return xp.floor(inside * 2.0**self.fraction)
