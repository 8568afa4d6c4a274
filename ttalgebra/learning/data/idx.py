"""IDX files, the format of MNIST: a magic number, the sizes, the bytes.

Source: LeCun, Cortes & Burges, the MNIST page. A file is read only as far as its
header says that it reaches, so a forged one cannot fill the memory.
"""

import gzip
import zlib
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ttalgebra.arrays.errors import FormatError

MOST_BYTES = 2**30
SIDE = 28
CLASSES = 10


def read_images(path: Path) -> np.ndarray:
    """``(n, 784)`` bytes; FormatError unless the file is whole."""
    images = _read(path, axes=3)
    if images.shape[1:] != (SIDE, SIDE):
        size = " x ".join(map(str, images.shape[1:]))
        raise FormatError(f"{path}: images of {size} pixels, expected {SIDE} x {SIDE}")
    return images.reshape(len(images), SIDE * SIDE)


def read_labels(path: Path) -> np.ndarray:
    """``(n,)`` int64 from 0 to 9; FormatError unless the file is whole."""
    labels = _read(path, axes=1)
    if labels.size and labels.max() >= CLASSES:
        raise FormatError(f"{path}: there is a label {labels.max()}, the largest is 9")
    return labels.astype(np.int64)


def _read(path: Path, axes: int) -> np.ndarray:
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            shape = _shape(file, path, axes)
            data = file.read(prod(shape) + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise FormatError(
            f"{path}: the compressed data are damaged: {error}"
        ) from error
    if len(data) != prod(shape):
        found = "more" if len(data) > prod(shape) else f"{len(data)}"
        message = f"{path}: {prod(shape)} bytes are announced"
        raise FormatError(f"{message} and {found} found; fetch the file again")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _shape(file: Any, path: Path, axes: int) -> tuple[int, ...]:
    header = file.read(4 + 4 * axes)
    magic = bytes((0, 0, 8, axes))  # 8: unsigned bytes
    if len(header) < 4 + 4 * axes or header[:4] != magic:
        message = f"{path}: it begins with {header[:4].hex() or 'nothing'}"
        raise FormatError(f"{message}, an IDX file of {axes} axes with {magic.hex()}")
    shape = tuple(int(n) for n in np.frombuffer(header, ">u4", offset=4))
    if prod(shape) > MOST_BYTES:
        sizes = " x ".join(map(str, shape))
        raise FormatError(f"{path}: {sizes} bytes are more than {MOST_BYTES}")
    return shape
