"""On small (Gaussian) integers every exact law is an equality."""

import numpy as np
import pytest

import ttalgebra as tt
from tests import made
from tests.backends import dtype_of, here, host
from tests.reference import dense, exact
from tests.trains.families import gaussian_cores

MODES = ((2, 3), (1, 2), (3, 1), (2, 2), (1, 1), (2, 1))


@pytest.fixture(params=[False, True], ids=["integers", "Gaussian"])
def draw(request, rng):
    """``draw(n_modes, ranks)``: chains of exact numbers with the same modes."""

    def train(n_modes, bonds, modes=MODES):
        sizes = [pair[:n_modes] for pair in modes[: len(bonds) - 1]]
        cores = gaussian_cores(rng, sizes, bonds, request.param)
        return (tt.TTTensor if n_modes == 1 else tt.TTMatrix)(here(cores))

    return train


def truth(A):
    return dense(A.cores, exact)


def equal(found, expected):
    return np.array_equal(*host((found, expected)))


BONDS = [(1, 1), (1, 2, 1), (1, 3, 2, 1), (1, 2, 9, 3, 1), (1, 2, 3, 1, 3, 2, 1)]


@pytest.mark.parametrize("bonds", BONDS, ids=str)
@pytest.mark.parametrize("n_modes", [1, 2], ids=["tensor", "matrix"])
def test_linear_laws(n_modes, bonds, draw):
    S, T, U = (draw(n_modes, bonds) for _ in range(3))
    s, t, u = map(truth, (S, T, U))
    for found, expected in (
        (S, s),
        (S + T, s + t),
        (S - T, s - t),
        ((S + T) + U, s + (t + u)),
        (-S, -s),
        (3 * S, 3 * s),
        (S * -2, s * -2),
        ((2 + 1j) * S, (2 + 1j) * s),
        ((4 * S) / 4, s),
        (S.conj(), np.conjugate(s)),
        (2 * S - 3 * T + U, 2 * s - 3 * t + u),
    ):
        assert equal(found.to_dense(), expected)
    assert not host((S - S).to_dense()).any()


@pytest.mark.parametrize("bonds", BONDS, ids=str)
def test_dot_conjugates_the_first(bonds, draw):
    for n_modes in (1, 2):
        S, T = draw(n_modes, bonds), draw(n_modes, bonds)
        s, t = truth(S), truth(T)
        assert tt.dot(S, T) == (np.conjugate(s) * t).sum()
        assert tt.dot(S, T) == np.conjugate(tt.dot(T, S))
        assert tt.dot(S, S) == abs(tt.dot(S, S))
        assert tt.dot(2j * S, T) == -2j * tt.dot(S, T)


@pytest.mark.parametrize("bonds", BONDS, ids=str)
def test_matrix_laws(bonds, draw, rng):
    A = draw(2, bonds)
    B = draw(2, bonds, [(n, m) for m, n in MODES])
    x = draw(1, bonds, [(n,) for _, n in MODES])
    a, b = truth(A), truth(B)
    flat = truth(x).reshape(-1)
    assert equal((A @ B).to_dense(), a @ b)
    assert equal((A @ x).to_dense(), (a @ flat).reshape(A.row_modes))
    assert equal(A.T.to_dense(), a.T)
    assert equal(A.H.to_dense(), np.conjugate(a.T))
    assert equal((A @ B).H.to_dense(), (B.H @ A.H).to_dense())
    X = here(rng.integers(-3, 4, (A.shape[1], 4)).astype(float))
    v = X[:, 0]
    assert equal(A @ X, a @ exact(X))
    assert equal(A @ v, a @ exact(v))
    assert equal(A.apply(X.T), (a @ exact(X)).T)
    assert equal((A @ B) @ (A @ v), A @ (B @ (A @ v)))
    y = here(rng.integers(-3, 4, A.shape[0]).astype(float))
    assert equal(A.rmatvec(y), np.conjugate(a.T) @ exact(y))
    assert equal(A.rmatmat(y[:, None]), np.conjugate(a.T) @ exact(y[:, None]))
    assert equal(A.__rmatmul__(y), exact(y) @ a)
    assert np.vdot(*host((y, A @ v))) == np.vdot(*host((A.H @ y, v)))


def test_transpose_is_not_adjoint(rng):
    A = tt.TTMatrix(here(gaussian_cores(rng, MODES[:3], (1, 2, 2, 1), True)))
    assert not equal(A.T.to_dense(), A.H.to_dense())
    assert equal(A.T.conj().to_dense(), A.H.to_dense())


def test_complex_dtype_with_zero_imaginary_part_stays_complex():
    A = made.identity((2,), dtype=complex)
    for B in (A, A.T, A.H, A + A, A.round(), A @ A, A.conj(), 2 * A):
        assert dtype_of(B) == np.complex128
    assert dtype_of(A @ here(np.ones(2))) == np.complex128
    assert type(tt.dot(A, A)) is complex


def test_subtraction_of_a_multiple_in_another_gauge(rng):
    """``lambda x - H x`` where H x is lambda x in other cores: exactly zero."""
    cores = gaussian_cores(rng, [(2,), (3,), (2,)], (1, 2, 2, 1), False)
    x, eye = tt.TTTensor(here(cores)), made.identity((2, 3, 2))
    assert not host((2 * x - (eye + eye) @ x).to_dense()).any()


def test_one_core_sums():
    """d = 1: the sum is the sum, not the second summand."""
    x = tt.TTTensor(here([np.array([1.0, 2.0]).reshape(1, 2, 1)]))
    y = made.ones((2,))
    assert equal((x + x).to_dense(), [2.0, 4.0])
    assert equal((x - y).to_dense(), [0.0, 1.0])
    assert (x + y).ranks == (1, 1)
