"""The training loop: epochs until the last, saved on the way where that is asked."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, Literal, TypeVar, cast

from ttalgebra.arrays.checks import as_count, as_positive, require_one_of
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG, Array
from ttalgebra.layers.protocol import Layer
from ttalgebra.learning.callbacks import Callback, Progress
from ttalgebra.learning.epoch import Data, Task, closed, require_finite_data, steps
from ttalgebra.learning.history import History
from ttalgebra.learning.metrics import Loss, as_samples
from ttalgebra.learning.rules.optimizers import Optimizer
from ttalgebra.learning.runs.checkpoint import Checkpoint
from ttalgebra.learning.runs.description import described
from ttalgebra.learning.runs.saving import begun, saving

Model = TypeVar("Model", bound=Layer)
Wish = Literal["raise", "skip"]
Stopping = Callable[[Progress], bool]


def fit(
    model: Model,
    x: Array,
    target: Array,
    *,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int = 32,
    rng: RNG = None,
    validation: Data | None = None,
    callbacks: Sequence[Callback] = (),
    on_nonfinite: Wish = "raise",
    checkpoint: Checkpoint | None = None,
    resume: bool | str = False,
) -> tuple[Model, History]:
    """The fitted model and its history; ``model`` stays as it is, whatever happens.

    Parameters
    ----------
    x, target
        ``(n, features)``, and ``n`` labels or ``(n, outputs)`` values.
    epochs, batch_size
        Every epoch meets every sample once; its last batch holds what is left.
    rng
        A seed or a Generator. An int fixes every bit of the result.
    validation
        A pair like ``x, target``; its loss (and accuracy) join the history.
    callbacks
        Called after each epoch with the `Progress`.
    on_nonfinite
        ``"raise"``, or ``"skip"``: a batch whose data, loss, gradients or step are
        not finite changes nothing, and the history counts it as ``"skipped"``.
    checkpoint
        Where the run is saved. SIGINT and SIGTERM then end it after the step in
        progress, save it once and raise `Interrupted`.
    resume
        True: go on from the newest file of ``checkpoint``, and begin where there is
        none. The name of a file: go on from that one. The end is that of the run that
        was never interrupted, bit for bit, if all other arguments are the same.

    Notes
    -----
    Raises NonFiniteError, naming epoch and batch, ShapeError or TypeError. Where a
    checkpoint is damaged, FormatError, which names the last one that is whole; where
    ``resume`` is False and there are checkpoints, FileExistsError; where saving fails,
    OSError, with all earlier checkpoints whole.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import Dense
    >>> from ttalgebra.learning import SGD, SquaredError, fit
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> model, history = fit(Dense.random(1, 1, rng=0, dtype="f8"), x, 3 * x + 1,
    ...                      loss=SquaredError(), optimizer=SGD(0.5), epochs=40, rng=0)
    >>> model.weight.round(4), model.bias.round(4)
    (array([[3.]]), array([1.]))
    """
    progress = start(model, optimizer, rng)
    task = _task(x, target, loss, optimizer, batch_size, validation, on_nonfinite)
    _require_callable(loss, callbacks)
    about = {
        "samples": task.samples,
        "batch_size": task.batch_size,
        "model": described(model),
        "optimizer": described(optimizer),
        "loss": described(loss),
    }
    seeded = rng is not None and not hasattr(rng, "integers")
    progress = begun(progress, checkpoint, resume, about, seeded=seeded)
    progress = replace(progress, epochs=_not_fewer(epochs, progress))
    with saving(checkpoint, about) if checkpoint else nullcontext(_never) as stops:
        progress = _run(task, progress, callbacks, stops)
    best = progress.model if progress.best is None else progress.best
    return cast(Model, best), progress.history


def start(model: Layer, optimizer: Optimizer, rng: RNG = None) -> Progress:
    """A run of training before its first epoch; `advance` takes it on."""
    if not isinstance(model, Layer):
        raise TypeError(f"fit: the model is {type(model).__name__}, not a layer")
    if not hasattr(optimizer, "init") or not hasattr(optimizer, "update"):
        kind = type(optimizer).__name__
        raise TypeError(f"fit: the optimizer is {kind}; use SGD, Adam or their like")
    seed = int(generator(rng).integers(2**63))
    return Progress(model, optimizer.init(model.parameters), seed)


def advance(
    progress: Progress,
    x: Array,
    target: Array,
    *,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int = 32,
    validation: Data | None = None,
    callbacks: Sequence[Callback] = (),
    on_nonfinite: Wish = "raise",
) -> Progress:
    """The run after ``epochs`` more epochs, arguments as in `fit`.

    Two and then two more are four, bit for bit.
    """
    task = _task(x, target, loss, optimizer, batch_size, validation, on_nonfinite)
    _require_callable(loss, callbacks)
    epochs = progress.epoch + as_count(epochs, "fit: epochs")
    progress = replace(progress, epochs=epochs, stopped=False)
    return _run(task, progress, callbacks, _never)


def _run(
    task: Task, progress: Progress, callbacks: Sequence[Callback], stops: Stopping
) -> Progress:
    """To the end, or to the step after which ``stops`` says so."""
    while progress.epoch < progress.epochs and not progress.stopped:
        for after in steps(task, progress):
            progress = after
            if stops(progress):
                return progress
        progress = _called(callbacks, closed(task, progress))
        if stops(progress):
            return progress
    return progress


def _never(progress: Progress) -> bool:  # noqa: ARG001
    return False


def _called(callbacks: Sequence[Callback], progress: Progress) -> Progress:
    for callback in callbacks:
        answer = callback(progress)
        if not (answer is None or isinstance(answer, Progress)):
            kind = type(answer).__name__
            raise TypeError(f"fit: a callback returned {kind}, not a Progress or None")
        progress = progress if answer is None else answer
    return progress


def _task(
    x: Any, target: Any, loss: Loss, optimizer: Optimizer, batch_size: Any,
    validation: Any, on_nonfinite: Any,
) -> Task:  # fmt: skip
    x, target = as_samples(x, target, "fit")
    size = as_positive(batch_size, "fit: batch_size")
    require_one_of(on_nonfinite, ("raise", "skip"), "fit: on_nonfinite")
    held_out = None if validation is None else _held_out(validation)
    return Task(x, target, loss, optimizer, size, on_nonfinite == "skip", held_out)


def _held_out(validation: Any) -> Data:
    if not isinstance(validation, (list, tuple)) or len(validation) != 2:
        raise TypeError("fit: validation must be a pair, data and targets")
    x, target = as_samples(validation[0], validation[1], "fit: validation")
    require_finite_data(x, target, "the validation")
    return x, target


def _not_fewer(epochs: Any, progress: Progress) -> int:
    number = as_count(epochs, "fit: epochs")
    if number < progress.epoch:
        message = f"fit: epochs is {number}, the checkpoint has {progress.epoch} done"
        raise ShapeError(f"{message}; ask for as many or more")
    return number


def _require_callable(loss: Any, callbacks: Any) -> None:
    if not isinstance(callbacks, (list, tuple)):
        kind = type(callbacks).__name__
        raise TypeError(f"fit: callbacks must be a list or tuple, got {kind}")
    for name, given in (("the loss", loss), *(("a callback", c) for c in callbacks)):
        if not callable(given):
            kind = type(given).__name__
            raise TypeError(f"fit: {name} is {kind}, which cannot be called")
