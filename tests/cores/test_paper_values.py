"""The numerical check values of papers/01-tensornet.md, computed there without us."""

import math

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import here, host

ROWS, COLS, RANKS = (5, 5, 5, 5), (4, 8, 8, 4), (1, 2, 2, 2, 1)


def cosine_core(k, shape):
    return np.cos(0.7 * np.arange(math.prod(shape)) + k).reshape(shape)


@pytest.fixture
def A():
    shapes = zip(RANKS, ROWS, COLS, RANKS[1:], strict=False)
    return tt.TTMatrix(here([cosine_core(k, shape) for k, shape in enumerate(shapes)]))


@pytest.fixture
def X():
    x = np.sin(np.arange(1024) + 1.0)
    return here(np.stack([x, x[::-1]]))


def test_shape_and_parameters(A):
    assert A.n_parameters == 400
    assert A.shape == (625, 1024)
    assert A.compression == 625 * 1024 / 400


def test_norm(A):
    assert A.norm() == pytest.approx(965.99477599597, rel=1e-12)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((0, 0), 0.817784817401621),
        ((3, 7), -0.18612191355807528),
        ((624, 1023), 0.07771511260047684),
    ],
)
def test_entries(A, place, value):
    assert host(A.to_dense())[place] == pytest.approx(value, rel=1e-12)


def test_products(A, X):
    y = host(A.apply(X))
    expected = [6.378960738129794, -5.581932248205606, 4.139881798586505]
    assert y[0, :3] == pytest.approx(expected, rel=1e-12)
    assert y[0].sum() == pytest.approx(2.632932894368894, rel=1e-11)
    assert np.sqrt((y**2).sum()) == pytest.approx(202.37323031905837, rel=1e-12)


def test_gradients(A, X):
    y, pullback = A.vjp(X)
    dcores, dX = host(pullback(y))
    sums = (
        -524.5847036878295,
        11228.212366579468,
        -367.9203808334779,
        -3348.124710798568,
    )
    norms = 9553.733891963737, 32157.15085211577, 39549.75954575311, 11580.198515695189
    assert [dG.sum() for dG in dcores] == pytest.approx(sums, rel=1e-11)
    assert [np.sqrt((dG**2).sum()) for dG in dcores] == pytest.approx(norms, rel=1e-12)
    assert np.sqrt((dX**2).sum()) == pytest.approx(76455.901018399, rel=1e-12)


@pytest.mark.parametrize(
    ("modes", "ranks", "batch"),
    [
        (((4, 4),) * 4 + ((3, 3),), (1, 4, 6, 10, 5, 1), 1),
        (((4, 3), (11, 6), (7, 4), (13, 5)), (1, 5, 9, 5, 1), 3),
        (((5, 3), (6, 8), (10, 9), (6, 5)), (1, 3, 6, 4, 1), 3),
    ],
    ids=["matlab-square", "matlab-rectangular", "tensorflow"],
)
def test_gradients_of_the_reference_shapes(modes, ranks, batch, rng):
    """Linear in each core, so a central difference with step 1 is exact."""
    cores = [
        rng.standard_normal((r, *m, s))
        for r, m, s in zip(ranks, modes, ranks[1:], strict=False)
    ]
    A = tt.TTMatrix(here(cores))
    X = here(rng.standard_normal((batch, A.shape[1])))
    dy = rng.standard_normal((batch, A.shape[0]))
    dcores = host(A.core_gradients(X, here(dy)))
    assert [dG.shape for dG in dcores] == [core.shape for core in cores]
    for k, dG in enumerate(dcores):
        step = rng.standard_normal(dG.shape)
        ends = [[*cores[:k], cores[k] + h * step, *cores[k + 1 :]] for h in (1, -1)]
        ends = [host(tt.TTMatrix(here(end)).apply(X)) for end in ends]
        difference = (ends[0] * dy - ends[1] * dy).sum() / 2
        scale = abs(dG * step).sum()
        assert difference == pytest.approx((dG * step).sum(), abs=1e-12 * scale)


def test_rounding_to_a_bound_clips_to_the_feasible():
    x = here(tt.random_tensor((2, 1, 4, 3, 3), [15] * 4, rng=0))
    assert x.ranks == (1, 15, 15, 15, 15, 1)
    assert x.round(max_rank=9).ranks == (1, 2, 2, 8, 3, 1)


def test_orthogonalizing_clips_to_the_feasible():
    x = here(tt.random_tensor((2, 4, 3, 3), (5, 2, 17), rng=0))
    assert x.orthogonalize(3).ranks == (1, 2, 2, 6, 1)


@pytest.mark.host("random trains are made in NumPy")
def test_largest_ranks():
    A = tt.random_matrix((4, 6, 8, 3), (5, 2, 7, 4), ranks=10**6, rng=0)
    assert A.ranks == (1, 20, 240, 12, 1)


def test_ranks_of_a_sum_add_up(A):
    B = here(tt.random_matrix(ROWS, COLS, 3, rng=0))
    assert (A + B).ranks == (1, 5, 5, 5, 1)


def test_ranks_of_a_product_multiply(A):
    B = here(tt.random_matrix(COLS, (2, 3, 2, 3), (3, 4, 5), rng=0))
    assert (A @ B).ranks == (1, 6, 8, 10, 1)


def test_twice_itself_rounds_back(A):
    twice = (A + A).round(tol=1e-12)
    assert twice.ranks == A.ranks
    assert (twice - 2 * A).norm() <= 1e-12 * twice.norm()
