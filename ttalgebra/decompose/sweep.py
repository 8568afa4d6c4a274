"""Bond after bond, from the last to the first: what every dense decomposition does.

Source: Oseledets (2011), Algorithm 1, mirrored. The left factor of a cut is the data
projected on its right singular vectors, of which the triangle of a QR factorisation
knows everything.
"""

from collections.abc import Callable, Sequence
from math import prod

from ttalgebra.arrays.contract import matmul
from ttalgebra.arrays.namespace import adjoint
from ttalgebra.arrays.scaling import times_power
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain
from ttalgebra.cores.truncation import Budget
from ttalgebra.decompose.unfolding import compressed, left_over, peel

Modes = Sequence[tuple[int, ...]]


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


def opened(x: Array, modes: Modes) -> Array:
    """A tensor as ``(N, 1)``, a matrix as ``(M, N, 1)``: what a sweep starts with."""
    axes = x.shape if len(modes[0]) == 2 else (prod(x.shape),)
    return chain.reshape(x, *axes, 1)


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
