"""Zeros around a matrix, so that its sizes have good modes; and their removal."""

from typing import Any

from ttalgebra.arrays.checks import (
    MAX_BYTES,
    as_array,
    as_modes,
    require_room,
    spelled,
)
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import copied, device_of, namespace_of, nbytes_of
from ttalgebra.arrays.typing import Array

Shape = tuple[int, int]


def padded(W: Array, shape: Shape, *, max_bytes: int = MAX_BYTES) -> Array:
    """``W`` in the upper left corner of zeros of the larger ``shape``.

    Norm, singular values and ``W x`` on padded vectors are those of ``W``; the modes
    come from ``suggest_modes(..., pad=True)``. Raises ShapeError where ``W`` does not
    fit, TooLargeError above ``max_bytes``, TypeError unless ``W`` is an array.
    """
    W, (rows, columns) = _matrix(W, "padded"), _shape(shape, "padded")
    _require_fits(tuple(W.shape), (rows, columns), "padded")
    itemsize = nbytes_of(W[:1, :1])
    advice = "take the nearest good sizes, or padded(..., max_bytes=...)"
    require_room((rows, columns), itemsize, "padded", advice, max_bytes)
    xp, device = namespace_of(W), device_of(W)
    right = xp.zeros((W.shape[0], columns - W.shape[1]), dtype=W.dtype, device=device)
    below = xp.zeros((rows - W.shape[0], columns), dtype=W.dtype, device=device)
    return xp.concat((xp.concat((W, right), axis=1), below), axis=0)


def cropped(W: Array, shape: Shape) -> Array:
    """The upper left corner of ``W``: ``cropped(padded(W, larger), W.shape) == W``.

    The norm of the rest, zeros in exact arithmetic, only falls with it. Raises
    ShapeError where ``W`` is smaller, TypeError unless it is an array.
    """
    W, (rows, columns) = _matrix(W, "cropped"), _shape(shape, "cropped")
    _require_fits((rows, columns), tuple(W.shape), "cropped")
    return copied(W[:rows, :columns])


def _matrix(W: Any, verb: str) -> Array:
    if hasattr(W, "cores"):
        message = f"{verb}: W is a {type(W).__name__}, an array is needed"
        raise TypeError(f"{message}; use to_dense(), or concatenate it with zeros")
    W = as_array(W, f"{verb}: W")
    if W.ndim != 2 or 0 in W.shape:
        message = f"{verb}: W has shape {tuple(W.shape)}"
        raise ShapeError(f"{message}; two axes, each of at least 1, are needed")
    return W


def _shape(shape: Any, verb: str) -> Shape:
    sizes = as_modes(shape, f"{verb}: shape")
    if len(sizes) != 2:
        raise ShapeError(f"{verb}: shape has {len(sizes)} sizes; rows, columns needed")
    return sizes[0], sizes[1]


def _require_fits(smaller: Shape, larger: Shape, verb: str) -> None:
    if any(a > b for a, b in zip(smaller, larger, strict=True)):
        sizes = f"a {spelled(*smaller)} matrix does not fit into {spelled(*larger)}"
        raise ShapeError(f"{verb}: {sizes}; check the order of the shapes")
