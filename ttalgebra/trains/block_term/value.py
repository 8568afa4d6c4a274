"""Blocks as a value: checked once, then never changed."""

from abc import ABC
from collections.abc import Sequence
from math import prod
from typing import Any, Self

from ttalgebra.arrays.namespace import (
    backend_of,
    device_of,
    is_numpy,
    move,
    nbytes_of,
)
from ttalgebra.arrays.typing import Array
from ttalgebra.cores.block_term import blocks as terms
from ttalgebra.cores.block_term.blocks import Blocks
from ttalgebra.trains.block_term import doors


class BlockValue(ABC):
    """What a sum of Tucker terms is, besides what can be computed with it."""

    __slots__ = ("blocks",)
    blocks: Blocks

    def __init__(self, blocks: Sequence[tuple[Array, Sequence[Array]]]):
        checked = doors.as_blocks(blocks, doors.owned, "BlockTerm")
        object.__setattr__(self, "blocks", _read_only(checked))

    @classmethod
    def _of(cls, blocks: Blocks) -> Self:
        """Blocks that the library itself made: nothing to check or copy."""
        value = object.__new__(cls)
        object.__setattr__(value, "blocks", _read_only(blocks))
        return value

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("BlockTerm is immutable; make a new one")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("BlockTerm is immutable; make a new one")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.blocks,)

    def __repr__(self) -> str:
        pairs = " ".join(f"{m}x{n}" for m, n in terms.modes(self.blocks[0]))
        sizes = f"shape={self.shape}, modes=({pairs}), ranks={self.ranks}"
        return f"BlockTerm({sizes}, dtype={self.dtype}, backend={self.backend})"

    @property
    def row_modes(self) -> tuple[int, ...]:
        """``(m_1, ..., m_d)``."""
        return tuple(m for m, _ in terms.modes(self.blocks[0]))

    @property
    def col_modes(self) -> tuple[int, ...]:
        """``(n_1, ..., n_d)``."""
        return tuple(n for _, n in terms.modes(self.blocks[0]))

    @property
    def shape(self) -> tuple[int, int]:
        """``(M, N)``, exact Python ints."""
        return prod(self.row_modes), prod(self.col_modes)

    @property
    def ranks(self) -> tuple[tuple[int, ...], ...]:
        """``(r_1, ..., r_d)`` of each block."""
        return tuple(terms.ranks(block) for block in self.blocks)

    @property
    def n_blocks(self) -> int:
        """The number of Tucker terms."""
        return len(self.blocks)

    @property
    def order(self) -> int:
        """``d``, the number of modes."""
        return len(self.blocks[0].factors)

    @property
    def dtype(self) -> Any:
        """The dtype of every array."""
        return self.blocks[0].core.dtype

    @property
    def backend(self) -> str:
        """The name of the array library that holds the blocks."""
        return backend_of(self.blocks[0].core)

    @property
    def device(self) -> object:
        """The device that holds the blocks."""
        return device_of(self.blocks[0].core)

    @property
    def n_parameters(self) -> int:
        """``sum_k m_k n_k r_k + prod_k r_k``, added up over the blocks."""
        return sum(prod(x.shape) for x in terms.flat(self.blocks))

    @property
    def nbytes(self) -> int:
        """The bytes that all arrays take."""
        return sum(nbytes_of(x) for x in terms.flat(self.blocks))

    @property
    def compression(self) -> float:
        """``M N / n_parameters``."""
        return prod(self.shape) / self.n_parameters

    def to(self, backend: str, device: object = None) -> Self:
        """A copy in the array library named ``backend``; TypeError if there is none."""
        return self._of(terms.mapped(lambda x: move(x, backend, device), self.blocks))


def _read_only(blocks: Blocks) -> Blocks:
    for x in terms.flat(blocks):
        if is_numpy(x):
            x.flags.writeable = False
    return blocks
