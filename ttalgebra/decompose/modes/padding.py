"""Zeros around a matrix, so that its sizes have good modes; and their removal."""

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import Array

Shape = tuple[int, int]


def padded(W: Array, shape: Shape) -> Array:
    """``W`` in the upper left corner of zeros of the larger ``shape``.

    Norm, singular values and ``W x`` on padded vectors are those of ``W``; the modes
    come from ``suggest_modes(..., pad=True)``. Raises ShapeError.
    """
    rows, columns = _smaller_first(tuple(W.shape), shape, "padded")
    xp = namespace_of(W)
    right = xp.zeros((rows, shape[1] - columns), dtype=W.dtype, device=W.device)
    below = xp.zeros((shape[0] - rows, shape[1]), dtype=W.dtype, device=W.device)
    return xp.concat((xp.concat((W, right), axis=1), below), axis=0)


def cropped(W: Array, shape: Shape) -> Array:
    """The upper left corner of ``W``: ``cropped(padded(W, larger), W.shape) == W``.

    The norm of the rest, zeros in exact arithmetic, only falls with it. ShapeError.
    """
    rows, columns = _smaller_first(shape, tuple(W.shape), "cropped")
    return W[:rows, :columns]


def _smaller_first(smaller: tuple[int, ...], larger: Shape, verb: str) -> Shape:
    if len(smaller) != 2 or any(
        small > large for small, large in zip(smaller, larger, strict=True)
    ):
        message = f"{verb}: a {smaller} matrix does not fit into {larger}"
        raise ShapeError(f"{message}; check the order of the shapes")
    return smaller[0], smaller[1]
