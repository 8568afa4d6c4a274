"""TTTensor: an array of any order, entry by entry a product of small matrices."""

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar, Literal, Self, overload

from ttalgebra.arrays.checks import (
    MAX_BYTES,
    as_sites,
    require_room,
)
from ttalgebra.arrays.namespace import from_numpy
from ttalgebra.arrays.typing import RNG, Array, Ranks, Scalar
from ttalgebra.cores import chain, products, selection
from ttalgebra.cores.truncation import Truncation, announce
from ttalgebra.trains.doors import cost, indexing
from ttalgebra.trains.doors.decomposed import (
    as_source,
    decomposed,
    from_nonzeros,
    tensor_modes,
)
from ttalgebra.trains.doors.digits import digit_arrays
from ttalgebra.trains.shared.rounded import AbstractTrain


class TTTensor(AbstractTrain):
    """``x(i_1, ..., i_d) = G_1[i_1] ... G_d[i_d]``, cores ``(r, n, s)``.

    Parameters
    ----------
    cores
        A list or tuple of ``d`` arrays of one library, finite, neighbouring ranks
        equal, outer ranks 1. Integers become float64. They are copied; with
        ``copy=False`` the arrays are taken as they are, and made read-only.

    Notes
    -----
    Raises ShapeError, NonFiniteError or TypeError, naming the core.

    Examples
    --------
    >>> import numpy as np, ttalgebra as tt
    >>> i, j, k = np.ogrid[:4, :5, :6]
    >>> x = tt.TTTensor.from_dense(np.sin(i + j + k), tol=1e-12)
    >>> x
    TTTensor(modes=4x5x6, ranks=(1, 2, 2, 1), dtype=float64, backend=numpy)
    >>> (x + x).ranks, (x + x).round(tol=1e-12).ranks
    ((1, 4, 4, 1), (1, 2, 2, 1))
    """

    __slots__ = ()
    n_modes: ClassVar[int] = 1

    @overload
    @classmethod
    def from_dense(
        cls,
        T: Array,
        tol: float | None = ...,
        max_rank: Ranks | None = ...,
        *,
        method: str = ...,
        rng: RNG = ...,
        strict: bool = ...,
        return_info: Literal[False] = ...,
    ) -> Self: ...

    @overload
    @classmethod
    def from_dense(
        cls,
        T: Array,
        tol: float | None = ...,
        max_rank: Ranks | None = ...,
        *,
        method: str = ...,
        rng: RNG = ...,
        strict: bool = ...,
        return_info: Literal[True],
    ) -> tuple[Self, Truncation]: ...

    @classmethod
    def from_dense(
        cls,
        T: Array,
        tol: float | None = None,
        max_rank: Ranks | None = None,
        *,
        method: str = "svd",
        rng: RNG = None,
        strict: bool = False,
        return_info: bool = False,
    ) -> Self | tuple[Self, Truncation]:
        """TT-SVD of the array ``T``, whose shape gives the modes.

        ``tol``, ``max_rank``, ``strict`` and ``return_info`` as in `round`; ``method``
        "random" sketches the unfoldings, with ``rng``, and reports its error as well.
        An array on disk (``np.memmap``, HDF5, Zarr) is read in blocks. The error
        is within ``sqrt(d - 1)`` of the best at these ranks. Raises ShapeError for a
        0-d array or a zero-size mode, and NonFiniteError. Cost ``O(size n r)``.
        Source: Oseledets (2011), Algorithm 1, Theorem 2.2.
        """
        T = as_source(T, "T")
        modes = tensor_modes(T.shape, "from_dense")
        cores, info = decomposed(T, modes, tol, max_rank, method=method, rng=rng)
        announce(info, "from_dense", strict=strict)
        return (cls._of(cores), info) if return_info else cls._of(cores)

    @classmethod
    def from_sparse(
        cls,
        T: Any,
        tol: float | None = None,
        max_rank: Ranks | None = None,
        *,
        strict: bool = False,
        return_info: bool = False,
    ) -> Self | tuple[Self, Truncation]:
        """TT-SVD of a SciPy sparse array of any order, never made dense.

        Keywords as in `from_dense`. Memory ``O(nnz n r)``; TooLargeError above 2 GiB.

        >>> import numpy as np, scipy.sparse as sp, ttalgebra as tt
        >>> T = sp.coo_array(([1.0, 2.0], ([0, 1], [2, 0], [3, 3])), shape=(2, 3, 4))
        >>> x = tt.TTTensor.from_sparse(T)
        >>> x.ranks, round(x[1, 0, 3], 12)
        ((1, 2, 1, 1), 2.0)
        """
        cores, info = from_nonzeros(T, None, tol, max_rank)
        announce(info, "from_sparse", strict=strict)
        return (cls._of(cores), info) if return_info else cls._of(cores)

    @property
    def modes(self) -> tuple[int, ...]:
        """``(n_1, ..., n_d)``."""
        return tuple(n for (n,) in chain.modes(self.cores))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the dense array, which is ``modes``."""
        return self.modes

    @property
    def size(self) -> int:
        """``n_1 ... n_d``, an exact Python int."""
        return prod(self.modes)

    def __mul__(self, other: object) -> Self:
        return (
            self.hadamard(other)
            if isinstance(other, type(self))
            else super().__mul__(other)
        )

    def __getitem__(self, key: Any) -> "TTTensor | Scalar":
        """An entry, or a tensor of what slices leave open. Cost ``O(d n r^2)``.

        Integers, slices, an Ellipsis; None, a new mode of size 1; one list of indices
        or one mask, which picks in its mode. Raises ShapeError beyond the modes.

        >>> import ttalgebra as tt
        >>> x = tt.ones((2, 3, 4))
        >>> x[0, 1, 2], x[0, :, ::2].modes, x[:, [0, 2, 2], None].modes
        (1.0, (3, 2), (2, 3, 1, 4))
        """
        key = indexing.key_of(key, self.order)
        found = indexing.sliced(self.cores, key)
        return TTTensor._of(found) if isinstance(found, tuple) else found

    __iter__ = None  # a train is no sequence of its slices
    __reversed__ = None

    def entries(self, indices: Any) -> Array:
        """The entries at ``indices``: ``(n, d)`` digits or ``(n,)`` flat, to ``(n,)``.

        Flat indices beyond int64 come as Python ints. Cost ``O(n d r^2)``.
        """
        digits = digit_arrays(indices, self.modes, "entries: indices")
        moved = [from_numpy(column, self.cores[0]) for column in digits]
        advice = "take fewer entries at a time, or round first"
        cost.entries(self.cores, len(digits[0])).require("entries", advice)
        return selection.entries(self.cores, moved)

    def sum(self, modes: int | Sequence[int] | None = None) -> "TTTensor | Scalar":
        """The sum over all entries, or a tensor of the sums over some ``modes``.

        Modes count from 0, as axes in NumPy. Cost ``O(d n r^2)``.

        >>> import ttalgebra as tt
        >>> tt.ones((2, 3, 4)).sum(), tt.ones((2, 3, 4)).sum(modes=(0, 2)).to_dense()
        (24.0, array([8., 8., 8.]))
        """
        sites = as_sites(modes, self.order, "sum: mode")
        closers = dict.fromkeys(sites, selection.summed)
        found = indexing.opened(self.cores, closers, "sum")
        return TTTensor._of(found) if isinstance(found, tuple) else found

    def to_dense(self, *, max_bytes: int = MAX_BYTES) -> Array:
        """The dense array, of shape ``modes``. Cost ``O(r size)``.

        Raises TooLargeError before anything is allocated.
        """
        itemsize = self.nbytes // self.n_parameters
        advice = "work with the train itself, or to_dense(max_bytes=...)"
        require_room(self.modes, itemsize, "to_dense", advice, max_bytes)
        return chain.reshape(
            products.dense_tensor(chain.tame(self.cores)[0]), *self.modes
        )

    def _sizes(self) -> str:
        return "modes=" + "x".join(map(str, self.modes))
