"""Files to read, sound and forged."""

import pytest

from tests.storage.forging import ARRAYS, HEADER, pack, spell
from ttalgebra.storage import write


@pytest.fixture
def small(tmp_path):
    """The path of a small file."""
    path = tmp_path / "small.npz"
    write(path, ARRAYS, HEADER)
    return path


@pytest.fixture
def forge(tmp_path):
    """Write what `pack` makes of a record, or of raw bytes, and return its path."""

    def forge_file(raw, arrays=ARRAYS, **how):
        path = tmp_path / "forged.npz"
        path.write_bytes(
            pack(raw if isinstance(raw, bytes) else spell(raw), arrays, **how)
        )
        return path

    return forge_file
