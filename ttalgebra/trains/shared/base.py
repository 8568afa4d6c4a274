"""A chain of cores as a value: checked once, then never changed."""

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar, Self

import numpy as np

from ttalgebra.arrays.checks import (
    as_array,
    require_finite,
)
from ttalgebra.arrays.namespace import (
    backend_of,
    copied,
    device_of,
    is_array,
    is_numpy,
    move,
    nbytes_of,
    to_numpy,
)
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain
from ttalgebra.trains.doors.pairing import promoted


class Value(ABC):
    """What a chain of cores is, besides what can be computed with it."""

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
        owned = tuple(copied(core) for core in checked) if copy else checked
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

    def __repr__(self) -> str:
        """One line; long trains say how long they are, not every size."""
        name = type(self).__name__
        if not all(is_array(core) for core in self.cores):  # JAX maps trains to others
            return f"{name}({list(self.cores)})"
        sizes, ranks = self._sizes(), f"ranks={self.ranks}"
        if self.order > 12:
            sizes, ranks = f"{self.order} cores", f"max_rank={self.max_rank}"
        return f"{name}({sizes}, {ranks}, dtype={self.dtype}, backend={self.backend})"

    @abstractmethod
    def _sizes(self) -> str:
        """What `__repr__` says of modes."""

    def __len__(self) -> int:
        return len(self.cores)

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of the dense array, in exact Python ints."""

    @abstractmethod
    def to_dense(self, *, max_bytes: int = ...) -> Array:
        """The dense array; TooLargeError above ``max_bytes``."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The dense array, for ``np.asarray``; TooLargeError above 2 GiB."""
        if copy is False:
            raise ValueError("a train has no dense array to share; use to_dense()")
        array = to_numpy(self.to_dense())
        return array if dtype is None else array.astype(dtype, copy=False)

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

    def to(self, backend: str, device: object = None) -> Self:
        """A copy of this train in the array library named ``backend``.

        Raises TypeError where no such library is installed.
        """
        return self._of(tuple(move(core, backend, device) for core in self.cores))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the train to one file, atomically; `load` reads it.

        The file is an npz; a path that ends in ``.safetensors`` makes one of those.
        Raises OSError where that cannot be done; a file already there stays whole.
        """
        from ttalgebra.storage import write

        arrays = {f"cores.{k}": to_numpy(core) for k, core in enumerate(self.cores)}
        write(path, arrays, {"kind": type(self).__name__})


def _read_only(cores: Cores) -> Cores:
    for core in cores:
        if is_numpy(core):
            core.flags.writeable = False
    return cores
