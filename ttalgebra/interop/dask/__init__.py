"""Needs dask and distributed (pip install 'ttalgebra[dask]'): TT-SVD beyond memory.

`decomposition` is the door, `sources` and `chunks` what is read and how it is split,
`unfolding` and `sweep` the cuts, `passes` what is asked of all blocks, `blocks` what is
done to one.
"""

from ttalgebra.interop.missing import missing

try:
    import dask.array  # noqa: F401
    import distributed  # noqa: F401
except ImportError as error:
    raise missing(__doc__) from error

from ttalgebra.interop.dask.decomposition import tt_svd

__all__ = ["tt_svd"]
