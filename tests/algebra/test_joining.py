"""Concatenation: against dense, and what slicing gives back."""

import numpy as np
import pytest
from hypothesis import given

import ttalgebra as tt
from tests import made
from tests.algebra.chains import (
    assert_exact,
    assert_train,
    booleans,
    draw,
    dtypes,
    integers,
    modes_of,
    scales,
    seeds,
    tensor_of,
    train,
    train_of,
)
from tests.backends import dtype_of, host
from tests.reference import dense, eps, growth, width
from tests.trains.families import gaussian_cores


def parts_like(rng, x, site, mode, dtype, scale):
    """Two more trains, whose mode at one place is another."""
    found = [x]
    for size in (1, int(rng.integers(1, 4))):
        modes = [list(sizes) for sizes in modes_of(x)]
        modes[site][mode] = size
        found.append(train(rng, modes, dtype, scale))
    return found


def unit_of_sum(trains):
    """The units of the parts and the width of the whole."""
    total = sum(width(x.cores) for x in trains)
    return eps(dtype_of(trains[0])) * total * sum(growth(x.cores) for x in trains)


@given(seeds, dtypes, scales)
def test_tensors(ratios, seed, dtype, scale):
    rng, x = draw(seed, 1, dtype, scale)
    axis = int(rng.integers(x.order))
    parts = parts_like(rng, x, axis, 0, dtype, scale)
    joined = tt.concatenate(parts, axis=axis)
    wanted = np.concatenate([dense(y.cores) for y in parts], axis=axis)
    assert dtype_of(joined) == dtype
    assert joined.shape == wanted.shape
    assert_train(ratios, "concatenate", joined, wanted, unit_of_sum(parts))
    bonds = zip(*(y.ranks[1:-1] for y in parts), strict=True)
    assert joined.ranks[1:-1] == tuple(map(sum, bonds))
    assert_exact(
        dense(tt.concatenate(parts, axis=axis - x.order).cores), dense(joined.cores)
    )


@given(seeds, dtypes, booleans)
def test_matrices(ratios, seed, dtype, side):
    rng, A = draw(seed, 2, dtype)
    site, axis = int(rng.integers(A.order)), int(side)
    parts = parts_like(rng, A, site, axis, dtype, 0)
    joined = tt.concatenate(parts, axis=axis, site=site)
    place = site if axis == 0 else A.order + site
    wanted = np.concatenate([tensor_of(B) for B in parts], axis=place)
    wanted = wanted.reshape(joined.shape)
    assert_train(ratios, "concatenate matrices", joined, wanted, unit_of_sum(parts))


@given(seeds, booleans)
def test_slicing_returns_the_parts(seed, complex_):
    """Equality, on integers."""
    rng, x = integers(seed, 1, complex_)
    axis = int(rng.integers(x.order))
    modes = list(modes_of(x))
    modes[axis] = (2,)
    y = train_of(gaussian_cores(rng, modes, x.ranks, complex_))
    joined, n = tt.concatenate([x, y, x], axis=axis), x.modes[axis]
    before = (slice(None),) * axis
    for part, picked in (
        (x, slice(0, n)),
        (y, slice(n, n + 2)),
        (x, slice(n + 2, None)),
        (x, slice(-n, None)),
    ):
        assert_exact(joined[(*before, picked)].to_dense(), part.to_dense())
    total = 2 * x.sum(axis) if x.order > 1 else 2 * x.sum()
    found = joined.sum(axis) - y.sum(axis)
    if x.order > 1:
        found, total = found.to_dense(), total.to_dense()
    assert_exact(found, total)


def test_blocks_of_the_first_digit_are_blocks_of_the_matrix(rng):
    A, B = (made.random_matrix((2, 3), (3, 2), 3, rng=rng) for _ in range(2))
    both = host([A.to_dense(), B.to_dense()])
    below = host(tt.concatenate([A, B]).to_dense())
    beside = host(tt.concatenate([A, B], axis=1).to_dense())
    assert np.allclose(below, np.vstack(both), atol=1e-13)
    assert np.allclose(beside, np.hstack(both), atol=1e-13)


def test_one_train_and_mixed_dtypes(rng):
    x = made.random_tensor((2, 3), 2, rng=rng, dtype="f4")
    assert_exact(tt.concatenate([x]).to_dense(), x.to_dense())
    both = tt.concatenate((x, made.ones((2, 3), dtype="c8")), axis=1)
    assert dtype_of(both) == np.complex64
    assert both.modes == (2, 6)


ZERO_SUM = [(1e200, 1e200, 1e-300), (1e-300, 1e200, 1e200), (1e33, 1e33, 1e34)]


def lopsided(sizes, n_modes=1):
    return train_of([np.full((1, *(2,) * n_modes, 1), size) for size in sizes])


@pytest.mark.parametrize("first", ZERO_SUM, ids=str)
@pytest.mark.parametrize("second", ZERO_SUM, ids=str)
@pytest.mark.parametrize("n_modes", [1, 2])
def test_sums_of_trains_whose_cores_share_their_size_differently(
    first, second, n_modes
):
    """All entries are ``1e100``; only the cores say so in other ways."""
    x, y = lopsided(first, n_modes), lopsided(second, n_modes)
    size = 1e100 * 2 ** (3 * n_modes / 2)
    assert x.norm() == pytest.approx(size, rel=1e-13)
    for found, wanted in (
        (x + y, 2 * size),
        (x - (-y), 2 * size),
        (x + 2 * y, 3 * size),
        (tt.concatenate([x, y]), 2**0.5 * size),
    ):
        assert found.norm() == pytest.approx(wanted, rel=1e-13)
        assert found.round(tol=1e-10).norm() == pytest.approx(wanted, rel=1e-13)
        top = host(found.to_dense()).max()
        assert top == pytest.approx(wanted / size * 1e100, rel=0.5)
    assert tt.same(x, y)
    assert not tt.same(x, 2 * y)
    assert (x - y).norm() <= 1e-13 * size
