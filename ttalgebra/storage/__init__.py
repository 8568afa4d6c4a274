"""``{name: array}`` and a header, in one file: atomic, checked, never pickled."""

from ttalgebra.storage.reading import read, read_header
from ttalgebra.storage.writing import write

__all__ = ["read", "read_header", "write"]
