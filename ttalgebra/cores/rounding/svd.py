"""Rounding: the same chain with smaller ranks, as close as asked.

Source: Oseledets (2011), Algorithm 2, mirrored: orthogonalised from the left, cut
from the right, the direction in which C order needs no transposes. Unlike there no
orthogonal factor of a left interface is formed: its triangle ``R`` says what a cut
costs, and the cut itself acts on the cores as they are. So whatever has sites can be
rounded, and a sum or a product need not be formed.
"""

from itertools import pairwise

from ttalgebra.arrays.contract import matmul
from ttalgebra.arrays.factorize import LONG, ROWS, qr
from ttalgebra.arrays.namespace import adjoint
from ttalgebra.arrays.roots import root
from ttalgebra.arrays.scaling import calmed, norm_of, times_power
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain, ranged
from ttalgebra.cores.chain import absorb_right, left_unfold, right_fold, right_unfold
from ttalgebra.cores.orthogonalize import tolerance
from ttalgebra.cores.rounding.networks import Network, calm
from ttalgebra.cores.truncation import Budget, Truncation


def by_svd(
    cores: Cores, *, tol: float | None = None, max_rank: tuple[int | None, ...]
) -> tuple[Cores, Truncation]:
    """Round by a QR sweep to the right, then an SVD sweep to the left.

    ``norm(x - rounded) <= tol * norm(x)`` up to roundoff ``c eps W Gamma``, unless
    ``max_rank`` cuts deeper; with neither only roundoff is cut. All cores but the
    first are right-orthonormal up to a power of two. Cost ``O(d n r^3)``.
    """
    return rounded(calm(cores), tol=tol, max_rank=max_rank)


def rounded(
    network: Network,
    *,
    tol: float | None = None,
    atol: float | None = None,
    max_rank: tuple[int | None, ...],
    verb: str = "round",
) -> tuple[Cores, Truncation]:
    """`by_svd` for anything that has sites, to the larger of both errors.

    With ``R`` of the left interface and ``X`` the unfolding of what is right of a bond,
    the right singular vectors ``V`` of ``R X`` are those of the whole, and ``X V^H``
    goes on to the next site.
    """
    budget, base, done = None, None, []
    carried, exponent = network.corner(), network.exponent
    for site, (seen, scale) in zip(network.sites[:0:-1], roots(network), strict=True):
        core = site.absorb_right(carried)
        unfolded, frame = _shortened(right_unfold(core))
        matrix, growth = calmed(matmul(seen, unfolded))
        growth = growth + scale + exponent
        if budget is None:
            budget, base = _budget(matrix, growth, tol, atol, max_rank), growth
        rows = budget.rows(matrix, growth - base)
        carried, growth = calmed(matmul(unfolded, adjoint(rows)))
        rows = rows if frame is None else matmul(rows, frame)
        done.append(right_fold(rows, like=core))
        exponent = exponent + growth
    first = network.sites[0].absorb_right(carried)
    if budget is None:
        budget, base = _budget(first, exponent, tol, atol, max_rank), exponent
    cores = (first, *reversed(done))
    info = budget.report(chain.ranks(cores), base)
    return ranged.held(cores, exponent, verb), info


def _shortened(matrix: Array) -> tuple[Array, Array | None]:
    """``(L, Q)`` with ``matrix = L Q`` where its rows are long, else itself and None.

    In single precision sums of 200,000 numbers are off by 1e-4 in NumPy, 1e-3 in torch;
    those of the small ``L`` are short.
    """
    rows, columns = matrix.shape
    if columns < LONG * max(ROWS, 4 * rows):
        return matrix, None
    q, r = qr(adjoint(matrix))
    return adjoint(r), adjoint(q)


def _budget(
    whole: Array,
    exponent: Array,
    tol: float | None,
    atol: float | None,
    max_rank: tuple[int | None, ...],
) -> Budget:
    """For an error relative to the norm of ``2**exponent * whole``."""
    norm = norm_of(whole)
    tol = tolerance(tol, atol, lambda: (norm, int(exponent)))
    return Budget(norm, tol, max_rank)


def roots(network: Network) -> list[tuple[Array, Array]]:
    """``(R, e)`` of each bond, from the last: ``2**e R`` is as long as what is left.

    ``norm(R y) = norm(X y)`` for all ``y``, where the columns of ``X`` are the left
    interface.
    """
    seen, exponent, found = network.corner(), 0, []
    for site in network.sites[:-1]:
        seen, growth = calmed(root(left_unfold(site.absorb_left(seen))))
        exponent = exponent + growth
        found.append((seen, exponent))
    return found[::-1]


def leveled(cores: Cores) -> tuple[Cores, Array, float]:
    """``(cores, exponent, norm)``: the chain with all its left interfaces near one.

    It is ``2**exponent`` times the new one, whose norm is ``norm``.
    """
    network = calm(cores)
    found = roots(network)[::-1]
    ends = [0, *(exponent for _, exponent in found)]
    steps = [before - after for before, after in pairwise(ends)]
    *others, last = (site.like for site in network.sites)
    done = [times_power(core, step) for core, step in zip(others, steps, strict=True)]
    seen = found[-1][0] if found else network.corner()
    norm = norm_of(matmul(seen, right_unfold(last)))
    return (*done, last), network.exponent + ends[-1], norm


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
