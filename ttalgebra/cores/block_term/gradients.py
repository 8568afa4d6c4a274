"""Pullbacks of products, derived by hand: each step again with its letters exchanged.

Convention: ``dL = Re sum(conj(g) * dG)``, so the *other* operand is conjugated. Each
name mirrors one in `products`.
"""

from collections.abc import Callable, Sequence

from ttalgebra.arrays.contract import contract
from ttalgebra.arrays.namespace import conj
from ttalgebra.arrays.typing import Array
from ttalgebra.cores.block_term.blocks import Block, Blocks, columns, rows, sizes
from ttalgebra.cores.block_term.orders import KERNEL, Step, cheapest
from ttalgebra.cores.block_term.products import met
from ttalgebra.cores.chain import reshape

Pullback = Callable[[Array], tuple[Blocks, Array]]


def matmat(blocks: Blocks, X: Array) -> tuple[Array, Pullback]:
    """``W @ X`` and its pullback ``dY (M, n) -> (dblocks, dX (N, n))``.

    Forward keeps what each factor met; backward meets it once in reverse, at twice
    the cost of forward.
    """
    parts = [_one(block, X) for block in blocks]
    ys = [y for y, _ in parts]

    def pullback(dY: Array) -> tuple[Blocks, Array]:
        pulled = [pull(dY) for _, pull in parts]
        dXs = [dX for _, dX in pulled]
        return tuple(dblock for dblock, _ in pulled), sum(dXs[1:], start=dXs[0])

    return sum(ys[1:], start=ys[0]), pullback


def _one(
    block: Block, X: Array
) -> tuple[Array, Callable[[Array], tuple[Block, Array]]]:
    batch, d = int(X.shape[1]), len(block.factors)
    order = cheapest(sizes(block), batch)
    kernel, pull_kernel = run(order.kernel, block.factors, block.core)
    state, pull_data = run(order.data, (*block.factors, kernel), X)

    def pullback(dY: Array) -> tuple[Block, Array]:
        dfactors, dX = pull_data(dY)
        others, dcore = pull_kernel(dfactors.pop(KERNEL))
        dfactors |= others
        dcore = reshape(dcore, *block.core.shape)
        dblock = Block(dcore, tuple(dfactors[k] for k in range(d)))
        return dblock, reshape(dX, columns(block), batch)

    return reshape(state, rows(block), batch), pullback


Run = tuple[Array, Callable[[Array], tuple[dict[int, Array], Array]]]


def run(steps: Sequence[Step], operands: Sequence[Array], state: Array) -> Run:
    """The state after all steps, and what maps its cotangent to those of both."""
    pairs = []
    for step in steps:
        pairs.append(met(step, operands, state))
        state = contract(step.letters, *pairs[-1])

    def pullback(dstate: Array) -> tuple[dict[int, Array], Array]:
        doperands = {}
        for step, pair in zip(reversed(steps), reversed(pairs), strict=True):
            doperands[step.operand], dstate = _pulled(step, *pair, dstate)
        return doperands, dstate

    return state, pullback


def _pulled(
    step: Step, operand: Array, state: Array, dresult: Array
) -> tuple[Array, Array]:
    """``(doperand, dstate)``: the cotangent takes the place of the result."""
    inputs, result = step.letters.split("->")
    x, y = inputs.split(",")
    length = dict(zip(x + y, (*operand.shape, *state.shape), strict=True))
    dresult = reshape(dresult, *(length[letter] for letter in result))
    doperand = contract(f"{y},{result}->{x}", conj(state), dresult)
    return doperand, contract(f"{x},{result}->{y}", conj(operand), dresult)
