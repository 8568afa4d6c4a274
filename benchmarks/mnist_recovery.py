"""A trained dense layer in train form, and its recovery by fine-tuning.

784 -> 625 -> 10 with ReLU learns MNIST (pixels between -1 and 1, Adam at 1e-3, batches
of 64); the TT-SVD of its first weight, modes (5, 5, 5, 5) x (7, 4, 7, 4), keeps ranks
of 16 and loses what the network knew; the same loop gives it back. The experiment is
that of the t3f tutorial (Novikov et al., 2020): .9714, .6443, then .9765. Run as

    TTALGEBRA_DATA=FOLDER python benchmarks/mnist_recovery.py
"""

import argparse
import json
import platform
from collections.abc import Iterator
from datetime import date
from time import process_time

import numpy as np

from ttalgebra.cli.table import columns
from ttalgebra.layers import Dense, ReLU, Sequential, TTLinear, compress
from ttalgebra.learning import Adam, CrossEntropy, Dataset, accuracy, fit, mnist

MODES = {"0": ((5, 5, 5, 5), (7, 4, 7, 4))}


def prepared(data: Dataset) -> Dataset:
    """Pixels, which `mnist` puts between 0 and 1, between -1 and 1."""
    return data._replace(x=2 * data.x - 1, x_test=2 * data.x_test - 1)


def trained(model: Sequential, data: Dataset, epochs: int, seed: int) -> Sequential:
    return fit(
        model, data.x, data.labels, loss=CrossEntropy(), optimizer=Adam(1e-3),
        epochs=epochs, batch_size=64, rng=seed,
    )[0]  # fmt: skip


def stages(data: Dataset, asked: argparse.Namespace, seed: int) -> Iterator[dict]:
    rng = np.random.default_rng(seed)
    layers = [Dense.random(784, 625, rng=rng), ReLU(), Dense.random(625, 10, rng=rng)]
    dense = trained(Sequential(layers), data, asked.epochs, seed)
    cut, report = compress(dense, max_rank=asked.ranks, modes=MODES)
    error = report.decisions[0].error
    tuned = trained(cut, data, asked.tuning, seed)
    fresh = trained(cut_at_random(asked.ranks, seed), data, asked.tuning, seed)
    for stage, model, lost in (
        ("dense", dense, 0.0),
        ("its TT-SVD", cut, error),
        (f"after {asked.tuning} epochs more", tuned, None),
        (f"TT from random cores, {asked.tuning} epochs", fresh, None),
    ):
        yield {
            "stage": stage,
            "seed": seed,
            "parameters": model.layers[0].n_parameters,
            "weight_error": lost,
            "accuracy": accuracy(model, data.x_test, data.labels_test),
        }


def cut_at_random(ranks: int, seed: int) -> Sequential:
    """What the fine-tuned network is compared with: the same sizes, nothing learnt."""
    rng = np.random.default_rng(seed)
    first = TTLinear.random(*MODES["0"], ranks, rng=rng)
    return Sequential([first, ReLU(), Dense.random(625, 10, rng=rng)])


def shown(rows: list[dict]) -> str:
    heads = ("stage", "seed", "parameters", "error of weight", "test accuracy")
    return columns(heads, [
        (r["stage"], f"{r['seed']}", f"{r['parameters']:,}",
         "" if r["weight_error"] is None else f"{r['weight_error']:.3f}",
         f"{r['accuracy']:.4f}") for r in rows
    ])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ranks", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=5, help="of the dense network")
    parser.add_argument("--tuning", type=int, default=2, help="epochs of the train")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, ...")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    began, data = process_time(), prepared(mnist())
    rows = [row for seed in range(asked.seeds) for row in stages(data, asked, seed)]
    if asked.json:
        print(json.dumps(rows))
        return
    print(f"{platform.machine()}, NumPy {np.__version__}, {date.today()}")
    print(shown(rows))
    print(f"{process_time() - began:.0f} seconds of processor time")


if __name__ == "__main__":
    main()
