"""Where sums of Tucker terms meet dense arrays: checks, then the kernels."""

from collections.abc import Callable
from math import prod
from typing import Any

from ttalgebra.arrays.checks import MAX_BYTES, as_array, require_finite, require_room
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import copied, nbytes_of
from ttalgebra.arrays.typing import Array
from ttalgebra.cores import chain
from ttalgebra.cores.block_term import blocks as terms
from ttalgebra.cores.block_term import gradients, orders, products
from ttalgebra.cores.block_term.blocks import Block, Blocks
from ttalgebra.trains.doors.dense import MAX_STATE, batch_last, real_as, samples_first
from ttalgebra.trains.doors.pairing import promoted, require_together

Pullback = Callable[[Array], tuple[Blocks, Array]]


def as_blocks(blocks: Any, keep: Callable[[Any, str], Array], name: str) -> Blocks:
    """Pairs of a core and its factors as blocks of one library, device and dtype.

    ``keep`` makes of each array what is kept. Raises TypeError and ShapeError.
    """
    if not isinstance(blocks, (list, tuple)):
        kind = type(blocks).__name__
        raise TypeError(f"{name}: blocks must be a list or tuple, got {kind}")
    kept = []
    for n, block in enumerate(blocks):
        if not (isinstance(block, (list, tuple)) and len(block) == 2):
            raise TypeError(f"{name}: block {n} is not a pair, a core and its factors")
        (core, factors), what = block, f"{name}: block {n}"
        if not isinstance(factors, (list, tuple)):
            kind = type(factors).__name__
            raise TypeError(f"{what}: factors must be a list or tuple, got {kind}")
        named = (keep(A, f"{what}: factor {k}") for k, A in enumerate(factors))
        kept.append(Block(keep(core, f"{what}: the core"), tuple(named)))
    terms.require_blocks(tuple(kept))
    return of_one_dtype(tuple(kept))


def owned(x: Any, name: str) -> Array:
    """A finite copy of ``x``."""
    x = as_array(x, name)
    require_finite(x, name)
    return copied(x)


def of_one_dtype(blocks: Blocks) -> Blocks:
    """The blocks in their common dtype; TypeError for two libraries or devices."""
    return terms.folded(promoted(*terms.flat(blocks)), blocks)


def times(blocks: Blocks, X: Any, verb: str) -> Array:
    """``W @ X``: ``(N,) -> (M,)`` or ``(N, n) -> (M, n)``."""
    X = as_array(X, "X")
    M, N = terms.rows(blocks[0]), terms.columns(blocks[0])
    if X.ndim not in (1, 2) or X.shape[0] != N:
        message = f"{verb}: X has shape {tuple(X.shape)}, the matrix is {(M, N)}"
        raise ShapeError(f"{message}; X must be ({N},) or ({N}, n)")
    n = int(X.shape[1]) if X.ndim == 2 else 1
    met, columns = _together(blocks, chain.reshape(X, N, n))
    return chain.reshape(products.matmat(met, columns), M, *X.shape[1:])


def apply(blocks: Blocks, X: Any) -> Array:
    """``(..., N) -> (..., M)``, samples first."""
    X = _samples(blocks, X, "apply")
    return samples_first(products.matmat(*_together(blocks, batch_last(X))), X)


def vjp(blocks: Blocks, X: Any) -> tuple[Array, Pullback]:
    """``apply`` and its pullback ``dy (..., M) -> (dblocks, dX (..., N))``."""
    X = _samples(blocks, X, "vjp")
    met, columns = _together(blocks, batch_last(X, copy=True))  # the caller may edit X
    Y, pull = gradients.matmat(met, columns)
    y = samples_first(Y, X)

    def pullback(dy: Array) -> tuple[Blocks, Array]:
        dy = as_array(dy, "dy")
        if tuple(dy.shape) != tuple(y.shape):
            message = f"pullback: dy has shape {tuple(dy.shape)}"
            raise ShapeError(f"{message}, y has {tuple(y.shape)}; they must agree")
        require_together(y, dy)
        dblocks, dX = pull(batch_last(dy))
        like = blocks[0].core
        own = terms.mapped(lambda gradient: real_as(gradient, like), dblocks)
        return own, real_as(samples_first(dX, X), X)

    return y, pullback


def _samples(blocks: Blocks, X: Any, verb: str) -> Array:
    X = as_array(X, "X")
    N = terms.columns(blocks[0])
    if X.ndim == 0 or X.shape[-1] != N:
        sizes = " * ".join(str(n) for _, n in terms.modes(blocks[0]))
        message = f"{verb}: X has shape {tuple(X.shape)}"
        raise ShapeError(f"{message}, its last axis must be {N} = {sizes}")
    return X


def _together(blocks: Blocks, columns: Array) -> tuple[Blocks, Array]:
    """Blocks and columns in one dtype; TooLargeError for too large a product."""
    *arrays, columns = promoted(*terms.flat(blocks), columns)
    n, core = int(columns.shape[1]), arrays[0]
    itemsize = nbytes_of(core) // prod(core.shape)
    advice = "take fewer samples at a time"
    require_room((terms.rows(blocks[0]), n), itemsize, "the product", advice, MAX_BYTES)
    largest = max(orders.cheapest(terms.sizes(block), n).largest for block in blocks)
    what = "a state on the way to the product"
    require_room((largest,), itemsize, what, f"{advice}, or lower the ranks", MAX_STATE)
    return terms.folded(tuple(arrays), blocks), columns
