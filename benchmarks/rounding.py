"""Rounding trains: inflated ranks, small cores, long chains, beside other libraries.

``x + x`` for random ``x``, so the right ranks are known: who keeps more is not counted.
Errors are QR norms of the difference. Run as

    python benchmarks/rounding.py --threads 1
    python benchmarks/rounding.py --quick --json
"""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from math import inf, prod
from typing import Any

import numpy as np

import ttalgebra as tt
from ttalgebra.cli.bench import Workload, main
from ttalgebra.interop.peers import from_peer, to_peer

TOL = 1e-8


def workloads(quick: bool) -> Iterator[Workload]:
    """Inflated ranks of a tensor and of a matrix; products of small cores."""
    d, r = (10, 40) if quick else (50, 100)
    x = tt.random_tensor((20,) * d, r // 2, rng=0)
    yield rounding(f"{d} cores of 20, ranks {r} -> {r // 2}", x + x, r // 2)
    A = tt.random_matrix((4,) * 10, (4,) * 10, 30, rng=0)
    yield rounding("10 cores of 4 x 4, ranks 60 -> 30", A + A, 30)
    for length, best in ((10, 1.0), (100, 0.8), (1000, 0.6)):
        if length <= 100 or not quick:
            yield applied(length, best)


def rounding(name: str, x: Any, rank: int) -> Workload:
    """``round(tol)``, no rank told."""
    calls = {"ttalgebra": lambda: x.round(tol=TOL)}
    for peer, of in peers(lambda peer: (to_peer(x, peer),)).items():
        if peer != "tntorch" or isinstance(x, tt.TTTensor):
            calls[peer] = rounded_by(peer, *of)
    moved = 8.0 * sum(prod(G.shape) for G in x.cores) * 1.25
    error = of_ranks(x, rank)
    flops = least(x, rank)
    return Workload(name, calls, error, TOL, flops, moved, best=0.75, limit=2.5)


def applied(length: int, best: float) -> Workload:
    """``A @ x``, formed, then rounded: modes of 4, ranks 2 and 8."""
    A = unit(tt.random_matrix((4,) * length, (4,) * length, 2, rng=0))
    x = unit(tt.random_tensor((4,) * length, 8, rng=1))
    calls = {"ttalgebra": lambda: (A @ x).round(tol=TOL)}
    for peer, of in peers(lambda peer: (to_peer(A, peer), to_peer(x, peer))).items():
        if peer != "tntorch":
            calls[peer] = applied_by(peer, *of)
    y = A @ x
    name = f"A @ x, then rounded: {length} cores of 4, ranks 2 x 8"
    return Workload(
        name, calls, of_ranks(y, 16), TOL, least(y, 16), 2.0 * y.nbytes, best=best,
        series="A @ x, then rounded", size=length,
    )  # fmt: skip


def peers(made: Callable[[str], tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """What ``made`` gives for each library that is installed."""
    modules = {"scikit_tt": "scikit_tt", "torchtt": "torchtt", "tntorch": "tntorch"}
    return {
        peer: made(peer)
        for peer, module in modules.items()
        if importlib.util.find_spec(module)
    }


def rounded_by(peer: str, x: Any) -> Callable[[], Any]:
    """The library's own rounding, on a copy where it works in place."""
    if peer == "scikit_tt":
        return lambda: x.copy().ortho(threshold=TOL)
    if peer == "torchtt":
        return lambda: x.round(TOL)
    return lambda: _round_tntorch(x)


def _round_tntorch(x: Any) -> Any:
    copied = x.clone()
    copied.round_tt(eps=TOL)
    return copied


def applied_by(peer: str, A: Any, x: Any) -> Callable[[], Any]:
    """The product, then the rounding, of a library."""
    if peer == "scikit_tt":
        return lambda: A.dot(x).ortho(threshold=TOL)
    return lambda: (A @ x).round(TOL)


def of_ranks(x: Any, rank: int) -> Callable[[Any], float]:
    """The relative error, infinite where a rank is larger than right."""
    size = x.norm()

    def error(found: Any) -> float:
        y = found if isinstance(found, type(x)) else ours(found, type(x))
        return float((y - x).norm() / size) if y.max_rank <= rank else inf

    return error


def ours(found: Any, kind: type) -> Any:
    """A result of a peer as a train in NumPy; a matrix of one column as a tensor."""
    y = from_peer(found)
    if y.backend != "numpy":
        y = y.to("numpy")
    return y if isinstance(y, kind) else kind(y.cores)


def least(x: Any, rank: int) -> float:
    """Flops of Oseledets (2011), Algorithm 2, by Householder's QR on both ways."""
    total = 0.0
    for G in x.cores[1:]:
        r, *modes, s = G.shape
        n, kept = prod(modes), min(s, rank)
        total += 2 * n * r * r * s + 4 * n * r * s * s
        total += 2 * n * r * s * kept + 4 * n * kept * r * r + 2 * n * kept * r * rank
    return total


def unit(x: Any) -> Any:
    """Cores scaled so that products of thousands stay in the range of every peer."""
    sizes = [np.sqrt((G**2).sum() / prod(G.shape[2:])) for G in x.cores]
    return type(x)([G / size for G, size in zip(x.cores, sizes, strict=True)])


if __name__ == "__main__":
    sys.exit(main(__doc__, workloads))
