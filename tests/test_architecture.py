"""What the design claims about the code itself: floors, sizes, names, import cost."""

import ast
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import ttalgebra
from ttalgebra.cores import gradients, products

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "ttalgebra").rglob("*.py"))
OPTIONAL = ("scipy", "matplotlib", "sklearn", "tqdm", "torch", "jax", "hypothesis")
OPTIONAL += ("opt_einsum", "mpmath", "array_api_strict", "cupy", "argparse")
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(ttalgebra.__path__, "ttalgebra.")
    if not name.endswith("__main__")
]
file_param = pytest.mark.parametrize(
    "path", FILES, ids=lambda path: str(path.relative_to(ROOT))
)


def python(program, **environment):
    """A fresh interpreter, whose output is JSON."""
    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
    return json.loads(child.stdout)


def test_floors():
    """import-linter's contracts of pyproject.toml."""
    lint = Path(sys.executable).with_name("lint-imports")
    if not lint.exists():
        pytest.skip("import-linter is not installed beside this Python")
    child = subprocess.run(
        [lint, "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.returncode == 0, child.stdout + child.stderr
    assert "0 broken" in child.stdout


@file_param
def test_files_are_short(path):
    assert len(path.read_text().splitlines()) <= 300


def lines_of_code(function):
    """Lines on which something stands, without the docstring and comments."""
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    lines = set()
    for statement in body:
        for node in ast.walk(statement):
            if hasattr(node, "lineno"):
                lines |= {node.lineno, node.end_lineno}
    return len(lines)


@file_param
def test_functions_are_short(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert lines_of_code(node) <= 30, f"{node.name} is too long"


def test_folders_are_small():
    folders = {path.parent for path in FILES}
    assert len(folders) >= 5
    for folder in folders - {ROOT / "ttalgebra"}:
        own = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(own) <= 9, folder


@file_param
def test_nothing_forbidden_is_called(path):
    """np.linalg.norm is 0 at 1e-200 and inf at 1e200; np.prod wraps at 2^63."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            assert not (node.attr == "norm" and owner.endswith("linalg")), path
            assert not (node.attr == "prod" and owner in ("np", "numpy", "xp")), path
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("numpy"):
            assert not {"norm", "prod"} & {alias.name for alias in node.names}
        assert not isinstance(node, ast.Assert), f"{path}:{node.lineno}: assert"
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"{path}:{node.lineno}: bare except"
        if isinstance(node, ast.ImportFrom):
            assert "*" not in {alias.name for alias in node.names}


@file_param
def test_no_file_is_called_utils(path):
    assert path.stem not in {"utils", "helpers", "misc", "common", "base2"}
    assert path.read_text().strip(), "an empty file says nothing"


@pytest.mark.parametrize("name", ["ttalgebra", *MODULES])
def test_every_module_has_a_docstring_and_true_names(name):
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        if not str(error).startswith("Needs "):
            raise
        pytest.skip(str(error))
    assert (module.__doc__ or "").strip()
    names = getattr(module, "__all__", ())
    assert len(set(names)) == len(names)
    for public in names:
        assert hasattr(module, public), f"{name}.__all__ names {public}"
    assert len(set(getattr(module, "__all__", ()))) == len(
        getattr(module, "__all__", ())
    )


def functions_of(module):
    return {
        name
        for name, value in vars(module).items()
        if callable(value)
        and not name.startswith("_")
        and getattr(value, "__module__", None) == module.__name__
    }


def test_every_gradient_mirrors_a_product():
    assert functions_of(gradients)
    assert functions_of(gradients) <= functions_of(products)


def test_public_names():
    wanted = {"TTMatrix", "TTTensor", "dot", "errors", "identity", "load", "ones"}
    wanted |= {"random_matrix", "random_tensor", "zeros"}
    assert wanted <= set(ttalgebra.__all__) <= set(dir(ttalgebra))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = ttalgebra.no_such_name


def test_version_is_that_of_the_project():
    text = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{ttalgebra.__version__}"' in text


def test_no_optional_package_is_imported():
    program = "import sys, json, ttalgebra; print(json.dumps(sorted(sys.modules)))"
    loaded = {name.partition(".")[0] for name in python(program)}
    assert "numpy" in loaded
    assert loaded.isdisjoint(OPTIONAL), loaded & set(OPTIONAL)


def test_core_algebra_needs_no_scipy():
    program = """
import sys, json, numpy as np, ttalgebra as tt
A = tt.random_matrix((2, 3), (3, 2), 3, rng=0)
A.round(tol=0.1), A.norm(), A @ np.ones(6), A @ A.T
A.core_gradients(np.ones(6), np.ones(6))
print(json.dumps(sorted(sys.modules)))
"""
    loaded = {name.partition(".")[0] for name in python(program)}
    assert loaded.isdisjoint({"scipy", "matplotlib", "sklearn", "hypothesis"})


def test_import_is_cheap():
    """At most 0.10 s of CPU time more than NumPy, the best of several tries.

    Or 0.8 of what NumPy takes at that moment: on a machine that has other work, as
    under pytest-xdist, both take longer.
    """
    program = """
import json, time
start = time.process_time()
import numpy
middle = time.process_time()
import ttalgebra
print(json.dumps([middle - start, time.process_time() - middle]))
"""
    tries = []
    for _ in range(12):
        numpys, ours = python(program)
        if ours <= max(0.10, 0.8 * numpys):
            return
        tries.append(f"{ours:.3f} beside {numpys:.3f}")
    pytest.fail(f"import ttalgebra costs, in seconds beside numpy: {tries}")
