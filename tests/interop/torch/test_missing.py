"""Where PyTorch is missing, the package says what to install."""

import importlib
import sys

import pytest


def test_the_error_says_what_to_install(monkeypatch):
    for name in [
        name for name in sys.modules if name.startswith("ttalgebra.interop.t")
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    wanted = r"^Needs PyTorch \(pip install 'ttalgebra\[torch\]'\)\.$"
    with pytest.raises(ImportError, match=wanted):
        importlib.import_module("ttalgebra.interop.torch")
