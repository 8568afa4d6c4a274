"""Long memories: copying, adding and pixels, unitary against LSTM and plain tanh.

The tasks of Arjovsky, Shah & Bengio (2016). Copying is by its recipe: RMSProp of rate
1e-3 whose mean forgets at 0.9 and starts at 1e-3, gradients of the two baselines
clipped to [-1, 1], batches of 20, its hidden sizes. Adding and pixels use Adam, whose
rate falls from 3e-3 along a cosine; adding has the paper's hidden sizes, pixels 128
unitary states for its 512. Copying and adding draw fresh sequences for each iteration.
Run as

    python benchmarks/unitary_rnn.py copying --length 100 --draw copying-100.png
    python benchmarks/unitary_rnn.py adding --length 100 --iterations 5000
    TTALGEBRA_DATA=FOLDER python benchmarks/unitary_rnn.py pixels --permuted
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Any

import numpy as np

from ttalgebra.cli.table import columns
from ttalgebra.layers import (
    LSTM,
    Dense,
    Layer,
    Sequential,
    Stepwise,
    TanhRNN,
    UnitaryRNN,
)
from ttalgebra.learning import (
    Adam,
    Clipped,
    CrossEntropy,
    Optimizer,
    RMSProp,
    SquaredError,
    StepwiseLoss,
    adding,
    copying,
    copying_baseline,
    mnist,
    pixel_by_pixel,
    schedules,
    step,
)
from ttalgebra.learning.data.batches import stream

BLOCK = 250  # samples at a time in tests
KINDS = {"unitary": UnitaryRNN, "lstm": LSTM, "tanh": TanhRNN}

Batch = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Task:
    """What is learned: batches, the loss, and the value that the curves show."""

    name: str
    n_in: int
    n_out: int
    draw: Callable[[np.random.Generator, int], Batch]
    test: Batch
    loss: Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]]
    shown: str
    value: Callable[[np.ndarray, np.ndarray], float]
    baseline: float
    hidden: dict[str, int]
    every_step: bool = False
    falling: bool = True
    batch: int = 20


def copying_task(length: int, seed: int) -> Task:
    loss = StepwiseLoss(CrossEntropy())
    return Task(
        name=f"copying, T = {length}",
        n_in=10,
        n_out=9,
        draw=lambda rng, n: copying(n, length, rng=rng),
        test=copying(500, length, rng=stream(seed, 0, 0)),
        loss=loss,
        shown="cross-entropy",
        value=lambda y, target: loss(y, target)[0],
        baseline=copying_baseline(length),
        hidden={"unitary": 128, "lstm": 40, "tanh": 80},
        every_step=True,
        falling=False,
    )


def adding_task(length: int, seed: int) -> Task:
    return Task(
        name=f"adding, T = {length}",
        n_in=2,
        n_out=1,
        draw=lambda rng, n: adding(n, length, rng=rng),
        test=adding(1000, length, rng=stream(seed, 0, 0)),
        loss=SquaredError(),
        shown="mean squared error",
        value=lambda y, target: float(np.mean((y - target) ** 2)),
        baseline=1 / 6,
        hidden={"unitary": 512, "lstm": 128, "tanh": 128},
    )


def pixel_task(permuted: bool, seed: int) -> Task:
    data = pixel_by_pixel(mnist(), permuted=permuted, rng=seed)

    def draw(rng: np.random.Generator, n: int) -> Batch:
        chosen = rng.choice(len(data.x), n, replace=False)
        return data.x[chosen], data.labels[chosen]

    return Task(
        name="permuted pixels" if permuted else "pixels",
        n_in=1,
        n_out=10,
        draw=draw,
        test=(data.x_test, data.labels_test),
        loss=CrossEntropy(),
        shown="share of wrong answers",
        value=lambda y, labels: float(np.mean(np.argmax(y, axis=1) != labels)),
        baseline=0.9,
        batch=50,
        hidden={"unitary": 128, "lstm": 128, "tanh": 128},
    )


def model_for(task: Task, kind: str, n: int, seed: int) -> Sequential:
    """The recurrent layer and the output map."""
    rng = np.random.default_rng(seed)
    rnn = KINDS[kind].random(task.n_in, n, sequences=task.every_step, rng=rng)
    states = 2 * n if kind == "unitary" else n
    output = Dense.random(states, task.n_out, rng=rng)
    return Sequential([rnn, Stepwise(output) if task.every_step else output])


def rule_for(task: Task, kind: str, iterations: int) -> Optimizer:
    falling = Adam(schedules.cosine(3e-3, iterations))
    rule = falling if task.falling else RMSProp(1e-3)
    return rule if kind == "unitary" else Clipped(rule, 1.0)


def tested(task: Task, model: Layer, samples: int) -> float:
    """The value on the first ``samples`` of the test set."""
    x, target = (part[:samples] for part in task.test)
    starts = range(0, len(x), BLOCK)
    y = np.concatenate([model(x[k : k + BLOCK])[0] for k in starts])
    return task.value(y, target)


def trained(task: Task, kind: str, n: int, asked: argparse.Namespace) -> dict[str, Any]:
    """One system from its start to its last iteration, and its curve."""
    model = model_for(task, kind, n, asked.seed)
    optimizer = rule_for(task, kind, asked.iterations)
    state, curve, took, work = optimizer.init(model.parameters), [], 0.0, 0.0
    for k in range(asked.iterations):
        if k % asked.every == 0:
            curve.append((k, tested(task, model, asked.tests)))
        rng = stream(asked.seed, 1, k)
        x, target = task.draw(rng, task.batch)
        began, worked = perf_counter(), process_time()
        model, state, _ = step(model, task.loss, optimizer, state, x, target, rng)
        took += perf_counter() - began
        work += process_time() - worked
    curve.append((asked.iterations, tested(task, model, asked.tests)))
    final = tested(task, model, len(task.test[0]))
    return {
        "system": kind,
        "hidden": n,
        "parameters": model.nbytes // 4,  # of four bytes each
        "iterations": asked.iterations,
        "first": next((k for k, v in curve if v < task.baseline / 10), None),
        "best": min(v for _, v in curve),
        "final": final,
        "seconds": took,
        "cpu_seconds": work,
        "steps_per_second": asked.iterations * x.shape[1] / work,
        "curve": curve,
    }


def shown(task: Task, rows: list[dict[str, Any]]) -> str:
    """The table: the value, its baseline, and what a step costs."""
    heads = (
        "system", "states", "parameters", "iterations", "below 1/10", "best", "final",
        "seconds", "CPU s", "steps/s",
    )  # fmt: skip
    body = [
        (
            r["system"],
            f"{r['hidden']}",
            f"{r['parameters']:,}",
            f"{r['iterations']:,}",
            "never" if r["first"] is None else f"{r['first']:,}",
            f"{r['best']:.5f}",
            f"{r['final']:.5f}",
            f"{r['seconds']:.0f}",
            f"{r['cpu_seconds']:.0f}",
            f"{r['steps_per_second']:,.0f}",
        )
        for r in rows
    ]
    tenth = f"baseline {task.baseline:.5f}, a tenth {task.baseline / 10:.5f}"
    head = f"{task.name}: {task.shown}, {tenth}; batches of {task.batch}"
    return f"{head}\n\n{columns(heads, body)}"


def draw(task: Task, rows: list[dict[str, Any]], path: str) -> None:
    """The curves on a logarithmic axis, as PNG."""
    from matplotlib.figure import Figure

    from ttalgebra.draw.curves import COLOURS

    figure = Figure(figsize=(6.4, 3.8), dpi=100, layout="constrained")
    axes = figure.subplots()
    for row, colour in zip(rows, COLOURS, strict=False):
        iterations, values = zip(*row["curve"], strict=True)
        label = f"{row['system']}, {row['parameters']:,} parameters"
        floor = [max(v, task.baseline / 1e4) for v in values]
        axes.plot(iterations, floor, color=colour, label=label, linewidth=1.3)
    for value, text in ((task.baseline, "baseline"), (task.baseline / 10, "a tenth")):
        axes.axhline(value, color="0.5", linestyle=":", linewidth=1)
        axes.annotate(text, (0, value), color="0.4", va="bottom", fontsize=8)
    axes.set_yscale("log")
    axes.set_xlabel(f"iterations (batches of {task.batch})")
    axes.set_ylabel(task.shown)
    axes.set_title(task.name, loc="left")
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="png")


def positive(text: str) -> int:
    """An int of at least 1, or argparse says what is wrong."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=("copying", "adding", "pixels"))
    parser.add_argument("--length", type=positive, default=100, help="T")
    parser.add_argument("--permuted", action="store_true", help="pixels in one order")
    parser.add_argument("--systems", nargs="+", choices=KINDS, default=[*KINDS])
    parser.add_argument("--hidden", type=positive, help="states of every system")
    parser.add_argument("--iterations", type=positive, default=2000)
    parser.add_argument(
        "--every", type=positive, default=50, help="iterations to a test"
    )
    parser.add_argument("--tests", type=positive, default=500, help="samples of a test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--draw", metavar="FILE", help="the curves, as PNG")
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    asked = parser.parse_args()
    if asked.task == "adding" and asked.length < 2:
        parser.error("adding marks two numbers: --length must be at least 2")
    if asked.seed < 0:
        parser.error(f"--seed must be at least 0, got {asked.seed}")
    return asked


def main() -> None:
    asked = arguments()
    if asked.task == "pixels":
        task = pixel_task(asked.permuted, asked.seed)
    else:
        make = {"copying": copying_task, "adding": adding_task}[asked.task]
        task = make(asked.length, asked.seed)
    rows = []
    for kind in asked.systems:
        rows.append(trained(task, kind, asked.hidden or task.hidden[kind], asked))
        if not asked.json:
            print(shown(task, rows[-1:]), flush=True)
    print(json.dumps(rows) if asked.json else f"\n{shown(task, rows)}")
    if asked.draw:
        draw(task, rows, asked.draw)


if __name__ == "__main__":
    main()
