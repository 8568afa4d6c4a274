"""TT-SVD: a dense array becomes a chain, one bond at a time, as close as asked.

Source: Oseledets (2011), Algorithm 1, mirrored: from the last mode to the first, so
that in C order each unfolding of a tensor is tall and no transpose is needed. The
left factor of a cut is the data projected on its right singular vectors, of which
the triangle of a QR factorisation knows everything.
"""

from collections.abc import Callable, Sequence

from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.scaling import norm_of, unit_scaled
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain
from ttalgebra.cores.truncation import Budget, Truncation
from ttalgebra.decompose.unfolding import adjoint, compressed, left_over, peel

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
    rest, done = sweep(rest, modes[1:], lambda matrix: right_vectors(matrix, budget))
    cores = (as_first(rest, modes[0]), *done)
    info = budget.report(chain.ranks(cores), exponent)
    return chain.spread(cores, exponent), info


def sweep(
    rest: Array, modes: Modes, find: Callable[[Array], Array]
) -> tuple[Array, Cores]:
    """Cut the digits ``modes`` off the end of ``rest``, from the last to the first.

    ``find`` says on which orthonormal rows an unfolding is projected. Returns what is
    left, ``(A, B, r)``, and a right-orthonormal core for each of ``modes``.
    """
    done: list[Array] = []
    for sizes in reversed(modes):
        *axes, rank = (int(n) for n in rest.shape)
        matrix = peel(rest, sizes)
        right = find(matrix)
        left = namespace_of(matrix).matmul(matrix, adjoint(right))
        rest = left_over(left, tuple(axes), sizes)
        done.append(chain.reshape(right, right.shape[0], *sizes, rank))
    return rest, tuple(reversed(done))


def right_vectors(matrix: Array, budget: Budget) -> Array:
    """As many right singular vectors, as rows, as ``budget`` allows to keep."""
    return budget.cut(compressed(matrix)).right


def as_first(rest: Array, sizes: tuple[int, ...]) -> Array:
    """``(m, n, r) -> (1, m, n, r)``: what is left after a sweep is the first core."""
    return chain.reshape(rest, 1, *sizes, rest.shape[-1])
