"""What a prediction says, and the sizes that it is made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import prod
from operator import mul
from typing import NamedTuple

from ttalgebra.arrays.checks import MAX_BYTES, require_room, spelled
from ttalgebra.arrays.namespace import namespace_of, nbytes_of
from ttalgebra.arrays.typing import Cores
from ttalgebra.cores import chain

Ranks = tuple[int, ...]
Bounds = Sequence[int | None]


@dataclass(frozen=True, repr=False)
class Cost:
    """Predicted work, memory and ranks of one operation.

    ``flops`` count a complex multiplication as one; ``peak_bytes`` bound what the
    operation allocates at its peak, the operands not counted. ``ranks`` are those of a
    resulting train, at most, and empty for dense results and numbers.
    """

    flops: int
    peak_bytes: int
    result_bytes: int
    ranks: Ranks = ()

    def __repr__(self) -> str:
        work, peak, size = map(
            spelled, (self.flops, self.peak_bytes, self.result_bytes)
        )
        ranks = self.ranks if len(self.ranks) < 14 else f"at most {max(self.ranks)}"
        sizes = f"peak_bytes={peak}, result_bytes={size}, ranks={ranks}"
        return f"Cost(flops={work}, {sizes})"

    def require(self, what: str, advice: str, max_bytes: int = MAX_BYTES) -> None:
        """Raise TooLargeError where the result is above ``max_bytes``."""
        require_room((self.result_bytes,), 1, what, advice, max_bytes)


class Layout(NamedTuple):
    """All of a chain that a cost depends on."""

    ranks: Ranks
    modes: Sequence[tuple[int, ...]]
    itemsize: int

    @property
    def sites(self) -> Iterator[tuple[int, int, int]]:
        """``(r, n, s)`` of each core, its modes multiplied."""
        for (r, s), modes in zip(pairwise(self.ranks), self.modes, strict=True):
            yield r, prod(modes), s

    @property
    def nbytes(self) -> int:
        """What all cores take."""
        return self.itemsize * sum(r * n * s for r, n, s in self.sites)

    @property
    def largest(self) -> int:
        """The bytes of the largest core."""
        return self.itemsize * max(r * n * s for r, n, s in self.sites)

    def bounded(self, bounds: Bounds | None = None) -> "Layout":
        """With ranks cut to what is feasible, and to the ``bounds`` of the bonds."""
        sizes = [prod(modes) for modes in self.modes]
        left = list(accumulate(sizes[:-1], mul))
        right = list(accumulate(reversed(sizes[1:]), mul))[::-1]
        limits = zip(left, right, bounds or (None,) * len(left), strict=True)
        inner = (
            min(r, a, b, *([bound] if bound else ()))
            for r, (a, b, bound) in zip(self.ranks[1:-1], limits, strict=True)
        )
        return self._replace(ranks=(1, *inner, 1))


def layout_of(x: Cores, *others: Cores) -> Layout:
    """That of ``x``, in the dtype that it shares with the others.

    complex64 and float64 make complex128.
    """
    firsts = [cores[0] for cores in (x, *others)]
    xp = namespace_of(*firsts)
    kind = xp.result_type(*firsts)
    return Layout(chain.ranks(x), chain.modes(x), nbytes_of(xp.empty(1, dtype=kind)))


def qr(m: int, n: int) -> int:
    """``4 m n^2`` flops for the tall ``m x n``: Householder's method, ``q`` formed."""
    return 4 * max(m, n) * min(m, n) ** 2


def svd(m: int, n: int) -> int:
    """About ``10 m n^2`` flops for the tall ``m x n``."""
    return 10 * max(m, n) * min(m, n) ** 2
