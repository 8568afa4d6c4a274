"""`same`: blind to the gauge, sharp beyond roundoff, honest about what it can tell."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ttalgebra as tt
from tests import made
from tests.algebra.chains import (
    assert_exact,
    booleans,
    draw,
    dtypes,
    integers,
    kinds,
    scales,
    seeds,
    train_of,
)
from tests.backends import host
from tests.reference import dense, eps, norm, unit


def unimodular(rng, r):
    """An integer matrix and its integer inverse."""
    P, inverse = np.eye(r), np.eye(r)
    for _ in range(3 * (r > 1)):
        i, j = rng.choice(r, 2, replace=False)
        c = int(rng.integers(-1, 2))
        P[:, j] += c * P[:, i]
        inverse[i] -= c * inverse[j]
    assert np.array_equal(P @ inverse, np.eye(r))
    return P, inverse


def regauged(rng, x):
    """The same value, exactly, in other cores."""
    cores = list(host(x.cores))
    for k in range(x.order - 1):
        P, inverse = unimodular(rng, x.ranks[k + 1])
        cores[k] = np.tensordot(cores[k], P, axes=1)
        cores[k + 1] = np.tensordot(inverse, cores[k + 1], axes=1)
    return train_of(cores)


def distance_of(x, y):
    """In long double, relative to the larger norm."""
    a, b = dense(x.cores), dense(y.cores)
    size = max(norm(a), norm(b))
    return norm(a - b) / size if size else norm(a - b)


def assert_true(found, x, y, tol):
    """What is certified is so; what is said of the distance is so."""
    true = distance_of(x, y)
    size = max(norm(dense(x.cores)), norm(dense(y.cores)))
    assert abs(found.distance - true) <= found.roundoff + 1e-15 * true
    assert bool(found) is found.equal
    if found.certified:
        assert found.equal == (true <= tol)
    if true <= tol:
        assert found.equal
    if size:
        u = unit((x - y).cores) / size
        assert found.roundoff >= float(30 * u) * (1 - 1e-3)
        own = max(unit(x.cores), unit(y.cores)) / size
        assert found.roundoff <= float(60 * u + 60 * own * true) + 1e-300


@given(seeds, kinds, booleans)
def test_gauges_change_nothing(seed, n_modes, complex_):
    rng, x = integers(seed, n_modes, complex_)
    y = regauged(rng, x)
    assert_exact(x.to_dense(), y.to_dense())
    found = tt.same(x, y)
    assert found.equal
    assert_true(found, x, y, 0.0)
    assert tt.same(x, x.round())
    assert tt.same(x.orthogonalize(-1), y)


@given(seeds, kinds, dtypes, scales, st.floats(0.1, 10), st.integers(1, 6))
def test_near_misses(seed, n_modes, dtype, scale, share, power):
    """Distances around ``tol``, on both sides of it."""
    rng, x = draw(seed, n_modes, dtype, scale)
    noise = train_of([rng.standard_normal(G.shape).astype(dtype) for G in x.cores])
    size, other = norm(dense(x.cores)), norm(dense(noise.cores))
    if not size or not other:
        return
    tol = 10.0**-power
    y = x + noise * float(share * tol * size / other)
    assert_true(tt.same(x, y, tol), x, y, tol)
    assert_true(tt.same(x, y), x, y, 0.0)
    assert tt.same(x, y, tol).equal == tt.same(y, x, tol).equal


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_refuses_a_hundred_units(dtype):
    x = made.ones((4,) * 5, dtype=dtype)
    bump = (1e4 * eps(dtype)) * x
    found = tt.same(x, x + bump)
    assert not found
    assert found.certified
    assert tt.same(x, x + bump, tol=2e4 * eps(dtype)).certified


@pytest.mark.parametrize(
    ("narrow", "wide"), [("f4", "f8"), ("c8", "c16"), ("f4", "c16")]
)
def test_two_precisions_are_compared_in_the_wider(narrow, wide):
    """The size that the distance is relative to, too."""
    rng = np.random.default_rng(1)
    for seed in range(20):
        x = made.random_tensor((3, 4, 2), 3, rng=seed, dtype=narrow)
        for share in (rng.uniform(0.1, 0.9), 1e-5, 1e-9):
            y = x - share * made.random_tensor((3, 4, 2), 2, rng=rng, dtype=wide)
            tol = float(distance_of(x, y)) * (1 + rng.choice([-1, 1]) * 1e-10)
            assert_true(tt.same(x, y, tol), x, y, tol)
            assert_true(tt.same(y, x, tol), y, x, tol)


def test_only_one_entry_differs():
    x = made.ones((2,) * 20)
    delta = train_of([np.array([0.0, 1.0]).reshape(1, 2, 1)] * 20)
    found = tt.same(x, x + 1e-6 * delta)
    assert not found
    assert found.distance == pytest.approx(1e-6 / 2**10, rel=1e-3)


def test_zeros():
    zero, one = made.zeros((2, 3)), made.ones((2, 3))
    assert tt.same(zero, zero) == (True, True, 0.0, 0.0)
    assert tt.same(zero, 0 * one).equal
    found = tt.same(zero, one * 1e-300)
    assert not found
    assert found.certified
    assert found.distance == pytest.approx(1.0)
    assert tt.same(zero, one, tol=1.0).equal


@pytest.mark.parametrize("size", [1e300, 1e-300])
def test_out_of_the_range_of_floats(size):
    """Norms of ``10^(300 * 40)`` have no float; their ratio has."""
    x = train_of([np.full((1, 2, 1), size)] * 40)
    assert tt.same(x, x.round())
    found = tt.same(x, 1.5 * x)
    assert not found
    assert found.distance == pytest.approx(1 / 3, rel=1e-12)
    assert found.certified
    assert math.isfinite(found.roundoff)


def test_a_certificate_never_lies(cases):
    """Ill-conditioned representations: ``Gamma`` far above the norm."""
    rng, told, drawn = np.random.default_rng(0), 0, max(50, cases // 5)
    for _ in range(drawn):
        big, small = (made.random_tensor((3, 4, 3), 3, rng=rng) for _ in range(2))
        scale = 10.0 ** rng.uniform(0, 14)
        x = scale * big + small - scale * big.round()
        y = small * (1 + 10.0 ** rng.uniform(-16, -1))
        tol = 10.0 ** rng.uniform(-14, 0)
        found, true = tt.same(x, y, tol), distance_of(x, y)
        assert abs(found.distance - true) <= found.roundoff
        if found.certified:
            told += 1
            assert found.equal == (true <= tol)
    assert told > drawn // 8
