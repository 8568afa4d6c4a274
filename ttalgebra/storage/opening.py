"""A file open to be read: a regular one, named in whatever is wrong with it."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader

from ttalgebra.arrays.errors import FormatError, TooLargeError
from ttalgebra.storage.atomic import as_path
from ttalgebra.storage.header import damaged


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[BufferedReader]:
    """The file, and its path in front of the errors that reading it raises."""
    path = as_path(path)
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise FormatError(f"{path}: not a regular file; give the path of a saved one")
    try:
        with open(path, "rb") as file:
            yield file
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error
    except MemoryError as error:
        size = os.stat(path).st_size
        message = f"{path}: memory does not suffice for its {size} bytes"
        raise TooLargeError(f"{message}; use a machine with more") from error


def take(file: BufferedReader, count: int) -> bytes:
    """The next ``count`` bytes; FormatError where the file ends before."""
    taken = file.read(count)
    if len(taken) != count:
        raise damaged(f"it ends {count - len(taken)} bytes too early")
    return taken


def require_size(file: BufferedReader, expected: int) -> None:
    """Raise FormatError unless the file has the size that follows from its header."""
    found = os.fstat(file.fileno()).st_size
    if found != expected:
        raise damaged(f"it has {found} bytes and its header says {expected}")
