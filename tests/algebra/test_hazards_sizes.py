"""Hazards 41, 43, 45, 46, 50: sizes beyond int64, 64 modes, modes of one and none."""

import tracemalloc

import numpy as np
import pytest

import ttalgebra as tt
from tests import made
from tests.backends import here, host


def test_sizes_are_python_ints():
    for n, d in ((2, 63), (2, 64), (3, 41), (10, 400)):
        x = made.ones((n,) * d)
        A = made.ones((n,) * d, (n,) * d)
        assert x.size == n**d
        assert A.shape == (n**d, n**d)
        assert type(x.size) is type(A.shape[0]) is int
        assert x[(n - 1,) * d] == 1.0
        assert A[n**d - 1, -1] == 1.0
        assert host(x.entries([n**d - 1, -(n**d)])).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("d", [65, 200])
def test_more_modes_than_letters_and_axes(d):
    """NumPy ends at 64 axes, einsum at 52 letters."""
    narrow = (2, *(1,) * (d - 2), 3)
    A = made.random_matrix(narrow, narrow[::-1], 3, rng=0)
    X = here(np.ones((4, 6)))
    W = A.to_dense()
    assert np.allclose(*host((A.apply(X), X @ W.T)), atol=1e-12)
    assert np.allclose(*host(((A @ A.T).to_dense(), W @ W.T)), atol=1e-10)
    assert A.partial_trace(tuple(range(1, d - 1))).order == 2
    x = made.random_tensor((2,) * d, 3, rng=0)
    assert (x * x).sum() == pytest.approx(x.norm() ** 2, rel=1e-10)
    y, pullback = A.vjp(X)
    assert len(pullback(y)[0]) == d
    rest = x[(slice(None), *(0,) * (d - 1))]
    assert rest.modes == (2,)
    assert x.round(tol=1e-3).order == d


@pytest.mark.parametrize("modes", [(1,), (1, 1, 1), (1, 3, 1), (2, 1)])
def test_modes_of_one_keep_their_place(modes, rng):
    x = made.random_tensor(modes, 2, rng=rng)
    A = made.random_matrix(modes, (1,) * len(modes), 2, rng=rng)
    assert x.to_dense().shape == modes
    assert A.to_dense().shape == A.shape == (x.size, 1)
    assert (A @ here(np.ones(1))).shape == (x.size,)
    assert (A @ here(np.ones((1, 1)))).shape == (x.size, 1)
    assert (x * x).modes == x.round().modes == x.permute_modes(range(len(modes))).modes
    assert x[(slice(0, 1),) * len(modes)].modes == (1,) * len(modes)
    assert A[0, :].modes == (1,) * len(modes)
    assert A[:, 0].modes == modes


def test_no_modes_of_zero_but_empty_batches(rng):
    for modes in ((0,), (2, 0)):
        with pytest.raises(tt.errors.ShapeError):
            tt.ones(modes)
        with pytest.raises(tt.errors.ShapeError):
            tt.TTTensor.from_dense(here(np.zeros(modes)))
    A = made.random_matrix((2, 3), (3, 2), 2, rng=rng)
    none = here(np.zeros((0, 6)))
    assert A.apply(none).shape == (0, 6)
    assert (A @ none.T).shape == (6, 0)
    y, pullback = A.vjp(none)
    dcores, dX = pullback(y)
    assert dX.shape == (0, 6)
    assert not any(core.any() for core in host(dcores))
    x = made.ones((2, 3))
    with pytest.raises(tt.errors.ShapeError):
        x[:, 3:]


@pytest.mark.host("tracemalloc sees what NumPy allocates, nobody else")
def test_wide_unfoldings_need_no_square_factor():
    """A full ``V`` of 4 x 250,000 would take 500 GB."""
    W = np.outer(np.arange(1.0, 5), np.ones(250_000)).reshape(4, 500, 500)
    tt.TTTensor.from_dense(W[:, :5, :5])
    tracemalloc.start()
    x = tt.TTTensor.from_dense(W, tol=1e-10)
    _, top = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert x.ranks == (1, 1, 1, 1)
    assert top <= 6 * W.nbytes
