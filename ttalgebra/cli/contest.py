"""What the demo trains: one network, several hidden layers, the same data and loop."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from time import perf_counter
from typing import Any

import numpy as np

from ttalgebra import layers, learning
from ttalgebra.arrays.typing import Array
from ttalgebra.trains.matrix import TTMatrix

RANKS = (2, 4, 8)
CUT_RANK = 8  # what the trained dense weight is cut to before it is fine-tuned
TUNING = 4  # fine-tuning takes an epoch for every four of training
TOLERANCES = (0.1, 0.3)
Modes = tuple[int, ...]
Data = tuple[Array, Array, Array, Array]  # images, labels, and those of the test
Model = layers.Sequential


@dataclass(frozen=True)
class Setting:
    """Data, the modes of the hidden layer, and how long to train."""

    name: str
    data: Data
    modes: tuple[Modes, Modes]
    seeds: int
    epochs: int
    batch_size: int
    rate: float

    @property
    def shape(self) -> tuple[int, int]:
        """Hidden units and inputs."""
        return prod(self.modes[0]), prod(self.modes[1])


@dataclass(frozen=True)
class Run:
    """A trained model, its test accuracy, what it took, and how it got there."""

    model: Model
    accuracy: float
    seconds: float
    curve: tuple[float, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One hidden layer in the contest: a run for each seed."""

    name: str
    runs: tuple[Run, ...]

    @property
    def accuracies(self) -> list[float]:
        """Of the seeds, in order."""
        return [run.accuracy for run in self.runs]

    @property
    def parameters(self) -> int:
        """Of the hidden layer's matrix, the bias left out."""
        return sum(prod(x.shape) for x in _weights(self.runs[0].model))

    def row(self, dense: int) -> dict[str, Any]:
        """Plain values for the table; ``dense`` is the dense matrix's parameters."""
        return {
            "system": self.name,
            "parameters": self.parameters,
            "compression": dense / self.parameters,
            "bytes": sum(x.nbytes for x in _weights(self.runs[0].model)),
            "accuracy": sum(self.accuracies) / len(self.runs),
            "accuracies": self.accuracies,
            "seconds": sum(run.seconds for run in self.runs) / len(self.runs),
        }


def setting(folder: str | None, seeds: int, epochs: int | None) -> Setting:
    """The digits of scikit-learn, or MNIST from ``folder``, padded to 32 x 32."""
    if folder is None:
        small = (8, 8, 4), (4, 4, 4)
        return Setting(
            "digits", learning.digits(), small, seeds, epochs or 40, 32, 2e-3
        )
    x, labels, x_test, labels_test = learning.mnist(folder)
    data = learning.padded(x, 32), labels, learning.padded(x_test, 32), labels_test
    square = (4, 8, 8, 4), (4, 8, 8, 4)
    return Setting("MNIST", data, square, seeds, epochs or 4, 100, 1e-3)


def compete(chosen: Setting, *, quiet: bool) -> list[Entry]:
    """Train all: the dense network, TT, then dense cut, and fine-tuned."""
    seeds = range(chosen.seeds)
    tuning = max(1, chosen.epochs // TUNING)
    total = chosen.seeds * (chosen.epochs * (1 + len(RANKS)) + tuning)
    with progress(total, quiet) as tick:
        entries = [
            Entry(
                name,
                tuple(
                    _trained(make(seed), chosen, chosen.epochs, seed, tick)
                    for seed in seeds
                ),
            )
            for name, make in _networks(chosen).items()
        ]
        cut = tuple(_cut(run, chosen) for run in entries[0].runs)
        tuned = (_trained(r.model, chosen, tuning, s, tick) for s, r in enumerate(cut))
        name = f"dense cut to rank {CUT_RANK}"
        return [*entries, Entry(name, cut), Entry(f"{name}, fine-tuned", tuple(tuned))]


def kept_parameters(entry: Entry, chosen: Setting) -> dict[float, int]:
    """What TT-SVD keeps of a trained dense weight, for each tolerance."""
    weight = entry.runs[0].model.layers[0].parameters["weight"]
    return {
        tol: TTMatrix.from_dense(weight, *chosen.modes, tol=tol).n_parameters
        for tol in TOLERANCES
    }


def _networks(chosen: Setting) -> dict[str, Callable[[int], Model]]:
    M, N = chosen.shape

    def network(hidden: layers.Layer, rng: np.random.Generator) -> Model:
        return Model([hidden, layers.ReLU(), layers.Dense.random(M, 10, rng=rng)])

    def dense(seed: int) -> Model:
        rng = np.random.default_rng(seed)
        return network(layers.Dense.random(N, M, rng=rng), rng)

    def tt(rank: int) -> Callable[[int], Model]:
        def make(seed: int) -> Model:
            rng = np.random.default_rng(seed)
            return network(layers.TTLinear.random(*chosen.modes, rank, rng=rng), rng)

        return make

    return {"dense": dense} | {f"TT rank {rank}": tt(rank) for rank in RANKS}


def _trained(
    model: Model, chosen: Setting, epochs: int, seed: int, tick: Callable[[], object]
) -> Run:
    x, labels, x_test, labels_test = chosen.data
    curve: list[float] = []

    def watch(progress: learning.Progress) -> None:
        curve.append(learning.accuracy(progress.model, x_test, labels_test))
        tick()

    fitted, history = learning.fit(
        model,
        x,
        labels,
        loss=learning.CrossEntropy(),
        optimizer=learning.Adam(chosen.rate),
        epochs=epochs,
        batch_size=chosen.batch_size,
        rng=seed,
        callbacks=[watch],
    )
    return Run(fitted, curve[-1], sum(history["seconds"]), tuple(curve))


def _cut(run: Run, chosen: Setting) -> Run:
    """The dense model with its first weight replaced by its TT-SVD."""
    start = perf_counter()
    first, *others = run.model.layers
    weight, bias = first.parameters["weight"], first.parameters["bias"]
    tt = layers.TTLinear.from_dense(weight, bias, *chosen.modes, max_rank=CUT_RANK)
    model = Model([tt, *others])
    seconds = perf_counter() - start
    return Run(model, learning.accuracy(model, *chosen.data[2:]), seconds)


def _weights(model: Model) -> list[Array]:
    return [x for name, x in model.layers[0].parameters.items() if name != "bias"]


@contextmanager
def progress(total: int, quiet: bool) -> Iterator[Callable[[], object]]:
    """A bar on a terminal where tqdm is installed, nothing elsewhere."""
    try:
        from tqdm import tqdm
    except ImportError:
        yield lambda: None
        return
    disable = True if quiet else None  # None: only where stderr is a terminal
    with tqdm(total=total, unit="epoch", disable=disable, file=sys.stderr) as bar:
        yield bar.update
