"""What stands between brackets: integers close a site, slices shorten its mode."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np

from ttalgebra.arrays.checks import as_index, spelled
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import from_numpy, is_array, namespace_of, to_numpy
from ttalgebra.arrays.scaling import scalar_times_power
from ttalgebra.arrays.typing import Array, Cores, Scalar
from ttalgebra.cores import selection
from ttalgebra.trains.doors import ranged

Closers = Mapping[int, Callable[[Array], Array]]


def key_of(key: Any, order: int) -> tuple[int | slice, ...]:
    """One int or slice for each of ``order`` modes; an Ellipsis fills up with ``:``."""
    parts = key if isinstance(key, tuple) else (key,)
    if (dots := sum(part is Ellipsis for part in parts)) > 1:
        raise ShapeError("indexing: more than one Ellipsis; one is enough")
    if not dots and len(parts) < order:
        parts = (*parts, Ellipsis)
    place = next((k for k, part in enumerate(parts) if part is Ellipsis), None)
    if place is not None:
        filling = (slice(None),) * (order - len(parts) + 1)
        parts = (*parts[:place], *filling, *parts[place + 1 :])
    if len(parts) != order:
        raise ShapeError(f"indexing: {len(parts)} indices for {order} modes")
    return parts


def sliced(cores: Cores, key: tuple[int | slice, ...]) -> Cores | Scalar:
    """The chain of what ``key`` leaves open, or the entry where it leaves nothing."""
    closers, kept = {}, []
    for k, (core, part) in enumerate(zip(cores, key, strict=True)):
        if isinstance(part, slice):
            kept.append(_shortened(core, part, k))
        else:
            index = as_index(part, core.shape[1], f"indexing: index {k}")
            closers[k] = partial(selection.indexed, index=index)
            kept.append(core)
    return opened(tuple(kept), closers, "indexing")


def opened(cores: Cores, closers: Closers, verb: str) -> Cores | Scalar:
    """``cores`` with some sites closed: a chain, or a number where none is left.

    Raises NonFiniteError where the cores that are left cannot hold the result.
    """
    left, exponent = selection.close(cores, closers)
    if len(closers) < len(cores):
        return ranged.shared(left, exponent, verb)
    return number(to_numpy(left[0])[0, 0].item(), int(exponent))


def number(value: Scalar, exponent: int) -> Scalar:
    """``2**exponent * value`` as a Python number."""
    if not isinstance(value, complex):
        return scalar_times_power(value, exponent)
    real, imag = (scalar_times_power(x, exponent) for x in (value.real, value.imag))
    return complex(real, imag)


def _shortened(core: Array, part: slice, site: int) -> Array:
    try:
        start, stop, step = part.indices(core.shape[1])
    except (TypeError, ValueError) as error:
        raise TypeError(f"indexing: {part} of mode {site}: {error}") from None
    picked = range(start, stop, step)
    if len(picked) == 0:
        message = f"indexing: {part} of mode {site} (size {core.shape[1]}) is empty"
        raise ShapeError(f"{message}; a mode has at least one index")
    if step < 0:  # not every library slices backwards
        return _taken(core, picked)
    return core[:, start:stop:step, :]


def _taken(core: Array, picked: Sequence[int]) -> Array:
    return namespace_of(core).take(core, from_numpy(np.asarray(picked), core), axis=1)


def chosen(part: Any, modes: Sequence[int], name: str) -> tuple[int | slice, ...]:
    """The digits of a flat index, or ``:`` for each of them."""
    if isinstance(part, slice):
        ends = (part.start, part.stop, part.step)
        if any(end is not None for end in ends):
            message = f"indexing: {part} of the {name}s is no train"
            raise ShapeError(f"{message}; use an int, ':', or entries()")
        return (part,) * len(modes)
    return digits_of(as_index(part, prod(modes), f"indexing: {name}"), modes)


def digits_of(index: int, modes: Sequence[int]) -> tuple[int, ...]:
    """The digits of a flat index, the first mode the slowest; exact for any size."""
    digits = []
    for n in reversed(modes):
        index, digit = divmod(index, n)
        digits.append(digit)
    return tuple(reversed(digits))


def digit_arrays(index: Any, modes: Sequence[int], name: str) -> list[np.ndarray]:
    """One int64 array for each mode, from flat indices ``(n,)`` or digits ``(n, d)``.

    Flat indices beyond int64 come as an object array or a list of Python ints.
    """
    given = _integers(index, name)
    if given.ndim not in (1, 2):
        wanted = f"of shape (n,) or (n, {len(modes)})"
        raise ShapeError(f"{name} must be {wanted}, got {given.ndim} axes")
    if given.ndim == 1:
        columns = _unravelled(given, modes, name)
    elif given.shape[1] == len(modes):
        columns = list(given.T)
    else:
        message = f"{name} has {given.shape[1]} digits for {len(modes)} modes"
        raise ShapeError(f"{message}; give one for each, or flat indices")
    pairs = enumerate(zip(columns, modes, strict=True))
    return [_in_range(column, n, f"{name}: digit {k}") for k, (column, n) in pairs]


def _integers(index: Any, name: str) -> np.ndarray:
    """Python ints in an object array, so that no index is too large."""
    try:
        given = to_numpy(index) if is_array(index) else np.asarray(index, dtype=object)
    except ValueError as error:
        raise ShapeError(f"{name} is ragged; its rows differ in length") from error
    if given.dtype.kind not in "iuO":
        raise TypeError(f"{name} must be integers, got dtype {given.dtype}")
    for value in given.flat if given.dtype.kind == "O" else ():
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            kind = type(value).__name__
            raise TypeError(f"{name} must be integers, got {kind} among them")
    return given.astype(object)


def _unravelled(flat: np.ndarray, modes: Sequence[int], name: str) -> list[np.ndarray]:
    size = prod(modes)
    _require_within(flat, size, name)
    flat = flat % size
    columns = []
    for n in reversed(modes):
        columns.append(flat % n)
        flat = flat // n
    return columns[::-1]


def _in_range(column: np.ndarray, n: int, name: str) -> np.ndarray:
    _require_within(column, n, name)
    return (column % n).astype(np.int64)


def _require_within(indices: np.ndarray, size: int, name: str) -> None:
    """Raise ShapeError, naming the first, for an index beyond ``size``."""
    outside = next((i for i in indices if not -size <= i < size), None)
    if outside is not None:
        ends = f"{spelled(-size)} to {spelled(size - 1)}"
        raise ShapeError(f"{name}: {spelled(outside)} is not one of {ends}")
