"""Unfoldings: the matrices that a decomposition cuts, and what stands in for them.

A sweep holds ``(A, r)`` of a tensor or ``(A, B, r)`` of a matrix: the flattened digits
to come, and the rank of the bond behind them. Of a tall unfolding it needs the right
singular vectors alone, and those of the triangle of its QR factorisation are the same.
"""

from collections.abc import Iterable, Iterator
from math import prod

from ttalgebra.arrays.factorize import triangle
from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import Array
from ttalgebra.cores import chain

BLOCK = 2**18  # elements that stay in cache; one QR of 2**20 x 16 takes 5 times as long


def peel(rest: Array, sizes: tuple[int, ...]) -> Array:
    """``(A m, B n, r) -> (A B, m n r)``: the last digit of each axis, and the rank."""
    *axes, rank = rest.shape
    split = [
        size for n, m in zip(axes, sizes, strict=True) for size in (int(n) // m, m)
    ]
    last = 2 * len(sizes)
    order = (*range(0, last, 2), *range(1, last, 2), last)
    digits = namespace_of(rest).permute_dims(chain.reshape(rest, *split, rank), order)
    return chain.reshape(digits, prod(split[::2]), prod(sizes) * rank)


def left_over(matrix: Array, axes: tuple[int, ...], sizes: tuple[int, ...]) -> Array:
    """``(A B, r) -> (A, B, r)``: what is left of ``axes`` without those last digits."""
    left = (n // m for n, m in zip(axes, sizes, strict=True))
    return chain.reshape(matrix, *left, matrix.shape[1])


def compressed(matrix: Array) -> Array:
    """A matrix no taller than wide with the same singular values and right vectors."""
    rows, columns = matrix.shape
    return triangle_of(row_blocks(matrix)) if rows > columns else matrix


def row_blocks(matrix: Array) -> Iterator[Array]:
    """``matrix`` in blocks of rows, of about ``BLOCK`` elements and tall themselves."""
    rows, columns = matrix.shape
    step = max(4 * columns, BLOCK // columns)
    starts = range(0, rows, step)
    return (matrix[start : min(start + step, rows), :] for start in starts)


def triangle_of(blocks: Iterable[Array]) -> Array:
    """The triangle of a tall matrix that arrives in blocks of rows.

    Triangles of equally many blocks are stacked and reduced in pairs, so roundoff grows
    with the logarithm of their number: ``2 rows columns^2`` flops in one pass, and no
    factorisation is larger than a block.
    Source: Demmel, Grigori, Hoemmen, Langou (2012), TSQR on a binary tree.
    """
    waiting: list[tuple[int, Array]] = []
    for block in blocks:
        level, found = 0, triangle(block)
        while waiting and waiting[-1][0] == level:
            level, found = level + 1, _stacked(waiting.pop()[1], found)
        waiting.append((level, found))
    _, found = waiting.pop()
    while waiting:
        found = _stacked(waiting.pop()[1], found)
    return found


def _stacked(upper: Array, lower: Array) -> Array:
    return triangle(namespace_of(upper).concat((upper, lower), axis=0))
