"""The new checkpoint: cores where they pay, copies of all that stays, one table.

Cores wait in an unnamed file beside the output until their number is known, as the
table stands before the data; copies go from file to file, a MiB at a time.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from typing import IO, Any, NamedTuple

import numpy as np

from ttalgebra.arrays.errors import TooLargeError
from ttalgebra.cli.compress.tensors import METADATA, SIZES, Tensor, chunks
from ttalgebra.storage.header import damaged
from ttalgebra.storage.stored import data_of
from ttalgebra.storage.table import MAX_BYTES, record_of
from ttalgebra.trains.matrix import TTMatrix

KEY = "ttalgebra.compressed"  # in the metadata: the modes and shapes, as JSON
_DTYPES = {"float64": "F64", "float32": "F32", "complex64": "C64"}
_CHUNK = 2**20


class Entry(NamedTuple):
    """A tensor of the new file: a copy of ``tensor``, or bytes that wait."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int
    tensor: Tensor | None = None
    start: int = 0


class Written:
    """What goes into the file at ``path``, gathered entry by entry."""

    def __init__(self, path: str):
        folder = os.path.dirname(path) or os.curdir
        self.waiting: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self.entries: list[Entry] = []
        self.matrices: dict[str, Any] = {}

    def __enter__(self) -> "Written":
        return self

    def __exit__(self, *_: object) -> None:
        self.waiting.close()

    def copy(self, tensor: Tensor) -> None:
        """``tensor`` as it is, byte for byte."""
        line = tensor.name, tensor.dtype, tensor.shape, tensor.nbytes
        self.entries.append(Entry(*line, tensor))

    def add(self, tensor: Tensor, A: TTMatrix, error: float) -> None:
        """``NAME.cores.0`` to ``NAME.cores.{d-1}`` in the place of ``tensor``."""
        for k, core in enumerate(A.cores):
            line = f"{tensor.name}.cores.{k}", _DTYPES[str(core.dtype)], core.shape
            data = data_of(np.asarray(core), core.dtype.newbyteorder("<").str)
            start = self.waiting.tell()
            self.waiting.write(data)
            self.entries.append(Entry(*line, len(data), None, start))
        self.matrices[tensor.name] = {
            "shape": tensor.shape,
            "dtype": tensor.dtype,
            "row_modes": A.row_modes,
            "col_modes": A.col_modes,
            "ranks": A.ranks,
            "error": error,
        }

    def pieces(self, metadata: Mapping[str, str]) -> Iterator[bytes]:
        """The file from its first byte to its last."""
        width = {entry.name: SIZES.get(entry.dtype, 1) for entry in self.entries}
        entries = sorted(self.entries, key=lambda entry: -width[entry.name])
        yield _table(entries, self._described(metadata))
        for entry in entries:
            if entry.tensor is not None:
                yield from chunks(entry.tensor)
            else:
                self.waiting.seek(entry.start)
                for done in range(0, entry.nbytes, _CHUNK):
                    yield self.waiting.read(min(_CHUNK, entry.nbytes - done))

    def _described(self, metadata: Mapping[str, str]) -> dict[str, str]:
        """The old metadata, and the modes of what was compressed, now or before."""
        before = record_of(metadata[KEY], KEY) if KEY in metadata else {}
        matrices = before.get("matrices", {})
        if not isinstance(matrices, dict):
            raise damaged(f"{KEY} in its metadata names no matrices")
        record = {"version": 1, "matrices": {**matrices, **self.matrices}}
        return {**metadata, KEY: _compact(record)}


def _table(entries: list[Entry], metadata: Mapping[str, str]) -> bytes:
    """The length and the table; wide numbers come first, so that all are aligned."""
    record: dict[str, Any] = {METADATA: dict(metadata)}
    start = 0
    for entry in entries:
        line = {"dtype": entry.dtype, "shape": entry.shape}
        end = start + entry.nbytes
        record[entry.name] = line | {"data_offsets": [start, end]}
        start = end
    raw = _compact(record).encode("ascii")
    raw += b" " * (-len(raw) % 8)
    if len(raw) > MAX_BYTES:
        message = f"the table takes {len(raw)} bytes > limit {MAX_BYTES}"
        raise TooLargeError(f"{message}; compress the checkpoint in parts")
    return len(raw).to_bytes(8, "little") + raw


def _compact(record: object) -> str:
    return json.dumps(record, allow_nan=False, separators=(",", ":"))
