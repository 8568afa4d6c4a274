"""The paper's MNIST network: 1024 -> 625 as a TT-layer, ReLU, 10.

Modes (4, 8, 8, 4) -> (5, 5, 5, 5) on images padded to 32 x 32, the mean image
subtracted; SGD with momentum 0.9, rate 0.01, decay 5e-4, batches of 100.
Source: the MATLAB example of Novikov et al. (2015). Run as

    TTALGEBRA_DATA=FOLDER python benchmarks/mnist_tensornet.py --epochs 5 --ranks 2
"""

import argparse
import json
import platform
from datetime import date

import numpy as np

from ttalgebra.layers import Dense, ReLU, Sequential, TTLinear
from ttalgebra.learning import (
    SGD,
    CrossEntropy,
    Dataset,
    accuracy,
    fit,
    mnist,
    padded,
)

ROWS, COLUMNS = (5, 5, 5, 5), (4, 8, 8, 4)


def network(ranks: int, seed: int) -> Sequential:
    rng = np.random.default_rng(seed)
    first = TTLinear.random(ROWS, COLUMNS, ranks, rng=rng)
    return Sequential([first, ReLU(), Dense.random(625, 10, rng=rng)])


def prepared(data: Dataset) -> Dataset:
    x, x_test = padded(data.x, 32), padded(data.x_test, 32)
    mean = x.mean(axis=0, dtype=np.float64).astype(np.float32)
    return data._replace(x=np.subtract(x, mean, out=x), x_test=x_test - mean)


def measure(data: Dataset, epochs: int, ranks: int, seed: int) -> dict[str, object]:
    model = network(ranks, seed)
    fitted, history = fit(
        model,
        data.x,
        data.labels,
        loss=CrossEntropy(),
        optimizer=SGD(0.01, momentum=0.9, decay=5e-4),
        epochs=epochs,
        batch_size=100,
        rng=seed,
        validation=(data.x_test, data.labels_test),
    )
    first = model.layers[0]
    return {
        "test_accuracy": accuracy(fitted, data.x_test, data.labels_test),
        "parameters": first.weight.n_parameters,
        "biases": first.bias.size + model.layers[2].bias.size,
        "dense_parameters": model.layers[2].weight.size,
        "compression": first.weight.compression,
        "seconds_per_epoch": sum(history["seconds"]) / max(1, len(history)),
        "curve": history["validation_accuracy"],
        "ranks": ranks,
        "seed": seed,
        "epochs": epochs,
        "machine": f"{platform.machine()}, NumPy {np.__version__}",
        "date": date.today().isoformat(),
    }


def show(row: dict[str, object]) -> None:
    print(
        f"MNIST, TT 1024 -> 625 of ranks {row['ranks']}, ReLU, 10 (seed {row['seed']})"
    )
    print(f"{row['machine']}, {row['date']}")
    print("epoch   test accuracy")
    for epoch, value in enumerate(row["curve"], start=1):
        print(f"{epoch:5d}   {value:.4f}")
    print(f"TT-parameters {row['parameters']} ({row['compression']:.0f} times fewer), "
          f"{row['seconds_per_epoch']:.2f} s an epoch")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    row = measure(prepared(mnist()), asked.epochs, asked.ranks, asked.seed)
    print(json.dumps(row)) if asked.json else show(row)


if __name__ == "__main__":
    main()
