"""Where scikit-learn is missing, the room says what to install."""

import importlib
import sys

import pytest

ROOM = "ttalgebra.interop.sklearn"


def test_the_error_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.startswith(ROOM)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    wanted = r"^Needs scikit-learn \(pip install 'ttalgebra\[sklearn\]'\)\.$"
    with pytest.raises(ImportError, match=wanted):
        importlib.import_module(ROOM)
