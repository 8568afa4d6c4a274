"""The bytes around the data: what ZIP and ``.npy`` ask for, one way of many.

A file is a function of its names, shapes, dtypes and checksums: members stored one
after the other, no compression, no dates, no comments, always in the 64-bit form of
ZIP so that small and huge files are built alike. Whoever reads builds the same bytes
and compares; nothing else that a ZIP file could say is ever interpreted.

Sources: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3; NumPy NEP 1, version 1.0.
"""

import struct
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

_VERSION = 45  # the first version of ZIP with 64-bit sizes
_DATE = 0x21  # 1 January 1980, where its calendar begins
_MANY, _LARGE = 0xFFFF, 0xFFFFFFFF  # say that the 64-bit field has the number
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_EXTRA = struct.Struct("<2H2Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_CENTRAL_EXTRA = struct.Struct("<2H3Q")
_END_WIDE = struct.Struct("<4sQ2H2L4Q")
_END_LOCATOR = struct.Struct("<4sLQL")
_END = struct.Struct("<4s4H2LH")


class Member(NamedTuple):
    """One ``.npy`` file within the file: its name, bytes and CRC-32."""

    name: str
    size: int
    crc: int


def npy_header(descr: str, shape: Sequence[int]) -> bytes:
    """What stands before the data of an array in C order; a multiple of 64 bytes."""
    order = "'fortran_order': False"
    fields = f"{{'descr': '{descr}', {order}, 'shape': {tuple(shape)}, }}"
    length = -(-(len(fields) + 11) // 64) * 64 - 10
    text = fields.ljust(length - 1) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", length) + text.encode("ascii")


def local_header(member: Member) -> bytes:
    """What stands before a member."""
    name, size = _file_name(member.name), member.size
    extra = _LOCAL_EXTRA.pack(1, 16, size, size)
    lengths = (_LARGE, _LARGE, len(name), len(extra))
    fields = (_VERSION, 0, 0, 0, _DATE, member.crc, *lengths)
    return _LOCAL.pack(b"PK\x03\x04", *fields) + name + extra


def local_header_size(name: str) -> int:
    """The bytes before a member called ``name``."""
    return _LOCAL.size + len(_file_name(name)) + _LOCAL_EXTRA.size


def promised_size(header: bytes) -> int:
    """The size of a member that its local header says, true or not."""
    return int(_LOCAL_EXTRA.unpack(header[-_LOCAL_EXTRA.size :])[-1])


def directory(members: Sequence[Member]) -> bytes:
    """What stands after the last member: the list of all, and where it begins."""
    extents = (local_header_size(member.name) + member.size for member in members)
    *offsets, start = accumulate(extents, initial=0)
    entries = b"".join(map(_central_header, members, offsets))
    return entries + _end(len(members), len(entries), start)


def _central_header(member: Member, offset: int) -> bytes:
    name, size = _file_name(member.name), member.size
    extra = _CENTRAL_EXTRA.pack(1, 24, size, size, offset)
    lengths = (_LARGE, _LARGE, len(name), len(extra))
    fields = (_VERSION, _VERSION, 0, 0, 0, _DATE, member.crc, *lengths)
    where = (0, 0, 0, 0, _LARGE)
    return _CENTRAL.pack(b"PK\x01\x02", *fields, *where) + name + extra


def _end(count: int, size: int, start: int) -> bytes:
    wide = (_END_WIDE.size - 12, _VERSION, _VERSION, 0, 0, count, count, size, start)
    narrow = (0, 0, _MANY, _MANY, _LARGE, _LARGE, 0)
    return (
        _END_WIDE.pack(b"PK\x06\x06", *wide)
        + _END_LOCATOR.pack(b"PK\x06\x07", 0, start + size, 1)
        + _END.pack(b"PK\x05\x06", *narrow)
    )


def directory_size(names: Sequence[str]) -> int:
    """The bytes after the last member of a file whose members have these names."""
    around = _CENTRAL.size + _CENTRAL_EXTRA.size
    entries = sum(around + len(_file_name(name)) for name in names)
    return entries + _END_WIDE.size + _END_LOCATOR.size + _END.size


def _file_name(name: str) -> bytes:
    return f"{name}.npy".encode("ascii")
