"""Labels at some nodes of a graph: a loss there, and how many are right.

A network on a graph gives ``(n, nodes * classes)``, the scores node by node; a target
is ``(n, nodes)``, the label of each node, or -1 where nothing is asked.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from ttalgebra.arrays.checks import as_array
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import from_numpy, is_array, namespace_of, to_numpy
from ttalgebra.arrays.typing import Array
from ttalgebra.cores.chain import reshape
from ttalgebra.learning.losses import CrossEntropy

Loss: TypeAlias = Callable[[Array, Array], tuple[float, Array]]


@dataclass(frozen=True)
class NodeLoss:
    """``loss`` at the labelled nodes of all samples; elsewhere its gradient is 0.

    >>> import numpy as np
    >>> from ttalgebra.learning import graphs
    >>> value, dy = graphs.NodeLoss()(np.zeros((1, 6)), np.array([[-1, 0, -1]]))
    >>> round(value, 6), dy
    (0.693147, array([[ 0. ,  0. , -0.5,  0.5,  0. ,  0. ]]))
    """

    loss: Loss = field(default_factory=CrossEntropy)

    def __call__(self, y: Array, target: Array) -> tuple[float, Array]:
        """The value, and its gradient in the shape of ``y``."""
        scores, labels = _by_node(y, target, "NodeLoss")
        asked = np.flatnonzero(labels >= 0)
        xp = namespace_of(scores)
        own = xp.take(scores, from_numpy(asked, scores), axis=0)
        value, d = self.loss(own, from_numpy(labels[asked], scores))
        place = np.full(labels.size, asked.size)
        place[asked] = np.arange(asked.size)
        padded = xp.concat([d, xp.zeros_like(scores[:1, :])], axis=0)
        dy = xp.take(padded, from_numpy(place, scores), axis=0)
        return value, reshape(dy, *y.shape)


def node_accuracy(y: Array, target: Array) -> float:
    """The share of labelled nodes whose largest score is at their label.

    >>> import numpy as np
    >>> from ttalgebra.learning import graphs
    >>> graphs.node_accuracy(np.array([[0, 1, 1, 0, 5, 0]]), np.array([[1, 1, -1]]))
    0.5
    """
    scores, labels = _by_node(y, target, "node_accuracy")
    asked = labels >= 0
    if not asked.any():
        raise ShapeError("node_accuracy: no node is labelled; at least 1 is needed")
    return float(np.mean(np.argmax(to_numpy(scores), axis=1)[asked] == labels[asked]))


def only(labels: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """The target ``(1, N)`` that asks for the labels of these ``nodes``, and no others.

    >>> import numpy as np
    >>> from ttalgebra.learning import graphs
    >>> graphs.only(np.array([3, 1, 2]), np.array([0, 2]))
    array([[ 3, -1,  2]])
    """
    target = np.full((1, len(labels)), -1)
    target[0, nodes] = labels[nodes]
    return target


def _by_node(y: Array, target: Array, name: str) -> tuple[Array, np.ndarray]:
    """Scores ``(n * nodes, classes)``, labels ``(n * nodes,)`` on the host."""
    y = as_array(y, f"{name}: y")
    labels = to_numpy(target) if is_array(target) else np.asarray(target)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{name}: labels must be integers, got dtype {labels.dtype}")
    fits = labels.ndim == 2 and y.ndim == 2 and labels.shape[0] == y.shape[0]
    if not fits or labels.shape[1] == 0 or y.shape[1] % labels.shape[1]:
        message = f"{name}: y has shape {tuple(y.shape)}, the target {labels.shape}"
        raise ShapeError(f"{message}; (n, nodes * classes) and (n, nodes) are needed")
    classes = y.shape[1] // labels.shape[1]
    rows = reshape(y, labels.size, classes)
    return rows, np.ravel(labels)
