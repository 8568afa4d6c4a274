"""Split, merge, permute, quantize: the same numbers in other modes, and back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ttalgebra as tt
from tests import made
from tests.algebra.chains import (
    assert_exact,
    assert_train,
    booleans,
    draw,
    dtypes,
    integers,
    kinds,
    scales,
    seeds,
    tensor_of,
    train,
    train_of,
)
from tests.backends import dtype_of, here, host
from tests.reference import dense, eps, growth, norm, unit, width
from ttalgebra.cores import truncation


def factors(rng, n, count):
    """``count`` sizes that multiply to ``n``, ones among them."""
    sizes = [1] * count
    while n > 1:
        p = next(p for p in range(2, n + 1) if n % p == 0)
        sizes[rng.integers(count)] *= p
        n //= p
    return tuple(sizes)


def roomy(rng, n_modes, dtype, scale):
    """Modes with divisors."""
    sizes = [2, 4, 6, 8] if n_modes == 1 else [1, 2, 4, 6]
    count = int(rng.integers(1, 4))
    modes = [tuple(int(n) for n in rng.choice(sizes, n_modes)) for _ in range(count)]
    return train(rng, modes, dtype, scale)


def widest(*trains):
    """The unit of the first train, in the largest width that was on the way."""
    x = trains[0]
    top = max(width(y.cores) * y.max_rank for y in trains)
    return eps(dtype_of(x)) * top * growth(x.cores)


def matrix_of(x, like):
    return x.reshape(math.prod(like.row_modes), -1)


@given(seeds, kinds, dtypes, scales)
def test_split(ratios, seed, n_modes, dtype, scale):
    rng = np.random.default_rng([5, seed])
    x = roomy(rng, n_modes, dtype, scale)
    site, count = int(rng.integers(x.order)), int(rng.integers(1, 4))
    sizes = [factors(rng, n, count) for n in x.cores[site].shape[1:-1]]
    y = x.split_modes(site, *sizes)
    assert y.order == x.order + count - 1
    assert dtype_of(y) == dtype
    assert [core.shape[1:-1] for core in y.cores[site : site + count]] == list(
        zip(*sizes, strict=True)
    )
    wanted = dense(x.cores)
    found = wanted.reshape(y.shape) if n_modes == 1 else wanted
    assert_train(ratios, "split_modes", y, found, widest(x, y))
    back = y.merge_modes(site, site + count - 1)
    assert back.shape == x.shape
    assert_train(ratios, "split then merge", back, wanted, widest(x, y, back))
    flat = [math.prod(core.shape[1:-1]) for core in y.cores]
    for k, rank in enumerate(y.ranks[1:-1]):
        assert rank <= min(math.prod(flat[: k + 1]), math.prod(flat[k + 1 :]))


@given(seeds, kinds, dtypes, scales)
def test_merge(ratios, seed, n_modes, dtype, scale):
    rng, x = draw(seed, n_modes, dtype, scale)
    first, last = sorted(int(k) for k in rng.integers(0, x.order, 2))
    y = x.merge_modes(first, last - x.order)
    assert y.order == x.order - (last - first)
    wanted = dense(x.cores)
    found = wanted.reshape(y.shape) if n_modes == 1 else wanted
    assert_train(ratios, "merge_modes", y, found, unit(x.cores))
    assert y.ranks == x.ranks[: first + 1] + x.ranks[last + 1 :]


@given(seeds, kinds, booleans)
def test_merge_is_exact_on_integers(seed, n_modes, complex_):
    _, x = integers(seed, n_modes, complex_)
    for first in range(x.order):
        for last in range(first, x.order):
            y = x.merge_modes(first, last)
            assert_exact(y.to_dense(), dense(x.cores).reshape(y.shape))


def permuted(array, order, n_modes):
    d = len(order)
    axes = [k + d * half for half in range(n_modes) for k in order]
    return array.transpose(axes)


@given(seeds, kinds, dtypes, scales)
def test_permute(ratios, seed, n_modes, dtype, scale):
    rng, x = draw(seed, n_modes, dtype, scale, limit=256)
    order = [int(k) for k in rng.permutation(x.order)]
    y = x.permute_modes(order)
    assert dtype_of(y) == dtype
    assert [core.shape[1:-1] for core in y.cores] == [
        x.cores[k].shape[1:-1] for k in order
    ]
    wanted = permuted(tensor_of(x), order, n_modes)
    wanted = wanted if n_modes == 1 else matrix_of(wanted, y)
    u = widest(x, y) * max(1, x.order)
    assert_train(ratios, "permute_modes", y, wanted, u)
    inverse = [int(k) for k in np.argsort(order)]
    back = y.permute_modes(inverse)
    assert_train(ratios, "permute there and back", back, dense(x.cores), 2 * u)
    negative = x.permute_modes([k - x.order for k in order])
    assert_exact(negative.to_dense(), y.to_dense())


@given(seeds, kinds, dtypes, st.integers(1, 6), st.integers(1, 4))
def test_permute_to_a_tolerance(ratios, seed, n_modes, dtype, power, max_rank):
    """``info.error`` bounds what is lost, whatever was cut on the way."""
    rng, x = draw(seed, n_modes, dtype, limit=256)
    order = [int(k) for k in rng.permutation(x.order)]
    wanted = permuted(tensor_of(x), order, n_modes)
    tol, size = 10.0**-power, norm(wanted)
    u = float(widest(x, x.permute_modes(order)) * max(1, x.order))
    for options in ({"tol": tol}, {"max_rank": max_rank}, {"tol": 0.3, "max_rank": 9}):
        y, info = x.permute_modes(order, **options, return_info=True)
        found = dense(y.cores)
        found = found if n_modes == 1 else found.reshape(*y.row_modes, *y.col_modes)
        error = norm(found - wanted)
        assert error <= info.error * size * (1 + 1e-9) + 30 * u
        assert info.norm == pytest.approx(float(size), rel=1e-4)
        assert info.ranks == y.ranks
        assert y.max_rank <= options.get("max_rank", y.max_rank)
        if "max_rank" not in options:
            assert info.tol_met
            assert error <= tol * size * (1 + 1e-9) + 30 * u
    if x.order > 1 and info.error > 1e-3:
        with pytest.raises(tt.errors.ConvergenceError):
            x.permute_modes(order, tol=1e-6, max_rank=1, strict=True)


def test_ranks_on_the_way_stay_small(monkeypatch):
    """Noise of rank 2 that has rank 64 in the other order: cut, it never gets there."""
    noise = made.random_tensor((2,) * 12, 2, rng=0)
    x = made.ones((2,) * 12) + 1e-9 * noise
    order, met = [*range(0, 12, 2), *range(1, 12, 2)], []
    cut = truncation.Budget.cut

    def watched(budget, matrix, *arguments):
        met.append(max(matrix.shape))
        return cut(budget, matrix, *arguments)

    monkeypatch.setattr(truncation.Budget, "cut", watched)
    y, info = x.permute_modes(order, tol=1e-6, return_info=True)
    assert info.error <= 1e-6
    assert info.method == "exchanges"
    widest_on_the_way = max(met)
    met.clear()
    exact = x.permute_modes(order)
    assert widest_on_the_way <= 8
    assert max(met) >= 64
    assert y.max_rank == 1
    assert exact.max_rank >= 32
    assert tt.same(y, exact, 1e-6)


@given(seeds, kinds, dtypes, scales)
def test_qtt(ratios, seed, n_modes, dtype, scale):
    rng = np.random.default_rng([6, seed])
    count = int(rng.integers(1, 4))
    sizes = (1, 2, 4, 8) if n_modes == 1 else (1, 2, 4)
    modes = [tuple(int(n) for n in rng.choice(sizes, n_modes)) for _ in range(count)]
    x = train(rng, modes, dtype, scale)
    y = x.to_qtt()
    assert {n for core in y.cores for n in core.shape[1:-1]} <= {1, 2}
    wanted = dense(x.cores)
    found = wanted.reshape(y.shape) if n_modes == 1 else wanted
    assert_train(ratios, "to_qtt", y, found, widest(x, y))
    digits = [max(1, *(n.bit_length() - 1 for n in pair)) for pair in modes]
    assert y.order == sum(digits)
    back = y
    for k, many in enumerate(digits):
        back = back.merge_modes(k, k + many - 1)
    assert [core.shape[1:-1] for core in back.cores] == modes
    assert_train(ratios, "to_qtt then merge", back, wanted, widest(x, y, back))


def test_other_bases(rng):
    x = made.random_tensor((9, 27), 4, rng=rng)
    y = x.to_qtt(base=3)
    assert y.modes == (3,) * 5
    assert np.allclose(dense(y.cores).ravel(), dense(x.cores).ravel(), atol=1e-12)
    assert made.ones((1, 1)).to_qtt(7).modes == (1, 1)
    for base in (1, 2, 4, 10**30):
        with pytest.raises(tt.errors.ShapeError):
            x.to_qtt(base)


LOPSIDED = [(1e200, 1e200, 1e-300), (1e-200, 1e-200, 1e300), (1e308, 1e-308, 1.0)]


@pytest.mark.parametrize("sizes", LOPSIDED, ids=str)
def test_cores_that_are_far_from_each_other(sizes):
    """The value is in range; the product of the first two cores is not."""
    x = train_of([np.full((1, 4, 1), size) for size in sizes])
    for y in (
        x.split_modes(0, (2, 2)),
        x.split_modes(2, (2, 2)),
        x.merge_modes(0, 1),
        x.merge_modes(0, 2),
        x.permute_modes((2, 0, 1)),
        x.permute_modes((1, 0, 2)),
        x.to_qtt(),
    ):
        assert y.log_norm() == pytest.approx(x.log_norm(), rel=1e-13)
        assert np.isfinite(host(y.to_dense())).all()


def test_ranks_are_those_of_the_function(rng):
    """``sin`` keeps rank 2 in digits; so does an order of its digits."""
    sine = here(np.sin(np.arange(256.0)).reshape(16, 16))
    x = tt.TTTensor.from_dense(sine, 1e-12)
    assert x.to_qtt().max_rank == 2
    assert x.to_qtt().permute_modes(rng.permutation(8).tolist()).max_rank == 2
    assert x.split_modes(0, (4, 4)).max_rank == 2
