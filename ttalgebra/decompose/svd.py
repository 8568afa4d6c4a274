"""TT-SVD: a dense array becomes a chain, one bond at a time, as close as asked.

Source: Oseledets (2011), Algorithm 1, mirrored: from the last mode to the first, so
that in C order each unfolding of a tensor is tall and no transpose is needed. The
left factor of a cut is the data projected on its right singular vectors, of which
the triangle of a QR factorisation knows everything.
"""

from collections.abc import Callable, Sequence

from ttalgebra.arrays.contract import matmul
from ttalgebra.arrays.namespace import adjoint
from ttalgebra.arrays.scaling import norm_of, times_power, unit_scaled
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain
from ttalgebra.cores.truncation import Budget, Truncation
from ttalgebra.decompose.unfolding import compressed, left_over, peel

Modes = Sequence[tuple[int, ...]]


def tt_svd(
    x: Array,
    modes: Modes,
    *,
    tol: float | None = None,
    max_rank: tuple[int | None, ...],
) -> tuple[Cores, Truncation]:
    """The chain of ``x``, whose core ``k`` has the sizes ``modes[k]``.

    ``x`` is a tensor ``(n_1 ... n_d,)`` flattened to one axis, or a matrix
    ``(m_1 ... m_d, n_1 ... n_d)``: one axis for each of the modes of a core.
    ``norm(x - chain) <= tol * norm(x)`` (Theorem 2.2) up to roundoff, unless
    ``max_rank`` cuts deeper; at most ``sqrt(d - 1)`` times the best error at the
    same ranks (Corollary 2.4). Cost ``O(size * n r)`` for the first bond, less for
    each that follows.
    """
    rest, exponent = unit_scaled(x)
    budget = Budget(norm_of(rest), tol, max_rank)
    rest = chain.reshape(rest, *rest.shape, 1)
    rest, done = sweep(rest, modes[1:], lambda matrix: halves(matrix, budget))
    cores = (as_first(rest, modes[0]), *done)
    info = budget.report(chain.ranks(cores), exponent)
    return chain.spread(cores, exponent), info


def sweep(
    rest: Array, modes: Modes, find: Callable[[Array], tuple[Array, Array]]
) -> tuple[Array, Cores]:
    """Cut the digits ``modes`` off the end of ``rest``, from the last to the first.

    ``find`` gives the two halves of an unfolding, see `halves`. Returns what is left,
    ``(A, B, r)``, and a right-orthonormal core for each of ``modes``.
    """
    done: list[Array] = []
    for sizes in reversed(modes):
        *axes, rank = (int(n) for n in rest.shape)
        left, right = find(peel(rest, sizes))
        rest = left_over(left, tuple(axes), sizes)
        done.append(chain.reshape(right, right.shape[0], *sizes, rank))
    return rest, tuple(reversed(done))


def halves(matrix: Array, budget: Budget) -> tuple[Array, Array]:
    """Orthonormal rows, as many as ``budget`` keeps, and ``matrix`` projected on them.

    ``(matrix @ right^H, right)``. A wide matrix is not multiplied, its SVD holds the
    product: a sum over very many columns would lose digits.
    """
    rows, columns = matrix.shape
    if rows > columns:
        right = budget.cut(compressed(matrix)).right
        return matmul(matrix, adjoint(right)), right
    left, right, exponent = budget.cut(matrix)
    return times_power(left, exponent), right


def as_first(rest: Array, sizes: tuple[int, ...]) -> Array:
    """``(m, n, r) -> (1, m, n, r)``: what is left after a sweep is the first core."""
    return chain.reshape(rest, 1, *sizes, rest.shape[-1])
