"""Chains of thousands of cores, with norms far outside the range of a float."""

import math
import os

import numpy as np
import pytest

from ttalgebra.cores.arithmetic import add, scale
from ttalgebra.cores.orthogonalize import log_norm
from ttalgebra.cores.rounding import (
    by_gram,
    by_parameters,
    by_sketch,
    by_svd,
    canonical,
    product_rounded,
    singular_values,
    sum_rounded,
)

D = int(os.environ.get("TTALGEBRA_LENGTH", "1000"))  # nightly: 10,000
FREE = (None,) * (D - 1)
LOG_COUNTING = D / 2 * math.log(2) + math.log(math.sqrt(D * (D + 1)) / 2)


def ones(factor=1.0):
    return tuple(np.full((1, 2, 1), factor) for _ in range(D))


def counting():
    """The number of bits that are 1: rank 2, norm ``2^(d/2) sqrt(d (d + 1)) / 2``."""
    core = np.zeros((2, 2, 2))
    core[0, :, 0] = core[1, :, 1] = 1
    core[0, 1, 1] = 1
    return (core[:1], *([core] * (D - 2)), core[:, :, 1:])


def flipped():
    """The same with a digit reversed: the operator of rank 1 that does it."""
    return tuple(np.eye(2)[::-1].reshape(1, 2, 2, 1) for _ in range(D))


@pytest.mark.parametrize("route", [by_svd, by_gram, by_sketch])
def test_rounding_finds_rank_two(route):
    x = counting()
    y, info = route(add(x, scale(x, 2.0)), tol=1e-2, max_rank=FREE)
    assert max(info.ranks) <= 2
    assert abs(log_norm(y) - LOG_COUNTING - math.log(3)) <= 1.1e-2
    size = LOG_COUNTING + math.log(3)
    inside = size < math.log(np.finfo(float).max)
    true = math.exp(size) if inside else math.inf
    assert info.norm == pytest.approx(true, rel=1e-9)
    assert info.error <= 1e-2


@pytest.mark.parametrize("method", ["svd", "random"])
def test_sums(method):
    """``0 * ones(10^3000) + ones``, and ``ones - ones / 2``."""
    y, info = sum_rounded([0.0, 1.0], [ones(1.41), ones()], tol=1e-2, max_rank=FREE)
    assert info.ranks == (1,) * (D + 1)
    assert log_norm(y) == pytest.approx(D / 2 * math.log(2), rel=1e-14)
    chains = [ones(2.0), ones(2.0), ones(0.5)]
    y, info = sum_rounded(
        [1.0, -0.5, 3.0], chains, tol=1e-2, max_rank=FREE, method=method
    )
    expected = D * math.log(2) + D / 2 * math.log(2) - math.log(2)
    assert max(info.ranks) == 1
    assert log_norm(y) == pytest.approx(expected, abs=1e-2)


@pytest.mark.parametrize("method", ["exact", "zipup", "random", "fit"])
def test_products(method):
    options = {"tol": 1e-2, "max_rank": FREE, "method": method, "rng": 0}
    y, info = product_rounded(flipped(), counting(), kind="matvec", **options)
    assert max(info.ranks) <= 2
    assert log_norm(y) == pytest.approx(LOG_COUNTING, abs=1e-2)


def test_spectra():
    values, exponent = singular_values(counting())
    logs = [0.5 * math.log(float(np.sum(s**2))) for s in values]
    assert np.abs(np.array(logs) + exponent * math.log(2) - LOG_COUNTING).max() < 1e-9
    assert log_norm(canonical(counting())) == pytest.approx(LOG_COUNTING, rel=1e-12)


def test_parameters():
    y, _ = by_parameters(counting()[:50] + counting()[-50:], 300)
    assert sum(core.size for core in y) <= 300
