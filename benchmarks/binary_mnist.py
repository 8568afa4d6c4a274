"""MNIST with weights and activations of one bit, and the network run on bits.

Three hidden layers of 1024, each BinaryLinear, BatchNorm, Sign; pixels as bytes, no
dropout, squared hinge, Adam with the rate falling exponentially from 0.003 to 0.00003,
batches of 100. With --shift: shift-based batch normalisation and AdaMax, stochastic
signs, rate 2^-8 halved every fifth of the epochs. After Hubara et al. (2016). Run as

    TTALGEBRA_DATA=FOLDER python benchmarks/binary_mnist.py --epochs 40 --seed 0

    OPENBLAS_NUM_THREADS=1 python benchmarks/binary_mnist.py --only-products

The second form times the packed products alone; one thread, as CPU time is measured.
"""

import argparse
import json
from collections.abc import Callable
from itertools import pairwise
from time import perf_counter, process_time

import numpy as np

from ttalgebra.layers import (
    BatchNorm,
    BinaryLinear,
    Sequential,
    ShiftBatchNorm,
    Sign,
    pack,
)
from ttalgebra.layers.binary.packed import PackedLinear
from ttalgebra.learning import (
    Adam,
    Dataset,
    Progress,
    ShiftAdaMax,
    SquaredHinge,
    fit,
    mnist,
    schedules,
)

BATCH = 100
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


def network(hidden: int, seed: int, *, shift: bool) -> Sequential:
    rng, norm = np.random.default_rng(seed), ShiftBatchNorm if shift else BatchNorm
    layers = []
    for n_in, n_out in pairwise((784, hidden, hidden, hidden)):
        linear = BinaryLinear.random(n_in, n_out, rng=rng)
        layers += [linear, norm.new(n_out), Sign(stochastic=shift)]
    last = BinaryLinear.random(hidden, 10, rng=rng)
    return Sequential([*layers, last, BatchNorm.new(10)])


def optimizer(epochs: int, steps: int, *, shift: bool) -> Adam | ShiftAdaMax:
    if shift:
        every = max(1, epochs * steps // 5)
        return ShiftAdaMax(schedules.steps(2.0**-8, 0.5, every))
    return Adam(schedules.exponential(3e-3, 1e-2, every=epochs * steps))


def in_bytes(data: Dataset) -> Dataset:
    """Pixels from 0 to 255, so that sums of them are exact in float32."""
    return data._replace(x=np.rint(255 * data.x), x_test=np.rint(255 * data.x_test))


def train(data: Dataset, asked: argparse.Namespace) -> tuple[Sequential, dict]:
    began = process_time()

    def report(progress: Progress) -> None:
        last = progress.history.records[-1]
        print(f"{progress.epoch:5d}  {last['loss']:.4f}  "
              f"{last['validation_accuracy']:.4f}  {process_time() - began:8.0f}",
              flush=True)  # fmt: skip

    if not asked.json:
        print("epoch    loss    test  CPU seconds")
    steps = -(-len(data.x) // BATCH)
    fitted, history = fit(
        network(asked.hidden, asked.seed, shift=asked.shift),
        data.x,
        data.labels,
        loss=SquaredHinge(),
        optimizer=optimizer(asked.epochs, steps, shift=asked.shift),
        epochs=asked.epochs,
        batch_size=BATCH,
        rng=asked.seed,
        validation=(data.x_test, data.labels_test),
        callbacks=[] if asked.json else [report],
    )
    curve = history["validation_accuracy"]
    row = {"test_accuracy": curve[-1], "curve": curve}
    return fitted, row | {"cpu_seconds": process_time() - began}


def compare(model: Sequential, data: Dataset) -> dict:
    """The float network and the packed one on all test images."""
    packed, x = pack(model), data.x_test.astype(np.uint8)
    began = perf_counter()
    wanted = model(data.x_test)[0]
    middle = perf_counter()
    found = packed(x)
    ended = perf_counter()
    weights = [layer for layer in model.layers if isinstance(layer, BinaryLinear)]
    return {
        "float_bytes": sum(layer.nbytes for layer in weights),
        "packed_bytes": packed.nbytes,
        "same_scores": bool((found == wanted).all()),
        "float_seconds": middle - began,
        "packed_seconds": ended - middle,
    }


def products(n: int, seed: int) -> list[dict]:
    """``x W^T`` of signs at several batches: float32, and packed, x packed inside."""
    rng = np.random.default_rng(seed)
    bits = rng.random((n, n)) < 0.5
    W = np.where(bits, np.float32(1), np.float32(-1))
    linear = pack(Sequential([BinaryLinear(W)])).last
    return [product(linear, W, batch, rng) for batch in BATCHES]


def product(
    linear: PackedLinear, W: np.ndarray, batch: int, rng: np.random.Generator
) -> dict:
    x = rng.random((batch, W.shape[1])) < 0.5
    dense = np.where(x, np.float32(1), np.float32(-1))
    if (linear(x) != dense @ W.T).any():
        raise ArithmeticError("the packed product differs from the float one")
    slow, fast = fastest(lambda: dense @ W.T), fastest(lambda: linear(x))
    return {"batch": batch, "float": slow, "packed": fast, "ratio": slow / fast}


def fastest(run: Callable[[], np.ndarray], seconds: float = 0.5) -> float:
    """The least CPU time of a call; with one thread, the time on an idle machine."""
    times = []
    while sum(times) < seconds:
        began = process_time()
        run()
        times.append(process_time() - began)
    return min(times)


def show(row: dict) -> None:
    if "test_accuracy" in row:
        print(f"test accuracy {row['test_accuracy']:.4f} after the last epoch, "
              f"{row['cpu_seconds']:.0f} CPU seconds")  # fmt: skip
        print(f"weights {row['float_bytes']} bytes as float32, {row['packed_bytes']} "
              f"packed; same scores on the test images: {row['same_scores']}; "
              f"{row['float_seconds']:.2f} s float, {row['packed_seconds']:.2f} s "
              "packed")  # fmt: skip
    print(
        "4096 x 4096, CPU milliseconds\nbatch    float32     packed  float32 / packed"
    )
    for line in row["products"]:
        print(f"{line['batch']:5d}  {1e3 * line['float']:9.3f}  "
              f"{1e3 * line['packed']:9.3f}  {line['ratio']:16.2f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--hidden", type=int, default=1024)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shift", action="store_true")
    parser.add_argument("--only-products", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    row = {"seed": asked.seed, "epochs": asked.epochs}
    if not asked.only_products:
        data = in_bytes(mnist())
        fitted, found = train(data, asked)
        row |= found | compare(fitted, data)
    row["products"] = products(4096, asked.seed)
    print(json.dumps(row)) if asked.json else show(row)


if __name__ == "__main__":
    main()
