"""Rounding trains: inflated ranks, small cores, long chains, beside other libraries.

``x + x`` for random ``x``, so the right ranks are known: who keeps more is not counted.
Errors are QR norms of the difference. Run as

    python benchmarks/rounding.py --threads 1
    python benchmarks/rounding.py --quick --json
"""

import sys
from collections.abc import Iterator
from math import prod
from typing import Any

from peers import TOL, installed, of_ranks, rounded, unit

import ttalgebra as tt
from ttalgebra.cli.bench import Workload, least, main
from ttalgebra.interop.peers import to_peer


def workloads(quick: bool) -> Iterator[Workload]:
    """Inflated ranks of a tensor and of a matrix; products of small cores."""
    d, r = (10, 40) if quick else (50, 100)
    yield inflated(d, r)
    A = tt.random_matrix((4,) * 10, (4,) * 10, 30, rng=0)
    yield rounding("10 cores of 4 x 4, ranks 60 -> 30", A + A, 30)
    for length, best in ((10, 1.0), (100, 0.8), (1000, 0.6)):
        if length <= 100 or not quick:
            yield applied(length, best)


def growth(quick: bool) -> Iterator[Workload]:
    """By rank, and by length up to 1000 cores."""
    most = 4 if quick else 6
    for r in (4, 8, 16, 32, 64, 128)[:most]:
        yield inflated(10, r).along(
            "10 cores of 20, rounded to half of the ranks", r, "rank"
        )
    for length in (10, 30, 100, 300, 1000)[:most]:
        series = "A @ x, then rounded: cores of 4, ranks 2 x 8"
        yield applied(length).along(series, length, "cores")


def inflated(d: int, r: int) -> Workload:
    """``x + x``, whose ranks are twice those of ``x``."""
    x = tt.random_tensor((20,) * d, r // 2, rng=0)
    return rounding(f"{d} cores of 20, ranks {r} -> {r // 2}", x + x, r // 2)


def rounding(name: str, x: Any, rank: int) -> Workload:
    """``round(tol)``, no rank told; of a copy where a library works in place."""
    calls = {"ttalgebra": lambda: x.round(tol=TOL)}
    for peer in installed("scikit_tt", "torchtt"):
        y = to_peer(x, peer)
        copied = y.copy if peer == "scikit_tt" else lambda y=y: y
        calls[peer] = rounded(peer, copied)
    if isinstance(x, tt.TTTensor) and installed("tntorch"):
        calls["tntorch"] = rounded("tntorch", to_peer(x, "tntorch").clone)
    moved = 8.0 * sum(prod(G.shape) for G in x.cores) * 1.25
    flops = least.rounding(x, rank)
    return Workload(
        name, calls, of_ranks(x, rank), TOL, flops, moved, best=0.75, limit=2.5
    )


def applied(length: int, best: float | None = None) -> Workload:
    """``A @ x``, formed, then rounded: modes of 4, ranks 2 and 8."""
    A = unit(tt.random_matrix((4,) * length, (4,) * length, 2, rng=0))
    x = unit(tt.random_tensor((4,) * length, 8, rng=1))
    calls = {"ttalgebra": lambda: (A @ x).round(tol=TOL)}
    for peer in installed("scikit_tt", "torchtt"):
        B, y = to_peer(A, peer), to_peer(x, peer)
        times = B.dot if peer == "scikit_tt" else B.__matmul__
        calls[peer] = rounded(peer, lambda times=times, y=y: times(y))
    y = A @ x
    name = f"A @ x, then rounded: {length} cores of 4, ranks 2 x 8"
    return Workload(
        name,
        calls,
        of_ranks(y, 16),
        TOL,
        least.rounding(y, 16),
        2.0 * y.nbytes,
        best=best,
    )


if __name__ == "__main__":
    sys.exit(main(__doc__, workloads, growth))
