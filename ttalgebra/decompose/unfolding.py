"""Unfoldings: the matrices that a decomposition cuts, and what stands in for them.

A sweep holds ``(A, r)`` of a tensor or ``(A, B, r)`` of a matrix: the flattened digits
to come, and the rank of the bond behind them. Of a tall unfolding it needs the right
singular vectors alone, and those of the triangle of its QR factorisation are the same.
"""

import math
from collections.abc import Iterable, Iterator
from math import prod

import numpy as np

from ttalgebra.arrays.factorize import triangle
from ttalgebra.arrays.namespace import is_numpy, namespace_of
from ttalgebra.arrays.scaling import norm_of
from ttalgebra.arrays.typing import Array
from ttalgebra.cores import chain

BLOCK = 2**18  # elements that stay in cache; one QR of 2**20 x 16 takes 5 times as long
SLAB = 3 * 2**15  # the same where there is no QR: TT-SVD takes 0.8 of 2**17's time
TALLER = 1  # rows per column that a block has at least


def peel(rest: Array, sizes: tuple[int, ...]) -> Array:
    """``(A m, B n, r) -> (A B, m n r)``: the last digit of each axis, and the rank."""
    *axes, rank = (int(n) for n in rest.shape)
    if len(sizes) == 1:
        return chain.reshape(rest, axes[0] // sizes[0], sizes[0] * rank)
    (rows, columns), (m, n) = axes, sizes
    a, b = rows // m, columns // n
    digits = chain.reshape(rest, a, m, b, n * rank)
    if is_numpy(rest) and rest.flags.c_contiguous:  # n r at a time: a third of the time
        items = digits.view(f"V{n * rank * rest.itemsize}")[..., 0]
        digits = np.ascontiguousarray(items.transpose(0, 2, 1)).view(rest.dtype)
        return chain.reshape(digits, a * b, m * n * rank)
    digits = namespace_of(rest).permute_dims(digits, (0, 2, 1, 3))
    return chain.reshape(digits, a * b, m * n * rank)


def slabs(rest: Array, sizes: tuple[int, ...]) -> Iterator[Array]:
    """``rest`` in parts whose unfoldings are blocks of its own, in order.

    They hold whole digits of these ``sizes``, and about ``SLAB`` elements: whole rows,
    or parts of the rows of one digit.
    """
    columns = prod(sizes) * int(rest.shape[-1])
    wanted = max(SLAB, TALLER * columns**2)
    m, slab = sizes[0], sizes[0] * prod(rest.shape[1:])
    step = m * max(1, wanted // slab)
    for start in range(0, rest.shape[0], step):
        part = rest[start : min(start + step, rest.shape[0]), ...]
        if len(sizes) == 1 or slab <= 2 * wanted:
            yield part
            continue
        width = sizes[1] * max(1, wanted // columns)
        for left in range(0, rest.shape[1], width):
            yield part[:, left : min(left + width, rest.shape[1]), :]


def left_over(matrix: Array, axes: tuple[int, ...], sizes: tuple[int, ...]) -> Array:
    """``(A B, r) -> (A, B, r)``: what is left of ``axes`` without those last digits."""
    left = (n // m for n, m in zip(axes, sizes, strict=True))
    return chain.reshape(matrix, *left, matrix.shape[1])


def norm_of_all(blocks: Iterable[Array]) -> float:
    """The norm of what arrives in blocks; inf or NaN where its square is out of range.

    NumPy's ``vdot`` takes a quarter of the time of ``vector_norm``.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return math.hypot(*(_norm(x) for x in blocks))


def _norm(block: Array) -> float:
    if is_numpy(block):
        return math.sqrt(np.vdot(block, block).real)
    return norm_of(block)


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
