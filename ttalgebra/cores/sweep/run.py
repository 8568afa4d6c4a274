"""Sweeps: dense samples through all steps, block by block, and cotangents back.

A step is a product ``Y_l = C S_l`` for each ``l``, its pullback two:

    dC   = sum_l dY_l S_l^H      cotangent for the output
    dS_l = C^H dY_l              cotangent for the operand
"""

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import accumulate
from math import prod
from operator import add
from types import EllipsisType

import numpy as np

from ttalgebra.arrays.contract import matmul
from ttalgebra.arrays.namespace import (
    adjoint,
    conj,
    is_numpy,
    namespace_of,
    nbytes_of,
)
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores.chain import reshape
from ttalgebra.cores.sweep.operands import Meeting, meeting, pulled
from ttalgebra.cores.sweep.plan import Plan, planned
from ttalgebra.cores.sweep.threads import in_order

Pullback = Callable[[Array], tuple[Cores, Array]]
Block = EllipsisType | tuple[slice, ...]
Operands = list[Array]  # their gradients, from the first step to the last
Found = tuple[Array, Operands]

# Adding up 16x16 products takes 0.5 us for each l, one product of permuted states 0.45;
# where states have 4 columns instead of 16, they take 0.27 and 0.11.
NARROW = 16


def apply(A: Cores, X: Array, *, rows: bool) -> Array:
    """``A`` applied to the samples: the rows of ``X``, or else its columns."""
    way, meetings = _prepared(A, X, rows, gradients=False)

    def forward(block: Block) -> Found:
        return reduce(_product, meetings, X[block]), []

    return _blockwise(forward, A, way, X, way.shape[0])[0]


def vjp(A: Cores, X: Array, *, rows: bool) -> tuple[Array, Pullback]:
    """`apply` and its pullback ``dY -> (dcores, dX)``.

    The states that a single block met are kept. Those of many are made again: in fresh
    memory, keeping them takes longer (70 against 45 ms for 100 samples of 25088 -> 4096
    at rank 4).
    """
    way, meetings = _prepared(A, X, rows, gradients=True)
    whole = _met(meetings, X) if len(_blocks(way, X)) == 1 else None

    def states(block: Block) -> list[Array]:
        return _met(meetings, X[block]) if whole is None else whole

    def forward(block: Block) -> Found:
        return _product(states(block)[-1], meetings[-1]), []

    def pullback(dY: Array) -> tuple[Cores, Array]:
        def backward(block: Block) -> Found:
            return _backward(meetings, states(block), dY[block])

        dX, doperands = _blockwise(backward, A, way, dY, way.shape[1])
        return _of_cores(A, meetings, doperands), dX

    return _blockwise(forward, A, way, X, way.shape[0])[0], pullback


def _prepared(
    A: Cores, X: Array, rows: bool, gradients: bool
) -> tuple[Plan, tuple[Meeting, ...]]:
    n = X.shape[0] if rows else X.shape[1]
    itemsize = nbytes_of(A[0]) // prod(A[0].shape)
    way = planned(A, n, itemsize, rows=rows, gradients=gradients)
    return way, tuple(meeting(A, step) for step in way.steps)


def _blocks(way: Plan, X: Array) -> list[Block]:
    """The blocks of the samples, in NumPy; other libraries take them all at once."""
    n = X.shape[0] if way.samples.rows else X.shape[1]
    if n <= way.block or not is_numpy(X):
        return [...]
    parts = (slice(k, k + way.block) for k in range(0, n, way.block))
    return [(part,) if way.samples.rows else (slice(None), part) for part in parts]


def _blockwise(
    function: Callable[[Block], Found], A: Cores, way: Plan, X: Array, side: int
) -> Found:
    """What ``function`` makes of blocks of ``X``: ``side`` numbers a sample, and sums.

    Blocks go to threads where their steps are large enough. What is summed is added up
    in the order of the blocks, so the bits are those of one thread.
    """
    blocks = _blocks(way, X)
    n = X.shape[0] if way.samples.rows else X.shape[1]
    shape = (n, side) if way.samples.rows else (side, n)
    if len(blocks) == 1:
        part, sums = function(...)
        return reshape(part, *shape), sums
    Y = np.empty(shape, np.result_type(A[0], X))
    caller = np.geterr() | {"invalid": "ignore"}  # a thread begins with its own

    def written(block: Block) -> Operands:
        with np.errstate(**caller):
            part, found = function(block)
        Y[block] = reshape(part, *Y[block].shape)
        return found

    found = in_order(written, blocks) if way.has_large_steps else map(written, blocks)
    return Y, reduce(_plus, found)


def _plus(sums: Operands, found: Operands) -> Operands:
    return list(map(add, sums, found))


def _met(meetings: Sequence[Meeting], x: Array) -> list[Array]:
    """The state that each step meets."""
    return list(accumulate(meetings[:-1], _product, initial=x))


def _product(state: Array, meeting: Meeting) -> Array:
    step, C, _ = meeting
    state = reshape(state, *step.met)
    return matmul(state, C) if step.one_product else matmul(C, state)


def _backward(meetings: Sequence[Meeting], met: Sequence[Array], dy: Array) -> Found:
    """The cotangents of the first state, and of the operands."""
    found = []
    for (step, C, _), state in zip(reversed(meetings), reversed(met), strict=True):
        state, dy = reshape(state, *step.met), reshape(dy, *step.gives)
        if step.one_product:
            found.append(matmul(adjoint(state), dy))
            dy = matmul(dy, adjoint(C))
        else:
            found.append(_outer(dy, state))
            dy = matmul(adjoint(C), dy)
    return dy, found[::-1]


def _of_cores(A: Cores, meetings: Sequence[Meeting], doperands: list[Array]) -> Cores:
    parts = zip(meetings, doperands, strict=True)
    found = {met.step.first: pulled(A, met, dC) for met, dC in parts}
    return tuple(dG for first in sorted(found) for dG in found[first])


def _outer(dy: Array, state: Array) -> Array:
    """``sum_l dY_l S_l^H``, by what moves the fewest numbers."""
    xp, (_, made, right), summed = namespace_of(dy, state), dy.shape, state.shape[1]
    if right >= NARROW and made * summed < (made + summed) * right:
        return xp.sum(matmul(dy, adjoint(state)), axis=0)
    if right < NARROW:
        dy, state = (
            reshape(xp.matrix_transpose(x), -1, x.shape[1]) for x in (dy, state)
        )
        return matmul(xp.matrix_transpose(dy), conj(state))
    dy, state = (
        reshape(xp.permute_dims(x, (1, 0, 2)), x.shape[1], -1) for x in (dy, state)
    )
    return matmul(dy, adjoint(state))
