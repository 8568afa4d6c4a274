"""The door to TT-SVD that tensors and matrices share."""

from collections.abc import Sequence

from ttalgebra.arrays.checks import as_max_rank, as_tol
from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import Array, Cores, Ranks
from ttalgebra.cores.truncation import Truncation
from ttalgebra.decompose.svd import tt_svd


def decomposed(
    x: Array,
    modes: Sequence[tuple[int, ...]],
    tol: float | None,
    max_rank: Ranks | None,
) -> tuple[Cores, Truncation]:
    """The chain of a finite ``x``, and the report."""
    bounds = as_max_rank(max_rank, len(modes), "from_dense")
    tol = as_tol(tol, "from_dense")
    if len(modes) == 1:  # there is nothing to cut: the core would be the caller's array
        x = namespace_of(x).asarray(x, copy=True)
    return tt_svd(x, modes, tol=tol, max_rank=bounds)
