"""The header of a file: what it holds, as JSON that can be written in one way only.

    {"format": "ttalgebra", "version": 1, "header": {...},
     "arrays": [[name, dtype, shape], ...], "sha256": "..."}

The digest covers this text with an empty digest, then the data of every array in
the order of the list. Each number is checked before anything is allocated by it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

from ttalgebra.arrays.errors import FormatError, TooLargeError

NAME = "header.json"
MAX_BYTES = 2**20  # some 25,000 arrays; parsed, hostile JSON takes 40 times as much
ITEMSIZES = {
    **{"<f4": 4, "<f8": 8, "<c8": 8, "<c16": 16},
    **{"<i8": 8, "<i4": 4, "|u1": 1, "|b1": 1},
}

_FORMAT, _VERSION = "ttalgebra", 1
_KEYS = ["format", "version", "header", "arrays", "sha256"]
_ARRAY_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Entry(NamedTuple):
    """An array in the list: its dtype as ``.npy`` spells it, its shape."""

    name: str
    descr: str
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """The bytes of the data, an exact Python int."""
        return ITEMSIZES[self.descr] * prod(self.shape)


class Header(NamedTuple):
    """The header of a file, parsed; ``own`` is what the writer gave."""

    own: dict[str, Any]
    entries: tuple[Entry, ...]
    digest: str


def damaged(what: str) -> FormatError:
    """The error for a file that is ours and not as it was written."""
    return FormatError(f"damaged: {what}; restore the file from a copy")


def compose(
    own: Mapping[str, Any], entries: Sequence[Entry], digest: str = ""
) -> bytes:
    """The header as bytes; the same values give the same bytes.

    Raises TypeError where ``own`` is not plain JSON, TooLargeError above `MAX_BYTES`.
    """
    arrays = [[entry.name, entry.descr, list(entry.shape)] for entry in entries]
    values = (_FORMAT, _VERSION, dict(own), arrays, digest)
    record = dict(zip(_KEYS, values, strict=True))
    try:
        text = json.dumps(record, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        message = f"the header is not plain JSON ({error}); use dicts, lists, strings"
        raise TypeError(f"{message} and finite numbers") from error
    if len(text) > MAX_BYTES:
        message = f"the header takes {len(text)} bytes > limit {MAX_BYTES}"
        raise TooLargeError(f"{message}; store fewer arrays in one file")
    return text.encode("ascii")


def parse(raw: bytes) -> Header:
    """The header that ``raw`` spells; FormatError unless `compose` writes ``raw``."""
    record = _record(raw)
    if not isinstance(record, dict) or record.get("format") != _FORMAT:
        raise FormatError("not a ttalgebra file; give one that ttalgebra wrote")
    version = record.get("version")
    if type(version) is int and version > _VERSION:
        message = f"format version {version!r:.20} is newer than {_VERSION}, known here"
        raise FormatError(f"{message}; update ttalgebra")
    if list(record) != _KEYS or version != _VERSION:
        raise damaged("the header has other fields than it should")
    own, arrays, digest = record["header"], record["arrays"], record["sha256"]
    kinds = type(own), type(arrays), type(digest)
    if kinds != (dict, list, str):
        raise damaged("the header has fields of the wrong kind")
    header = Header(own, _entries(arrays), digest)
    if not _DIGEST.fullmatch(digest) or not _is_canonical(header, raw):
        raise damaged("the header is not spelled as ttalgebra spells it")
    return header


def _record(raw: bytes) -> object:
    try:
        return json.loads(raw.decode("ascii"))
    except (ValueError, RecursionError):
        raise damaged("the header is not JSON") from None


def _is_canonical(header: Header, raw: bytes) -> bool:
    try:
        return compose(*header) == raw
    except (TypeError, TooLargeError):
        return False


def _entries(items: list[object]) -> tuple[Entry, ...]:
    entries = tuple(_entry(item, k) for k, item in enumerate(items))
    if len({entry.name for entry in entries}) < len(entries):
        raise damaged("two arrays have the same name")
    return entries


def _entry(item: object, k: int) -> Entry:
    match item:
        case [str(name), str(descr), [*shape]] if descr in ITEMSIZES and is_name(name):
            sizes = tuple(n for n in shape if type(n) is int and n >= 0)
            entry = Entry(name, descr, sizes)
            if len(sizes) == len(shape) and is_addressable(entry):
                return entry
    raise damaged(f"entry {k} of its list has no possible name, dtype and shape")


def is_addressable(entry: Entry) -> bool:
    """Whether NumPy can hold the shape; it multiplies all sizes other than zero."""
    elements = prod(max(n, 1) for n in entry.shape)
    return len(entry.shape) <= 64 and ITEMSIZES[entry.descr] * elements < 2**63


def is_name(name: str) -> bool:
    """Whether ``name`` can name an array: words of ``A-Za-z0-9_-`` with dots."""
    return len(name) <= 255 and name != NAME and bool(_ARRAY_NAME.fullmatch(name))
