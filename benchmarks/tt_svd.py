"""TT-SVD of dense arrays: time and memory beside other libraries and the machine.

The least work is two reads of the array, or the Gram matrix of the first unfolding and
the product with what is kept of it. Memory is what the call holds at its peak beyond
the array itself, as a part of the array. A result with larger ranks than those that
are known is a wrong answer.
"""

import sys
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from math import prod
from typing import Any

import numpy as np

import ttalgebra as tt
from ttalgebra.cli.bench import Workload, main

Modes = Sequence[tuple[int, ...]]


def workloads(quick: bool) -> Iterator[Workload]:
    """Four arrays of 2^24 numbers and more; ``quick`` makes each far smaller."""
    d, bits, side = (4, 18, 3) if quick else (6, 24, 4)
    yield case(f"16^{d}, rank 10 + noise, tol 1e-6", noisy(d), 10, best=0.10, limit=7)
    yield case(
        f"2^{bits} of sin(20x) + exp(-3x), tol 1e-10",
        quantics(bits),
        3,
        tol=1e-10,
        limit=7,
    )
    yield case(
        f"{8**side}^2 matrix, rank 8, tol 1e-8",
        matrix((8,) * side, (8,) * side, 8, "f8"),
        8,
        tol=1e-8,
        limit=5,
        modes=[(8, 8)] * side,
    )
    rows, columns = (
        ((4,) * 4, (7, 8, 8, 7)) if quick else ((4,) * 6, (2, 7, 8, 8, 7, 4))
    )
    yield case(
        f"{prod(columns)} -> {prod(rows)} float32, rank 4",
        matrix(rows, columns, 4, "f4"),
        4,
        tol=None,
        allowed=1e-5,  # 80 eps; others are off by 1 %
        best=0.07,
        limit=13,
        modes=list(zip(rows, columns, strict=True)),
    )


def growth(quick: bool) -> Iterator[Workload]:
    """By size of the array: 16^2 to 16^6 and 2^6 to 2^24 numbers."""
    unit = "numbers in the array"
    for d in range(2, 6 if quick else 7):
        work = case(f"16^{d}, rank 10 + noise, tol 1e-6", noisy(d), 10)
        yield work.along("TT-SVD of modes of 16, rank 10 + noise", 16**d, unit)
    for bits in range(6, 16 if quick else 25, 3):
        work = case(f"2^{bits} samples, tol 1e-10", quantics(bits), 3, tol=1e-10)
        yield work.along("TT-SVD of modes of 2, sin(20x) + exp(-3x)", 2**bits, unit)


def case(
    name: str,
    array: np.ndarray,
    rank: int,
    *,
    tol: float | None = 1e-6,
    allowed: float | None = None,
    best: float = 0.10,
    limit: float | None = None,
    modes: Modes | None = None,
) -> Workload:
    """One array, which has this rank up to what ``tol`` allows, or roundoff."""
    sizes = modes or [(n,) for n in array.shape]
    calls = contestants(array, sizes, tol, rank if tol is None else None)
    size, last = array.size, prod(sizes[-1])
    return Workload(
        f"{name} (memory {beyond(array, calls['ttalgebra']):.2f})",
        calls,
        lambda cores: error(cores, array, rank),
        allowed or tol or 0.0,
        flops=2.0 * size * (last + min(rank, last)),
        bytes=2.0 * array.nbytes,
        dtype=array.dtype.str[1:],
        best=best,
        limit=limit,
    )


def noisy(d: int) -> np.ndarray:
    """A train of 16s and rank 10, and noise of 1e-8 of its norm."""
    rng = np.random.default_rng(0)
    x: np.ndarray = tt.random_tensor((16,) * d, 10, rng=rng).to_dense()
    noise = rng.standard_normal(x.shape)
    return x + noise * (1e-8 * np.linalg.vector_norm(x) / np.linalg.vector_norm(noise))


def quantics(bits: int) -> np.ndarray:
    """``sin(20x) + exp(-3x)`` on ``2**bits`` points: all ranks are 3."""
    x = np.linspace(0, 1, 2**bits)
    return (np.sin(20 * x) + np.exp(-3 * x)).reshape((2,) * bits)


def matrix(
    rows: Sequence[int], columns: Sequence[int], rank: int, dtype: str
) -> np.ndarray:
    """A dense matrix of this rank."""
    modes = list(zip(rows, columns, strict=True))
    A = tt.random_matrix(rows, columns, rank, rng=0)
    cores = [core.astype(dtype) for core in A.cores]
    return dense(cores, modes)


def contestants(
    array: np.ndarray, modes: Modes, tol: float | None, rank: int | None
) -> dict[str, Callable[[], Any]]:
    """Ours, and those that are installed and take such an array."""
    peers = {"torchtt": torchtt, "teneva": teneva}
    calls: dict[str, Callable[[], Any]] = {
        "ttalgebra": lambda: ours(array, modes, tol, rank)
    }
    for name, call in peers.items():
        takes = name == "torchtt" or len(modes[0]) == 1
        if takes and find_spec(name):
            calls[name] = partial(call, array, modes, tol, rank)
    return calls


def ours(array: np.ndarray, modes: Modes, tol: float | None, rank: int | None) -> Any:
    """The cores that we find."""
    if len(modes[0]) == 1:
        return tt.TTTensor.from_dense(array, tol, rank).cores
    rows, columns = zip(*modes, strict=True)
    return tt.TTMatrix.from_dense(array, rows, columns, tol, rank).cores


def torchtt(
    array: np.ndarray, modes: Modes, tol: float | None, rank: int | None
) -> Any:
    """The cores that torchTT finds, of a matrix too."""
    import torch
    import torchtt

    x, bound = torch.from_numpy(array), rank or sys.maxsize
    if len(modes[0]) == 1:
        return [G.numpy() for G in torchtt.TT(x, eps=tol, rmax=bound).cores]
    digits = [n for axis in zip(*modes, strict=True) for n in axis]
    found = torchtt.TT(x.reshape(digits), list(modes), eps=tol or 1e-7, rmax=bound)
    return [G.numpy() for G in found.cores]


def teneva(array: np.ndarray, modes: Modes, tol: float | None, _: int | None) -> Any:
    """The cores that teneva finds; its tolerance is absolute, and of each bond."""
    import teneva

    share = tol / np.sqrt(len(modes) - 1) * np.linalg.vector_norm(array)
    return teneva.svd(array, share)


def dense(cores: Sequence[np.ndarray], modes: Modes) -> np.ndarray:
    """The array that ``cores`` stand for; of a matrix ``(M, N)``."""
    state = cores[0].reshape(-1, cores[0].shape[-1])
    for core in cores[1:]:
        state = state @ core.reshape(len(core), -1)
        state = state.reshape(-1, core.shape[-1])
    if len(modes[0]) == 1:
        return state.reshape([n for (n,) in modes])
    order = [*range(0, 2 * len(modes), 2), *range(1, 2 * len(modes), 2)]
    digits = state.reshape([n for pair in modes for n in pair]).transpose(order)
    return digits.reshape(prod(m for m, _ in modes), -1)


def error(cores: Sequence[np.ndarray], array: np.ndarray, rank: int) -> float:
    """The relative error; infinite where a rank is above the right one."""
    if max(G.shape[-1] for G in cores) > rank:
        return float("inf")
    found = dense(cores, [G.shape[1:-1] for G in cores])
    found -= array
    return float(np.linalg.vector_norm(found) / np.linalg.vector_norm(array))


def beyond(array: np.ndarray, call: Callable[[], Any]) -> float:
    """The peak memory of ``call`` above what is held before, in arrays."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / array.nbytes


if __name__ == "__main__":
    sys.exit(main(__doc__, workloads, growth))
