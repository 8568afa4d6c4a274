"""Arrays as every file of ours holds them: on the host, C order, little-endian."""

from collections.abc import Mapping

import numpy as np

from ttalgebra.arrays.errors import FormatError
from ttalgebra.arrays.namespace import is_array, to_numpy
from ttalgebra.arrays.typing import Array
from ttalgebra.storage.header import ITEMSIZES, Entry, is_name


def on_host(arrays: Mapping[str, Array]) -> dict[str, np.ndarray]:
    """``arrays`` in NumPy; TypeError or FormatError for what no file can hold."""
    return {name: _on_host(name, x) for name, x in arrays.items()}


def _on_host(name: object, x: object) -> np.ndarray:
    if not isinstance(name, str):
        raise TypeError(f"array names must be strings, got {type(name).__name__}")
    if not is_name(name):
        message = f"no array in a file can be called {name!r:.80}"
        raise FormatError(f"{message}; use letters, digits, _ and -, with dots between")
    known = is_array(x) or type(x) is np.matrix
    if not known or isinstance(x, np.ma.MaskedArray):
        kind = type(x).__name__
        raise TypeError(f"{name} must be an array, got {kind}; convert it first")
    return np.asarray(to_numpy(x))


def entry_of(name: str, x: np.ndarray) -> Entry:
    """The line of the header for ``x``; TypeError for a dtype that has none."""
    descr = x.dtype.newbyteorder("<").str
    if descr not in ITEMSIZES:
        known = ", ".join(np.dtype(known).name for known in ITEMSIZES)
        raise TypeError(f"{name} has dtype {x.dtype}; convert it to one of {known}")
    return Entry(name, descr, x.shape)


def data_of(x: np.ndarray, descr: str) -> memoryview:
    """The bytes of ``x``, without a copy where they already lie as stored."""
    flat = np.ascontiguousarray(x, dtype=descr).reshape(-1)
    return flat.view(np.uint8).data
