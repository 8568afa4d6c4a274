"""TT-SVD of an array larger than the memory of the workers that decompose it.

The Hilbert tensor ``1 / (1 + i + j + k + l)`` of 64 x 64 x 64 x 640 doubles, 1.3 GB, is
written to a .npy file slab by slab and decomposed to ``tol`` by two worker processes
with one thread and 600 MB each: once as it is, and once with a worker killed half way.
Every entry is then compared with the closed form.

The bars: the error is at most ``tol``, no worker is lost that was not killed, this
process stays below 300 MB, and both runs return the same bits. The exit code is 1 where
one is missed.

Run: ``python benchmarks/out_of_core.py [--quick] [--tol 1e-6] [--folder DIR]``
"""

import argparse
import math
import os
import platform
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import dask
import numpy as np
from distributed import Client, LocalCluster

import ttalgebra as tt
from ttalgebra.cli.table import columns
from ttalgebra.interop.dask import tt_svd

SHAPE, QUICK = (64, 64, 64, 640), (32, 32, 32, 64)
WORKERS, WORKER_MB, CLIENT_MB = 2, 600, 300
MB = 10**6


class Run(NamedTuple):
    """One decomposition: what came out, and what it needed.

    CPU seconds are those of the workers that live at the end, their start included.
    """

    x: tt.TTTensor
    info: tt.Truncation
    seconds: float
    cpu_seconds: float
    worker_mb: float
    lost: int


def slab(i: int, shape: tuple[int, ...]) -> np.ndarray:
    """``x[i]`` by the closed form."""
    others = np.ogrid[tuple(slice(n) for n in shape[1:])]
    total = sum(others, start=np.asarray(1.0 + i))
    return np.divide(1.0, total, out=total)


def write(path: Path, shape: tuple[int, ...]) -> None:
    """The tensor as a .npy file, one slab in memory at a time."""
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for i in range(shape[0]):
            slab(i, shape).tofile(file)


def relative_error(x: tt.TTTensor) -> float:
    """``norm(x - tensor) / norm(tensor)`` over every entry, slab by slab."""
    wrong, whole = [], []
    for i in range(x.modes[0]):
        expected = slab(i, x.modes)
        found = x.cores[0][:, i]
        for core in x.cores[1:]:
            found = found.reshape(-1, core.shape[0]) @ core.reshape(core.shape[0], -1)
        whole.append(float(np.linalg.vector_norm(expected)))
        expected -= found.reshape(expected.shape)
        wrong.append(float(np.linalg.vector_norm(expected)))
    return math.hypot(*wrong) / math.hypot(*whole)


def peak_mb() -> float:
    """The most memory that this process has had, in MB of 10^6 bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MB


@contextmanager
def workers() -> Iterator[Client]:
    """Two processes with one thread and little memory."""
    with (
        LocalCluster(
            n_workers=WORKERS,
            threads_per_worker=1,
            memory_limit=WORKER_MB * MB,
            dashboard_address=":0",
            silence_logs=50,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def decompose(path: Path, tol: float, kill_after: float | None = None) -> Run:
    """Decompose the file, killing one worker after so many seconds."""
    with workers() as client:
        before = sorted(client.run(os.getpid).values())
        if kill_after is not None:
            threading.Timer(kill_after, os.kill, (before[0], signal.SIGKILL)).start()
        start = time.perf_counter()
        x, info = tt_svd(path, tol, return_info=True)
        seconds = time.perf_counter() - start
        client.wait_for_workers(WORKERS, timeout=60)
        after = client.run(os.getpid).values()
        peak = max(client.run(peak_mb).values())
        used = sum(client.run(time.process_time).values())
    return Run(x, info, seconds, used, peak, len(set(before) - set(after)))


def same_bits(x: tt.TTTensor, y: tt.TTTensor) -> bool:
    """Whether all cores agree in every bit."""
    pairs = zip(x.cores, y.cores, strict=True)
    return all(G.tobytes() == H.tobytes() for G, H in pairs)


def measured(path: Path, tol: float) -> tuple[str, list[tuple[str, bool]]]:
    """The table of both runs, and whether each bar is met."""
    plain = decompose(path, tol)
    killed = decompose(path, tol, kill_after=plain.seconds / 2)
    runs = {"as it is": plain, "one worker killed half way": killed}
    errors = {name: relative_error(run.x) for name, run in runs.items()}
    rows = [
        (
            name,
            f"{run.seconds:.1f}",
            f"{run.cpu_seconds:.1f}",
            f"{errors[name]:.3e}",
            f"{run.info.error:.3e}",
            str(run.x.ranks),
            f"{run.worker_mb:.0f}",
            str(run.lost),
        )
        for name, run in runs.items()
    ]
    heads = ("", "seconds", "CPU", "error", "info.error", "ranks", "worker MB", "lost")
    bars = [
        (f"every error is at most {tol:g}", max(errors.values()) <= tol),
        ("no worker is lost that was not killed", plain.lost == 0),
        ("the one that was killed is lost", killed.lost == 1),
        ("both runs return the same bits", same_bits(plain.x, killed.x)),
        (f"this process: {peak_mb():.0f} MB at most", peak_mb() < CLIENT_MB),
    ]
    return columns(heads, rows), bars


def machine() -> str:
    """What the numbers were measured on."""
    cores = f"{os.cpu_count()} cores, {platform.machine()}"
    return f"{cores}, Python {platform.python_version()}, NumPy {np.__version__}"


def main() -> int:
    """Print the table and the bars; 0 if every bar is met."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tensor of 17 MB")
    parser.add_argument("--tol", type=float, default=1e-6, help="relative error")
    parser.add_argument("--folder", type=Path, help="where there is room on disk")
    arguments = parser.parse_args()
    shape = QUICK if arguments.quick else SHAPE
    size = 8 * math.prod(shape)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        free = shutil.disk_usage(folder).free
        if free < 2 * size:
            print(
                f"{folder} has {free / MB:.0f} MB left; {2 * size / MB:.0f} are needed"
            )
            return 2
        dask.config.set(temporary_directory=folder)
        path = Path(folder, "hilbert.npy")
        write(path, shape)
        print(f"{shape} doubles, {size / MB:.0f} MB; {machine()}")
        print(f"{WORKERS} workers, 1 thread and {WORKER_MB} MB each\n")
        table, bars = measured(path, arguments.tol)
    print(table + "\n")
    for bar, met in bars:
        print(f"{'met   ' if met else 'MISSED'}  {bar}")
    return 0 if all(met for _, met in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
