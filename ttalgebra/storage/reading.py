"""A file becomes arrays and a header again, or a FormatError.

A file is read as what it must be: the only one that `write` makes of what it holds.
The header says all names and shapes; from them every other byte follows, or is data
under the digest. So nothing is parsed but the header, every byte is compared, and
damage, whatever it hits, cannot pass for a value.
"""

import hashlib
import os
import zlib
from io import BufferedReader
from typing import Any

import numpy as np

from ttalgebra.arrays.errors import FormatError
from ttalgebra.storage import layout, safetensors
from ttalgebra.storage.header import (
    MAX_BYTES,
    NAME,
    Entry,
    Header,
    compose,
    damaged,
    parse,
)
from ttalgebra.storage.layout import Member
from ttalgebra.storage.opening import opened, require_size, take

_CHUNK = 2**20  # stays in cache between the reading and the checksums
_NOT_OURS = "not a ttalgebra file, or damaged"
_HEADER_START = len(layout.npy_header("|u1", (MAX_BYTES,)))


def read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and the header that `write` put into the file at ``path``.

    Raises FormatError where the file is damaged, forged or none of ours, OSError
    where it cannot be read (FileNotFoundError where there is none), TooLargeError
    where memory does not suffice. Allocates no more than the size of the file.
    What it is, an npz or a safetensors, its content says, not its name; one that
    others wrote in the latter format has the header ``{"kind": "safetensors"}``.
    """
    with opened(path) as file:
        if safetensors.is_one(file):
            return safetensors.read(file)
        first, header = _read_header(file)
        return _read_arrays(file, first, header), header.own


def read_header(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The header alone, for whoever must know what a file is before reading it all.

    Raises as `read` does; damage to the data is not seen, only to their size.
    """
    with opened(path) as file:
        if safetensors.is_one(file):
            return safetensors.read_header(file)
        return _read_header(file)[1].own


def _read_arrays(
    file: BufferedReader, first: Member, header: Header
) -> dict[str, np.ndarray]:
    digest = hashlib.sha256(compose(header.own, header.entries))
    arrays, members = {}, [first]
    for entry in header.entries:
        arrays[entry.name], member = _read_array(file, entry, digest)
        members.append(member)
    if digest.hexdigest() != header.digest:
        raise damaged("the data do not have the digest that was saved with them")
    _expect(file, layout.directory(members), "the directory at the end")
    return arrays


def _read_header(file: BufferedReader) -> tuple[Member, Header]:
    """The first member and what it says; its size is believed up to a bound."""
    start = take(file, layout.local_header_size(NAME))
    size = layout.promised_size(start)
    length = size - _HEADER_START
    if not start.startswith(b"PK\x03\x04") or not 0 < length <= MAX_BYTES:
        raise FormatError(f"{_NOT_OURS} at its start; restore it from a copy")
    content = take(file, size)
    member = Member(NAME, size, zlib.crc32(content))
    before = layout.npy_header("|u1", (length,))
    if start != layout.local_header(member) or not content.startswith(before):
        raise FormatError(f"{_NOT_OURS} in its header; restore it from a copy")
    header = parse(content[len(before) :])
    _require_sum(file, member, header.entries)
    return member, header


def _require_sum(
    file: BufferedReader, first: Member, entries: tuple[Entry, ...]
) -> None:
    sizes = [layout.local_header_size(NAME) + first.size]
    for entry in entries:
        around = layout.local_header_size(entry.name)
        around += len(layout.npy_header(entry.descr, entry.shape))
        sizes.append(around + entry.nbytes)
    names = (NAME, *(entry.name for entry in entries))
    require_size(file, sum(sizes) + layout.directory_size(names))


def _read_array(
    file: BufferedReader, entry: Entry, digest: "hashlib._Hash"
) -> tuple[np.ndarray, Member]:
    start = take(file, layout.local_header_size(entry.name))
    before = layout.npy_header(entry.descr, entry.shape)
    _expect(file, before, f"the start of {entry.name}")
    array = np.empty(entry.shape, entry.descr)
    crc = _fill(file, array, digest, zlib.crc32(before))
    member = Member(entry.name, len(before) + entry.nbytes, crc)
    if start != layout.local_header(member):
        raise damaged(f"{entry.name} does not have its checksum")
    return array, member


def _fill(
    file: BufferedReader, array: np.ndarray, digest: "hashlib._Hash", crc: int
) -> int:
    """Read into ``array``, feed the digest, and carry the CRC-32 on."""
    data = array.reshape(-1).view(np.uint8).data
    for start in range(0, len(data), _CHUNK):
        chunk = data[start : start + _CHUNK]
        if file.readinto(chunk) != len(chunk):
            raise damaged("it ends within its data")
        digest.update(chunk)
        crc = zlib.crc32(chunk, crc)
    return crc


def _expect(file: BufferedReader, content: bytes, what: str) -> None:
    if take(file, len(content)) != content:
        raise damaged(f"{what} is not as it was written")
