"""Arrays and a header become one file.

The file is an ``.npz``: ``numpy.load`` reads it, with ``allow_pickle=False``. It has
any size, members beyond 4 GiB among them. NaN and infinity are bits like others.
"""

import hashlib
import os
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ttalgebra.arrays.errors import FormatError
from ttalgebra.arrays.namespace import is_array, to_numpy
from ttalgebra.arrays.typing import Array
from ttalgebra.storage import layout
from ttalgebra.storage.atomic import as_path, replace
from ttalgebra.storage.header import ITEMSIZES, NAME, Entry, compose, is_name
from ttalgebra.storage.layout import Member


def write(
    path: str | os.PathLike[str], arrays: Mapping[str, Array], header: Mapping[str, Any]
) -> None:
    """Write ``arrays`` and ``header`` (plain JSON) to ``path``, atomically.

    Data are stored in C order, little-endian; the same values give the same bytes.
    Raises OSError where the file cannot be written, TypeError for arrays of other
    dtypes than the format has; in either case the old file is unchanged.
    """
    hosted = {name: _on_host(name, x) for name, x in arrays.items()}
    entries = tuple(_entry(name, x) for name, x in hosted.items())
    replace(as_path(path), _pieces(hosted, entries, header))


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


def _entry(name: str, x: np.ndarray) -> Entry:
    descr = x.dtype.newbyteorder("<").str
    if descr not in ITEMSIZES:
        known = ", ".join(np.dtype(known).name for known in ITEMSIZES)
        raise TypeError(f"{name} has dtype {x.dtype}; convert it to one of {known}")
    return Entry(name, descr, x.shape)


def _pieces(
    arrays: Mapping[str, np.ndarray],
    entries: tuple[Entry, ...],
    header: Mapping[str, Any],
) -> Iterator[bytes | memoryview]:
    """The file from its first byte to its last; the data are read twice."""
    members, digest = _checksums(arrays, entries, compose(header, entries))
    first, start = _header_member(compose(header, entries, digest))
    yield layout.local_header(first) + start
    for entry, member in zip(entries, members, strict=True):
        yield layout.local_header(member) + layout.npy_header(entry.descr, entry.shape)
        yield _data(arrays[entry.name], entry.descr)
    yield layout.directory([first, *members])


def _checksums(
    arrays: Mapping[str, np.ndarray], entries: tuple[Entry, ...], header: bytes
) -> tuple[list[Member], str]:
    digest = hashlib.sha256(header)
    members = []
    for entry in entries:
        data = _data(arrays[entry.name], entry.descr)
        digest.update(data)
        members.append(_member(entry, data))
    return members, digest.hexdigest()


def _data(x: np.ndarray, descr: str) -> memoryview:
    """The bytes of ``x``, without a copy where they already lie as stored."""
    flat = np.ascontiguousarray(x, dtype=descr).reshape(-1)
    return flat.view(np.uint8).data


def _member(entry: Entry, data: memoryview) -> Member:
    before = layout.npy_header(entry.descr, entry.shape)
    crc = zlib.crc32(data, zlib.crc32(before))
    return Member(entry.name, len(before) + len(data), crc)


def _header_member(raw: bytes) -> tuple[Member, bytes]:
    """The header as an array of bytes, which ``numpy.load`` can read."""
    content = layout.npy_header("|u1", (len(raw),)) + raw
    return Member(NAME, len(content), zlib.crc32(content)), content
