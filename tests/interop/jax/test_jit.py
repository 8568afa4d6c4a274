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


@pytest.mark.parametrize("name", OPERATIONS)
def test_constants_have_no_values_either(name, given):
    """A train that the function closes over, beside an argument that is traced."""
    own = Given(given.A.to("jax"), *map(jax.numpy.asarray, given[1:]))
    found = jax.jit(lambda X: OPERATIONS[name](own._replace(X=X)))(own.X)
    wanted = OPERATIONS[name](given)
    for mine, theirs in zip(
        jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True
    ):
        assert mine.shape == np.shape(theirs)


def test_one_core_that_is_traced_is_enough(given):
    """The others have values, and their sizes are not asked for."""
    A = given.A.to("jax")

    def size(core):
        B = tt.TTMatrix([*A.cores[:-1], core])
        return jax.numpy.sum((B @ B.T).apply(jax.numpy.asarray(given.X)))

    assert jax.grad(size)(A.cores[-1]).shape == A.cores[-1].shape


def test_orthogonalizing_is_traced(given):
    found = jax.jit(lambda A: A.orthogonalize(1))(given.A.to("jax"))
    assert np.allclose(np.asarray(found.to_dense()), given.A.to_dense(), rtol=1e-12)


@pytest.mark.parametrize(
    "verified",
    [
        lambda A: A.round(max_rank=1, method="random"),
        lambda A: A.matmat(A.T, max_rank=2, method="zipup"),
        lambda A: A.matmat(A.T, max_rank=2, method="fit"),
        lambda A: tt.linear_combination([2.0, -1.0], [A, A], max_rank=2),
    ],
    ids=["random", "zipup", "fit", "linear_combination"],
)
def test_what_is_verified_needs_numbers_and_says_so(verified, given):
    with pytest.raises(TypeError, match=r"looks at numbers, and inside jax.jit"):
        jax.jit(verified)(given.A.to("jax"))
