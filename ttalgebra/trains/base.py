"""What tensors and matrices share: immutable cores, and linear algebra on them."""

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar, Literal, Self, overload

import numpy as np

from ttalgebra.arrays.checks import (
    as_array,
    as_max_rank,
    as_scalar,
    as_tol,
    require_finite,
)
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import (
    backend_of,
    device_of,
    is_numpy,
    move,
    namespace_of,
    nbytes_of,
    to_numpy,
)
from ttalgebra.arrays.typing import Array, Cores, Ranks, Scalar
from ttalgebra.cores import arithmetic, chain, orthogonalize, products, rounding
from ttalgebra.cores.truncation import Truncation, announce
from ttalgebra.trains.pairing import paired, promoted


class AbstractTrain(ABC):
    """A chain of cores as a value: checked once, never changed, exact arithmetic.

    Addition and products let ranks grow; only `round` approximates.
    """

    __slots__ = ("cores",)
    __array_ufunc__ = (
        None  # numpy defers: ndarray @ train and scalar * train come to us
    )
    n_modes: ClassVar[int]
    cores: Cores

    def __init__(self, cores: Sequence[Array], *, copy: bool = True):
        if not isinstance(cores, (list, tuple)):
            raise TypeError(
                f"cores must be a list or tuple, got {type(cores).__name__}"
            )
        checked = tuple(as_array(core, f"core {k}") for k, core in enumerate(cores))
        chain.require_chain(checked, n_modes=self.n_modes)
        for k, core in enumerate(checked):
            require_finite(core, f"core {k}")
        xp = namespace_of(*checked)
        owned = (
            tuple(xp.asarray(core, copy=True) for core in checked) if copy else checked
        )
        object.__setattr__(self, "cores", _read_only(promoted(*owned)))

    @classmethod
    def _of(cls, cores: Cores) -> Self:
        """A train of cores that the library itself made: nothing to check or copy."""
        train = object.__new__(cls)
        object.__setattr__(train, "cores", _read_only(cores))
        return train

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; make a new one")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; make a new one")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.cores,)

    def _described(self, sizes: str) -> str:
        """One line; long trains say how long they are, not every size."""
        name, ranks = type(self).__name__, f"ranks={self.ranks}"
        if self.order > 12:
            sizes, ranks = f"{self.order} cores", f"max_rank={self.max_rank}"
        return f"{name}({sizes}, {ranks}, dtype={self.dtype}, backend={self.backend})"

    def __len__(self) -> int:
        return len(self.cores)

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of the dense array, in exact Python ints."""

    @abstractmethod
    def to_dense(self, *, max_bytes: int) -> Array:
        """The dense array; TooLargeError above ``max_bytes``."""

    @property
    def order(self) -> int:
        """``d``, the number of cores."""
        return len(self.cores)

    @property
    def ranks(self) -> tuple[int, ...]:
        """``(1, r_1, ..., r_{d-1}, 1)``."""
        return chain.ranks(self.cores)

    @property
    def max_rank(self) -> int:
        """The largest of the ranks."""
        return max(self.ranks)

    @property
    def dtype(self) -> Any:
        """The dtype of every core."""
        return self.cores[0].dtype

    @property
    def backend(self) -> str:
        """The name of the array library that holds the cores."""
        return backend_of(self.cores[0])

    @property
    def device(self) -> object:
        """The device that holds the cores."""
        return device_of(self.cores[0])

    @property
    def n_parameters(self) -> int:
        """The number of entries in all cores: ``sum_k r_{k-1} m_k n_k r_k``."""
        return sum(prod(core.shape) for core in self.cores)

    @property
    def compression(self) -> float:
        """``prod(shape) / n_parameters``; inf beyond the range of a float."""
        try:
            return prod(self.shape) / self.n_parameters
        except OverflowError:
            return math.inf

    @property
    def nbytes(self) -> int:
        """The bytes that all cores take."""
        return sum(nbytes_of(core) for core in self.cores)

    def __add__(self, other: object) -> Self:
        if type(other) is not type(self):
            return NotImplemented
        x, y = paired(self.cores, other.cores, "+")
        return self._of(arithmetic.add(x, y))

    def __sub__(self, other: object) -> Self:
        if type(other) is not type(self):
            return NotImplemented
        x, y = paired(self.cores, other.cores, "-")
        return self._of(arithmetic.add(x, arithmetic.scale(y, -1.0)))

    def __neg__(self) -> Self:
        return self._of(arithmetic.scale(self.cores, -1.0))

    def __mul__(self, factor: object) -> Self:
        if not _is_number(factor):
            return NotImplemented
        return self._of(arithmetic.scale(self.cores, as_scalar(factor, "the factor")))

    __rmul__ = __mul__

    def __truediv__(self, divisor: object) -> Self:
        if not _is_number(divisor):
            return NotImplemented
        return self._of(
            arithmetic.divide(self.cores, as_scalar(divisor, "the divisor"))
        )

    def conj(self) -> Self:
        """The complex conjugate; the same value where the dtype is real."""
        return self._of(arithmetic.conjugate(self.cores))

    def norm(self) -> float:
        """The Frobenius norm, by a QR sweep; inf or 0.0 only if that is out of range.

        Error at most ``c eps W Gamma``. Cost ``O(d n r^3)``.
        """
        return orthogonalize.norm(self.cores)

    def log_norm(self) -> float:
        """The natural logarithm of the norm, finite for any train but zero (-inf)."""
        return orthogonalize.log_norm(self.cores)

    def orthogonalize(self, site: int = 0) -> Self:
        """The same value, left-orthonormal before ``site``, right-orthonormal after it.

        The core at ``site`` then carries the norm. Cost ``O(d n r^3)``. Raises
        ShapeError where there is no such site (negative ones count from the end),
        and NonFiniteError where one core cannot hold a norm so large.
        """
        if not -self.order <= site < self.order:
            message = f"orthogonalize: site {site} of a train with {self.order} cores"
            raise ShapeError(f"{message}; sites count from 0 to {self.order - 1}")
        return self._of(orthogonalize.at_site(self.cores, site % self.order))

    @overload
    def round(
        self,
        tol: float | None = ...,
        max_rank: Ranks | None = ...,
        *,
        strict: bool = ...,
        return_info: Literal[False] = ...,
    ) -> Self: ...

    @overload
    def round(
        self,
        tol: float | None = ...,
        max_rank: Ranks | None = ...,
        *,
        strict: bool = ...,
        return_info: Literal[True],
    ) -> tuple[Self, Truncation]: ...

    def round(
        self,
        tol: float | None = None,
        max_rank: Ranks | None = None,
        *,
        strict: bool = False,
        return_info: bool = False,
    ) -> Self | tuple[Self, Truncation]:
        """The same train with smaller ranks: ``norm(A - B) <= tol * norm(A)``.

        Parameters
        ----------
        tol
            Relative Frobenius error of the result. With neither ``tol`` nor
            ``max_rank``, only what roundoff made is dropped.
        max_rank
            One int, or one for each bond. It wins over ``tol``; where it cuts deeper,
            ``info.tol_met`` is False and a ToleranceWarning says so, or, if
            ``strict``, ConvergenceError is raised.
        return_info
            Also return a `Truncation`: error, ranks, singular values of each bond.

        The error is within ``sqrt(d - 1)`` of the best at these ranks. Cost
        ``O(d n r^3)``. Source: Oseledets (2011), Algorithm 2.
        """
        bounds = as_max_rank(max_rank, self.order, "round")
        cores, info = rounding.by_svd(
            self.cores, tol=as_tol(tol, "round"), max_rank=bounds
        )
        announce(info, "round", strict=strict)
        return (self._of(cores), info) if return_info else self._of(cores)

    def to(self, backend: str, device: object = None) -> Self:
        """A copy of this train in the array library named ``backend``.

        Raises TypeError where no such library is installed.
        """
        return self._of(tuple(move(core, backend, device) for core in self.cores))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the train to one npz-compatible file, atomically; `load` reads it.

        Raises OSError where that cannot be done; a file already there stays whole.
        """
        from ttalgebra.storage import write

        arrays = {f"cores.{k}": to_numpy(core) for k, core in enumerate(self.cores)}
        write(path, arrays, {"kind": type(self).__name__})


def dot(x: AbstractTrain, y: AbstractTrain) -> Scalar:
    """``<x, y>``, conjugating ``x``: a float, or a complex number.

    Raises ShapeError where the modes differ. Error at most ``c eps W Gamma_x
    Gamma_y``: for the norm of a small difference use `norm`, which is accurate.
    Cost ``O(d n r^3)``. Source: Oseledets (2011), Algorithm 4.

    >>> import ttalgebra as tt
    >>> tt.dot(tt.ones((2, 3, 4)), tt.ones((2, 3, 4)))
    24.0
    """
    if not isinstance(x, AbstractTrain) or type(x) is not type(y):
        kinds = f"{type(x).__name__} and {type(y).__name__}"
        raise TypeError(f"dot: two tensors or two matrices are needed, got {kinds}")
    return products.dot(*paired(x.cores, y.cores, "dot"))


def _read_only(cores: Cores) -> Cores:
    for core in cores:
        if is_numpy(core):
            core.flags.writeable = False
    return cores


def _is_number(x: object) -> bool:
    return not isinstance(x, AbstractTrain) and np.ndim(x) == 0  # type: ignore[arg-type]
