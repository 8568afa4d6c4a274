"""Indices as digits: flat ones of any size, digits by site, lists of them, masks."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ttalgebra.arrays.checks import as_index, spelled
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import is_array, to_numpy


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


def is_list(part: Any) -> bool:
    """Whether an index stands for several: a list, or an array with axes."""
    return isinstance(part, list) or (is_array(part) and part.ndim > 0)


def listed(part: Any, size: int, name: str) -> list[int]:
    """The indices, counted from 0, that a list or a mask picks; one at least."""
    _refuse_masked(part, name)
    given = to_numpy(part) if is_array(part) else part
    if _is_mask(given):
        picked = _unmasked(np.asarray(given), size, name)
    else:
        indices = _integers(given, name)
        if indices.ndim != 1:
            message = f"{name} is a list with {indices.ndim} axes; one is needed"
            raise ShapeError(f"{message}, use entries for entries at pairs of indices")
        picked = [as_index(i, size, name) for i in indices]
    if not picked:
        raise ShapeError(f"{name} picks nothing; one index at least is needed")
    return picked


def _is_mask(given: Any) -> bool:
    if isinstance(given, list):
        return bool(given) and all(isinstance(value, bool) for value in given)
    return bool(given.dtype.kind == "b")


def _unmasked(mask: np.ndarray, size: int, name: str) -> list[int]:
    if mask.shape != (size,):
        message = f"{name} is a mask of shape {mask.shape}"
        raise ShapeError(f"{message}, one of {spelled(size)} is needed")
    return [int(i) for i in np.flatnonzero(mask)]


def _integers(index: Any, name: str) -> np.ndarray:
    """Python ints in an object array, so that no index is too large."""
    _refuse_masked(index, name)
    try:
        given = to_numpy(index) if is_array(index) else np.asarray(index, dtype=object)
    except ValueError as error:
        raise ShapeError(f"{name} is ragged; its rows differ in length") from error
    except RuntimeError as error:  # arrays of a device, in a list
        raise TypeError(f"{name} holds arrays; stack them into one first") from error
    if given.dtype.kind not in "iuO":
        raise TypeError(f"{name} must be integers, got dtype {given.dtype}")
    for value in given.flat if given.dtype.kind == "O" else ():
        _refuse_masked(value, name)
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            kind = type(value).__name__
            raise TypeError(f"{name} must be integers, got {kind} among them")
    return given.astype(object)


def _refuse_masked(index: Any, name: str) -> None:
    if isinstance(index, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array; take what is valid, as .compressed()"
        )


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
