"""Tables 2 and 3 of Novikov et al. (2015) in one run: what 25088 -> 4096 costs.

The first fully connected layer of VGG, dense and as a TT-layer of ranks 1, 2 and 4:
parameters, memory of the weight, memory that a forward pass of one image takes beside
it, and milliseconds for 1 and for 100 images, the best of runs that take turns. The
error columns of Table 2 need ImageNet. Run as

    OPENBLAS_NUM_THREADS=1 python benchmarks/vgg_times.py [--json]
"""

import argparse
import json
import os
import platform
import tracemalloc
from collections.abc import Callable
from datetime import date
from time import perf_counter

import numpy as np

import ttalgebra as tt
from ttalgebra.cli.table import columns

ROWS, COLUMNS = (4,) * 6, (2, 7, 8, 8, 7, 4)
SIZE = 4096 * 25088
BATCHES = 1, 100
RUNS = 15
Forward = Callable[[np.ndarray], np.ndarray]


def forms() -> dict[str, tuple[int, Forward]]:
    """``{name: (parameters, forward)}``, biases left out as the paper does."""
    rng = np.random.default_rng(0)
    W = rng.standard_normal((4096, 25088), dtype=np.float32)
    trains = {
        f"TT{r}": tt.random_matrix(ROWS, COLUMNS, (r,) * 5, rng=rng, dtype="f4")
        for r in (1, 2, 4)
    }
    layers = {name: (A.n_parameters, A.apply) for name, A in trains.items()}
    return {"FC": (SIZE, lambda X: X @ W.T), **layers}


def measured() -> list[dict[str, object]]:
    compared, rng = forms(), np.random.default_rng(1)
    batches = [rng.standard_normal((n, 25088), dtype=np.float32) for n in BATCHES]
    best = {(name, n): np.inf for name in compared for n in BATCHES}
    for _ in range(RUNS):
        for name, (_, forward) in compared.items():
            for n, X in zip(BATCHES, batches, strict=True):
                best[name, n] = min(best[name, n], seconds(forward, X))
    return [
        {
            "form": name,
            "parameters": parameters,
            "compression": SIZE / parameters,
            "weight_bytes": 4 * parameters,
            "image_bytes": peak(forward, batches[0]),
            "ms": [1e3 * best[name, n] for n in BATCHES],
        }
        for name, (parameters, forward) in compared.items()
    ]


def seconds(forward: Forward, X: np.ndarray) -> float:
    began = perf_counter()
    forward(X)
    return perf_counter() - began


def peak(forward: Forward, X: np.ndarray) -> int:
    """Bytes that ``forward`` holds at most, its result included, its input not."""
    tracemalloc.start()
    forward(X)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def shown(rows: list[dict[str, object]]) -> str:
    heads = ("", "parameters", "compression", "weight", "one image", "ms for 1", "100")
    return columns(heads, [
        (r["form"], f"{r['parameters']:,}", f"{r['compression']:,.0f}",
         f"{r['weight_bytes'] / 2**20:,.4f} MiB", f"{r['image_bytes'] / 2**20:.3f} MiB",
         *(f"{ms:.2f}" for ms in r["ms"])) for r in rows
    ])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    asked, rows = parser.parse_args(), measured()
    if asked.json:
        print(json.dumps(rows))
        return
    print(shown(rows))
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "as many")
    print(f"{platform.machine()}, {threads} BLAS thread(s), {date.today()}")


if __name__ == "__main__":
    main()
