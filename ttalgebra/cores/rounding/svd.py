"""Rounding: the same chain with smaller ranks, as close as asked.

Source: Oseledets (2011), Algorithm 2, mirrored: orthogonalised from the left, cut
from the right, the direction in which C order needs no transposes.
"""

from ttalgebra.arrays.scaling import norm_of
from ttalgebra.arrays.typing import Cores
from ttalgebra.cores import chain, ranged
from ttalgebra.cores.chain import absorb_right, right_fold, right_unfold
from ttalgebra.cores.orthogonalize import left_orthogonalize
from ttalgebra.cores.truncation import Budget, Truncation


def by_svd(
    cores: Cores, *, tol: float | None = None, max_rank: tuple[int | None, ...]
) -> tuple[Cores, Truncation]:
    """Round by a QR sweep to the right, then an SVD sweep to the left.

    ``norm(x - rounded) <= tol * norm(x)`` up to roundoff ``c eps W Gamma``, unless
    ``max_rank`` cuts deeper; with neither only roundoff is cut. All cores but the
    first are right-orthonormal up to a power of two. Cost ``O(d n r^3)``.
    """
    orthogonal, exponent = left_orthogonalize(cores)
    rounded, growth, budget = cut(orthogonal, tol=tol, max_rank=max_rank)
    info = budget.report(chain.ranks(rounded), exponent)
    return ranged.held(rounded, exponent + growth, "round"), info


def cut(
    orthogonal: Cores, *, tol: float | None, max_rank: tuple[int | None, ...]
) -> tuple[Cores, int, Budget]:
    """The SVD sweep to the left, through a chain left-orthonormal but for its end.

    ``(cores, exponent, budget)``: ``2**exponent`` times the chain, for what is left
    may shrink at each cut. The rows of each right unfolding become the right singular
    vectors of its bond. Cost ``O(d n r^3)``. Source: Oseledets (2011), Algorithm 2,
    second half.
    """
    center, exponent, done = orthogonal[-1], 0, []
    budget = Budget(norm_of(center), tol, max_rank)
    for preceding in reversed(orthogonal[:-1]):
        left, right, growth = budget.cut(right_unfold(center), exponent)
        done.append(right_fold(right, like=center))
        center, exponent = absorb_right(preceding, left), exponent + growth
    return (center, *reversed(done)), exponent, budget
