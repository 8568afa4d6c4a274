"""How good a model is, in blocks of samples so that memory stays bounded."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from ttalgebra.arrays.checks import as_array
from ttalgebra.arrays.errors import NonFiniteError, ShapeError
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
    if x.ndim == 0 or x.shape[0] <= BLOCK:
        return model(x)[0]
    cuts = [*range(0, x.shape[0], BLOCK), x.shape[0]]
    outputs = [model(x[start:stop, ...])[0] for start, stop in pairwise(cuts)]
    return namespace_of(*outputs).concat(outputs, axis=0)


def accuracy(model: Layer, x: Array, labels: Array) -> float:
    """The share of samples whose largest output is at their label.

    >>> from ttalgebra.layers import Dense
    >>> from ttalgebra.learning import accuracy
    >>> accuracy(Dense([[1.0], [-1.0]], [0.0, 0.0]), [[1.0], [-1.0], [2.0]], [0, 1, 1])
    0.6666666666666666
    """
    return _share_right(predict(model, x), labels, "accuracy")


def error_rate(model: Layer, x: Array, labels: Array) -> float:
    """``1 - accuracy``."""
    return 1.0 - accuracy(model, x, labels)


@np.errstate(over="ignore", invalid="ignore")  # refused below
def evaluate(model: Layer, loss: Loss, x: Array, target: Array) -> dict[str, float]:
    """``{"loss": ...}`` and, where the target is labels, ``"accuracy"``."""
    x, target = as_samples(x, target, "evaluate")
    y = predict(model, x)
    found = {"loss": finite_loss(loss(y, target)[0])}
    if is_labels(target):
        found["accuracy"] = _share_right(y, target, "evaluate")
    return found


def as_samples(x: Any, target: Any, name: str) -> tuple[Array, Array]:
    """Data as arrays: at least one sample, a target for each, in one library."""
    x = as_array(x, f"{name}: x")
    if x.ndim not in (2, 3) or x.shape[0] == 0:
        message = f"{name}: x has shape {tuple(x.shape)}"
        layout = "(samples, features) or (samples, steps, features)"
        raise ShapeError(f"{message}; {layout} and a sample are needed")
    if not is_array(target):
        target = np.asarray(target)
    kinds = ("bool", "integral")  # what is wrong with labels, the loss says
    if not namespace_of(target).isdtype(target.dtype, kinds):
        target = as_array(target, f"{name}: target")
    if target.ndim == 0 or target.shape[0] != x.shape[0]:
        message = f"{name}: the target has shape {tuple(target.shape)}"
        raise ShapeError(f"{message} for {x.shape[0]} samples; one for each is needed")
    return x, target


def finite_loss(value: float) -> float:
    """``value``; NonFiniteError unless it is a finite number."""
    if not math.isfinite(value):
        raise NonFiniteError(f"the loss is {value}; lower the rate or scale the data")
    return value


def is_labels(target: Array) -> bool:
    """Whether ``target`` holds integers, one for each sample."""
    integral = namespace_of(target).isdtype(target.dtype, "integral")
    return bool(integral) and target.ndim == 1


def _share_right(y: Array, labels: Array, name: str) -> float:
    host = to_numpy(as_labels(labels, y.shape[0], name))
    if host.size == 0:
        raise ShapeError(f"{name}: there are 0 samples; at least 1 is needed")
    right = np.count_nonzero(np.argmax(to_numpy(y), axis=1) == host)
    return int(right) / host.size
