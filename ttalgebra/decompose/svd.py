"""TT-SVD: a dense array becomes a chain, one bond at a time, as close as asked.

Source: Oseledets (2011), Algorithm 1, mirrored: from the last mode to the first, so
that in C order each unfolding of a tensor is tall and no transpose is needed. The
left factor of a cut is the data projected on its right singular vectors, of which
the triangle of a QR factorisation knows everything.
"""

from collections.abc import Sequence
from math import prod

from ttalgebra.arrays.factorize import triangle
from ttalgebra.arrays.namespace import conj, namespace_of, to_numpy
from ttalgebra.arrays.scaling import unit_scaled
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain
from ttalgebra.cores.truncation import Budget, Truncation


def tt_svd(
    x: Array,
    modes: Sequence[tuple[int, ...]],
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
    norm = float(to_numpy(namespace_of(rest).linalg.vector_norm(rest)))
    budget = Budget(norm, tol, max_rank)
    done: list[Array] = []
    rank = 1
    for sizes in reversed(modes[1:]):
        matrix = _peel(rest, sizes, rank)
        right = budget.cut(_compressed(matrix)).right
        left = namespace_of(matrix).matmul(matrix, _adjoint(right))
        done.append(chain.reshape(right, right.shape[0], *sizes, rank))
        rank = int(right.shape[0])
        axes = [n // m for n, m in zip(_axes(rest, sizes), sizes, strict=True)]
        rest = chain.reshape(left, *axes, rank)
    first = chain.reshape(rest, 1, *modes[0], rank)
    cores = (first, *reversed(done))
    info = budget.report(chain.ranks(cores), int(exponent))
    return chain.spread(cores, exponent), info


def _axes(rest: Array, sizes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(rest.shape[: len(sizes)])


def _peel(rest: Array, sizes: tuple[int, ...], rank: int) -> Array:
    """``(A m, B n, r) -> (A B, m n r)``: the last digit of each axis, and the rank."""
    split = [
        size
        for n, m in zip(_axes(rest, sizes), sizes, strict=True)
        for size in (n // m, m)
    ]
    last = 2 * len(sizes)
    order = (*range(0, last, 2), *range(1, last, 2), last)
    digits = namespace_of(rest).permute_dims(chain.reshape(rest, *split, rank), order)
    return chain.reshape(digits, prod(split[::2]), prod(sizes) * rank)


def _compressed(matrix: Array) -> Array:
    """A matrix no taller than wide with the same singular values and right vectors."""
    rows, columns = matrix.shape
    return triangle(matrix) if rows > columns else matrix


def _adjoint(matrix: Array) -> Array:
    return conj(namespace_of(matrix).matrix_transpose(matrix))
