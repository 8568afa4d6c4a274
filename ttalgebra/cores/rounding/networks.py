"""Chains that are never formed: sums and products as rows of sites.

A network stands for the chain ``2**exponent`` times its sites in a row. Sketches,
Gram matrices, certificates and the sweeps of products read a network, so one text
of each serves chains, sums and products.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ttalgebra.arrays.namespace import device_of, namespace_of
from ttalgebra.arrays.scaling import calmed, unit_scaled
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores.rounding.sites import KINDS, Block, Pair, Plain, Shape, Site


@dataclass(frozen=True)
class Network:
    """``2**exponent`` times a chain of sites, whose arrays have entries near one."""

    sites: tuple[Site, ...]
    exponent: Array

    @property
    def ranks(self) -> Shape:
        """``(1, r_1, ..., r_{d-1}, 1)`` of the chain as if it were formed."""
        return (*(site.shape[0] for site in self.sites), 1)

    def corner(self) -> Array:
        """The 1 x 1 identity at which every sweep begins."""
        like = self.sites[0].like
        return namespace_of(like).eye(1, dtype=like.dtype, device=device_of(like))

    def cast(self, dtype: Any) -> "Network":
        """The same chain with numbers of another dtype."""
        xp = namespace_of(self.sites[0].like)
        sites = (
            site.mapped(lambda x: xp.astype(x, dtype, copy=False))
            for site in self.sites
        )
        return Network(tuple(sites), self.exponent)


def plain(cores: Cores) -> Network:
    """A chain as it is, every core scaled."""
    return _of_units([unit_scaled(core) for core in cores])


def calm(cores: Cores) -> Network:
    """A chain as it is, a core scaled only where it is far from one."""
    return _of_units([calmed(core) for core in cores])


def _of_units(units: Sequence[tuple[Array, Array]]) -> Network:
    sites = tuple(Plain(core) for core, _ in units)
    return Network(sites, sum(exponent for _, exponent in units))


def total(parts: Sequence[Cores], exponent: Array) -> Network:
    """``2**exponent`` times the sum of chains that are comparable as they are."""
    last = len(parts[0]) - 1
    sites = (
        Block(tuple(Plain(core) for core in cores), k == 0, k == last)
        for k, cores in enumerate(zip(*parts, strict=True))
    )
    return Network(tuple(sites), exponent)


def product(A: Cores, x: Cores, kind: str) -> Network:
    """``A x`` (matvec), ``A B`` (matmat) or the entrywise product (hadamard)."""
    letters = KINDS[kind, x[0].ndim - 2]
    first, second = plain(A), plain(x)
    pairs = zip(first.sites, second.sites, strict=True)
    sites = tuple(Pair(G.like, H.like, letters) for G, H in pairs)
    return Network(sites, first.exponent + second.exponent)
