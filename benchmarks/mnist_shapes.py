"""MNIST by 1024 -> 1024 -> 10, the first matrix in trains of several shapes and ranks.

The experiment of section 6.1 of Novikov et al. (2015), beside a matrix of low rank (two
cores) and a dense one: error against the parameters of the first layer. Images padded
to 32 x 32, the mean subtracted; ReLU; Adam, whose rate falls from 2e-3 along a cosine,
batches of 100. Run as

    TTALGEBRA_DATA=FOLDER python benchmarks/mnist_shapes.py --shapes 4x8x8x4 --ranks 8

with ``--both --dropout 0.2`` for section 6.1.1, both matrices in train form;
``--read FILES --draw FILE.png`` draws what earlier runs printed with ``--json``. Time
and memory of the wide and shallow network of section 6.2.1 are those of

    python benchmarks/mnist_shapes.py --wide
"""

import argparse
import json
import platform
import resource
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from ttalgebra import draw
from ttalgebra.cli.table import columns
from ttalgebra.layers import Dense, Dropout, Layer, ReLU, Sequential, TTLinear
from ttalgebra.learning import (
    SGD,
    Adam,
    CrossEntropy,
    Dataset,
    Optimizer,
    RiemannianSGD,
    error_rate,
    fit,
    mnist,
    padded,
)
from ttalgebra.learning.rules import schedules

SHAPES = ("32x32", "4x8x8x4", "4x4x4x4x4", "2x2x8x8x2x2", "2x2x2x2x2x2x2x2x2x2")
LAST = (2, 5, 1, 1), (4, 8, 8, 4)  # the modes of 1024 -> 10
WIDE = ((4, 4, 4, 4, 4, 1), (8,) * 6, (4,) * 6)  # 1024, 262,144 and 4,096


def modes(shape: str) -> tuple[int, ...]:
    return tuple(map(int, shape.split("x")))


def first_layer(shape: str, ranks: int, rng: np.random.Generator) -> Layer:
    if shape == "dense":
        return Dense.random(1024, 1024, rng=rng)
    if shape == "matrix":
        return TTLinear.random((1, 1024), (1024, 1), ranks, rng=rng)
    return TTLinear.random(modes(shape), modes(shape), ranks, rng=rng)


def last_layer(ranks: int, rng: np.random.Generator, *, in_train: bool) -> Layer:
    if in_train:
        return TTLinear.random(*LAST, ranks, rng=rng)
    return Dense.random(1024, 10, rng=rng)


def rule(riemannian: float, steps: int) -> Optimizer:
    """Adam, or gradient descent on the manifold of the ranks at this rate."""
    if not riemannian:
        return Adam(schedules.cosine(2e-3, steps))
    rate = schedules.cosine(riemannian, steps)
    return RiemannianSGD(rate, others=SGD(rate, momentum=0.9))


def prepared(data: Dataset) -> Dataset:
    x, x_test = padded(data.x, 32), padded(data.x_test, 32)
    mean = x.mean(axis=0, dtype=np.float64).astype(np.float32)
    return data._replace(x=x - mean, x_test=x_test - mean)


def measure(asked: argparse.Namespace) -> Iterator[dict[str, object]]:
    data = prepared(mnist())
    steps = asked.epochs * -(-len(data.labels) // 100)
    for shape in asked.shapes:
        for ranks in asked.ranks if shape != "dense" else [0]:
            for seed in range(asked.seeds):
                rng = np.random.default_rng(seed)
                first = first_layer(shape, ranks, rng)
                last = last_layer(ranks, rng, in_train=asked.both)
                began = process_time()
                hidden = [ReLU(), Dropout(asked.dropout)]
                model, _ = fit(
                    Sequential([first, *hidden, last]), data.x, data.labels,
                    loss=CrossEntropy(), epochs=asked.epochs, batch_size=100, rng=seed,
                    optimizer=rule(asked.riemannian, steps),
                )  # fmt: skip
                error = error_rate(model, data.x_test, data.labels_test)
                yield {
                    "shape": shape,
                    "ranks": ranks,
                    "seed": seed,
                    "parameters": first.n_parameters - 1024,  # without its bias
                    "all_parameters": model.n_parameters,
                    "error": 100 * error,
                    "seconds": process_time() - began,
                }


def shown(rows: list[dict[str, object]]) -> str:
    heads = (
        "shape", "ranks", "seed", "first matrix", "all", "test error %", "CPU s"
    )  # fmt: skip
    return columns(heads, [
        (r["shape"], f"{r['ranks']}", f"{r['seed']}", f"{r['parameters']:,}",
         f"{r['all_parameters']:,}",
         f"{r['error']:.2f}", f"{r['seconds']:.0f}") for r in rows
    ])  # fmt: skip


def curves(rows: list[dict[str, object]]) -> dict[str, dict[int, list[float]]]:
    """``{shape: {parameters: [error of each seed]}}``, as `draw.errors` asks."""
    found: dict[str, dict[int, list[float]]] = {}
    for row in rows:
        curve = found.setdefault(row["shape"], {})
        curve.setdefault(row["parameters"], []).append(row["error"])
    return found


def wide() -> dict[str, object]:
    """A forward and a backward pass through 1024 -> 262,144 -> 4,096, ranks 8."""
    rng = np.random.default_rng(0)
    layers = [TTLinear.random(rows, cols, 8, rng=rng) for cols, rows in pairwise(WIDE)]
    model = Sequential([layers[0], ReLU(), layers[1]])
    x = rng.standard_normal((100, 1024), dtype=np.float32)
    times = []
    for _ in range(3):
        began = perf_counter()
        y, backward = model(x)
        backward(y)
        times.append(perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "parameters": [layer.weight.n_parameters for layer in layers],
        "seconds": min(times),
        "peak_bytes": peak,
        "dense_bytes": 4 * 262_144 * (1024 + 4096),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", nargs="+", default=[*SHAPES, "matrix", "dense"])
    parser.add_argument("--ranks", nargs="+", type=int, default=[*range(1, 9)])
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, ...")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--both", action="store_true", help="two trains: 6.1.1")
    text = "gradient descent on the manifold at this rate, instead of Adam"
    parser.add_argument("--riemannian", type=float, default=0.0, help=text)
    text = "share of the hidden units that a step leaves out"
    parser.add_argument("--dropout", type=float, default=0.0, help=text)
    parser.add_argument("--read", nargs="+", metavar="FILE", help="rows as --json")
    parser.add_argument("--draw", metavar="FILE.png", help="error against parameters")
    parser.add_argument("--wide", action="store_true", help="262,144 hidden units")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.wide:
        print(json.dumps(wide()))
        return
    if not asked.json:
        print(f"{platform.machine()}, NumPy {np.__version__}, {date.today()}")
    files = (json.loads(Path(name).read_text()) for name in asked.read or ())
    rows = [row for file in files for row in file] or list(measure(asked))
    if asked.draw:
        title = "MNIST, 1024 -> 1024 -> 10: the first matrix in several forms"
        draw.save(draw.errors(curves(rows), title), asked.draw)
    print(json.dumps(rows) if asked.json else shown(rows))


if __name__ == "__main__":
    main()
