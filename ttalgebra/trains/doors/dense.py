"""Where a TT-matrix meets dense arrays: checks at the door, then the kernels."""

from collections.abc import Callable
from math import prod

import numpy as np

from ttalgebra.arrays.checks import as_array, require_room, spelled
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import (
    copied,
    is_complex,
    is_numpy,
    namespace_of,
    nbytes_of,
)
from ttalgebra.arrays.scaling import times_power
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain, gradients, products
from ttalgebra.cores.sweep.plan import planned
from ttalgebra.trains.doors.pairing import promoted, require_together

MAX_STATE = 2**34  # what a product may need on its way, whatever its result
Pullback = Callable[[Array], tuple[Cores, Array]]


def apply(A: Cores, X: Array, max_bytes: int) -> Array:
    """``(..., N) -> (..., M)``, samples first."""
    X = _samples(A, X, "apply")
    _require_room(A, X, prod(X.shape[:-1]), max_bytes)
    *cores, rows = promoted(*chain.tame(A)[0], _in_rows(X))
    with np.errstate(invalid="ignore"):  # Inf * 0 is NaN, in its own sample
        Y = products.apply(tuple(cores), rows)
    return chain.reshape(Y, *X.shape[:-1], Y.shape[1])


def vjp(A: Cores, X: Array, max_bytes: int) -> tuple[Array, Pullback]:
    """``apply`` and its pullback ``dy (..., M) -> (dcores, dX (..., N))``."""
    X = _samples(A, X, "vjp")
    _require_room(A, X, prod(X.shape[:-1]), max_bytes, gradients=True)
    tamed, shifts = chain.tame(A)
    *cores, rows = promoted(*tamed, copied(_in_rows(X)))  # the caller may edit X
    with np.errstate(invalid="ignore"):  # Inf * 0 is NaN, in its own sample
        Y, pull = gradients.apply(tuple(cores), rows)
    y = chain.reshape(Y, *X.shape[:-1], Y.shape[1])

    def pullback(dy: Array) -> tuple[Cores, Array]:
        dy = as_array(dy, "dy")
        if tuple(dy.shape) != tuple(y.shape):
            message = f"pullback: dy has shape {tuple(dy.shape)}"
            raise ShapeError(f"{message}, y has {tuple(y.shape)}; they must agree")
        require_together(y, dy)
        dcores, dX = pull(_in_rows(dy))
        parts = zip(dcores, A, shifts, strict=True)
        own = tuple(times_power(real_as(dG, G), shift) for dG, G, shift in parts)
        return own, real_as(chain.reshape(dX, *X.shape), X)

    return y, pullback


def times(A: Cores, X: Array, verb: str, max_bytes: int) -> Array:
    """``A @ X``: ``(N,) -> (M,)`` or ``(N, n) -> (M, n)``."""
    X = as_array(X, "X")
    M, N = products.rows(A), products.columns(A)
    if X.ndim not in (1, 2) or X.shape[0] != N:
        message = f"{verb}: X has shape {tuple(X.shape)}, the matrix is {spelled(M, N)}"
        raise ShapeError(f"{message}; X must be ({spelled(N)},) or ({spelled(N)}, n)")
    n = X.shape[1] if X.ndim == 2 else 1
    if n == 1:  # a column lies in memory as a row does
        y = apply(A, chain.reshape(X, 1, N), max_bytes)
        return chain.reshape(y, M, *X.shape[1:])
    _require_room(A, X, n, max_bytes, rows=False)
    *cores, columns = promoted(*chain.tame(A)[0], X)
    with np.errstate(invalid="ignore"):  # Inf * 0 is NaN, in its own column
        return products.matmat(tuple(cores), columns)


def _samples(A: Cores, X: Array, verb: str) -> Array:
    X = as_array(X, "X")
    N = products.columns(A)
    if X.ndim == 0 or X.shape[-1] != N:
        sizes = [str(core.shape[2]) for core in A[:12]] + ["..."] * (len(A) > 12)
        modes = " * ".join(sizes)
        message = f"{verb}: X has shape {tuple(X.shape)}"
        raise ShapeError(f"{message}, its last axis must be {spelled(N)} = {modes}")
    return X


def _require_room(
    A: Cores,
    X: Array,
    n: int,
    max_bytes: int,
    rows: bool = True,
    gradients: bool = False,
) -> None:
    xp = namespace_of(A[0], X)
    itemsize = nbytes_of(xp.empty(1, dtype=xp.result_type(A[0], X)))
    advice = "take fewer samples at a time, or apply(X, max_bytes=...)"
    require_room((products.rows(A), n), itemsize, "the product", advice, max_bytes)
    way = planned(A, n, itemsize, rows=rows, gradients=gradients)
    together = min(n, way.block) if is_numpy(X) else n
    what = "a state on the way to the product"
    advice = "take fewer samples at a time, or round the matrix first"
    room = max(max_bytes, MAX_STATE)
    require_room((way.largest, together), itemsize, what, advice, room)


def _in_rows(X: Array) -> Array:
    """``(..., N) -> (n, N)``."""
    return chain.reshape(X, prod(X.shape[:-1]), X.shape[-1])


def batch_last(X: Array, *, copy: bool = False) -> Array:
    """``(..., N) -> (N, n)``: the batch goes last."""
    xp = namespace_of(X)
    n, N = prod(X.shape[:-1]), X.shape[-1]
    columns = xp.matrix_transpose(chain.reshape(X, n, N))
    return xp.reshape(columns, (N, n), copy=True) if copy else columns


def samples_first(Y: Array, like: Array) -> Array:
    """``(M, n) -> (..., M)`` with the leading axes of ``like``."""
    return chain.reshape(
        namespace_of(Y).matrix_transpose(Y), *like.shape[:-1], Y.shape[0]
    )


def real_as(gradient: Array, like: Array) -> Array:
    """The real part where ``like`` is real: the only direction in which it can move."""
    if is_complex(gradient) and not is_complex(like):
        return namespace_of(gradient).real(gradient)
    return gradient
