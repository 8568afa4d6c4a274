"""A graph by its shift operator ``S``, stored sparse."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_array, require_finite
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import is_complex, to_numpy
from ttalgebra.layers.graph_filter.pattern import Pattern

if TYPE_CHECKING:
    from scipy.sparse import csr_array

PREFIX = "graph."


@dataclass(frozen=True, eq=False)
class Graph:
    """``S``, real and square, in compressed rows; ``S_ij != 0`` is an edge to ``i``.

    Zeros that are stored are no edges. Parameters are those of SciPy's ``csr_array``;
    `of` takes such an array, any other sparse one, or a dense one.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers.graph_filter.graph import Graph
    >>> path = Graph.of(np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]))
    >>> path.nodes, path.n_edges, path.rows
    (3, 4, array([0, 1, 1, 2]))
    """

    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray

    def __post_init__(self) -> None:
        for name in ("indptr", "indices", "data"):
            array = _checked(getattr(self, name), name)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        counts, n = np.diff(self.indptr), self.indptr.size - 1
        fits = n >= 1 and self.indptr[0] == 0 and self.indptr[-1] == self.indices.size
        if not fits or counts.min() < 0 or self.data.size != self.indices.size:
            raise ShapeError("graph: indptr, indices and data are no compressed rows")
        low, high = self.indices.min(initial=0), self.indices.max(initial=0)
        if low < 0 or high >= n:
            message = f"graph: its columns reach from {low} to {high}"
            raise ShapeError(f"{message}; of {n} nodes they are 0 to {n - 1}")
        if (np.diff(self.rows * n + self.indices) <= 0).any():
            raise ShapeError("graph: columns are not sorted, or one is given twice")
        if not self.data.all():
            raise ShapeError("graph: a zero is stored; use Graph.of, which drops it")

    @classmethod
    def of(cls, S: Any) -> Self:
        """From a SciPy sparse array, a square NumPy array, or a Graph as it is.

        Raises TypeError for complex entries and ShapeError unless ``S`` is square,
        with rows of one length.
        """
        if isinstance(S, cls):
            return S
        shape = _shape(S)
        if len(shape) != 2 or shape[0] != shape[1] or 0 in shape:
            raise ShapeError(f"graph: S has shape {shape}, expected (nodes, nodes)")
        rows, columns, data = _entries(S)
        order = np.lexsort((columns, rows))
        rows, columns, data = rows[order], columns[order], data[order]
        indptr = np.searchsorted(rows, np.arange(shape[0] + 1))
        return cls(indptr, columns, data)

    @classmethod
    def restored(cls, arrays: Mapping[str, Any]) -> Self:
        """From what `arrays` gave."""
        return cls(*(arrays[PREFIX + name] for name in ("indptr", "indices", "data")))

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The three arrays, named for a file."""
        names = ("indptr", "indices", "data")
        return {PREFIX + name: getattr(self, name) for name in names}

    @property
    def nodes(self) -> int:
        """``N``."""
        return self.indptr.size - 1

    @property
    def n_edges(self) -> int:
        """``M``: nonzero entries off the diagonal, so two for an undirected edge."""
        return int(np.count_nonzero(self.rows != self.indices))

    @property
    def rows(self) -> np.ndarray:
        """The row of each stored entry."""
        return np.repeat(np.arange(self.indptr.size - 1), np.diff(self.indptr))

    @cached_property
    def looped(self) -> "tuple[Pattern, np.ndarray]":
        """The pattern of ``S + I``, by rows, and the values of ``S`` on it."""
        n = self.nodes
        own, loops = self.rows * n + self.indices, np.arange(n) * (n + 1)
        places = np.union1d(own, loops)
        values = np.zeros(places.size)
        values[np.searchsorted(places, own)] = self.data
        return Pattern.of(places // n, places % n, n), values

    def to_scipy(self) -> "csr_array":
        """``S`` as a new SciPy array."""
        from scipy.sparse import csr_array

        parts = tuple(x.copy() for x in (self.data, self.indices, self.indptr))
        return csr_array(parts, shape=(self.nodes, self.nodes))


def _shape(S: Any) -> tuple[int, ...]:
    try:
        return np.shape(S)
    except ValueError as error:
        message = "graph: S has rows of different lengths, expected (nodes, nodes)"
        raise ShapeError(message) from error


def _entries(S: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and values of the nonzero entries, in any order."""
    if hasattr(S, "tocsr"):  # whatever scipy.sparse calls an array or a matrix
        csr = S.tocsr(copy=True)
        csr.sum_duplicates()
        coo = csr.tocoo()
        rows, columns, data = coo.row, coo.col, _real(coo.data)
    else:
        dense = _real(S)
        rows, columns = np.nonzero(dense)
        data = dense[rows, columns]
    kept = data != 0
    return rows[kept].astype(np.int64), columns[kept].astype(np.int64), data[kept]


def _checked(x: Any, name: str) -> np.ndarray:
    own: np.ndarray = np.asarray(x)
    if own.ndim != 1:
        raise ShapeError(f"graph: {name} has shape {own.shape}, expected one axis")
    if name == "data":
        return _real(own)
    if own.dtype.kind not in "iu":
        raise TypeError(f"graph: {name} has dtype {own.dtype}; integers are needed")
    return own.astype(np.int64)


def _real(x: Any) -> np.ndarray:
    x = as_array(x, "graph: S")
    if is_complex(x):
        raise TypeError(f"graph: S is {x.dtype}; a real array is needed")
    require_finite(x, "graph: S")
    return np.array(to_numpy(x), np.float64)
