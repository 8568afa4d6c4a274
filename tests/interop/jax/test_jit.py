"""Whole computations under ``jax.jit``: fixed ranks, no tolerance, so no decision."""

from typing import Any, NamedTuple

import numpy as np
import pytest

import ttalgebra as tt

jax = pytest.importorskip("jax", reason="JAX is not installed: jit is its own")
pytest.importorskip("ttalgebra.interop.jax")
cases_of = pytest.importorskip("tests.interop.jax.cases")
pytestmark = pytest.mark.usefixtures("x64")
MODES = (2, 3, 2), (3, 2, 2)


class Given(NamedTuple):
    """Operands, which JAX takes apart by itself."""

    A: Any
    X: Any
    W: Any


OPERATIONS = {
    "transpose": lambda at: at.A.T,
    "kron": lambda at: tt.kron(at.A, at.A),
    "apply": lambda at: at.A.apply(at.X),
    "matmul": lambda at: at.A @ at.X.T,
    "vjp": lambda at: at.A.vjp(at.X)[1](at.A.apply(at.X)),
    "dense": lambda at: at.A.to_dense(),
    "round": lambda at: at.A.round(max_rank=2),
    "matrix": lambda at: tt.TTMatrix.from_dense(at.W, *MODES, max_rank=2),
    "tensor": lambda at: tt.TTTensor.from_dense(at.W, max_rank=3),
    "scale": lambda at: -2 * at.A,
    "add": lambda at: at.A + at.A,
    "compose": lambda at: at.A @ at.A.T,
    "hadamard": lambda at: at.A.hadamard(at.A),
}


@pytest.fixture
def given(rng):
    """In NumPy; ``jax.jit`` moves what it is given."""
    A = tt.random_matrix(*MODES, 4, rng=rng)
    return Given(A, *rng.standard_normal((2, 12, 12)))


@pytest.mark.parametrize("name", OPERATIONS)
def test_it_is_what_numpy_computes(name, given):
    operation = OPERATIONS[name]
    found = jax.tree.map(np.asarray, jax.jit(operation)(given))
    expected = operation(given)
    if hasattr(expected, "to_dense"):  # of cores, only the product is determined
        assert type(found) is type(expected)
        assert found.ranks == expected.ranks
        found, expected = found.to_dense(), expected.to_dense()
    assert cases_of.apart(found, expected) <= 1e-12


def test_ranks_that_values_decide_are_refused(given):
    for options in ({}, {"tol": 0.1}, {"tol": 0.1, "max_rank": 2}):
        with pytest.raises(TypeError, match="give max_rank for each bond and no tol"):
            jax.jit(lambda A: A.round(**options))(given.A)  # noqa: B023
