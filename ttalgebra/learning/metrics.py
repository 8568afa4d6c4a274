"""How good a model is, in blocks of samples so that memory stays bounded."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from ttalgebra.arrays.checks import as_array
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import is_array, namespace_of, to_numpy
from ttalgebra.arrays.typing import Array
from ttalgebra.layers.protocol import Layer
from ttalgebra.learning.losses import as_labels

BLOCK = 1000  # samples at a time
Loss: TypeAlias = Callable[[Array, Array], tuple[float, Array]]


def predict(model: Layer, x: Array) -> Array:
    """``model(x)`` in inference, block by block: ``(n, features) -> (n, outputs)``.

    >>> from ttalgebra.layers import Dense
    >>> from ttalgebra.learning import predict
    >>> predict(Dense([[2.0]], [1.0]), [[1.0], [3.0]])
    array([[3.],
           [7.]])
    """
    x = as_array(x, "predict: x")
    if x.ndim == 0 or x.shape[0] == 0:
        return model(x)[0]
    outputs = [model(x[block])[0] for block in _blocks(x.shape[0])]
    return namespace_of(*outputs).concat(outputs, axis=0)


def accuracy(model: Layer, x: Array, labels: Array) -> float:
    """The share of samples whose largest output is at their label.

    >>> from ttalgebra.layers import Dense
    >>> from ttalgebra.learning import accuracy
    >>> accuracy(Dense([[1.0], [-1.0]], [0.0, 0.0]), [[1.0], [-1.0], [2.0]], [0, 1, 1])
    0.6666666666666666
    """
    y = to_numpy(predict(model, x))
    host = to_numpy(as_labels(labels, y.shape[0], "accuracy"))
    _require_samples(y.shape[0], "accuracy")
    return float(np.count_nonzero(np.argmax(y, axis=1) == host)) / y.shape[0]


def error_rate(model: Layer, x: Array, labels: Array) -> float:
    """``1 - accuracy``."""
    return 1.0 - accuracy(model, x, labels)


def mean_loss(model: Layer, loss: Loss, x: Array, target: Array) -> float:
    """The mean over the blocks of ``loss``, each weighted by its samples."""
    x = as_array(x, "mean_loss: x")
    target = as_target(target, x.shape[0], "mean_loss")
    n = x.shape[0]
    _require_samples(n, "mean_loss")
    total = 0.0
    for block in _blocks(n):
        y, _ = model(x[block])
        total += loss(y, target[block])[0] * y.shape[0]
    return total / n


def as_target(target: Any, n: int, name: str) -> Array:
    """Labels or values, one for each of ``n`` samples; ShapeError for other numbers."""
    if not is_array(target) and isinstance(target, (list, tuple)):
        target = np.asarray(target)
    if not is_array(target) or isinstance(target, np.ma.MaskedArray):
        kind = type(target).__name__
        raise TypeError(f"{name}: the target must be an array, got {kind}")
    if target.ndim == 0 or target.shape[0] != n:
        message = f"{name}: the target has shape {tuple(target.shape)}"
        raise ShapeError(f"{message} for {n} samples; one for each is needed")
    return target


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, n, BLOCK))


def _require_samples(n: int, name: str) -> None:
    if n == 0:
        raise ShapeError(f"{name}: there are 0 samples; at least 1 is needed")
