"""Benchmarks are run by hand; that they find what they import is seen here."""

import ast
import importlib
import importlib.util
import runpy
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
FILES = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_name_that_is_imported_exists(path):
    source = path.read_text()
    compile(source, path, "exec")
    used = sorted(set(_used(ast.parse(source))))
    assert used, "a benchmark of something else"
    for module, name in used:
        assert hasattr(_imported(module), name), f"{module}.{name}"


def _used(tree):
    """``(module, name)`` for ``from module import name`` and for ``tt.name``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and _own(node.module):
            yield from ((node.module, name.name) for name in node.names)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "tt":
            yield "ttalgebra", node.attr


def _own(module):
    return (module or "").split(".")[0] == "ttalgebra"


def _imported(module):
    """The module; a neighbour may be absent, a module of ours may not."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        absent = error.__cause__ if str(error).startswith("Needs ") else error
        if not isinstance(absent, ModuleNotFoundError) or _own(absent.name):
            raise
        pytest.skip(f"a neighbour that is not installed: {absent.name}")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("copying --iterations 0", "--iterations: must be at least 1, got 0"),
        ("copying --length 0", "--length: must be at least 1, got 0"),
        ("copying --tests 0", "--tests: must be at least 1, got 0"),
        ("copying --every 0", "--every: must be at least 1, got 0"),
        ("copying --hidden 0", "--hidden: must be at least 1, got 0"),
        ("adding --length 1", "--length must be at least 2"),
        ("copying --seed -1", "--seed must be at least 0, got -1"),
    ],
)
def test_unitary_rnn_says_which_argument_is_wrong(line, says, monkeypatch, capsys):
    path = str(FOLDER / "unitary_rnn.py")
    monkeypatch.setattr(sys, "argv", [path, *line.split()])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(path)["arguments"]()
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err


FAMILIES = [path for path in FILES if "def growth(" in path.read_text()]


@pytest.mark.parametrize("path", FAMILIES, ids=lambda path: path.stem)
def test_every_family_grows(path, monkeypatch):
    """Each series has a title, a unit, and four sizes or more, growing."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # no peers
    monkeypatch.syspath_prepend(str(FOLDER))
    found = {}
    for work in runpy.run_path(str(path))["growth"](True):
        found.setdefault((work.series, work.unit), []).append(work.size)
        assert (work.best, work.limit) == (None, None)
    assert all(series and unit for series, unit in found)
    assert len(found) >= 2
    for sizes in found.values():
        assert len(sizes) >= 4
        assert sizes == sorted(set(sizes))


def test_the_families_are_those_of_the_table():
    names = {"reductions", "rounding", "sums_and_products", "tt_layer", "tt_svd"}
    assert {path.stem for path in FAMILIES} == names
