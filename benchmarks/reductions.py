"""Inner products and norms: ``<x, y>``, and the norm that keeps its digits.

Others take ``sqrt(<x, x>)``, which loses half of the digits of a small difference; ours
comes from a sweep of triangles, wherever roundoff would show. Run as

    python benchmarks/reductions.py --threads 1
"""

import sys
from collections.abc import Callable, Iterator
from math import sqrt
from typing import Any

import numpy as np
from peers import installed, unit

import ttalgebra as tt
from ttalgebra.cli.bench import Workload, main
from ttalgebra.interop.peers import to_peer


def workloads(quick: bool) -> Iterator[Workload]:
    """One pair of trains, one train."""
    yield from pair(*((20, 10, 40) if quick else (100, 10, 100)))


def growth(quick: bool) -> Iterator[Workload]:
    """By rank, and by length up to 1000 cores."""
    most = 4 if quick else 6
    for r in (4, 8, 16, 32, 64, 128)[:most]:
        for kind, work in zip(("dot", "norm"), pair(20, 10, r), strict=True):
            yield work.along(f"{kind}, 20 cores of 10", r, "rank")
    for d in (10, 30, 100, 300, 1000)[:most]:
        for kind, work in zip(("dot", "norm"), pair(d, 2, 40), strict=True):
            yield work.along(f"{kind}, cores of 2, ranks 40", d, "cores")


def pair(d: int, n: int, r: int) -> Iterator[Workload]:
    """The inner product of two random trains, and the norm of the first."""
    x, y = (unit(tt.random_tensor((n,) * d, r, rng=k)) for k in (0, 1))
    flops, moved = 4.0 * (d - 1) * n * r**3, 8.0 * d * n * r**2
    calls: dict[str, Callable[[], Any]] = {"ttalgebra": lambda: tt.dot(x, y)}
    norms: dict[str, Callable[[], Any]] = {"ttalgebra": x.norm}
    if installed("tntorch"):
        import tntorch

        p, q = to_peer(x, "tntorch"), to_peer(y, "tntorch")
        calls["tntorch"] = lambda: tntorch.dot(p, q)
        norms["tntorch"] = lambda: tntorch.norm(p)
    if installed("torchtt"):
        import torchtt

        s, t = to_peer(x, "torchtt"), to_peer(y, "torchtt")
        calls["torchtt"] = lambda: torchtt.dot(s, t)
        norms["torchtt"] = s.norm
    size, product = sqrt(squared(x, x)), squared(x, y)
    name = f"{d} cores of {n}, ranks {r}"
    yield Workload(
        f"dot, {name}", calls, lambda found: abs(float(found) / product - 1),
        1e-12, flops, 2 * moved, best=0.9, limit=1.4,
    )  # fmt: skip
    yield Workload(
        f"norm, {name}", norms, lambda found: abs(float(found) / size - 1),
        1e-12, flops, moved, best=1.2, limit=2,
    )  # fmt: skip


def squared(x: Any, y: Any) -> float:
    """``<x, y>`` from the last core, where all others begin with the first."""
    state = np.ones((1, 1))
    for G, H in zip(x.cores[::-1], y.cores[::-1], strict=True):
        state = np.einsum("aib,bd,cid->ac", G, state, H, optimize=True)
    return float(state[0, 0])


if __name__ == "__main__":
    sys.exit(main(__doc__, workloads, growth))
