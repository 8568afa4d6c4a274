"""The file format of Hugging Face, for interchange: ``cores.0``, ``cores.1``, ...

What ttalgebra writes, the package safetensors reads; what it writes, ttalgebra reads.
The package itself is not called: safetensors 0.8.0 stores arrays that are not C
contiguous as other numbers (its issue 825), takes twice the bytes of the file to
write or read it, orders its metadata at random, and lets a name occur twice.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from io import BufferedReader
from typing import Any

import numpy as np

from ttalgebra.arrays.errors import TooLargeError
from ttalgebra.storage import table
from ttalgebra.storage.header import Entry, Header, compose, damaged
from ttalgebra.storage.opening import require_size, take
from ttalgebra.storage.stored import data_of
from ttalgebra.storage.table import Table


def pieces(
    arrays: Mapping[str, np.ndarray],
    entries: tuple[Entry, ...],
    header: Mapping[str, Any],
) -> Iterator[bytes | memoryview]:
    """The file from its first byte to its last; the data are read twice."""
    own = dict(header)
    yield table.spell(Header(own, entries, _digest(arrays, entries, own)))
    for entry in _in_file(entries, table.starts(entries)):
        yield data_of(arrays[entry.name], entry.descr)


def is_one(file: BufferedReader) -> bool:
    """Whether ``file`` begins as this format does; it is left at its beginning."""
    start = file.read(9)
    file.seek(0)
    return start[8:] == b"{"


def read(file: BufferedReader) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays, in the order of the table, and the header.

    Raises FormatError where the file is damaged or forged, by the digest where it
    has ours. Allocates no more than the size of the file.
    """
    listed = _read_table(file)
    entries = listed.header.entries
    in_file = _in_file(entries, listed.starts)
    found = {entry.name: _filled(file, entry) for entry in in_file}
    arrays = {entry.name: found[entry.name] for entry in entries}
    if listed.is_ours and not _is_intact(arrays, listed.header):
        raise damaged("the data do not have the digest that was saved with them")
    return arrays, listed.header.own


def read_header(file: BufferedReader) -> dict[str, Any]:
    """The header alone; ``{"kind": "safetensors"}`` for a file that others wrote."""
    return _read_table(file).header.own


def _is_intact(arrays: Mapping[str, np.ndarray], header: Header) -> bool:
    try:
        return _digest(arrays, header.entries, header.own) == header.digest
    except (TypeError, TooLargeError):  # a header that `compose` cannot have spelled
        return False


def _digest(
    arrays: Mapping[str, np.ndarray], entries: tuple[Entry, ...], own: dict[str, Any]
) -> str:
    """The digest that an npz with the same content has."""
    digest = hashlib.sha256(compose(own, entries))
    for entry in entries:
        digest.update(data_of(arrays[entry.name], entry.descr))
    return digest.hexdigest()


def _in_file(entries: tuple[Entry, ...], starts: tuple[int, ...]) -> list[Entry]:
    """The arrays as their data follow one another; empty ones before full ones."""
    places = zip(starts, (entry.nbytes for entry in entries), entries, strict=True)
    return [entry for _, _, entry in sorted(places, key=lambda place: place[:2])]


def _read_table(file: BufferedReader) -> Table:
    length = int.from_bytes(take(file, 8), "little")
    size = os.fstat(file.fileno()).st_size
    if not 0 < length <= min(table.MAX_BYTES, size - 8):
        bounds = f"the file has {size} bytes, the limit is {table.MAX_BYTES}"
        raise damaged(f"its header would have {length} bytes, {bounds}")
    listed = table.parse(take(file, length))
    require_size(
        file, 8 + length + sum(entry.nbytes for entry in listed.header.entries)
    )
    return listed


def _filled(file: BufferedReader, entry: Entry) -> np.ndarray:
    array = np.empty(entry.shape, entry.descr)
    data = array.reshape(-1).view(np.uint8)
    if file.readinto(data.data) != entry.nbytes:
        raise damaged("it ends within its data")
    if entry.descr == "|b1" and data.max(initial=0) > 1:
        raise damaged(f"{entry.name} has truth values other than 0 and 1")
    return array
