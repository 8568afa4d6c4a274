"""``{name: array}`` and a header, in one file: atomic, checked, never pickled.

The file is an npz, or where its name ends in ``.safetensors`` one of that format.
"""

from ttalgebra.storage.reading import read, read_header
from ttalgebra.storage.table import FOREIGN
from ttalgebra.storage.writing import SUFFIX, write

__all__ = ["FOREIGN", "SUFFIX", "read", "read_header", "write"]
