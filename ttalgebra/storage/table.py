r"""The header of a ``.safetensors`` file: what it holds, where, and what we add.

    {"__metadata__": {"format": "np", "ttalgebra": "{\"version\":1,...}"},
     "cores.0": {"dtype": "F64", "shape": [1, 2, 3], "data_offsets": [0, 48]}, ...}

The format has no complex128; it is kept as F64 with a last axis of 2, and named in
the list ``"complex128"`` of what we add, beside the writer's header and the digest,
which is that of an npz with the same content. A table without our part is read too.

Source: the README of github.com/huggingface/safetensors, section Format.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from ttalgebra.arrays.errors import FormatError, TooLargeError
from ttalgebra.storage.header import (
    ITEMSIZES,
    Entry,
    Header,
    damaged,
    is_addressable,
    is_name,
)

MAX_BYTES = 3 * 2**19  # 15,000 arrays; parsed, hostile JSON takes 35 times as much
MAX_AXES = 64  # of NumPy
FOREIGN: Mapping[str, Any] = {"kind": "safetensors"}  # the header of others' files

_VERSION = 1
_METADATA, _OURS = "__metadata__", "ttalgebra"
_KEYS = ["version", "header", "complex128", "sha256"]
_DTYPES = {
    **{"<f4": "F32", "<f8": "F64", "<c8": "C64", "<c16": "F64"},
    **{"<i8": "I64", "<i4": "I32", "|u1": "U8", "|b1": "BOOL"},
}
_DESCRS = {dtype: descr for descr, dtype in _DTYPES.items() if descr != "<c16"}
_OPENING = f'{{"version":{_VERSION},"header":{{'  # of our part, whatever its name
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Table(NamedTuple):
    """The header of a file, parsed: the arrays, and where the data of each begin."""

    header: Header
    starts: tuple[int, ...]
    is_ours: bool


def starts(entries: Sequence[Entry]) -> tuple[int, ...]:
    """Where the data of each array begin: wide numbers first, so all are aligned."""
    order = sorted(range(len(entries)), key=lambda k: -_width(entries[k]))
    begun = accumulate((entries[k].nbytes for k in order), initial=0)
    by_index = dict(zip(order, begun, strict=False))
    return tuple(by_index[k] for k in range(len(entries)))


def _width(entry: Entry) -> int:
    return min(ITEMSIZES[entry.descr], 8)


def spell(header: Header) -> bytes:
    """The table as bytes, its length before it; the same values give the same bytes.

    Raises FormatError where the format cannot hold an array, TooLargeError above
    `MAX_BYTES`.
    """
    record: dict[str, Any] = {_METADATA: {"format": "np", _OURS: _own_text(header)}}
    for entry, start in zip(header.entries, starts(header.entries), strict=True):
        record[entry.name] = _spelled(entry, start)
    raw = _compact(record).encode("ascii")
    raw += b" " * (-len(raw) % 8)
    if len(raw) > MAX_BYTES:
        message = f"the header takes {len(raw)} bytes > limit {MAX_BYTES}"
        raise TooLargeError(f"{message}; store fewer arrays in one file")
    return len(raw).to_bytes(8, "little") + raw


def _spelled(entry: Entry, start: int) -> dict[str, Any]:
    shape = [*entry.shape, *([2] if entry.descr == "<c16" else [])]
    if entry.name == _METADATA or len(shape) > MAX_AXES:
        what = f"{entry.name} with {len(shape)} axes"
        raise FormatError(f"no safetensors file can hold {what}; save an .npz instead")
    line = {"dtype": _DTYPES[entry.descr], "shape": shape}
    return line | {"data_offsets": [start, start + entry.nbytes]}


def _own_text(header: Header) -> str:
    pairs = [entry.name for entry in header.entries if entry.descr == "<c16"]
    values = (_VERSION, header.own, pairs, header.digest)
    return _compact(dict(zip(_KEYS, values, strict=True)))


def _compact(record: object) -> str:
    return json.dumps(record, allow_nan=False, separators=(",", ":"))


def parse(raw: bytes) -> Table:
    """The table that ``raw``, without its length, spells.

    Raises FormatError for JSON that says a thing twice or not at all, and for offsets
    that leave gaps or overlap; where our part is there, for every byte that `spell`
    would not have written.
    """
    record = record_of(raw, "the header")
    metadata = record.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(
        isinstance(value, str) for value in metadata.values()
    ):
        raise damaged("the metadata are not text by name")
    lines = [_line(name, item) for name, item in record.items()]
    entries = tuple(entry for entry, _ in lines)
    begun = tuple(start for _, start in lines)
    _require_cover(entries, begun)
    if _OURS not in metadata:
        if any(value.startswith(_OPENING) for value in metadata.values()):
            raise damaged("our part of the header stands under another name")
        return Table(Header(dict(FOREIGN), entries, ""), begun, is_ours=False)
    header = _header(record_of(metadata[_OURS], "our part of it"), entries)
    if not _is_canonical(header, raw):
        raise damaged("the header is not spelled as ttalgebra spells it")
    return Table(header, begun, is_ours=True)


def record_of(raw: bytes | str, what: str) -> dict[str, Any]:
    """The JSON object that ``raw`` spells; FormatError where it names a thing twice."""
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8")
        record = json.loads(text, object_pairs_hook=_unique, parse_constant=_refused)
    except (ValueError, RecursionError):
        raise damaged(f"{what} is not JSON that names everything once") from None
    if not isinstance(record, dict):
        raise damaged(f"{what} is not a JSON object")
    return record


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ValueError("a key is there twice")
    return record


def _refused(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def _line(name: str, item: Any) -> tuple[Entry, int]:
    match item:
        case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [start, end]} if (
            len(item) == 3 and is_name(name) and _are_sizes([*shape, start, end])
        ):
            entry = Entry(name, _descr(name, dtype), tuple(shape))
            if is_addressable(entry) and end - start == entry.nbytes:
                return entry, start
    raise damaged(f"{name!r:.80} has no possible name, dtype, shape and offsets")


def _are_sizes(numbers: Iterable[object]) -> bool:
    return all(type(n) is int and n >= 0 for n in numbers)


def _descr(name: str, dtype: str) -> str:
    if dtype in _DESCRS:
        return _DESCRS[dtype]
    known = ", ".join(_DESCRS)
    message = f"{name} has dtype {dtype!r:.20}, which is not read here"
    raise FormatError(f"{message}; convert it to one of {known} before it is saved")


def _require_cover(entries: Sequence[Entry], begun: Sequence[int]) -> None:
    """Raise FormatError unless the data lie end to end, from 0 on."""
    end = 0
    pairs = zip(begun, (entry.nbytes for entry in entries), strict=True)
    for start, size in sorted(pairs):
        if start != end:
            raise damaged("its arrays overlap, or leave gaps between them")
        end += size


def _header(record: dict[str, Any], entries: tuple[Entry, ...]) -> Header:
    """Our part, parsed; the arrays with complex128 put back."""
    version = record.get("version")
    if type(version) is int and version > _VERSION:
        message = f"format version {version!r:.20} is newer than {_VERSION}, known here"
        raise FormatError(f"{message}; update ttalgebra")
    match [record.get(key) for key in _KEYS]:
        case [1, dict(own), [*pairs], str(digest)] if _DIGEST.fullmatch(digest):
            names = {name for name in pairs if isinstance(name, str)}
            whole = tuple(_complex(e) if e.name in names else e for e in entries)
            return Header(own, whole, digest)
    raise damaged("our part of the header has other fields than it should")


def _complex(entry: Entry) -> Entry:
    if entry.descr != "<f8" or entry.shape[-1:] != (2,):
        raise damaged(f"{entry.name} is said to be complex128 and cannot be")
    return Entry(entry.name, "<c16", entry.shape[:-1])


def _is_canonical(header: Header, raw: bytes) -> bool:
    try:
        return spell(header)[8:] == raw
    except (TypeError, ValueError, RecursionError):
        return False
