"""What a prediction is told of: trains that fit, dense arrays or their numbers."""

from math import prod
from typing import Any

from ttalgebra.arrays.checks import as_array, as_positive, spelled
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import is_array
from ttalgebra.arrays.typing import Cores
from ttalgebra.cores import chain
from ttalgebra.trains.doors.cost.dense import Dense
from ttalgebra.trains.doors.cost.prediction import layout_of
from ttalgebra.trains.doors.pairing import paired, require_meeting


def is_train(x: Any) -> bool:
    """Whether ``x`` has cores."""
    return isinstance(getattr(x, "cores", None), tuple)


def like(cores: Cores, other: Any) -> Cores:
    """The cores of a train with the same modes."""
    return paired(cores, alike(cores, other), "cost")[1]


def alike(cores: Cores, other: Any) -> Cores:
    """The cores of a train of the same kind."""
    found = _cores_of(other)
    if found[0].ndim != cores[0].ndim:
        raise TypeError("cost: two tensors or two matrices are needed, got one of each")
    return found


def after(cores: Cores, other: Any) -> Cores:
    """The cores of a train that a matrix can be applied to."""
    found = _cores_of(other)
    matrix(cores)
    columns_of = [n[-1] for n in chain.modes(cores)]
    require_meeting(columns_of, [n[0] for n in chain.modes(found)], "cost")
    return found


def columns(cores: Cores, x: Any) -> Dense:
    """A dense operand with its samples last, or their number."""
    return _dense(cores, x, slice(1, None))


def samples(cores: Cores, x: Any) -> Dense:
    """A dense operand with its samples first, or their number."""
    return _dense(cores, x, slice(None, -1))


def _dense(cores: Cores, x: Any, batch: slice) -> Dense:
    matrix(cores)
    item = layout_of(cores).itemsize
    if not is_array(x) or x.ndim == 0:
        return Dense(as_positive(x, "cost: the number of samples"), item)
    N = prod(core.shape[2] for core in cores)
    if x.shape[0 if batch.stop is None else -1] != N:
        message = f"cost: the operand has shape {tuple(x.shape)}"
        raise ShapeError(f"{message}, the matrix has {spelled(N)} columns")
    item = layout_of(cores, (as_array(x, "x"),)).itemsize
    return Dense(prod(x.shape[batch]), item)


def matrix(cores: Cores) -> Cores:
    """``cores`` themselves; TypeError unless they are those of a matrix."""
    if cores[0].ndim != 4:
        raise TypeError("cost: this operation is one of matrices, not of tensors")
    return cores


def tensor(cores: Cores) -> Cores:
    """``cores`` themselves; TypeError unless they are those of a tensor."""
    if cores[0].ndim != 3:
        raise TypeError("cost: this operation is one of tensors, not of matrices")
    return cores


def _cores_of(other: Any) -> Cores:
    if not is_train(other):
        kind = type(other).__name__
        raise TypeError(f"cost: the operand must be a train, got {kind}")
    cores: Cores = other.cores
    return cores
