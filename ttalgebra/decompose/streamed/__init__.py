"""Arrays larger than memory, read in blocks from the end that keeps reads in order.

`passes` is the decomposition, `blocks` the reading, `orientation` the choice of end.
"""

from ttalgebra.decompose.streamed.passes import tt_svd_streamed

__all__ = ["tt_svd_streamed"]
