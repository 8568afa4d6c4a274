r"""Blocks: a core in which the ranks of all modes meet, and a factor for each mode.

::

            [ core ]              W(i; j) = sum over a_1 ... a_d of
           /    |   \                 core[a_1 ... a_d] prod_k A_k[i_k, j_k, a_k]
        a_1    a_2   a_3
        /       |      \         for one block. All blocks of a sum have the same
     [A_1]    [A_2]   [A_3]      modes ``(m_k, n_k)``; their ranks ``r_k`` may differ.
      / \      / \     / \
   i_1   j_1  ...    i_3  j_3

Source: De Lathauwer (2008), part II; Ye et al. (2018).
"""

from collections.abc import Callable
from math import prod
from typing import NamedTuple, TypeAlias

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import conj, namespace_of
from ttalgebra.arrays.typing import Array, Cores, Scalar

MAX_ORDER = 30  # modes: NumPy's arrays have at most 64 axes, a state up to 61


class Block(NamedTuple):
    """One Tucker term: a core ``(r_1, ..., r_d)``, factors ``(m_k, n_k, r_k)``."""

    core: Array
    factors: Cores


Blocks: TypeAlias = tuple[Block, ...]
Sizes: TypeAlias = tuple[tuple[int, int, int], ...]


def sizes(block: Block) -> Sizes:
    """``((m_1, n_1, r_1), ..., (m_d, n_d, r_d))``."""
    return tuple((int(m), int(n), int(r)) for m, n, r in _shapes(block))


def _shapes(block: Block) -> list[tuple[int, ...]]:
    return [tuple(factor.shape) for factor in block.factors]


def modes(block: Block) -> tuple[tuple[int, int], ...]:
    """``((m_1, n_1), ..., (m_d, n_d))``."""
    return tuple((m, n) for m, n, _ in sizes(block))


def ranks(block: Block) -> tuple[int, ...]:
    """``(r_1, ..., r_d)``."""
    return tuple(r for _, _, r in sizes(block))


def rows(block: Block) -> int:
    """``M = m_1 ... m_d``, an exact Python int."""
    return prod(m for m, _ in modes(block))


def columns(block: Block) -> int:
    """``N = n_1 ... n_d``, an exact Python int."""
    return prod(n for _, n in modes(block))


def flat(blocks: Blocks) -> Cores:
    """All arrays: the core of each block, then its factors."""
    return tuple(x for block in blocks for x in (block.core, *block.factors))


def mapped(function: Callable[[Array], Array], blocks: Blocks) -> Blocks:
    """The blocks of ``function(array)`` for every array."""
    return tuple(
        Block(function(core), tuple(map(function, factors))) for core, factors in blocks
    )


def folded(arrays: Cores, like: Blocks) -> Blocks:
    """The blocks whose arrays are those of `flat`, as many in each as in ``like``."""
    rest, found = list(arrays), []
    for block in like:
        d = len(block.factors)
        found.append(Block(rest[0], tuple(rest[1 : d + 1])))
        rest = rest[d + 1 :]
    return tuple(found)


def transpose(blocks: Blocks) -> Blocks:
    """Rows and columns exchanged in every factor."""
    return tuple(
        Block(core, tuple(namespace_of(A).permute_dims(A, (1, 0, 2)) for A in factors))
        for core, factors in blocks
    )


def conjugate(blocks: Blocks) -> Blocks:
    """The complex conjugate; real arrays come back as they are."""
    return mapped(conj, blocks)


def scale(blocks: Blocks, factor: Scalar) -> Blocks:
    """``factor`` times the sum: every core is multiplied by it."""
    return tuple(Block(factor * core, factors) for core, factors in blocks)


def require_blocks(blocks: Blocks) -> None:
    """Raise ShapeError unless every block fits together and all have the same modes."""
    if not blocks:
        raise ShapeError("a block term needs at least one block, got none")
    for n, block in enumerate(blocks):
        _require_block(block, f"block {n}")
        if modes(block) != modes(blocks[0]):
            message = f"block {n} has modes {modes(block)}"
            raise ShapeError(f"{message}, block 0 has {modes(blocks[0])}")


def _require_block(block: Block, name: str) -> None:
    core, factors = block
    if not 1 <= len(factors) <= MAX_ORDER:
        message = f"{name} has {len(factors)} factors"
        raise ShapeError(f"{message}; 1 to {MAX_ORDER} are possible, merge modes")
    for k, shape in enumerate(_shapes(block)):
        if len(shape) != 3 or 0 in shape:
            message = f"{name}: factor {k} has shape {shape}, expected (m, n, r)"
            raise ShapeError(f"{message}, each of at least 1")
    if tuple(core.shape) != ranks(block):
        message = f"{name}: the core has shape {tuple(core.shape)}"
        raise ShapeError(f"{message}, its factors have ranks {ranks(block)}")
