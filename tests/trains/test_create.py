"""identity, zeros, ones and random trains: values, ranks, variance, seeds."""

import math

import numpy as np
import pytest

import ttalgebra as tt

pytestmark = pytest.mark.host("trains from nothing are made in NumPy")
DTYPES = ("f4", "f8", "c8", "c16")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("modes", [(1,), (4,), (2, 3), (2, 1, 3, 2)], ids=str)
def test_identity(modes, dtype):
    eye = tt.identity(modes, dtype=dtype)
    assert eye.max_rank == 1
    assert eye.dtype == dtype
    assert np.array_equal(eye.to_dense(), np.eye(math.prod(modes)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_zeros_and_ones(dtype):
    for make, value in ((tt.zeros, 0), (tt.ones, 1)):
        x, A = make((2, 3), dtype=dtype), make((2, 3), (3, 1), dtype=dtype)
        assert (type(x), type(A)) == (tt.TTTensor, tt.TTMatrix)
        assert np.array_equal(x.to_dense(), np.full((2, 3), value))
        assert np.array_equal(A.to_dense(), np.full((6, 3), value))
        assert x.dtype == A.dtype == dtype
        assert x.ranks == A.ranks == (1, 1, 1)


@pytest.mark.parametrize("modes", [[2, 3], (2, 3), np.array([2, 3]), range(2, 4)])
def test_modes_may_be_any_sequence_of_ints(modes):
    assert tt.ones(modes).modes == (2, 3)
    assert all(type(n) is int for n in tt.ones(modes).modes)
    assert tt.random_matrix(modes, modes, 2, rng=0).shape == (6, 6)


def test_one_rank_is_cut_to_the_feasible():
    assert tt.random_tensor((2, 3, 4), 100, rng=0).ranks == (1, 2, 4, 1)
    assert tt.random_tensor((2, 3, 4), 3, rng=0).ranks == (1, 2, 3, 1)
    assert tt.random_matrix((2, 3), (2, 2), 10**30, rng=0).ranks == (1, 4, 1)
    assert tt.random_tensor((5,), 3, rng=0).ranks == (1, 1)


@pytest.mark.parametrize("ranks", [(9, 11), [9, 11], (1, 9, 11, 1)])
def test_ranks_of_each_bond_are_taken_as_given(ranks):
    assert tt.random_tensor((2, 3, 4), ranks, rng=0).ranks == (1, 9, 11, 1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rank", [1, 3, 6])
def test_entries_have_variance_one(dtype, rank):
    squares = [
        np.mean(
            np.abs(tt.random_tensor((4,) * 4, rank, rng=seed, dtype=dtype).to_dense())
            ** 2
        )
        for seed in range(200)
    ]
    assert np.mean(squares) == pytest.approx(1, rel=0.25)
    entries = np.stack(
        [
            tt.random_matrix((2, 2), (2, 2), rank, rng=s, dtype=dtype).to_dense()
            for s in range(500)
        ]
    )
    assert np.mean(np.abs(entries) ** 2) == pytest.approx(1, rel=0.15)
    assert abs(np.mean(entries)) < 0.1


def test_complex_draws_are_circular():
    values = np.stack(
        [tt.random_tensor((4, 4), 2, rng=s, dtype="c16").to_dense() for s in range(500)]
    )
    assert abs(np.mean(values**2)) < 0.1
    assert np.mean(values.real**2) == pytest.approx(np.mean(values.imag**2), rel=0.1)


def test_seeds_repeat_and_generators_go_on():
    def draw(rng):
        return tt.random_matrix((2, 3), (3, 2), 3, rng=rng).to_dense()

    assert np.array_equal(draw(5), draw(5))
    assert np.array_equal(draw(np.int64(5)), draw(5))
    assert not np.array_equal(draw(5), draw(6))
    assert np.array_equal(draw(np.random.default_rng(5)), draw(5))
    generator = np.random.default_rng(5)
    assert not np.array_equal(draw(generator), draw(generator))
    assert not np.array_equal(draw(None), draw(None))


@pytest.mark.parametrize("dtype", DTYPES)
def test_shape_facts(dtype):
    A = tt.random_matrix((2, 3, 2), (3, 1, 4), (2, 5), rng=0, dtype=dtype)
    assert A.shape == (12, 12)
    assert (A.row_modes, A.col_modes) == ((2, 3, 2), (3, 1, 4))
    assert (A.ranks, A.max_rank, A.order, len(A)) == ((1, 2, 5, 1), 5, 3, 3)
    assert A.n_parameters == 12 + 30 + 40 == sum(G.size for G in A.cores)
    assert A.nbytes == sum(G.nbytes for G in A.cores)
    assert A.compression == 144 / 82
    assert (A.ndim, A.backend) == (2, "numpy")
    x = tt.random_tensor((2, 3, 2), 2, rng=0, dtype=dtype)
    assert x.shape == x.modes == (2, 3, 2)
    assert x.size == 12
    assert "TTTensor(modes=2x3x2, ranks=(1, 2, 2, 1)" in repr(x)
    assert "2x3 3x1 2x4" in repr(A)
