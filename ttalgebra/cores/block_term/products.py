"""Products of blocks with dense batches, and the blocks made dense."""

from collections.abc import Sequence

from ttalgebra.arrays.contract import contract
from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import Array
from ttalgebra.cores.block_term.blocks import Block, Blocks, columns, rows, sizes
from ttalgebra.cores.block_term.orders import INSIDE, Step, cheapest, order_of
from ttalgebra.cores.chain import reshape


def matmat(blocks: Blocks, X: Array) -> Array:
    """``W @ X`` for dense ``X``, ``(N, n) -> (M, n)``, each block in its best order.

    Cost: two flops for each multiply-add of `orders.cheapest`.
    """
    parts = [_one(block, X) for block in blocks]
    return sum(parts[1:], start=parts[0])


def _one(block: Block, X: Array) -> Array:
    batch = int(X.shape[1])
    order = cheapest(sizes(block), batch)
    kernel = run(order.kernel, block.factors, block.core)
    return reshape(run(order.data, (*block.factors, kernel), X), rows(block), batch)


def run(steps: Sequence[Step], operands: Sequence[Array], state: Array) -> Array:
    """``state`` after it has met the operand of each step."""
    for step in steps:
        state = contract(step.letters, *met(step, operands, state))
    return state


def met(step: Step, operands: Sequence[Array], state: Array) -> tuple[Array, Array]:
    """Operand and state in the shapes of their letters."""
    operand = reshape(operands[step.operand], *step.operand_shape)
    return operand, reshape(state, *step.state_shape)


def dense(blocks: Blocks) -> Array:
    """The matrix ``(M, N)``. Cost ``O(M N r)`` for each block."""
    parts = [_dense(block) for block in blocks]
    return sum(parts[1:], start=parts[0])


def _dense(block: Block) -> Array:
    d, digits = (
        len(block.factors),
        [size for m, n, _ in sizes(block) for size in (m, n)],
    )
    order = order_of((INSIDE,) * d, sizes(block), 1)
    digitwise = reshape(run(order.kernel, block.factors, block.core), *digits)
    axes = (*range(0, 2 * d, 2), *range(1, 2 * d, 2))
    matrix = namespace_of(digitwise).permute_dims(digitwise, axes)
    return reshape(matrix, rows(block), columns(block))
