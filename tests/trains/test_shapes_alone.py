"""Shapes without values: on PyTorch's device meta, at fixed ranks."""

import numpy as np
import pytest

import ttalgebra as tt

torch = pytest.importorskip("torch", reason="PyTorch is not installed: meta is its own")
pytestmark = pytest.mark.host("its subject is one device of PyTorch")
ROWS, COLS = (2, 3, 2), (3, 2, 2)
OPERATIONS = {
    "add": lambda A, X: A + A,
    "compose": lambda A, X: A @ A.T,
    "hadamard": lambda A, X: A.hadamard(A),
    "kron": lambda A, X: tt.kron(A, A.H),
    "apply": lambda A, X: A.apply(X),
    "matmul": lambda A, X: A @ X.T,
    "dense": lambda A, X: A.to_dense(),
    "pullback": lambda A, X: A.vjp(X)[1](A.apply(X))[1],
    "cores' gradients": lambda A, X: tt.TTMatrix(A.core_gradients(X, A.apply(X))),
    "round": lambda A, X: A.round(max_rank=2),
    "from_dense": lambda A, X: tt.TTMatrix.from_dense(X.T @ X, ROWS, COLS, max_rank=2),
    "tensor": lambda A, X: tt.TTTensor.from_dense(X, max_rank=2),
}


def shapes(found):
    if hasattr(found, "cores"):
        return [tuple(core.shape) for core in found.cores]
    return tuple(found.shape)


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("work", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_shapes_are_those_of_real_arrays(work, dtype):
    A = tt.random_matrix(ROWS, COLS, 4, rng=0, dtype=dtype)
    X = np.random.default_rng(0).standard_normal((5, 12)).astype(dtype)
    there = torch.empty(5, 12, dtype=getattr(torch, dtype), device="meta")
    found = work(A.to("torch", "meta"), there)
    first = found.cores[0] if hasattr(found, "cores") else found
    assert first.device.type == "meta"
    assert str(first.dtype) == f"torch.{dtype}"
    assert shapes(found) == shapes(work(A, X))


def test_ranks_that_depend_on_values_are_refused():
    A = tt.random_matrix(ROWS, COLS, 4, rng=0).to("torch", "meta")
    for work in (lambda: A.round(tol=0.1), A.round, lambda: A.round(0.1, max_rank=2)):
        with pytest.raises(TypeError, match="give max_rank for each bond and no tol"):
            work()


def test_cores_that_require_gradients_stay_differentiable():
    """``backward`` through `apply` meets the cores that were given."""
    A = tt.random_matrix(ROWS, COLS, 2, rng=0)
    cores = [torch.tensor(core, requires_grad=True) for core in A.cores]
    X, dy = np.ones((5, 12)), np.arange(60.0).reshape(5, 12)
    y = tt.TTMatrix(cores).apply(torch.tensor(X))
    y.backward(torch.tensor(dy))
    for core, wanted in zip(cores, A.core_gradients(X, dy), strict=True):
        assert np.allclose(core.grad.numpy(), wanted, rtol=1e-12)
