"""Where JAX is missing, the file says what to install."""

import importlib
import sys

import pytest


def test_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    monkeypatch.delitem(sys.modules, "ttalgebra.interop.jax", raising=False)
    wanted = r"^Needs JAX \(pip install 'ttalgebra\[jax\]'\)\.$"
    with pytest.raises(ImportError, match=wanted):
        importlib.import_module("ttalgebra.interop.jax")
