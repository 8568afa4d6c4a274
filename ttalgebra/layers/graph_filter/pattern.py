"""A sparse pattern, and what can be done with numbers at its entries.

Rows of about equal length make a rectangle, ``(rows, longest)``, whose empty places
hold zero: at most twice as many places as entries. So products are batched matrix
products of the array standard, which every library has, and sums are exact where the
terms are; differences of cumulative sums would lose digits.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from ttalgebra.arrays.contract import contract
from ttalgebra.arrays.namespace import conj, from_numpy, is_complex, namespace_of
from ttalgebra.arrays.typing import Array
from ttalgebra.cores.chain import reshape


@dataclass(frozen=True, eq=False)
class Rectangle:
    """Some rows of a pattern, and the entry and the column at each of their places.

    An empty place names entry ``E``, which holds zero, and a column that its row has,
    so that a NaN spreads no further than it should.
    """

    rows: Array
    entries: Array
    columns: Array

    @classmethod
    def of(cls, own: np.ndarray, entries: np.ndarray, columns: np.ndarray) -> Self:
        """From ``entries[i, j]``, the numbers of entries, ``E`` where there is none."""
        ends = columns[np.where(entries < columns.size, entries, entries[:, :1])]
        return cls(own, np.ravel(entries), np.ravel(ends))

    def at(self, places: Array, values: Array) -> Array:
        """``values[:, places]`` as ``(channels, rows, longest, ...)``."""
        xp, m = namespace_of(values), self.rows.shape[0]
        shape = (values.shape[0], m, places.shape[0] // m, *values.shape[2:])
        return reshape(xp.take(values, places, axis=1), *shape)


@dataclass(frozen=True, eq=False)
class Rows:
    """The entries of a sparse matrix by rows.

    Values are ``(channels, E)``, ``E >= 1``; signals ``(channels, nodes, samples)``.
    """

    rectangles: tuple[Rectangle, ...]
    place: Array  # where row i stands in the rectangles; past their end without entries
    site: Array  # where entry e stands in them

    @classmethod
    def of(cls, rows: np.ndarray, columns: np.ndarray, n_rows: int) -> Self:
        """The pattern with entries at ``(rows[e], columns[e])``, in any order."""
        order = np.append(np.argsort(rows, kind="stable"), rows.size)
        counts = np.bincount(rows, minlength=n_rows)
        starts, sizes = np.cumsum(counts) - counts, np.frexp(counts - 0.5)[1]
        groups = [np.flatnonzero((sizes == s) & (counts > 0)) for s in np.unique(sizes)]
        made: list[Rectangle] = []
        place = np.full(n_rows, np.count_nonzero(counts))
        for own in (group for group in groups if group.size):
            steps = np.arange(counts[own].max())
            held = steps < counts[own, None]
            entries = order[np.where(held, starts[own, None] + steps, rows.size)]
            place[own] = sum(part.rows.size for part in made) + np.arange(own.size)
            made.append(Rectangle.of(own, entries, columns))
        entries = np.concatenate([part.entries for part in made])
        site = np.zeros(rows.size + 1, np.int64)
        site[entries] = np.arange(entries.size)
        return cls(tuple(made), place, site[:-1])

    def near(self, like: Array) -> Self:
        """The same in the library and on the device of ``like``."""
        made = [[part.rows, part.entries, part.columns] for part in self.rectangles]
        moved = [Rectangle(*(from_numpy(x, like) for x in part)) for part in made]
        place, site = (from_numpy(x, like) for x in (self.place, self.site))
        return type(self)(tuple(moved), place, site)

    def product(self, values: Array, z: Array) -> Array:
        """``sum_j values_ij z_j``: ``2 channels E samples`` flops."""
        filled = _filled(values, 0)
        found = [
            contract("cij,cijn->cin", p.at(p.entries, filled), p.at(p.columns, z))
            for p in self.rectangles
        ]
        return self._placed(found, namespace_of(z).zeros_like(z[:, :1, :]))

    def outer(self, left: Array, z: Array) -> Array:
        """``sum_n left_in conj(z_jn)`` at each entry ``(i, j)``."""
        xp, z, found = namespace_of(left, z), conj(z), []
        for part in self.rectangles:
            own = xp.take(left, part.rows, axis=1)
            at = contract("cin,cijn->cij", own, part.at(part.columns, z))
            found.append(reshape(at, at.shape[0], part.entries.shape[0]))
        return xp.take(xp.concat(found, axis=1), self.site, axis=1)

    def sums(self, values: Array) -> Array:
        """The sum of each row, ``(channels, rows)``."""
        xp, filled = namespace_of(values), _filled(values, 0)
        found = [xp.sum(p.at(p.entries, filled), axis=2) for p in self.rectangles]
        return self._placed(found, xp.zeros_like(values[:, :1]))

    def largest(self, values: Array) -> Array:
        """The largest real part in each row; every row must have an entry."""
        xp = namespace_of(values)
        filled = _filled(xp.real(values) if is_complex(values) else values, -xp.inf)
        found = [xp.max(p.at(p.entries, filled), axis=2) for p in self.rectangles]
        return self._placed(found, filled[:, -1:])

    def _placed(self, found: list[Array], nothing: Array) -> Array:
        xp = namespace_of(nothing)
        return xp.take(xp.concat([*found, nothing], axis=1), self.place, axis=1)


@dataclass(frozen=True, eq=False)
class Pattern:
    """Entries ``(rows[e], columns[e])``, to be read both ways."""

    rows: Array
    columns: Array
    across: Rows
    down: Rows

    @classmethod
    def of(cls, rows: np.ndarray, columns: np.ndarray, nodes: int) -> Self:
        """Of a square matrix with as many ``nodes``."""
        across, down = Rows.of(rows, columns, nodes), Rows.of(columns, rows, nodes)
        return cls(rows, columns, across, down)

    def near(self, like: Array) -> Self:
        """The same in the library and on the device of ``like``."""
        rows, columns = (from_numpy(x, like) for x in (self.rows, self.columns))
        return type(self)(rows, columns, self.across.near(like), self.down.near(like))

    def product(self, values: Array, z: Array) -> Array:
        """``Phi z``, the entries of ``Phi`` being ``values``."""
        return self.across.product(values, z)

    def adjoint(self, values: Array, z: Array) -> Array:
        """``Phi^H z``."""
        return self.down.product(conj(values), z)

    def outer(self, left: Array, z: Array) -> Array:
        """The entries of ``left z^H``."""
        return self.across.outer(left, z)


def _filled(values: Array, fill: float) -> Array:
    """``values`` and, after them, the entry of all empty places."""
    xp = namespace_of(values)
    last = xp.full_like(values[:, :1], fill)
    return xp.concat([values, last], axis=1)
