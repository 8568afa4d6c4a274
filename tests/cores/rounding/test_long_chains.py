"""Chains of thousands of cores, with norms far outside the range of a float."""

import math
import os

import numpy as np
import pytest

from tests.backends import here
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

LENGTH = int(os.environ.get("TTALGEBRA_LENGTH", "1000"))  # nightly: 10,000


@pytest.fixture
def d(xp):
    """The number of cores, fewer where each of them costs more."""
    return LENGTH if xp.is_numpy else LENGTH // 5


def free(d):
    return (None,) * (d - 1)


def ones(d, factor=1.0):
    return here((np.full((1, 2, 1), factor),) * d)


def log_counting(d):
    return d / 2 * math.log(2) + math.log(math.sqrt(d * (d + 1)) / 2)


def counting(d):
    """The number of bits that are 1: rank 2, norm ``2^(d/2) sqrt(d (d + 1)) / 2``."""
    core = np.zeros((2, 2, 2))
    core[0, :, 0] = core[1, :, 1] = 1
    core[0, 1, 1] = 1
    return here((core[:1], *([core] * (d - 2)), core[:, :, 1:]))


def flipped(d):
    """The same with a digit reversed: the operator of rank 1 that does it."""
    return here((np.eye(2)[::-1].reshape(1, 2, 2, 1),) * d)


@pytest.mark.parametrize("route", [by_svd, by_gram, by_sketch])
def test_rounding_finds_rank_two(route, d):
    x = counting(d)
    y, info = route(add(x, scale(x, 2.0)), tol=1e-2, max_rank=free(d))
    assert max(info.ranks) <= 2
    assert abs(log_norm(y) - log_counting(d) - math.log(3)) <= 1.1e-2
    size = log_counting(d) + math.log(3)
    inside = size < math.log(np.finfo(float).max)
    true = math.exp(size) if inside else math.inf
    assert info.norm == pytest.approx(true, rel=1e-9)
    assert info.error <= 1e-2


@pytest.mark.parametrize("method", ["svd", "random"])
def test_sums(method, d):
    """``0 * 1000^d ones + ones``, and ``256^d (ones - ones / 2)``."""
    options = {"tol": 1e-2, "max_rank": free(d)}
    y, info = sum_rounded([0.0, 1.0], [ones(d, 1e3), ones(d)], **options)
    assert info.ranks == (1,) * (d + 1)
    assert log_norm(y) == pytest.approx(d / 2 * math.log(2), rel=1e-14)
    chains = [ones(d, 256.0), ones(d, 256.0), ones(d, 0.5)]
    y, info = sum_rounded([1.0, -0.5, 3.0], chains, method=method, **options)
    expected = (8 * d + d / 2 - 1) * math.log(2)
    assert max(info.ranks) == 1
    assert log_norm(y) == pytest.approx(expected, abs=1e-2)


@pytest.mark.parametrize("method", ["exact", "zipup", "random", "fit"])
def test_products(method, d):
    options = {"tol": 1e-2, "max_rank": free(d), "method": method, "rng": 0}
    y, info = product_rounded(flipped(d), counting(d), kind="matvec", **options)
    assert max(info.ranks) <= 2
    assert log_norm(y) == pytest.approx(log_counting(d), abs=1e-2)


def test_spectra(d):
    values, exponent = singular_values(counting(d))
    logs = [0.5 * math.log(float(np.sum(s**2))) for s in values]
    logs = np.array(logs) + exponent * math.log(2)
    assert np.abs(logs - log_counting(d)).max() < 1e-9
    assert log_norm(canonical(counting(d))) == pytest.approx(log_counting(d), rel=1e-12)


def test_parameters(d):
    y, _ = by_parameters(counting(d)[:50] + counting(d)[-50:], 300)
    assert sum(math.prod(core.shape) for core in y) <= 300
