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

from ttalgebra.arrays.typing import Array
from ttalgebra.storage import layout, safetensors
from ttalgebra.storage.atomic import as_path, replace
from ttalgebra.storage.header import NAME, Entry, compose
from ttalgebra.storage.layout import Member
from ttalgebra.storage.stored import data_of, entry_of, on_host

SUFFIX = ".safetensors"


def write(
    path: str | os.PathLike[str], arrays: Mapping[str, Array], header: Mapping[str, Any]
) -> None:
    """Write ``arrays`` and ``header`` (plain JSON) to ``path``, atomically.

    A path that ends in ``.safetensors`` makes a file of that format.

    Data are stored in C order, little-endian; the same values give the same bytes.
    Raises OSError where the file cannot be written, TypeError for arrays of other
    dtypes than the format has; in either case the old file is unchanged.
    """
    path = as_path(path)
    hosted = on_host(arrays)
    entries = tuple(entry_of(name, x) for name, x in hosted.items())
    pieces = safetensors.pieces if path.lower().endswith(SUFFIX) else _pieces
    replace(path, pieces(hosted, entries, header))


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
        yield data_of(arrays[entry.name], entry.descr)
    yield layout.directory([first, *members])


def _checksums(
    arrays: Mapping[str, np.ndarray], entries: tuple[Entry, ...], header: bytes
) -> tuple[list[Member], str]:
    digest = hashlib.sha256(header)
    members = []
    for entry in entries:
        data = data_of(arrays[entry.name], entry.descr)
        digest.update(data)
        members.append(_member(entry, data))
    return members, digest.hexdigest()


def _member(entry: Entry, data: memoryview) -> Member:
    before = layout.npy_header(entry.descr, entry.shape)
    crc = zlib.crc32(data, zlib.crc32(before))
    return Member(entry.name, len(before) + len(data), crc)


def _header_member(raw: bytes) -> tuple[Member, bytes]:
    """The header as an array of bytes, which ``numpy.load`` can read."""
    content = layout.npy_header("|u1", (len(raw),)) + raw
    return Member(NAME, len(content), zlib.crc32(content)), content
