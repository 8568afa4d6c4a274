"""Handwritten digits: a small set that scikit-learn ships, and MNIST from its files.

Images are float32 rows with pixels in ``[0, 1]``, labels int64.
"""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ttalgebra.arrays.errors import FormatError, ShapeError
from ttalgebra.learning.data.idx import read_images, read_labels

ENVIRONMENT = "TTALGEBRA_DATA"


class Dataset(NamedTuple):
    """Images ``(n, pixels)`` and labels ``(n,)`` to fit, and others to test."""

    x: np.ndarray
    labels: np.ndarray
    x_test: np.ndarray
    labels_test: np.ndarray


def digits() -> Dataset:
    """1,797 images of 8 x 8 pixels: 1,437 to fit and 360 to test.

    Image ``i`` is a test image if ``1111 i mod 1797 < 360``: a golden-section lattice,
    spread evenly over the writers and the classes, the same everywhere for ever.
    Source: Alpaydin & Kaynak, UCI optical recognition of handwritten digits.

    >>> from ttalgebra.learning import digits
    >>> data = digits()
    >>> data.x.shape, data.x_test.shape
    ((1437, 64), (360, 64))
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        message = "digits: scikit-learn, which ships the images, is not installed"
        raise ImportError(f"{message}; pip install 'ttalgebra[demo]'") from error
    images, labels = load_digits(return_X_y=True)
    x, labels = (images / 16).astype(np.float32), labels.astype(np.int64)
    test = 1111 * np.arange(labels.size) % labels.size < 360
    return Dataset(x[~test], labels[~test], x[test], labels[test])


def mnist(folder: str | os.PathLike[str] | None = None) -> Dataset:
    """60,000 images of 28 x 28 pixels to fit and 10,000 to test.

    Parameters
    ----------
    folder
        Holds the four official IDX files, plain or ``.gz``, or a folder ``mnist``
        that does. By default, what the variable TTALGEBRA_DATA names.

    Notes
    -----
    Raises FileNotFoundError, naming the file, and FormatError where one is damaged.
    Source: LeCun et al. (1998).
    """
    folder = Path(_folder() if folder is None else folder)
    parts = []
    for part in ("train", "t10k"):
        images = read_images(_found(folder, f"{part}-images-idx3-ubyte"))
        labels = read_labels(_found(folder, f"{part}-labels-idx1-ubyte"))
        if len(images) != len(labels):
            message = f"{folder}: {part} has {len(images)} images"
            raise FormatError(f"mnist: {message} and {len(labels)} labels")
        parts += [images.astype(np.float32) / np.float32(255), labels]
    return Dataset(*parts)


def padded(images: np.ndarray, size: int) -> np.ndarray:
    """Square images ``(n, k * k)`` in a frame of zeros, ``(n, size * size)``.

    >>> import numpy as np
    >>> from ttalgebra.learning import padded
    >>> padded(np.ones((1, 4)), 4).reshape(4, 4).sum(axis=0)
    array([0., 2., 2., 0.])
    """
    n, pixels = images.shape
    side = round(pixels**0.5)
    if side * side != pixels or size < side:
        message = f"padded: {pixels} pixels in a frame of {size} x {size}"
        raise ShapeError(f"{message}; square images no larger than it are needed")
    before = (size - side) // 2
    frame = np.zeros((n, size, size), images.dtype)
    inner = slice(before, before + side)
    frame[:, inner, inner] = images.reshape(n, side, side)
    return frame.reshape(n, size * size)


def _folder() -> str:
    if not (folder := os.environ.get(ENVIRONMENT)):
        message = "mnist: no folder was given and TTALGEBRA_DATA is not set"
        raise FileNotFoundError(f"{message}; one of them must say where the files are")
    return folder


def _found(folder: Path, name: str) -> Path:
    for place in (folder, folder / "mnist"):
        for file in (place / name, place / f"{name}.gz"):
            if file.is_file():
                return file
    message = f"mnist: neither {name} nor {name}.gz is in {folder}"
    raise FileNotFoundError(f"{message}; give the folder, or set {ENVIRONMENT}")
