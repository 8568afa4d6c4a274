"""A step that fits on a postcard, and the epoch that is made of steps."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from time import perf_counter

import numpy as np

from ttalgebra.arrays.checks import require_finite
from ttalgebra.arrays.errors import NonFiniteError
from ttalgebra.arrays.namespace import from_numpy, is_array, is_numpy, namespace_of
from ttalgebra.arrays.typing import Array
from ttalgebra.layers.protocol import Layer
from ttalgebra.learning.callbacks import Partial, Progress
from ttalgebra.learning.data.batches import minibatches, stream
from ttalgebra.learning.metrics import Loss, evaluate, finite_loss, is_labels
from ttalgebra.learning.rules.optimizers import Optimizer, State

Data = tuple[Array, Array]


@np.errstate(over="ignore", invalid="ignore")  # refused below, with their place
def step(
    model: Layer,
    loss: Loss,
    optimizer: Optimizer,
    state: State,
    x: Array,
    target: Array,
    rng: np.random.Generator,
) -> tuple[Layer, State, float]:
    """One step: forward, loss, backward, update, and the projection of the layers.

    Nothing that was given is changed. Raises NonFiniteError where the data, the loss,
    a gradient, a parameter or the new state of the optimizer is not finite.
    """
    require_finite_data(x, target, "the")
    y, backward = model.training(rng)(x)
    value, dy = loss(y, target)
    finite_loss(value)
    _, gradients = backward(dy)
    for name, gradient in gradients.items():
        require_finite(gradient, f"the gradient of {name}")
    parameters, state = optimizer.update(model.parameters, gradients, state)
    measured = {n: gradients[n] for n in model.statistics if n in gradients}
    moved = model.with_arrays(parameters | measured).projected()
    for name, x in state.items():
        if is_array(x):
            require_finite(x, f"the optimizer's {name}")
    return moved, state, value


@dataclass(frozen=True, eq=False)
class Task:
    """What stays the same from the first step of a run to its last."""

    x: Array
    target: Array
    loss: Loss
    optimizer: Optimizer
    batch_size: int
    skips: bool
    validation: Data | None

    @property
    def samples(self) -> int:
        """How many there are to fit."""
        return int(self.x.shape[0])


def steps(task: Task, progress: Progress) -> Iterator[Progress]:
    """The run after each of the batches that its next epoch still has."""
    done = progress.partial.batch
    order = minibatches(
        task.samples, task.batch_size, progress.seed, progress.epoch + 1
    )
    for k, batch in enumerate(islice(order, done, None), done):
        progress = _after(task, progress, k, batch)
        yield progress


def closed(task: Task, progress: Progress) -> Progress:
    """The run after the last batch of an epoch, with the record of that epoch."""
    epoch, partial = progress.epoch + 1, progress.partial
    if partial.samples == 0:
        message = f"fit: epoch {epoch}: each of its {partial.batch} batches was skipped"
        raise NonFiniteError(f"{message}; look at the data and the rate")
    record = {"epoch": epoch, "loss": partial.loss / partial.samples}
    if task.skips:
        record["skipped"] = partial.skipped
    record["seconds"] = partial.seconds
    if task.validation is not None:
        found = evaluate(progress.model, task.loss, *task.validation)
        record |= {f"validation_{name}": value for name, value in found.items()}
    history = progress.history.plus(record)
    return replace(progress, epoch=epoch, history=history, partial=Partial())


def _after(task: Task, progress: Progress, k: int, batch: np.ndarray) -> Progress:
    """The run after batch ``k``; after one that is skipped, only the count differs."""
    began, so_far = perf_counter(), progress.partial
    seed, epoch = progress.seed, progress.epoch + 1
    try:
        model, state, value = step(
            progress.model, task.loss, task.optimizer, progress.state,
            _taken(task.x, batch), _taken(task.target, batch),
            stream(seed, epoch, k + 1),
        )  # fmt: skip
    except NonFiniteError as error:
        if not task.skips:
            where = f"fit: epoch {epoch}, batch {k} (of {batch.size} samples)"
            message = f"{where}: {error}; the model that was passed is unchanged"
            raise NonFiniteError(message) from error
        skipped = replace(so_far, batch=k + 1, skipped=so_far.skipped + 1)
        return replace(progress, partial=skipped)
    partial = Partial(
        batch=k + 1,
        loss=so_far.loss + value * batch.size,
        samples=so_far.samples + batch.size,
        skipped=so_far.skipped,
        seconds=so_far.seconds + perf_counter() - began,
    )
    return replace(progress, model=model, state=state, partial=partial)


def _taken(x: Array, batch: np.ndarray) -> Array:
    if is_numpy(x):
        return x[batch]
    return namespace_of(x).take(x, from_numpy(batch, x), axis=0)


def require_finite_data(x: Array, target: Array, whose: str) -> None:
    """Raise NonFiniteError unless data, and a target of values, are finite."""
    require_finite(x, f"{whose} data")
    if not is_labels(target):
        require_finite(target, f"{whose} target")
