"""Losses: ``loss(y, target) -> (value, dy)``, the value and its gradient at ``y``.

``y`` is ``(n, c)``. Each is the mean over the batch of what is stated per sample, or
with ``mean=False`` the sum; of an empty batch both are 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ttalgebra.arrays.checks import as_array
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import (
    conj,
    from_numpy,
    is_array,
    is_complex,
    namespace_of,
    to_numpy,
)
from ttalgebra.arrays.typing import Array
from ttalgebra.cores.chain import reshape


@dataclass(frozen=True)
class CrossEntropy:
    """``log sum_j exp(y_j) - y_label``: logits and integer labels.

    The largest logit is subtracted first, so no exponential overflows; the error is
    a few ``eps (1 + value)``.

    >>> from ttalgebra.learning import CrossEntropy
    >>> value, dy = CrossEntropy()([[0.0, 0.0], [1e4, 0.0]], [0, 0])
    >>> round(value, 6), dy
    (0.346574, array([[-0.25,  0.25],
           [ 0.  ,  0.  ]]))
    """

    mean: bool = True

    def __call__(self, y: Array, target: Array) -> tuple[float, Array]:
        """The value, and ``(softmax(y) - onehot) / n``."""
        y, onehot = _scores(y, target, "CrossEntropy")
        xp = namespace_of(y)
        shifted = y - xp.max(y, axis=1, keepdims=True)
        exponentials = xp.exp(shifted)
        total = xp.sum(exponentials, axis=1, keepdims=True)
        own = xp.sum(xp.where(onehot, shifted, 0), axis=1, keepdims=True)
        dy = exponentials / total - xp.astype(onehot, y.dtype)
        return _weighted(xp.log(total) - own, dy, self.mean)


@dataclass(frozen=True)
class SquaredError:
    """``1/2 sum_j |y_j - target_j|^2``.

    >>> from ttalgebra.learning import SquaredError
    >>> SquaredError()([[3.0, 1.0]], [[1.0, 1.0]])
    (2.0, array([[2., 0.]]))
    """

    mean: bool = True

    def __call__(self, y: Array, target: Array) -> tuple[float, Array]:
        """The value, and ``(y - target) / n``."""
        y = _matrix(y, "SquaredError")
        target = as_array(target, "SquaredError: target")
        if tuple(target.shape) != tuple(y.shape):
            message = f"SquaredError: target has shape {tuple(target.shape)}"
            raise ShapeError(f"{message}, y has {tuple(y.shape)}; they must agree")
        if is_complex(target) and not is_complex(y):
            raise TypeError(f"SquaredError: target is {target.dtype} but y {y.dtype}")
        difference = y - namespace_of(y, target).astype(target, y.dtype)
        square = difference * conj(difference)
        square = namespace_of(y).real(square) if is_complex(square) else square
        return _weighted(square / 2, difference, self.mean)


@dataclass(frozen=True)
class Hinge:
    """``sum_{j != label} max(0, 1 + y_j - y_label)``: the multiclass machine.

    Source: Weston & Watkins (1999).

    >>> from ttalgebra.learning import Hinge
    >>> Hinge()([[2.0, 1.5, -1.0]], [0])
    (0.5, array([[-1.,  1.,  0.]]))
    """

    mean: bool = True

    def __call__(self, y: Array, target: Array) -> tuple[float, Array]:
        """The value; its gradient counts the classes within the margin."""
        y, onehot = _scores(y, target, "Hinge")
        xp = namespace_of(y)
        own = xp.sum(xp.where(onehot, y, 0), axis=1, keepdims=True)
        excess = xp.where(onehot, 0, xp.clip(1 + (y - own), min=0))
        within = xp.astype(excess > 0, y.dtype)
        count = xp.sum(within, axis=1, keepdims=True)
        return _weighted(excess, xp.where(onehot, -count, within), self.mean)


@dataclass(frozen=True)
class SquaredHinge:
    """``sum_j max(0, 1 - s_j y_j)^2``, ``s`` 1 at the label, -1 elsewhere.

    One machine for each class against the rest. Source: Tang (2013), section 2.

    >>> from ttalgebra.learning import SquaredHinge
    >>> SquaredHinge()([[0.5, -3.0]], [0])
    (0.25, array([[-1.,  0.]]))
    """

    mean: bool = True

    def __call__(self, y: Array, target: Array) -> tuple[float, Array]:
        """The value, and ``-2 s max(0, 1 - s y) / n``."""
        y, onehot = _scores(y, target, "SquaredHinge")
        xp = namespace_of(y)
        sign = 2 * xp.astype(onehot, y.dtype) - 1
        excess = xp.clip(1 - sign * y, min=0)
        return _weighted(excess * excess, -2 * sign * excess, self.mean)


@dataclass(frozen=True)
class StepwiseLoss:
    """``loss`` of ``y`` ``(n, steps, c)``, each step of each sample by itself.

    The target has one more axis than that of ``loss``, ``(n, steps, ...)``.

    >>> import numpy as np
    >>> from ttalgebra.learning import CrossEntropy, StepwiseLoss
    >>> loss = StepwiseLoss(CrossEntropy())
    >>> value, dy = loss(np.zeros((2, 3, 4)), np.zeros((2, 3), int))
    >>> round(value, 12), dy.shape
    (1.38629436112, (2, 3, 4))
    """

    loss: Callable[[Array, Array], tuple[float, Array]]

    def __call__(self, y: Array, target: Array) -> tuple[float, Array]:
        """The value, and its gradient in the shape of ``y``."""
        y = as_array(y, "StepwiseLoss: y")
        target = target if is_array(target) else np.asarray(target)
        if y.ndim != 3 or tuple(target.shape[:2]) != tuple(y.shape[:2]):
            message = f"StepwiseLoss: y has shape {tuple(y.shape)} and the target"
            wanted = "(samples, steps, ...), the same samples and steps, are needed"
            raise ShapeError(f"{message} {tuple(target.shape)}; {wanted}")
        n, steps, c = y.shape
        rest = tuple(target.shape[2:])
        value, dy = self.loss(
            reshape(y, n * steps, c), reshape(target, n * steps, *rest)
        )
        return value, reshape(dy, n, steps, c)


def as_labels(target: Any, n: int, name: str) -> Array:
    """``target`` as ``n`` integers; TypeError or ShapeError for anything else."""
    if isinstance(target, np.ma.MaskedArray):
        raise TypeError(f"{name}: the labels are a masked array; fill it first")
    labels = target if is_array(target) else np.asarray(target)
    empty = 0 in labels.shape
    if not (empty or namespace_of(labels).isdtype(labels.dtype, "integral")):
        raise TypeError(f"{name}: labels must be integers, got dtype {labels.dtype}")
    if tuple(labels.shape) != (n,):
        message = f"{name}: labels have shape {tuple(labels.shape)}"
        raise ShapeError(f"{message}, expected ({n},), one for each sample")
    return labels


def _scores(y: Array, target: Any, name: str) -> tuple[Array, Array]:
    """``y`` and the mask, ``(n, c)``, of the entries that the labels name."""
    y = _matrix(y, name)
    if is_complex(y):
        raise TypeError(f"{name}: y is {y.dtype}; scores must be real")
    n, c = y.shape
    labels = as_labels(target, n, name)
    host = to_numpy(labels)
    if n and (host.min() < 0 or host.max() >= c):
        message = f"{name}: labels reach from {host.min()} to {host.max()}"
        raise ShapeError(f"{message}; for {c} classes they are 0 to {c - 1}")
    return y, from_numpy(host[:, None] == np.arange(c), like=y)


def _matrix(y: Array, name: str) -> Array:
    y = as_array(y, f"{name}: y")
    if y.ndim != 2 or y.shape[1] == 0:
        message = f"{name}: y has shape {tuple(y.shape)}"
        raise ShapeError(f"{message}, expected (samples, scores)")
    return y


def _weighted(terms: Array, dy: Array, mean: bool) -> tuple[float, Array]:
    """The sum of ``terms`` and ``dy``, both divided by the samples if ``mean``."""
    n = max(1, dy.shape[0]) if mean else 1
    return float(namespace_of(terms).sum(terms)) / n, dy / n
