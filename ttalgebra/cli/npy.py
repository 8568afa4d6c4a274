"""A dense matrix from a ``.npy`` file, mapped into memory, never unpickled."""

import os
import stat
import warnings

import numpy as np

from ttalgebra.arrays.errors import FormatError, ShapeError
from ttalgebra.storage.atomic import as_path

_MAGIC = b"\x93NUMPY"


def open_matrix(path: str) -> np.ndarray:
    """The matrix in the ``.npy`` file at ``path``, read-only, read as it is used.

    Raises FormatError where the file is damaged or another thing, ShapeError where
    it has other than two axes, OSError where it cannot be read.
    """
    if not stat.S_ISREG(os.stat(as_path(path)).st_mode):
        raise FormatError(f"{path}: not a regular file; give a .npy file")
    with open(path, "rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            message = f"{path}: not a .npy file"
            raise FormatError(f"{message}; save one matrix with numpy.save")
    x = _mapped(path)
    if x.ndim != 2:
        message = f"{path}: its array has shape {x.shape}, two axes are needed"
        raise ShapeError(f"{message}; reshape it to a matrix first")
    return np.asarray(x)


def _mapped(path: str) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            loaded: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
            return loaded
    except OSError:
        raise
    except Exception as error:  # forged headers raise anything, even SyntaxError
        message = f"{path}: not a whole .npy file of numbers ({error})"
        raise FormatError(f"{message}; save it again with numpy.save") from error
