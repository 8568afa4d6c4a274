"""Needs PyTorch (pip install 'ttalgebra[torch]'): which neighbouring cores are merged.

One larger product often costs less than several small ones, and keeps fewer states
for backward: five cores of 4 x 4 with ranks 8 are best met as (16x16)(4x4)(16x16).
"""

from collections.abc import Sequence
from itertools import accumulate
from operator import mul

BALANCE = 16  # multiplications that take as long as moving one number; measured on CPU
LONGEST = 12  # cores in a group: 4096 x 4096 at the smallest modes

Sizes = tuple[int, int, int, int]


def grouping(shapes: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """How many neighbouring cores each product takes: the cheapest split of the chain.

    Counted for one sample: multiplications, and `BALANCE` for each number of a state
    read or written. A merged core is never larger than the states that it meets, so
    one sample pays for merging; the dense matrix is never formed. ``O(d)`` trials.

    >>> grouping([(1, 4, 4, 8), (8, 4, 4, 8), (8, 4, 4, 8), (8, 4, 4, 8), (8, 4, 4, 1)])
    (2, 1, 2)
    """
    d = len(shapes)
    done = list(accumulate((shape[1] for shape in shapes), mul, initial=1))
    read = list(accumulate((shape[2] for shape in shapes), mul, initial=1))
    best: list[tuple[int, tuple[int, ...]]] = [(0, ())]
    for end in range(1, d + 1):
        found = []
        for start in range(max(0, end - LONGEST), end):
            i, j = done[end] // done[start], read[end] // read[start]
            core = shapes[start][0], i, j, shapes[end - 1][3]
            states = done[start] * (read[d] // read[end])
            if end - start == 1 or _fits(core, states):
                cost, sizes = best[start]
                found.append((cost + _work(core, states), (*sizes, end - start)))
        best.append(min(found))
    return best[d][1]


def _work(core: Sizes, states: int) -> int:
    a, i, j, b = core
    return states * (i * b * a * j + BALANCE * (a * j + i * b))


def _fits(core: Sizes, states: int) -> bool:
    a, i, j, b = core
    return i * b * a * j <= states * max(a * j, i * b)
