"""Exactly known ranks, norms, eigenvalues: no reference needed but the formula."""

import math
from functools import reduce

import numpy as np
import pytest

import ttalgebra as tt
from tests import made
from tests.backends import here, host


def second_difference(n):
    return 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)


def one_site(matrix):
    return tt.TTMatrix(here([matrix[None, :, :, None]]))


def laplacian(n, d):
    """The naive sum of ``d`` Kronecker products, ranks ``d``."""
    terms = []
    for k in range(d):
        factors = [np.eye(n)] * d
        factors[k] = second_difference(n)
        terms.append(reduce(tt.kron, map(one_site, factors)))
    return reduce(lambda A, B: A + B, terms)


@pytest.mark.parametrize(("n", "d"), [(4, 2), (4, 3), (3, 8), (2, 30), (10, 12)])
def test_laplacian_sum_rounds_to_rank_two(n, d):
    A = laplacian(n, d)
    assert A.max_rank == d
    for tol in (None, 1e-12, 1e-8):
        B = A.round(tol=tol)
        assert B.ranks == (1, *(2,) * (d - 1), 1)
        assert tt.same(A, B, tol=1e-8)
    assert B.trace() == pytest.approx(2 * d * n**d, rel=1e-12)


@pytest.mark.parametrize(("n", "d"), [(5, 3), (3, 4), (2, 6)])
def test_laplacian_eigenpairs(n, d):
    """``sum_k 4 sin^2(pi j_k / 2(n+1))`` with products of sines."""
    A = laplacian(n, d).round(tol=1e-13)
    rng, grid = np.random.default_rng(0), np.arange(1, n + 1)
    for _ in range(5):
        j = rng.integers(1, n + 1, d)
        value = sum(4 * np.sin(np.pi * j / (2 * (n + 1))) ** 2)
        sines = [np.sin(np.pi * k * grid / (n + 1)) for k in j]
        v = tt.TTTensor(here([s.reshape(1, n, 1) for s in sines]))
        residual = A @ v - float(value) * v
        assert residual.norm() <= 1e-12 * v.norm()
        assert v.norm() == pytest.approx(((n + 1) / 2) ** (d / 2), rel=1e-13)
        assert tt.dot(v, A @ v) == pytest.approx(value * v.norm() ** 2, rel=1e-12)


def test_one_dimensional_laplacian_in_digits():
    """Rank 3 in every bond, from 2^3 to 2^12; its norm and trace in closed form."""
    for digits in (3, 6, 9):
        n = 2**digits
        modes = (2,) * digits
        W = here(second_difference(n))
        A = tt.TTMatrix.from_dense(W, modes, modes, tol=1e-12)
        assert A.ranks == (1, *(3,) * (digits - 1), 1)
        assert A.trace() == pytest.approx(2 * n, rel=1e-12)
        assert A.norm() ** 2 == pytest.approx(4 * n + 2 * (n - 1), rel=1e-12)
        row = A.sum(axis=1)
        assert row.norm() == pytest.approx(math.sqrt(2), rel=1e-9)


def test_identity():
    eye = made.identity((2,) * 64)
    assert eye.max_rank == 1
    assert eye.trace() == 2.0**64
    assert eye.norm() == pytest.approx(2.0**32, rel=1e-13)
    assert eye.diagonal().sum() == 2.0**64
    assert (eye + eye).round().ranks == eye.ranks
    assert eye[2**63, 2**63] == 1
    assert eye[2**63, 2**63 - 1] == 0
    rest = host(eye.partial_trace(tuple(range(63))).to_dense())
    assert rest.tolist() == [[2.0**63, 0], [0, 2.0**63]]


def shift(d):
    """Ones below the diagonal of ``2^d`` rows: carry or not, rank 2."""
    up, down = np.zeros((2, 2)), np.zeros((2, 2))
    down[1, 0] = up[0, 1] = 1
    eye = np.eye(2)
    middle = np.zeros((2, 2, 2, 2))
    middle[0, :, :, 0], middle[0, :, :, 1], middle[1, :, :, 1] = eye, down, up
    return tt.TTMatrix(here([middle[:1], *[middle] * (d - 2), middle[..., 1:]]))


@pytest.mark.parametrize("d", [2, 3, 6])
def test_shift_has_rank_two(d):
    S = shift(d)
    assert np.array_equal(host(S.to_dense()), np.eye(2**d, k=-1))
    dense = tt.TTMatrix.from_dense(here(np.eye(2**d, k=-1)), (2,) * d, (2,) * d)
    assert dense.ranks == (1, *(2,) * (d - 1), 1) == S.round().ranks
    assert tt.same(S, dense)
    assert S.trace() == 0
    square = host((S.T @ S).to_dense())
    assert np.array_equal(square, np.diag([1.0] * (2**d - 1) + [0]))


def test_shift_of_a_hundred_digits():
    S, place = shift(100), 3**62
    assert S[place + 1, place] == 1
    assert S[place, place + 1] == 0
    assert S.sum() == 2.0**100 - 1
    unit = S[:, place]
    assert unit.sum() == 1
    assert host(unit.entries([place + 1, place])).tolist() == [1, 0]


GRID = np.arange(1024.0)
FUNCTIONS = {
    "sin": (np.sin(0.1 * GRID), 2),
    "exp": (np.exp(-0.01 * GRID), 1),
    "delta": (np.eye(1024)[333], 1),
    "constant": (np.ones(1024), 1),
    "linear": (GRID, 2),
    **{f"power {p}": ((GRID / 512 - 1) ** p, p + 1) for p in range(1, 5)},
}


@pytest.mark.parametrize(("values", "rank"), FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_functions_in_digits(values, rank):
    x = tt.TTTensor.from_dense(here(values.reshape(32, 32)), tol=1e-11).to_qtt()
    assert x.modes == (2,) * 10
    bound = [min(rank, 2**k, 2 ** (10 - k)) for k in range(11)]
    assert x.round(tol=1e-10).ranks == tuple(bound)
    assert x.sum() == pytest.approx(values.sum(), rel=1e-9, abs=1e-9)
    twice = (x + x).round(tol=1e-10)
    assert twice.ranks == tuple(bound)


def test_distances_have_rank_three():
    i, j = np.ogrid[:1024, :1024]
    A = tt.TTMatrix.from_dense(here(abs(i - j)), (2,) * 10, (2,) * 10, tol=1e-10)
    assert A.ranks == (1, *(3,) * 9, 1)
    assert A.trace() == pytest.approx(0, abs=1e-4)
    assert A.sum() == pytest.approx((1024**3 - 1024) / 3, rel=1e-9)
    assert A[5, 1000] == pytest.approx(995, rel=1e-7)


MANY = 10_000


@pytest.mark.parametrize("d", [3, 1000, MANY])
def test_sum_of_bits(d, xp):
    """``f(i) = i_1 + ... + i_d``: rank 2, mean ``d/2``, norm in closed form."""
    d = d if xp.is_numpy else min(d, 100)
    middle = np.zeros((2, 2, 2))
    middle[0, :, 0] = middle[1, :, 1] = 1
    middle[0, 1, 1] = 1
    scale = 1 / math.sqrt(2)
    cores = [middle[:1], *[middle] * (d - 2), middle[..., 1:]]
    x = tt.TTTensor(here([core * scale for core in cores]))
    assert x.norm() == pytest.approx(math.sqrt(d * (d + 1)) / 2, rel=1e-9)
    if d < MANY:
        assert (x + x).round(tol=1e-13).max_rank == 2
    bits = tt.TTTensor(here(cores))
    assert bits[(1,) * d] == d
    assert bits[(1,) + (0,) * (d - 1)] == 1
    if d < MANY:
        odd = np.arange(d) % 2
        found = host(bits.entries(here(np.stack([odd, 0 * odd]))))
        assert found.tolist() == [d // 2, 0]
    mean = tt.TTTensor(here([core / 2 for core in cores])).sum()
    assert mean == pytest.approx(d / 2, rel=1e-12)


def test_googols():
    ones = made.ones((10,) * 400)
    assert ones.norm() == pytest.approx(1e200, rel=1e-12)
    assert ones.size == 10**400
    assert (ones - ones).norm() <= 1e-10 * 1e200
    assert made.identity((2,) * 64).shape == (2**64, 2**64)


def test_hilbert_and_vandermonde_sums():
    """Geometric series by ``sum``: ``(1 - q^n) / (1 - q)``."""
    for q in (0.5, -0.9, 1j / 2):
        cores = [
            np.array([1, q ** (2**k)]).reshape(1, 2, 1) for k in reversed(range(40))
        ]
        x = tt.TTTensor(here(cores))
        assert x.sum() == pytest.approx(1 / (1 - q), rel=1e-12)
        assert x.to_qtt().max_rank == 1
