"""A trained network in a tenth of its file, and two epochs that bring it back.

Dense N-512-512-10 with ReLU, Adam of rate 1e-3; `layers.compress` with the budget that
makes the file ten times smaller; then `fit` for two epochs, the rate along a cosine
from 2e-3. Run as

    python benchmarks/compress_digits.py
    TTALGEBRA_DATA=FOLDER python benchmarks/compress_digits.py --data mnist --seeds 1
"""

import argparse
import json
import os
import platform
import tempfile
from datetime import date
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from ttalgebra.layers import Dense, ReLU, Sequential, compress, save
from ttalgebra.layers.compression import CompressionReport
from ttalgebra.learning import (
    Adam,
    CrossEntropy,
    Dataset,
    accuracy,
    digits,
    fit,
    mnist,
    schedules,
)

HEADS = (
    "seed       file    small   times   dense  compressed   tuned  training  "
    "compressing  tuning"
)
TUNING = 2  # epochs
EPOCHS = {"digits": 40, "mnist": 5}
BATCHES = {"digits": (32, 8), "mnist": (100, 50)}  # in training, in fine-tuning


def network(n_in: int, hidden: int, seed: int) -> Sequential:
    rng = np.random.default_rng(seed)
    sizes = (n_in, hidden, hidden, 10)
    first, second, last = (Dense.random(a, b, rng=rng) for a, b in pairwise(sizes))
    return Sequential([first, ReLU(), second, ReLU(), last])


def file_bytes(model: Sequential) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save(model, path)
        return path.stat().st_size


def shrunk(model: Sequential, factor: float) -> tuple[Sequential, CompressionReport]:
    """The model whose file is ``factor`` times smaller, its table of names included."""
    allowed = int(file_bytes(model) / factor)
    small, report = compress(model, budget=allowed)
    while (size := file_bytes(small)) > allowed:
        names = size - report.after
        small, report = compress(model, budget=min(allowed - names, report.after - 1))
    return small, report


def trained(
    model: Sequential, data: Dataset, epochs: int, batch: int, rate: Any, seed: int
) -> tuple[Sequential, float]:
    began = perf_counter()
    model, _ = fit(
        model,
        data.x,
        data.labels,
        loss=CrossEntropy(),
        optimizer=Adam(rate),
        epochs=epochs,
        batch_size=batch,
        rng=seed,
    )
    return model, perf_counter() - began


def run(asked: argparse.Namespace, data: Dataset, seed: int) -> dict[str, Any]:
    epochs = asked.epochs or EPOCHS[asked.data]
    batch, small_batch = BATCHES[asked.data]
    model = network(data.x.shape[1], asked.hidden, seed)
    model, training = trained(model, data, epochs, batch, 1e-3, seed)
    began = perf_counter()
    small, report = shrunk(model, asked.factor)
    compressing = perf_counter() - began
    rate = schedules.cosine(2e-3, TUNING * -(-len(data.labels) // small_batch))
    final, tuning = trained(small, data, TUNING, small_batch, rate, seed)
    test = data.x_test, data.labels_test
    if seed == 0 and not asked.json:
        print(report, end="\n\n")
    return {
        "seed": seed,
        "file_bytes": file_bytes(model),
        "compressed_file_bytes": file_bytes(final),
        "accuracy": accuracy(model, *test),
        "compressed_accuracy": accuracy(small, *test),
        "tuned_accuracy": accuracy(final, *test),
        "training_seconds": training,
        "compressing_seconds": compressing,
        "tuning_seconds": tuning,
    }


def line(row: dict[str, Any]) -> str:
    before, after = row["file_bytes"], row["compressed_file_bytes"]
    return (
        f"{row['seed']:4}  {before:>9,}  {after:>7,}  {before / after:6.2f}  "
        f"{row['accuracy']:.4f}  {row['compressed_accuracy']:10.4f}  "
        f"{row['tuned_accuracy']:.4f}  {row['training_seconds']:8.1f}  "
        f"{row['compressing_seconds']:11.2f}  {row['tuning_seconds']:6.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=["digits", "mnist"], default="digits")
    parser.add_argument("--factor", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    data = digits() if asked.data == "digits" else mnist()
    found = [run(asked, data, seed) for seed in range(asked.seeds)]
    if asked.json:
        print(json.dumps(found))
        return
    print(HEADS)
    for row in found:
        print(line(row))
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "all")
    where = f"{platform.machine()}, {os.cpu_count()} cores, {threads} BLAS threads"
    print(f"\naccuracies on the test images, seconds; {where}, {date.today()}")


if __name__ == "__main__":
    main()
