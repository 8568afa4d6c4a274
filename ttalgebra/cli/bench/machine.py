"""What a machine can do at most: its GEMM rates and its copy bandwidth, measured."""

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

import numpy as np

SIZE = 1536  # of the matrices whose product gives the rate
WORDS = 2**25  # doubles that are copied: 256 MB each way, in no cache


class Machine(NamedTuple):
    """Flops a second in single and double precision; bytes copied a second."""

    f4: float
    f8: float
    copied: float

    def limit(self, flops: float, moved: float, dtype: str) -> float:
        """Seconds below which nothing that needs these flops and bytes can stay."""
        return max(flops / (self.f4 if dtype == "f4" else self.f8), moved / self.copied)


def measured() -> Machine:
    """The rates of this process, with the BLAS threads that it has."""
    single, double = (_gemm(dtype) for dtype in ("f4", "f8"))
    source = np.ones(WORDS)
    target = np.ones(WORDS)
    seconds = _best(lambda: np.copyto(target, source))
    return Machine(single, double, 2 * source.nbytes / seconds)


def _gemm(dtype: str) -> float:
    a = np.ones((SIZE, SIZE), dtype)
    out = np.empty_like(a)
    return float(2 * SIZE**3 / _best(lambda: np.matmul(a, a, out=out)))


def _best(call: Callable[[], object], times: int = 7) -> float:
    found = []
    for _ in range(times):
        began = perf_counter()
        call()
        found.append(perf_counter() - began)
    return min(found)
