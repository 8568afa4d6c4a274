"""A forger who knows the format as well as we do: every checksum is right."""

import hashlib
import json
import time
import tracemalloc
import zlib

import numpy as np
import pytest

from ttalgebra.arrays.errors import FormatError
from ttalgebra.storage import layout, read
from ttalgebra.storage.layout import Member

ARRAYS = {
    "cores.0": np.arange(6.0).reshape(1, 2, 3, 1),
    "mask": np.array([True, False, True]),
}
HEADER = {"kind": "sample", "rate": 0.1, "names": ["a", "ü"], "none": None}


def spell(record):
    """JSON as `write` spells it."""
    return json.dumps(record, separators=(",", ":")).encode("ascii")


def record_of(arrays, /, **changes):
    """The header that `write` composes, with ``changes`` and the right digest."""
    listed = [[name, x.dtype.str, list(x.shape)] for name, x in arrays.items()]
    record = {"format": "ttalgebra", "version": 1, "header": {}, "arrays": listed}
    record |= {"sha256": ""} | changes
    if record["sha256"] == "":
        digest = hashlib.sha256(spell(record))
        for x in arrays.values():
            digest.update(x.tobytes())
        record["sha256"] = digest.hexdigest()
    return record


def pack(raw, arrays, *, gap=b"", listed=None):
    """A file with the header ``raw`` and these arrays; every checksum is right."""
    contents = {"header.json": layout.npy_header("|u1", (len(raw),)) + raw}
    for name, x in arrays.items():
        contents[name] = layout.npy_header(x.dtype.str, x.shape) + x.tobytes()
    members = [Member(name, len(c), zlib.crc32(c)) for name, c in contents.items()]
    pairs = zip(members, contents.values(), strict=True)
    body = gap.join(layout.local_header(m) + content for m, content in pairs)
    return body + layout.directory(members if listed is None else listed(members))


def peak_and_seconds(action):
    """Of memory, and of this process: what others do on the machine does not count."""
    tracemalloc.start()
    start = time.process_time()
    try:
        action()
        return tracemalloc.get_traced_memory()[1], time.process_time() - start
    finally:
        tracemalloc.stop()


def assert_refused(path, match=None):
    with pytest.raises(FormatError, match=match):
        read(path)
