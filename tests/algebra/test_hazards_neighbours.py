"""Hazards 33, 40, 55, 72: SciPy, configuration, warnings, seeds."""

import ast
import tomllib
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse.linalg
from hypothesis import settings

import ttalgebra as tt

pytestmark = pytest.mark.host("of SciPy, of the configuration, of the tests themselves")
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_linear_operator_has_its_own_adjoint_and_dtype(dtype, rng):
    A = tt.random_matrix((2, 3), (3, 4), 2, rng=rng, dtype=dtype)
    op, W = scipy.sparse.linalg.aslinearoperator(A), A.to_dense()
    assert op.shape == (6, 12)
    assert op.dtype == A.dtype == W.dtype
    X, Y = np.ones((12, 2), dtype), np.ones((6, 2), dtype)
    close = {"rtol": 1e-4, "atol": 1e-4}
    assert np.allclose(op.matmat(X), W @ X, **close)
    assert np.allclose(op.matvec(X[:, 0]), W @ X[:, 0], **close)
    assert np.allclose(op.matvec(X[:, :1]), W @ X[:, :1], **close)
    assert np.allclose(op.rmatvec(Y[:, 0]), W.conj().T @ Y[:, 0], **close)
    assert np.allclose(op.H @ Y, W.conj().T @ Y, **close)
    assert np.allclose(op.T @ Y, W.T @ Y, **close)
    assert op.matvec(X[:, 0]).dtype == dtype


def test_solvers_of_scipy_agree_with_dense(rng):
    B = tt.random_matrix((3, 4), (3, 4), 2, rng=rng)
    A = B @ B.T + 5 * tt.identity((3, 4))
    W, b = A.to_dense(), rng.standard_normal(12)
    op = scipy.sparse.linalg.aslinearoperator(A)
    for solve in (scipy.sparse.linalg.gmres, scipy.sparse.linalg.cg):
        x, failed = solve(op, b, rtol=1e-12)
        assert not failed
        assert np.allclose(x, np.linalg.solve(W, b), rtol=1e-8, atol=1e-10)
    found = scipy.sparse.linalg.svds(op, 3, return_singular_vectors=False, rng=0)
    wanted = np.linalg.svd(W, compute_uv=False)[:3]
    assert np.allclose(sorted(found), sorted(wanted), rtol=1e-8)


def test_warnings_are_errors_and_the_oldest_numpy_is_said():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["pytest"]["ini_options"]["filterwarnings"] == ["error"]
    assert any(d.startswith("numpy>=") for d in project["project"]["dependencies"])
    assert any(path.is_file() for path in (ROOT / ".ci").rglob("*"))


def test_configuration_is_told():
    config = tt.show_config()
    for key in ("python", "numpy"):
        assert config[key]
    assert "tf32" in str(config).lower() or "TF32" in (tt.show_config.__doc__ or "")


TESTS = sorted((ROOT / "tests").rglob("*.py"))


def test_every_draw_of_the_tests_is_seeded():
    """A seed is an argument; hypothesis is derandomised; failures replay."""
    assert len(TESTS) > 40
    for path in TESTS:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
                "default_rng"
            ):
                assert node.args, f"{path}:{node.lineno}: no seed"
    assert settings.default.derandomize
    assert settings.default.deadline is None
