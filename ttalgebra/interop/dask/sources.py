"""What may be decomposed: dask arrays, and arrays on disk, which become dask arrays.

Workers open a file themselves, by its path; no block travels with the task that reads
it. So the path must be theirs too.
"""

import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np

from ttalgebra.arrays.checks import as_array
from ttalgebra.arrays.errors import FormatError, ShapeError
from ttalgebra.interop.dask.chunks import blocks_of

WANTED = "a dask array, a memory-mapped or zarr array, or the path of a .npy or zarr"


@dataclass(frozen=True)
class Mapped:
    """A memory-mapped array as bytes of a file, which each process maps for itself."""

    path: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def chunks(self) -> None:
        """None: it is not stored in pieces."""

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __getitem__(self, index: Any) -> np.ndarray:
        data = np.memmap(self.path, dtype=np.uint8, mode="r")
        whole = np.ndarray(self.shape, self.dtype, data, self.offset, self.strides)
        return np.asarray(whole[index])


def as_dask(x: Any, block_bytes: int) -> da.Array:
    """``x`` as a dask array; what is read from disk, in blocks of ``block_bytes``.

    Raises TypeError for whatever else, ShapeError for sizes that are 0 or unknown.
    """
    if isinstance(x, (str, os.PathLike)):
        x = _opened(Path(x).resolve())
    if isinstance(x, np.memmap):
        if x.flags.f_contiguous and not x.flags.c_contiguous:
            return as_dask(x.T, block_bytes).T  # so that a block is read in order
        x = _mapped(x)
    if isinstance(x, da.Array):
        _require_fit(x.shape, x._meta)
    else:
        x = _from_disk(x, block_bytes)
    return x.astype(as_array(x._meta).dtype)


def _from_disk(x: Any, block_bytes: int) -> da.Array:
    stored = ("shape", "dtype", "chunks", "__getitem__")
    if dask.is_dask_collection(x) or not all(hasattr(x, name) for name in stored):
        message = f"tt_svd: x must be {WANTED}, got {type(x).__name__}"
        raise TypeError(f"{message}; TTTensor.from_dense takes arrays in memory")
    shape, dtype = tuple(int(n) for n in x.shape), np.dtype(x.dtype)
    meta = np.empty((0,) * len(shape), dtype)
    _require_fit(shape, meta)
    pieces = getattr(x, "shards", None) or x.chunks or (1,) * len(shape)
    sizes = blocks_of(shape, [int(n) for n in pieces], dtype.itemsize, block_bytes)
    return da.from_array(x, sizes, name=False, meta=meta, inline_array=True)


def _require_fit(shape: tuple[Any, ...], meta: Any) -> None:
    if not isinstance(meta, np.ndarray):
        kind = f"{type(meta).__module__}.{type(meta).__name__}"
        raise TypeError(f"tt_svd: the blocks of x are {kind}; map them to NumPy first")
    as_array(meta, "tt_svd: x")
    message = f"tt_svd: x has shape {shape}"
    if any(n != n for n in shape):  # dask says NaN
        raise ShapeError(f"{message}; x.compute_chunk_sizes() finds out the sizes")
    if not shape or 0 in shape:
        raise ShapeError(f"{message}; at least one mode, each of at least 1, is needed")


def _opened(path: Path) -> Any:
    """The array in a .npy file, or in the folder of a zarr array."""
    if not path.is_dir():
        try:
            return np.lib.format.open_memmap(path, mode="r")
        except ValueError as error:
            raise FormatError(f"tt_svd: {path} is no .npy array: {error}") from error
    try:
        import zarr
    except ImportError as error:
        message = f"tt_svd: {path} is a folder, which needs zarr (pip install zarr)"
        raise ImportError(message) from error
    try:
        return zarr.open_array(path, mode="r")
    except (ValueError, FileNotFoundError) as error:
        message = f"tt_svd: the folder {path} is no zarr array"
        raise FormatError(f"{message}: {error}") from error


def _mapped(x: Any) -> Mapped:
    """The bytes of the file that ``x``, which may be a view, shows."""
    if x.filename is None or x.mode == "c":
        message = "tt_svd: x is a memory map that no file holds as it is"
        raise TypeError(f"{message}; TTTensor.from_dense reads it here")
    start = x.offset - x.offset % mmap.ALLOCATIONGRANULARITY
    first = np.frombuffer(x._mmap, dtype=np.uint8).ctypes.data
    offset = start + x.ctypes.data - first
    return Mapped(str(x.filename), offset, x.shape, x.strides, x.dtype)
