"""What a TT-matrix says of itself: traces, diagonals, sums, rows, entries."""

from collections.abc import Callable, Sequence
from typing import Any, Self, cast

from ttalgebra.arrays.checks import as_index, as_sites
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import copied, from_numpy, namespace_of
from ttalgebra.arrays.typing import Array, Cores, Scalar
from ttalgebra.cores import ranged, selection
from ttalgebra.trains.doors import cost, indexing, submatrix
from ttalgebra.trains.doors.digits import digit_arrays
from ttalgebra.trains.linear_map import LinearMap
from ttalgebra.trains.tensor import TTTensor


class Reductions(LinearMap):
    """Numbers and tensors that are read off a matrix, which is never formed."""

    __slots__ = ()

    def diagonal(self) -> TTTensor:
        """The diagonal as a tensor; exact, ranks stay. ShapeError unless square."""
        self._require_square("diagonal", range(self.order))
        return TTTensor._of(tuple(selection.diagonal(core) for core in self.cores))

    def trace(self) -> Scalar:
        """The sum of the diagonal. Cost ``O(d n r^2)``. ShapeError unless square."""
        self._require_square("trace", range(self.order))
        return cast(Scalar, self._closed(selection.traced, range(self.order), "trace"))

    def partial_trace(self, sites: int | Sequence[int]) -> "Self | Scalar":
        """The matrix in which some ``sites`` are traced over; a number where all are.

        >>> import ttalgebra as tt
        >>> tt.identity((2, 3, 4)).partial_trace((0, 2)).to_dense()
        array([[8., 0., 0.],
               [0., 8., 0.],
               [0., 0., 8.]])
        """
        places = as_sites(sites, self.order, "partial_trace: site")
        self._require_square("partial_trace", places)
        found = self._closed(selection.traced, places, "partial_trace")
        return self._of(found) if isinstance(found, tuple) else found

    def sum(self, axis: int | None = None) -> "TTTensor | Scalar":
        """The sum of all entries, or a tensor of the sums over rows or columns."""
        if axis is None:
            every = range(self.order)
            return cast(Scalar, self._closed(selection.summed, every, "sum"))
        place = 1 + as_index(axis, 2, "sum: axis")
        xp = namespace_of(*self.cores)

        def kernel(cores: Cores) -> Cores:
            return tuple(xp.sum(core, axis=place) for core in cores)

        return TTTensor._of(ranged.mapped(kernel, self.cores, "sum"))

    def __getitem__(self, key: Any) -> Any:
        """``A[i, j]`` an entry; ``A[i, :]`` a row, ``A[:, j]`` a column, as tensors.

        Other slices, and one list of indices or mask, make the dense array of the rows
        and columns that they pick; the rest is never formed. Raises ShapeError beyond
        the sizes, TooLargeError above 2 GiB.

        >>> import ttalgebra as tt
        >>> A = tt.identity((2, 3))
        >>> A[4, 4], A[:, 1].modes, A[::2, 4]
        (1.0, (2, 3), array([0., 0., 1.]))
        """
        i, j = submatrix.pair_of(key)
        rows = submatrix.digits(i, self.row_modes, "row")
        columns = submatrix.digits(j, self.col_modes, "column")
        if rows is None or columns is None:
            return submatrix.dense_part(self.cores, i, j)
        picked = (
            core[:, r, c, :]
            for core, r, c in zip(self.cores, rows, columns, strict=True)
        )
        return self._opened(tuple(picked))

    __iter__ = None  # a train is no sequence of its rows
    __reversed__ = None

    def entries(self, I: Any, J: Any) -> Array:  # noqa: E741
        """The entries at rows ``I``, columns ``J``: ``(n,)`` flat or ``(n, d)`` digits.

        Flat indices beyond int64 come as Python ints. Cost ``O(n d r^2)``.
        """
        rows = digit_arrays(I, self.row_modes, "entries: I")
        columns = digit_arrays(J, self.col_modes, "entries: J")
        if len(rows[0]) != len(columns[0]):
            message = f"entries: {len(rows[0])} rows and {len(columns[0])} columns"
            raise ShapeError(f"{message}; one column for each row is needed")
        pairs = zip(rows, columns, self.col_modes, strict=True)
        flat = [from_numpy(i * n + j, self.cores[0]) for i, j, n in pairs]
        advice = "take fewer entries at a time, or round first"
        cost.entries(self.cores, len(rows[0])).require("entries", advice)
        return selection.entries(self.cores, flat)

    def _opened(self, cores: Cores) -> "Self | TTTensor | Scalar":
        """What is left of the cores where digits were picked."""
        if cores[0].ndim == 4:
            return self
        if cores[0].ndim == 3:
            return TTTensor._of(tuple(copied(G) for G in cores))
        closers = dict.fromkeys(range(self.order), _as_it_is)
        return cast(Scalar, indexing.opened(cores, closers, "indexing"))

    def _closed(
        self, closer: Callable[[Array], Array], sites: Sequence[int], verb: str
    ) -> Cores | Scalar:
        return indexing.opened(self.cores, dict.fromkeys(sites, closer), verb)

    def _require_square(self, verb: str, sites: Sequence[int]) -> None:
        for k in sites:
            m, n = self.cores[k].shape[1:3]
            if m != n:
                message = f"{verb}: site {k} is {m}x{n}"
                raise ShapeError(f"{message}, a square one is needed")


def _as_it_is(matrix: Array) -> Array:
    return matrix
