"""Models whose ranks change: `rounded` to smaller ones, `grown` to larger ones.

Both are functions of a model, which stays as it is; `found.mapped` says what in it has
ranks. To change them while training there is `ttalgebra.learning.AdaptRanks`.
"""

from ttalgebra.layers.adaptive.found import mapped, ranks_of
from ttalgebra.layers.adaptive.grow import grown
from ttalgebra.layers.adaptive.shrink import rounded

__all__ = ["grown", "mapped", "ranks_of", "rounded"]
