"""TT-SVD of functions whose ranks and errors are known in closed form or published."""

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import here, host
from tests.reference import dense, norm, wide

GRID = np.ogrid[:4, :5, :6, :7]


def relative_error(approximation, exact):
    return float(norm(dense(approximation.cores) - wide(exact)) / norm(exact))


@pytest.mark.parametrize(
    ("tol", "ranks", "error"),
    [
        (1e-2, (1, 3, 3, 3, 1), 1.79e-3),
        (1e-4, (1, 4, 5, 4, 1), 5.59e-5),
        (1e-6, (1, 4, 6, 6, 1), 7.21e-8),
        (1e-12, (1, 4, 8, 7, 1), None),
    ],
)
def test_hilbert_tensor(tol, ranks, error):
    """The published ranks share the budget equally; handing on what a bond leaves
    unspent may only lower them."""
    T = 1.0 / (sum(GRID) + 1)
    x, info = tt.TTTensor.from_dense(here(T), tol=tol, return_info=True)
    true = relative_error(x, T)
    assert all(r <= published for r, published in zip(x.ranks, ranks, strict=True))
    assert true <= tol
    assert info.error == pytest.approx(true, rel=1e-6, abs=30 * np.finfo(T.dtype).eps)
    if x.ranks == ranks and error:
        assert true == pytest.approx(error, rel=0.01)


@pytest.mark.parametrize(
    ("T", "ranks"),
    [
        (sum(GRID), (1, 2, 2, 2, 1)),
        (np.sin(sum(GRID)), (1, 2, 2, 2, 1)),
        (np.exp(0.1 * sum(GRID)), (1, 1, 1, 1, 1)),
        ((0.1 * sum(GRID)) ** 3, (1, 4, 4, 4, 1)),
        (np.ones((4, 5, 6, 7)), (1, 1, 1, 1, 1)),
    ],
    ids=["sum", "sine", "exponential", "cubic", "ones"],
)
def test_functions_of_a_sum(T, ranks):
    x = tt.TTTensor.from_dense(here(T), tol=1e-12)
    assert x.ranks == ranks
    assert relative_error(x, T) <= 1e-12


def laplacian(n):
    return 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)


def kronecker_sum():
    eye, L = np.eye(4), laplacian(4)
    parts = [(L, eye, eye), (eye, L, eye), (eye, eye, L)]
    return sum(np.kron(np.kron(a, b), c) for a, b, c in parts)


@pytest.mark.parametrize(
    ("W", "ranks"),
    [
        (np.eye(64), (1, 1, 1, 1)),
        (laplacian(64), (1, 3, 3, 1)),
        (kronecker_sum(), (1, 2, 2, 1)),
        (np.eye(64, k=1), (1, 2, 2, 1)),
        (np.ones((64, 64)), (1, 1, 1, 1)),
    ],
    ids=["identity", "tridiagonal", "kronecker-sum", "shift", "ones"],
)
def test_matrices(W, ranks):
    A = tt.TTMatrix.from_dense(here(W), (4, 4, 4), (4, 4, 4), tol=1e-12)
    assert A.ranks == ranks
    assert relative_error(A, W) <= 1e-12


@pytest.mark.parametrize(("tol", "rank"), [(0.1, 2), (0.01, 3), (1e-4, 5)])
def test_cauchy_matrix(tol, rank):
    i, j = np.ogrid[:625, :1024]
    W = 1.0 / (1 + i + j)
    A = tt.TTMatrix.from_dense(here(W), (5, 5, 5, 5), (4, 8, 8, 4), tol=tol)
    assert A.order == 4
    assert max(A.ranks) <= rank
    assert relative_error(A, W) <= tol


def test_matrix_rank_is_not_train_rank():
    """TT1 of the paper works where MR1 fails: rank 1 in digits is full as a matrix."""
    A = here(tt.identity((2, 3, 4)))
    assert A.max_rank == 1
    assert np.linalg.matrix_rank(host(A.to_dense())) == 24
    outer = here(np.outer(np.arange(1.0, 9), np.cos(np.arange(8.0)) ** 3))
    assert tt.TTMatrix.from_dense(outer, (2, 2, 2), (2, 2, 2), tol=1e-10).max_rank > 1


def test_first_digit_is_the_slowest():
    left, right = np.arange(6.0).reshape(2, 3), np.arange(20.0).reshape(4, 5)
    A = tt.TTMatrix(here([left[None, :, :, None], right[None, :, :, None]]))
    assert np.array_equal(host(A.to_dense()), np.kron(left, right))
