"""Sums and products that are rounded without being formed, beside other libraries.

The operands are of known structure, so the ranks of the result are known and nobody is
told them. The limit is that of the formed sum or product, rounded. Run as

    python benchmarks/sums_and_products.py --threads 1
"""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from math import inf, prod
from operator import add
from typing import Any

import numpy as np

import ttalgebra as tt
from ttalgebra.cli.bench import Workload, main
from ttalgebra.interop.peers import from_peer, to_peer

TOL = 1e-8
MODULES = {"scikit_tt": "scikit_tt", "torchtt": "torchtt"}


def workloads(quick: bool) -> Iterator[Workload]:
    """A sum of ten trains in one space of rank 20; a matrix times a tensor."""
    yield total(*((8, 16, 5, 10) if quick else (30, 32, 10, 20)))
    yield applied(*((8, 8, 5, 10) if quick else (30, 16, 10, 30)))


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
    for peer in installed():
        given = [to_peer(x, peer) for x in trains]
        calls[peer] = _rounded(peer, lambda given=given: reduce(add, given))
    name = f"sum of {count} trains of rank {rank}, {d} cores of {n}"
    return case(name, calls, whole, rank)


def applied(d: int, n: int, inflated: int, rank: int) -> Workload:
    """``A @ x`` with an ``A`` of rank 1 in cores of rank ``inflated``."""
    A = tt.random_matrix((n,) * d, (n,) * d, 1, rng=0)
    A = unit(reduce(add, ((0.5 + k) * A for k in range(inflated))))
    x = unit(tt.random_tensor((n,) * d, rank, rng=1))
    calls = {"ttalgebra": lambda: A.matvec(x, tol=TOL)}
    for peer in installed():
        mine, theirs = to_peer(A, peer), to_peer(x, peer)
        calls[peer] = _rounded(
            peer,
            lambda A=mine, x=theirs, at=peer == "torchtt": A @ x if at else A.dot(x),
        )
    name = f"A @ x of ranks {inflated} and {rank}, {d} cores of {n}"
    return case(name, calls, A @ x, rank)


def case(
    name: str, calls: Mapping[str, Callable[[], Any]], whole: Any, rank: int
) -> Workload:
    """Against the formed ``whole``; ranks above ``rank`` are wrong."""
    size = whole.norm()

    def error(found: Any) -> float:
        y = found if isinstance(found, tt.TTTensor) else ours(found)
        return float((y - whole).norm() / size) if y.max_rank <= rank else inf

    flops = sum(_least(*G.shape, rank) for G in whole.cores[1:])
    moved = 2.0 * whole.nbytes
    return Workload(name, calls, error, TOL, flops, moved, best=0.40, limit=0.5)


def _least(r: int, n: int, s: int, rank: int) -> float:
    """Flops of Oseledets (2011), Algorithm 2, at one core of what is formed."""
    sweep = 2 * n * r * r * s + 4 * n * r * s * s
    return sweep + 2 * n * r * s * rank + 4 * n * rank * r * r + 2 * n * rank * r * rank


def _rounded(peer: str, form: Callable[[], Any]) -> Callable[[], Any]:
    if peer == "scikit_tt":
        return lambda: form().ortho(threshold=TOL)
    return lambda: form().round(TOL)


def installed() -> list[str]:
    """The peers that are here."""
    return [peer for peer, name in MODULES.items() if importlib.util.find_spec(name)]


def ours(found: Any) -> tt.TTTensor:
    """A result of a peer as a tensor in NumPy."""
    y = from_peer(found)
    return y if y.backend == "numpy" else y.to("numpy")


def unit(x: Any) -> Any:
    """Cores scaled so that the norm of the whole is modest."""
    sizes = [np.sqrt((G**2).sum() / prod(G.shape[2:])) for G in x.cores]
    return type(x)([G / size for G, size in zip(x.cores, sizes, strict=True)])


if __name__ == "__main__":
    sys.exit(main(__doc__, workloads))
