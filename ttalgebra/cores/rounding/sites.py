"""Sites: what stands at one place of a chain, core or not, and how it meets a matrix.

Whatever a site stands for, its core would be ``(r, *modes, s)``. A plain core, the
block diagonal core of a sum and the site of a product of two chains offer the same
four contractions, and every algorithm of this room is written in them::

    --[q r]--( site )--s--     absorb_left    the matrix meets the left bond
    --r--( site )--[s q]--     absorb_right   the matrix meets the right bond
    ( site )* over r, modes    overlap_left   (r, *modes, q) -> (s, q)
    ( site )* over modes, s    overlap_right  (q, *modes, s) -> (q, r)
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Protocol

from ttalgebra.arrays.contract import contract, matmul
from ttalgebra.arrays.namespace import (
    adjoint,
    conj,
    is_complex,
    namespace_of,
    to_numpy,
)
from ttalgebra.arrays.typing import Array
from ttalgebra.cores import chain
from ttalgebra.cores.chain import left_unfold, reshape, right_unfold

Shape = tuple[int, ...]


class Site(Protocol):
    """What stands at one place of a chain."""

    @property
    def shape(self) -> Shape:
        """``(r, *modes, s)``, as the core would have it."""

    @property
    def like(self) -> Array:
        """An array of the same library, device and dtype."""

    def absorb_left(self, matrix: Array) -> Array:
        """``(q, r) -> (q, *modes, s)``."""

    def absorb_right(self, matrix: Array) -> Array:
        """``(s, q) -> (r, *modes, q)``."""

    def overlap_left(self, other: Array) -> Array:
        """``(r, *modes, q) -> (s, q)``, the site conjugated."""

    def overlap_right(self, other: Array) -> Array:
        """``(q, *modes, s) -> (q, r)``, the site conjugated."""

    def stretch(self) -> float:
        """A bound on the norm of the core's slice at each index of its right bond."""

    def mapped(self, function: Callable[[Array], Array]) -> "Site":
        """The site with ``function`` applied to every array in it."""


@dataclass(frozen=True)
class Plain:
    """A core that is at hand."""

    core: Array

    @property
    def shape(self) -> Shape:
        """``(r, *modes, s)``."""
        return tuple(self.core.shape)

    @property
    def like(self) -> Array:
        """The core itself."""
        return self.core

    def absorb_left(self, matrix: Array) -> Array:
        """One GEMM of ``2 q r n s`` flops, as the next three are."""
        return chain.absorb_left(matrix, self.core)

    def absorb_right(self, matrix: Array) -> Array:
        """``(s, q) -> (r, *modes, q)``."""
        return chain.absorb_right(self.core, matrix)

    def overlap_left(self, other: Array) -> Array:
        """``(r, *modes, q) -> (s, q)``."""
        return matmul(adjoint(left_unfold(self.core)), left_unfold(other))

    def overlap_right(self, other: Array) -> Array:
        """``(q, *modes, s) -> (q, r)``."""
        return matmul(right_unfold(other), adjoint(right_unfold(self.core)))

    def stretch(self) -> float:
        """The largest column norm of the left unfolding, whose entries are near one."""
        xp, columns = namespace_of(self.core), left_unfold(self.core)
        squares = (
            xp.real(columns * conj(columns)) if is_complex(columns) else columns**2
        )
        return math.sqrt(float(to_numpy(xp.max(xp.sum(squares, axis=0)))))

    def mapped(self, function: Callable[[Array], Array]) -> "Plain":
        """The site of ``function(core)``."""
        return Plain(function(self.core))


@dataclass(frozen=True)
class Block:
    """The block diagonal core of a sum; at an end of the chain the bond is shared."""

    parts: tuple[Plain, ...]
    first: bool
    last: bool

    @property
    def shape(self) -> Shape:
        """The ranks of the parts added up, 1 at the ends."""
        rows, columns = (sum(part.shape[end] for part in self.parts) for end in (0, -1))
        modes = self.parts[0].shape[1:-1]
        return (1 if self.first else rows, *modes, 1 if self.last else columns)

    @property
    def like(self) -> Array:
        """The core of the first part."""
        return self.parts[0].like

    def absorb_left(self, matrix: Array) -> Array:
        """Each part meets its columns of the matrix."""
        pieces = self._pieces(matrix, 1, 0, shared=self.first)
        found = [p.absorb_left(m) for p, m in zip(self.parts, pieces, strict=True)]
        return _joined(found, axis=-1, shared=self.last)

    def absorb_right(self, matrix: Array) -> Array:
        """Each part meets its rows of the matrix."""
        pieces = self._pieces(matrix, 0, -1, shared=self.last)
        found = [p.absorb_right(m) for p, m in zip(self.parts, pieces, strict=True)]
        return _joined(found, axis=0, shared=self.first)

    def overlap_left(self, other: Array) -> Array:
        """Each part meets its block of left indices."""
        pieces = self._pieces(other, 0, 0, shared=self.first)
        found = [p.overlap_left(m) for p, m in zip(self.parts, pieces, strict=True)]
        return _joined(found, axis=0, shared=self.last)

    def overlap_right(self, other: Array) -> Array:
        """Each part meets its block of right indices."""
        pieces = self._pieces(other, other.ndim - 1, -1, shared=self.last)
        found = [p.overlap_right(m) for p, m in zip(self.parts, pieces, strict=True)]
        return _joined(found, axis=-1, shared=self.first)

    def stretch(self) -> float:
        """The largest of the parts', or, where they share the bond, all together."""
        each = [part.stretch() for part in self.parts]
        return math.fsum(each) if self.last else max(each)

    def mapped(self, function: Callable[[Array], Array]) -> "Block":
        """``function`` applied to every part."""
        parts = tuple(part.mapped(function) for part in self.parts)
        return Block(parts, self.first, self.last)

    def _pieces(self, x: Array, axis: int, end: int, *, shared: bool) -> list[Array]:
        if shared:
            return [x] * len(self.parts)
        steps = accumulate((part.shape[end] for part in self.parts), initial=0)
        before = (slice(None),) * axis
        return [x[(*before, slice(*pair), ...)] for pair in pairwise(steps)]


def _joined(blocks: list[Array], *, axis: int, shared: bool) -> Array:
    if shared:
        return sum(blocks[1:], start=blocks[0])
    return namespace_of(*blocks).concat(blocks, axis=axis)


# The letters of both cores and of the modes of their product, for each kind of it
# and each count of modes in the second chain.
KINDS = {
    ("matvec", 1): ("aijb", "cjd", "i"),
    ("matmat", 2): ("aikb", "ckjd", "ij"),
    ("hadamard", 1): ("aib", "cid", "i"),
    ("hadamard", 2): ("aijb", "cijd", "ij"),
}


@dataclass(frozen=True)
class Pair:
    """The site of a product of two chains: its left bond is ``a c``, its right ``b d``.

    Every contraction meets one core after the other, so the largest intermediate is
    that of one of them, never the core ``(a c, *modes, b d)``.
    """

    first: Array
    second: Array
    letters: tuple[str, str, str]

    @cached_property
    def shape(self) -> Shape:
        """``(a c, *modes, b d)``."""
        a, *_, b = self.first.shape
        c, *_, d = self.second.shape
        spelled = zip(
            self.letters[0] + self.letters[1],
            (*self.first.shape, *self.second.shape),
            strict=True,
        )
        sizes = {letter: int(size) for letter, size in spelled}
        return (int(a * c), *(sizes[x] for x in self.letters[2]), int(b * d))

    @property
    def like(self) -> Array:
        """The first of the two cores."""
        return self.first

    def absorb_left(self, matrix: Array) -> Array:
        """``pac,cjd->pajd``, then ``pajd,aijb->pibd``: of a matvec nothing is moved.

        With the cores in the other order it took 24 instead of 5 ms (16, ranks 10, 30).
        """
        first, second, modes = self.letters
        state = reshape(matrix, matrix.shape[0], *self._bond(0))
        state = contract(f"pac,{second}->pa{second[1:]}", state, self.second)
        state = contract(f"pa{second[1:]},{first}->p{modes}bd", state, self.first)
        return reshape(state, matrix.shape[0], *self.shape[1:])

    def absorb_right(self, matrix: Array) -> Array:
        """``bdp,cjd->cjbp``, then ``aijb,cjbp->acip``."""
        first, second, modes = self.letters
        state = reshape(matrix, *self._bond(-1), matrix.shape[1])
        state = contract(f"bdp,{second}->{second[:-1]}bp", state, self.second)
        state = contract(f"{first},{second[:-1]}bp->ac{modes}p", self.first, state)
        return reshape(state, *self.shape[:-1], matrix.shape[1])

    def overlap_left(self, other: Array) -> Array:
        """``acip,aijb->cjbp``, then ``cjbp,cjd->bdp``, both cores conjugated."""
        first, second, modes = self.letters
        state = reshape(other, *self._bond(0), *other.shape[1:])
        between = f"{second[:-1]}bp"
        state = contract(f"ac{modes}p,{first}->{between}", state, conj(self.first))
        state = contract(f"{between},{second}->bdp", state, conj(self.second))
        return reshape(state, self.shape[-1], other.shape[-1])

    def overlap_right(self, other: Array) -> Array:
        """``pibd,cjd->pcijb``, then ``pcijb,aijb->pac``, both cores conjugated."""
        first, second, modes = self.letters
        state = reshape(other, *other.shape[:-1], *self._bond(-1))
        between = f"pc{first[1:]}"
        state = contract(f"p{modes}bd,{second}->{between}", state, conj(self.second))
        state = contract(f"{between},{first}->pac", state, conj(self.first))
        return reshape(state, other.shape[0], self.shape[0])

    def stretch(self) -> float:
        """The product of both cores' (Cauchy and Schwarz)."""
        return Plain(self.first).stretch() * Plain(self.second).stretch()

    def mapped(self, function: Callable[[Array], Array]) -> "Pair":
        """``function`` applied to both cores."""
        return Pair(function(self.first), function(self.second), self.letters)

    def _bond(self, end: int) -> tuple[int, int]:
        return int(self.first.shape[end]), int(self.second.shape[end])
