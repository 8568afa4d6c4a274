"""Which neighbours are merged: the cheapest split, never the dense matrix."""

from itertools import combinations, pairwise
from math import prod

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
of = pytest.importorskip("ttalgebra.interop.torch.grouping")
sweep = pytest.importorskip("ttalgebra.interop.torch.sweep")

REFERENCE = [(1, 4, 4, 8), *[(8, 4, 4, 8)] * 3, (8, 4, 4, 1)]


def chain(rng):
    d = int(rng.integers(1, 7))
    ranks = [1, *rng.integers(1, 12, size=d - 1).tolist(), 1]
    modes = rng.integers(1, 9, size=(d, 2)).tolist()
    return [(r, m, n, s) for (m, n), r, s in zip(modes, ranks, ranks[1:], strict=False)]


def splits(d):
    for count in range(d):
        for cuts in combinations(range(1, d), count):
            ends = [0, *cuts, d]
            yield tuple(b - a for a, b in pairwise(ends))


def cost(shapes, split):
    """Work and traffic by the book; None where a merged core is too large."""
    total, start = 0, 0
    for size in split:
        part = shapes[start : start + size]
        i, j = prod(s[1] for s in part), prod(s[2] for s in part)
        a, b = part[0][0], part[-1][3]
        p = prod(s[1] for s in shapes[:start])
        t = prod(s[2] for s in shapes[start + size :])
        if size > 1 and a * i * j * b > max(p * a * j * t, p * i * b * t):
            return None
        total += p * t * (a * j * i * b + of.BALANCE * (a * j + i * b))
        start += size
    return total


def test_cheapest_of_all_splits(rng):
    merging = 0
    for _ in range(200):
        shapes = chain(rng)
        found = of.grouping(shapes)
        assert sum(found) == len(shapes)
        costs = [cost(shapes, split) for split in splits(len(shapes))]
        assert cost(shapes, found) == min(c for c in costs if c is not None)
        merging += len(found) < len(shapes)
    assert merging > 20


def test_linear_work_for_long_chains():
    """10,000 cores of 1 x 1 are planned at once, a dozen in a product."""
    assert max(of.grouping([(1, 1, 1, 1)] * 10_000)) == of.LONGEST


def test_known_splits():
    assert of.grouping(REFERENCE) == (2, 1, 2)
    assert of.grouping([(1, 1024, 1024, 1)]) == (1,)
    assert of.grouping([(1, 64, 64, 8), (8, 64, 64, 1)]) == (1, 1)


def test_merged_cores_are_the_same_matrix(rng):
    for _ in range(20):
        shapes = chain(rng)[:4]
        cores = [torch.tensor(rng.integers(-3, 4, size=s)).double() for s in shapes]
        found = sweep.merged(cores)
        wanted = cores[0]
        for core in cores[1:]:
            wanted = torch.einsum("apqk,kijb->apiqjb", wanted, core)
            wanted = wanted.flatten(1, 2).flatten(2, 3)
        assert torch.equal(found, wanted)
