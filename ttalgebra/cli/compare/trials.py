"""Train a system for several seeds, keep it, and measure what is kept."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean, stdev
from time import perf_counter
from typing import Any

import numpy as np

from ttalgebra import learning
from ttalgebra.arrays.checks import require_room
from ttalgebra.arrays.typing import Array
from ttalgebra.cli.compare.stored import Stored
from ttalgebra.cli.compare.systems import Model, System, systems
from ttalgebra.cli.contest import progress

BATCH = 100  # images, when inference is timed
FALL = 1e-2  # of the rate, from the first step to the last
SECONDS = 0.5  # for the timing of inference


@dataclass(frozen=True)
class Setting:
    """Data with pixels that are multiples of ``1 / levels``, and how long to train."""

    name: str
    data: learning.Dataset
    levels: int
    hidden: int
    seeds: int
    epochs: int
    batch_size: int

    @property
    def inputs(self) -> int:
        """Pixels of an image."""
        return int(self.data.x.shape[1])

    @property
    def steps(self) -> int:
        """Of one training."""
        return self.epochs * learning.batch_count(len(self.data.x), self.batch_size)


def setting(
    data: str, hidden: int, seeds: int, epochs: int | None, *, quick: bool
) -> Setting:
    """The digits of scikit-learn, MNIST where TTALGEBRA_DATA says, or in a folder.

    MNIST is padded to 32 x 32. Raises what `learning.mnist` does, and TooLargeError.
    """
    if data == "digits":
        chosen, usual, size, levels = learning.digits(), 15 if quick else 40, 32, 16
    else:
        chosen = learning.mnist(None if data == "mnist" else data)
        x, x_test = (learning.padded(part, 32) for part in (chosen.x, chosen.x_test))
        chosen = chosen._replace(x=x, x_test=x_test)
        usual, size, levels = 1 if quick else 4, 100, 255
    shape = hidden, chosen.x.shape[1]
    require_room(shape, 4, "the dense weight", "give a smaller --hidden")
    name = "digits" if data == "digits" else "MNIST"
    return Setting(name, chosen, levels, hidden, seeds, epochs or usual, size)


def compete(chosen: Setting, *, quiet: bool) -> list[dict[str, Any]]:
    """A row for each system, plain values."""
    six = systems(chosen.inputs, chosen.hidden, chosen.levels)
    with progress(len(six) * chosen.seeds * chosen.epochs, quiet) as tick:
        return [_row(system, chosen, tick) for system in six]


def _row(system: System, chosen: Setting, tick: Callable[[], object]) -> dict[str, Any]:
    fitted = [_trained(system, chosen, seed, tick) for seed in range(chosen.seeds)]
    kept = [system.stored(model) for model, _ in fitted]
    x = system.scale * chosen.data.x_test
    accuracies = [_accuracy(stored, x, chosen.data.labels_test) for stored in kept]
    return {
        "system": system.name,
        "parameters": fitted[0][0].n_parameters,
        "bytes": kept[0].nbytes,
        "accuracy": mean(accuracies),
        "seconds": mean(seconds for _, seconds in fitted),
        "spread": stdev(accuracies) if chosen.seeds > 1 else None,
        "accuracies": accuracies,
        "inference_ms": 1e3 * _fastest(kept[0], x[:BATCH]),
        "about": system.about,
        "data": chosen.name,
        "inputs": chosen.inputs,
        "hidden": chosen.hidden,
        "epochs": chosen.epochs,
    }


def _trained(
    system: System, chosen: Setting, seed: int, tick: Callable[[], object]
) -> tuple[Model, float]:
    """The model, and the seconds that its training took."""
    model = system.network(np.random.default_rng(seed))
    rate = learning.schedules.exponential(system.rate, FALL, chosen.steps)
    fitted, history = learning.fit(
        model,
        system.scale * chosen.data.x,
        chosen.data.labels,
        loss=system.loss(),
        optimizer=system.rule(learning.Adam(rate), model),
        epochs=chosen.epochs,
        batch_size=chosen.batch_size,
        rng=seed,
        callbacks=[lambda _: _ticked(tick)],
    )
    return fitted, sum(history["seconds"])


def _ticked(tick: Callable[[], object]) -> None:
    tick()


def _accuracy(stored: Stored, x: Array, labels: Array) -> float:
    right = np.argmax(stored.scores(x), axis=1) == labels
    return float(np.mean(right))


def _fastest(stored: Stored, x: Array) -> float:
    """The least seconds of a call, of as many as there is time for."""
    times: list[float] = []
    while sum(times) < SECONDS:
        began = perf_counter()
        stored.scores(x)
        times.append(perf_counter() - began)
    return min(times)
