"""Sums and products that are rounded without being formed, beside other libraries.

The operands are of known structure, so the ranks of the result are known and nobody is
told them. The limit is that of the formed sum or product, rounded. Run as

    python benchmarks/sums_and_products.py --threads 1
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from peers import TOL, installed, of_ranks, rounded, unit

import ttalgebra as tt
from ttalgebra.cli.bench import Workload, least, main
from ttalgebra.interop.peers import to_peer

PEERS = "scikit_tt", "torchtt"


def workloads(quick: bool) -> Iterator[Workload]:
    """A sum of ten trains in one space of rank 20; a matrix times a tensor."""
    yield total(*((8, 16, 5, 10) if quick else (30, 32, 10, 20)))
    yield applied(*((8, 8, 5, 10) if quick else (30, 16, 10, 30)))


def growth(quick: bool) -> Iterator[Workload]:
    """By the number of summands, and by the rank of the matrix."""
    most = 4 if quick else 6
    for count in (2, 4, 8, 16, 32, 64)[:most]:
        series = "sum of trains of rank 10 (limit: formed, rounded)"
        yield total(10, 16, count, 10).along(series, count, "summands")
    for rank in (2, 4, 8, 16, 32)[:most]:
        series = "A @ x, x of rank 10 (limit: formed, rounded)"
        yield applied(10, 16, rank, 10).along(series, rank, "rank of A")


def total(d: int, n: int, count: int, rank: int) -> Workload:
    """``sum_i c_i x_i``; each ``x_i`` is another sum of the same trains."""
    rng = np.random.default_rng(0)
    parts = [tt.random_tensor((n,) * d, 2, rng=rng) for _ in range(rank // 2)]
    trains = [
        reduce(add, (float(c) * x for c, x in zip(weights, parts, strict=True)))
        for weights in rng.standard_normal((count, rank // 2))
    ]
    trains = [unit(x) for x in trains]
    ones = [1.0] * count
    whole = reduce(add, trains)
    calls = {"ttalgebra": lambda: tt.linear_combination(ones, trains, tol=TOL)}
    for peer in installed(*PEERS):
        given = [to_peer(x, peer) for x in trains]
        calls[peer] = rounded(peer, lambda given=given: reduce(add, given))
    name = f"sum of {count} trains of rank {rank}, {d} cores of {n}"
    return case(name, calls, whole, rank)


def applied(d: int, n: int, inflated: int, rank: int) -> Workload:
    """``A @ x`` with an ``A`` of rank 1 in cores of rank ``inflated``."""
    A = tt.random_matrix((n,) * d, (n,) * d, 1, rng=0)
    A = unit(reduce(add, ((0.5 + k) * A for k in range(inflated))))
    x = unit(tt.random_tensor((n,) * d, rank, rng=1))
    calls = {"ttalgebra": lambda: A.matvec(x, tol=TOL)}
    for peer in installed(*PEERS):
        B, y = to_peer(A, peer), to_peer(x, peer)
        times = B.dot if peer == "scikit_tt" else B.__matmul__
        calls[peer] = rounded(peer, lambda times=times, y=y: times(y))
    name = f"A @ x of ranks {inflated} and {rank}, {d} cores of {n}"
    return case(name, calls, A @ x, rank)


def case(
    name: str, calls: Mapping[str, Callable[[], Any]], whole: Any, rank: int
) -> Workload:
    """Against the formed ``whole``; ranks above ``rank`` are wrong."""
    flops, moved = least.rounding(whole, rank), 2.0 * whole.nbytes
    error = of_ranks(whole, rank)
    return Workload(name, calls, error, TOL, flops, moved, best=0.40, limit=0.5)


if __name__ == "__main__":
    sys.exit(main(__doc__, workloads, growth))
