"""TT on a GPU against cuBLAS, against this machine's CPU, and against the roofline.

The TT-layer of VGG-16 (25,088 -> 4,096, float32), forward and with all gradients,
beside the dense product in the same library; TT-SVD and rounding beside the same call
in NumPy. A limit is max(flops / GEMM rate, bytes / copy bandwidth), both rates measured
first, on the device. Times are medians, the device synchronised around each.

Run: ``python benchmarks/gpu.py [--quick] [--json]``. It needs CuPy and a GPU, and says
so where they are not; ``--library numpy`` or ``torch`` rehearses it on the CPU.
"""

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import ttalgebra as tt
from ttalgebra.arrays.namespace import move
from ttalgebra.cli.table import columns

ROWS, COLS, RANK = (4,) * 6, (2, 7, 8, 8, 7, 4), 4
REPEATS = 7


@dataclass(frozen=True)
class Row:
    """One workload: our seconds, what it is compared with, and the limit."""

    workload: str
    ours: float
    peer: str
    theirs: float
    limit: float

    def cells(self) -> tuple[str, ...]:
        """The printed columns: milliseconds and ratios."""
        times = (f"{1e3 * t:.3f}" for t in (self.ours, self.theirs, self.limit))
        ratios = self.ours / self.theirs, self.ours / self.limit
        return (self.workload, *times, *(f"{ratio:.3g}" for ratio in ratios), self.peer)


@dataclass(frozen=True)
class Device:
    """Where arrays live, how one waits for it, and how fast it was measured to be."""

    library: str
    name: str
    wait: Callable[[], None]

    def put(self, x: np.ndarray) -> Any:
        """A copy of ``x`` on the device."""
        return move(x, self.library)

    def seconds(self, work: Callable[[], object]) -> float:
        """The median of a few runs, after one that warms up."""
        work()
        times = []
        for _ in range(REPEATS):
            self.wait()
            start = time.perf_counter()
            work()
            self.wait()
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    def rates(self, size: int) -> tuple[float, float]:
        """Flops and bytes in a second: a GEMM and a copy of ``size x size`` float32."""
        x = self.put(np.ones((size, size), np.float32))
        gemm, copy = self.seconds(lambda: x @ x), self.seconds(lambda: x + 1)
        return 2 * size**3 / gemm, 2 * 4 * size**2 / copy


def device_of(library: str) -> Device | None:
    """The device of a library; None where CuPy finds no GPU."""
    if library != "cupy":
        return Device(library, platform.processor() or "CPU", lambda: None)
    try:
        import cupy
    except ImportError:
        return None
    if not cupy.cuda.is_available():
        return None
    name = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    return Device("cupy", name, cupy.cuda.Device().synchronize)


def layer_rows(device: Device, batches: tuple[int, ...], size: int) -> list[Row]:
    """Forward, then forward and all gradients, against the dense weight."""
    flop_rate, byte_rate = device.rates(size)
    A = tt.random_matrix(ROWS, COLS, RANK, rng=0, dtype=np.float32)
    M, N = A.shape
    there, W = A.to(device.library), device.put(np.ones((M, N), np.float32))
    rng, rows = np.random.default_rng(0), []
    for n in batches:
        X, dY = (
            device.put(rng.standard_normal((n, k)).astype(np.float32)) for k in (N, M)
        )
        flops = A.cost("apply", n).flops
        limit = max(flops / flop_rate, 4 * n * (M + N) / byte_rate)

        def gradients(X: Any = X, dY: Any = dY) -> object:
            return there.vjp(X)[1](dY)

        def dense_gradients(X: Any = X, dY: Any = dY) -> object:
            return X @ W.T, dY.T @ X, dY @ W

        forward = device.seconds(lambda X=X: there.apply(X))
        dense = device.seconds(lambda X=X: X @ W.T)
        rows.append(Row(f"forward, batch {n}", forward, "dense", dense, limit))
        both, dense = device.seconds(gradients), device.seconds(dense_gradients)
        rows.append(Row(f"gradients, batch {n}", both, "dense", dense, 3 * limit))
    return rows


def algebra_rows(device: Device, side: int, order: int, rank: int) -> list[Row]:
    """TT-SVD of ``side^order`` doubles and the rounding of a train, against NumPy."""
    host = Device("numpy", "CPU", lambda: None)
    T = tt.random_tensor((side,) * order, 10, rng=0).to_dense()
    x = tt.random_tensor((20,) * 30, rank, rng=1)
    x, rows = x + x, []
    flop_rate, byte_rate = device.rates(2048)
    flops = sum(8 * (2 * rank) ** 3 * 20 for _ in x.cores)
    limits = 2 * T.nbytes / byte_rate, flops / flop_rate
    dense, moved = device.put(T), x.to(device.library)
    works = {
        f"TT-SVD of {side}^{order}, tol 1e-6": (
            lambda: tt.TTTensor.from_dense(dense, 1e-6),
            lambda: tt.TTTensor.from_dense(T, 1e-6),
        ),
        f"round, d=30, n=20, ranks {2 * rank} to {rank}": (
            lambda: moved.round(1e-8),
            lambda: x.round(1e-8),
        ),
    }
    for (name, (ours, theirs)), limit in zip(works.items(), limits, strict=True):
        row = device.seconds(ours), "NumPy", host.seconds(theirs), limit
        rows.append(Row(name, *row))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--library", default="cupy", help="cupy, or a rehearsal")
    options = parser.parse_args()
    device = device_of(options.library)
    if device is None:
        print("gpu.py: no GPU that CuPy can use is here; nothing was measured.")
        return 0
    batches = (1, 100) if options.quick else (1, 100, 10_000)
    rows = layer_rows(device, batches, 1024 if options.quick else 8192)
    sizes = (8, 5, 20) if options.quick else (16, 6, 50)
    rows += algebra_rows(device, *sizes)
    if options.json:
        print(json.dumps([asdict(row) for row in rows]))
        return 0
    print(f"{device.name}, {device.library}, ttalgebra {tt.__version__}\n")
    head = ("workload", "ours/ms", "peer/ms", "limit/ms", "/peer", "/limit", "peer")
    print(columns(head, [row.cells() for row in rows]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
