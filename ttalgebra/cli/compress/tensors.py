"""The tensors of a ``.safetensors`` file of any dtype, read one at a time.

`ttalgebra.storage` reads whole files of dtypes that NumPy has; checkpoints are larger
than memory, and often in bfloat16. Source: the README of
github.com/huggingface/safetensors, section Format.
"""

import os
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ttalgebra.storage.header import damaged
from ttalgebra.storage.opening import opened, require_size, take
from ttalgebra.storage.table import MAX_BYTES, record_of

METADATA = "__metadata__"
SIZES = {
    **{"F64": 8, "I64": 8, "U64": 8, "C64": 8, "F32": 4, "I32": 4, "U32": 4},
    **{"F16": 2, "BF16": 2, "I16": 2, "U16": 2, "I8": 1, "U8": 1, "BOOL": 1},
    **{"F8_E4M3": 1, "F8_E5M2": 1},
}
FLOATS = {"F64": "<f8", "F32": "<f4", "C64": "<c8", "F16": "<f2", "BF16": "<u2"}
_CHUNK = 2**20


class Tensor(NamedTuple):
    """A line of the table: where the data of one tensor lie, and what they are."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    path: str
    start: int
    nbytes: int


class Listing(NamedTuple):
    """What a checkpoint holds: tensors, the text beside them, the files they are in."""

    tensors: tuple[Tensor, ...]
    metadata: Mapping[str, str]
    files: tuple[str, ...]


def listed(path: str) -> Listing:
    """The table of one file, in its order.

    Raises FormatError, the path first, where it is damaged or none of the format, and
    OSError. No data are read. dtypes that are not known here are taken at their word.
    """
    with opened(path) as file:
        length = int.from_bytes(take(file, 8), "little")
        size = os.fstat(file.fileno()).st_size
        if not 0 < length <= min(MAX_BYTES, size - 8):
            bounds = f"the file has {size} bytes, the limit is {MAX_BYTES}"
            raise damaged(f"its header would have {length} bytes, {bounds}")
        record = record_of(take(file, length), "the header")
        metadata = record.pop(METADATA, {})
        if not isinstance(metadata, dict) or not all(
            isinstance(text, str) for text in metadata.values()
        ):
            raise damaged("the metadata are not text by name")
        tensors = tuple(
            _tensor(name, item, path, 8 + length) for name, item in record.items()
        )
        require_size(file, _end(tensors, 8 + length))
    return Listing(tensors, metadata, (path,))


def _tensor(name: str, item: Any, path: str, offset: int) -> Tensor:
    match item:
        case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [start, end]} if (
            len(item) == 3
            and all(type(n) is int and n >= 0 for n in [*shape, start, end])
            and start <= end
            and (dtype not in SIZES or end - start == SIZES[dtype] * prod(shape))
        ):
            place = path, offset + start, end - start
            return Tensor(name, dtype, tuple(shape), *place)
    raise damaged(f"{name!r:.80} has no possible dtype, shape and offsets")


def _end(tensors: tuple[Tensor, ...], start: int) -> int:
    """Where the data end; FormatError unless they lie end to end."""
    end = start
    for tensor in sorted(tensors, key=lambda tensor: (tensor.start, tensor.nbytes)):
        if tensor.start != end:
            raise damaged("its tensors overlap, or leave gaps between them")
        end += tensor.nbytes
    return end


def matrix_of(tensor: Tensor) -> np.ndarray:
    """The numbers of a tensor in `FLOATS`; float16 and bfloat16 as float32, exactly."""
    raw = np.empty(tensor.nbytes, np.uint8)
    with opened(tensor.path) as file:
        file.seek(tensor.start)
        if file.readinto(raw.data) != tensor.nbytes:
            raise damaged(f"it ends within {tensor.name!r:.80}")
    numbers: np.ndarray = raw.view(FLOATS[tensor.dtype]).reshape(tensor.shape)
    if tensor.dtype == "BF16":
        numbers = np.left_shift(numbers, 16, dtype=np.uint32).view(np.float32)
    return numbers.astype(np.float32) if tensor.dtype == "F16" else numbers


def chunks(tensor: Tensor) -> Iterator[bytes]:
    """The bytes of a tensor as they are, a MiB at a time."""
    with opened(tensor.path) as file:
        file.seek(tensor.start)
        for done in range(0, tensor.nbytes, _CHUNK):
            yield take(file, min(_CHUNK, tensor.nbytes - done))
