"""Benchmarks are run by hand; that they find what they import is seen here."""

import ast
import importlib
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[1] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_name_that_is_imported_exists(path):
    tree = ast.parse(path.read_text())
    own = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("ttalgebra")
    ]
    assert own or "import ttalgebra" in path.read_text()
    for node in own:
        try:
            module = importlib.import_module(node.module)
        except ImportError as error:
            pytest.skip(f"a neighbour that is not installed: {error}")
        for name in node.names:
            assert hasattr(module, name.name), f"{node.module}.{name.name}"
