"""The training loop: a step that fits on a postcard, and what is around it."""

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any, TypeVar, cast

import numpy as np

from ttalgebra.arrays.checks import as_count, as_positive, require_finite
from ttalgebra.arrays.errors import NonFiniteError
from ttalgebra.arrays.namespace import from_numpy, is_numpy, namespace_of
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG, Array
from ttalgebra.layers.protocol import Layer
from ttalgebra.learning.callbacks import Callback, Progress
from ttalgebra.learning.data.batches import minibatches, stream
from ttalgebra.learning.history import History
from ttalgebra.learning.metrics import (
    Loss,
    as_samples,
    evaluate,
    finite_loss,
    is_labels,
)
from ttalgebra.learning.optimizers import Optimizer, State

Data = tuple[Array, Array]
Model = TypeVar("Model", bound=Layer)


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
    a gradient or a parameter is not finite.
    """
    _require_finite_data(x, target, "the")
    y, backward = model.training(rng)(x)
    value, dy = loss(y, target)
    finite_loss(value)
    _, gradients = backward(dy)
    for name, gradient in gradients.items():
        require_finite(gradient, f"the gradient of {name}")
    parameters, state = optimizer.update(model.parameters, gradients, state)
    statistics = {name: gradients[name] for name in model.statistics}
    return model.with_arrays(parameters | statistics).projected(), state, value


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

    Notes
    -----
    Raises NonFiniteError, naming epoch and batch, ShapeError or TypeError.

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
    progress = advance(
        start(model, optimizer, rng), x, target, loss=loss, optimizer=optimizer,
        epochs=epochs, batch_size=batch_size, validation=validation,
        callbacks=callbacks,
    )  # fmt: skip
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
) -> Progress:
    """The run after ``epochs`` more epochs, arguments as in `fit`.

    Two and then two more are four, bit for bit.
    """
    x, target = as_samples(x, target, "fit")
    _require_callable(loss, callbacks)
    epochs = as_count(epochs, "fit: epochs")
    size = as_positive(batch_size, "fit: batch_size")
    if validation is not None:
        validation = as_samples(*_pair(validation), "fit: validation")
        _require_finite_data(*validation, "the validation")
    progress = replace(progress, epochs=progress.epoch + epochs, stopped=False)
    while progress.epoch < progress.epochs and not progress.stopped:
        began = perf_counter()
        progress, record = _epoch(progress, loss, optimizer, x, target, size)
        record["seconds"] = perf_counter() - began
        if validation is not None:
            found = evaluate(progress.model, loss, *validation)
            record |= {f"validation_{name}": value for name, value in found.items()}
        progress = replace(progress, history=progress.history.plus(record))
        progress = _called(callbacks, progress)
    return progress


def _called(callbacks: Sequence[Callback], progress: Progress) -> Progress:
    for callback in callbacks:
        answer = callback(progress)
        if not (answer is None or isinstance(answer, Progress)):
            kind = type(answer).__name__
            raise TypeError(f"fit: a callback returned {kind}, not a Progress or None")
        progress = progress if answer is None else answer
    return progress


def _epoch(
    progress: Progress,
    loss: Loss,
    optimizer: Optimizer,
    x: Array,
    target: Array,
    batch_size: int,
) -> tuple[Progress, dict[str, float]]:
    model, state, total = progress.model, progress.state, 0.0
    seed, epoch, n = progress.seed, progress.epoch + 1, int(x.shape[0])
    for k, batch in enumerate(minibatches(n, batch_size, seed, epoch)):
        rng = stream(seed, epoch, k + 1)
        inputs, targets = _taken(x, batch), _taken(target, batch)
        try:
            model, state, value = step(
                model, loss, optimizer, state, inputs, targets, rng
            )
        except NonFiniteError as error:
            where = f"fit: epoch {epoch}, batch {k} (of {batch.size} samples)"
            message = f"{where}: {error}; the model that was passed is unchanged"
            raise NonFiniteError(message) from error
        total += value * batch.size
    after = replace(progress, model=model, state=state, epoch=epoch)
    return after, {"epoch": epoch, "loss": total / n}


def _require_callable(loss: Any, callbacks: Any) -> None:
    if not isinstance(callbacks, (list, tuple)):
        kind = type(callbacks).__name__
        raise TypeError(f"fit: callbacks must be a list or tuple, got {kind}")
    for name, given in (("the loss", loss), *(("a callback", c) for c in callbacks)):
        if not callable(given):
            kind = type(given).__name__
            raise TypeError(f"fit: {name} is {kind}, which cannot be called")


def _pair(validation: Any) -> Data:
    if not isinstance(validation, (list, tuple)) or len(validation) != 2:
        raise TypeError("fit: validation must be a pair, data and targets")
    return validation[0], validation[1]


def _taken(x: Array, batch: np.ndarray) -> Array:
    if is_numpy(x):
        return x[batch]
    return namespace_of(x).take(x, from_numpy(batch, x), axis=0)


def _require_finite_data(x: Array, target: Array, whose: str) -> None:
    require_finite(x, f"{whose} data")
    if not is_labels(target):
        require_finite(target, f"{whose} target")
