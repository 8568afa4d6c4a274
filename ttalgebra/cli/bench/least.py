"""The least flops of an operation, of which the limits are made."""

from itertools import pairwise, product
from math import prod

from ttalgebra.trains.matrix import TTMatrix
from ttalgebra.trains.tensor import TTTensor


def sweep(A: TTMatrix) -> int:
    """For a sample of ``A.apply``: both directions, all ways of merging cores."""
    d, found = A.order, []
    for cuts in product((False, True), repeat=d - 1):
        ends = [0, *(k for k, cut in enumerate(cuts, 1) if cut), d]
        for sides in ((A.row_modes, A.col_modes), (A.col_modes, A.row_modes)):
            work = 0
            for a, b in pairwise(ends):
                met = A.ranks[a] * A.ranks[b]
                met *= prod(A.row_modes[a:b]) * prod(A.col_modes[a:b])
                work += 2 * prod(sides[0][:a]) * met * prod(sides[1][b:])
            found.append(work)
    return min(found)


def rounding(x: TTTensor | TTMatrix, rank: int) -> float:
    """Of Oseledets (2011), Algorithm 2, to ``rank``, by Householder's QR both ways."""
    total = 0.0
    for r, *modes, s in (G.shape for G in x.cores[1:]):
        n, kept = prod(modes), min(s, rank)
        total += 2 * n * r * r * s + 4 * n * r * s * s
        total += 2 * n * r * s * kept + 4 * n * kept * r * r + 2 * n * kept * r * rank
    return total
