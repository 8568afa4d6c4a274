"""The MNIST network of DeepShift: 784-512-512-10 as float, Q and PS, and converted.

ReLU, dropout 0.2, inputs (x - 0.1307) / 0.3081, SGD of rate 0.01 without momentum,
batches of 64, 10 epochs; exponents decay as weights by 1e-4, other weights by the
optimizer. Source: the code of Elhoushi et al. (2021). With --adam: Adam, whose rate
falls along a cosine from 1e-3, for P and S of PS from 0.1: its steps do not see the
scale of what they move, and P is anywhere in [-14, 0]. Run as

    TTALGEBRA_DATA=FOLDER python benchmarks/shift_mnist.py --adam --epochs 10 --seed 1
"""

import argparse
import json
import platform
from collections.abc import Iterator
from datetime import date
from time import perf_counter

import numpy as np

from ttalgebra.layers import (
    DeepShiftPS,
    DeepShiftQ,
    Dense,
    Dropout,
    Layer,
    ReLU,
    Sequential,
    pack_shifts,
    shifted,
)
from ttalgebra.layers.shift import Clamped, real_weights
from ttalgebra.learning import (
    SGD,
    Adam,
    CrossEntropy,
    Dataset,
    accuracy,
    fit,
    mnist,
    schedules,
)
from ttalgebra.learning.rules.optimizers import Optimizer

SIZES = ((784, 512), (512, 512), (512, 10))
DECAY = 1e-4


def prepared(data: Dataset, samples: int) -> Dataset:
    x, x_test = ((part - 0.1307) / 0.3081 for part in (data.x, data.x_test))
    x, x_test = x.astype(np.float32), x_test.astype(np.float32)
    labels = data.labels[:samples]
    return data._replace(x=x[:samples], labels=labels, x_test=x_test)


def network(layers: list[Layer]) -> Sequential:
    first, second, last = layers
    return Sequential([first, ReLU(), Dropout(0.2), second, ReLU(), Dropout(0.2), last])


def starts(bits: int, seed: int) -> dict[str, Sequential]:
    """The float twin starts from the same numbers as Q."""
    draw = np.random.default_rng(seed)
    q = [DeepShiftQ.random(n, m, bits=bits, rng=draw) for n, m in SIZES]
    options = {"bits": bits, "decay": DECAY, "rng": draw}
    ps = [DeepShiftPS.random(n, m, **options) for n, m in SIZES]
    twin = [Dense(layer.weight, layer.bias) for layer in q]
    return {"float": network(twin), "Q": network(q), "PS": network(ps)}


def rule_for(name: str, steps: int, *, adam: bool) -> Optimizer:
    if not adam:
        return SGD(0.01, decay=DECAY, decays=real_weights)
    rate = schedules.cosine(0.1 if name == "PS" else 1e-3, steps)
    return Adam(rate, decay=DECAY, decays=real_weights)


def trained(
    model: Sequential, data: Dataset, rule: Optimizer, epochs: int, seed: int
) -> tuple[Sequential, float]:
    shifts = any(isinstance(layer, (DeepShiftQ, DeepShiftPS)) for layer in model.layers)
    began = perf_counter()
    fitted, _ = fit(
        model,
        data.x,
        data.labels,
        loss=CrossEntropy(),
        optimizer=Clamped(rule, model) if shifts else rule,
        epochs=epochs,
        batch_size=64,
        rng=seed,
    )
    return fitted, perf_counter() - began


def row(
    name: str, model: Sequential, seconds: float, data: Dataset, packed: int
) -> dict[str, object]:
    x, labels = data.x_test, data.labels_test
    found = {"system": name, "accuracy": accuracy(model, x, labels),
             "seconds": seconds, "bytes": model.nbytes}  # fmt: skip
    if name.startswith("float"):
        return found
    small = pack_shifts(model)
    few, own = x[:packed], labels[:packed]
    began = perf_counter()
    y, _ = small(few)
    found["packed_seconds"] = perf_counter() - began
    same = np.argmax(y, axis=1) == np.argmax(model(few)[0], axis=1)
    found |= {"bytes": small.nbytes, "packed_accuracy": accuracy(small, few, own),
              "float_accuracy_there": accuracy(model, few, own),
              "same_predictions": float(same.mean())}  # fmt: skip
    return found


def measure(asked: argparse.Namespace) -> Iterator[dict[str, object]]:
    data = prepared(mnist(), asked.samples)
    steps = asked.epochs * -(-len(data.labels) // 64)
    tuning = SGD(1e-3, decay=DECAY, decays=real_weights)
    models = {}
    for name, model in starts(asked.bits, asked.seed).items():
        rule = rule_for(name, steps, adam=asked.adam)
        models[name], seconds = trained(model, data, rule, asked.epochs, asked.seed)
        yield row(name, models[name], seconds, data, asked.packed)
    for name, system in (("Q", DeepShiftQ), ("PS", DeepShiftPS)):
        model = shifted(models["float"], system, bits=asked.bits)
        yield row(f"{name} from float", model, 0.0, data, asked.packed)
        if asked.tune:
            model, seconds = trained(model, data, tuning, asked.tune, asked.seed)
            yield row(f"{name} from float, tuned", model, seconds, data, asked.packed)


def show(rows: list[dict[str, object]], asked: argparse.Namespace) -> None:
    print(f"MNIST, 784-512-512-10, {asked.bits} bits, {asked.samples} images, "
          f"{asked.epochs} epochs, {'Adam' if asked.adam else 'SGD'}, "
          f"seed {asked.seed}")  # fmt: skip
    print(f"{platform.machine()}, NumPy {np.__version__}, {date.today().isoformat()}")
    print(
        f"{'':20s}accuracy      bytes  seconds  packed: accuracy (float)  same  ms each"
    )
    for found in rows:
        line = f"{found['system']:20s}{found['accuracy']:8.4f} {found['bytes']:10,d} "
        line += f"{found['seconds']:8.1f}"
        if "packed_accuracy" in found:
            line += f"{found['packed_accuracy']:18.4f}"
            line += f" ({found['float_accuracy_there']:.4f})"
            line += f" {found['same_predictions']:.4f}"
            line += f" {1e3 * found['packed_seconds'] / asked.packed:8.2f}"
        print(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--samples", type=int, default=60000)
    parser.add_argument("--tune", type=int, default=0, help="epochs after conversion")
    parser.add_argument("--packed", type=int, default=10000, help="images for integers")
    parser.add_argument("--bits", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--adam", action="store_true", help="rate falls")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = list(measure(asked))
    print(json.dumps(rows)) if asked.json else show(rows, asked)


if __name__ == "__main__":
    main()
