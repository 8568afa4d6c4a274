"""Directions of trains whose norm no float holds, and absolute tolerances."""

import math

import numpy as np
import pytest

import ttalgebra as tt
from tests import made
from tests.backends import here, host


@pytest.mark.parametrize("size", [1e-300, 1e-20, 1.0, 1e20, 1e300])
@pytest.mark.parametrize("order", [1, 2, 5])
def test_a_direction_has_norm_one_whatever_the_size(size, order, rng):
    x = made.random_tensor((3,) * order, 2, rng=rng)
    far = tt.TTTensor(here([core * size for core in host(x.cores)]))
    one = far.normalize()
    assert one.norm() == pytest.approx(1, rel=1e-13)
    assert tt.same(one, x.normalize(), 1e-13)
    assert one.log_norm() == pytest.approx(0, abs=1e-12)


def test_a_norm_of_ten_to_the_minus_500():
    x = tt.TTTensor(here([np.full((1, 1, 1), 1e-100)] * 5))
    assert x.norm() == 0.0
    assert x.log_norm() == pytest.approx(-500 * math.log(10))
    assert x.round().log_norm() == pytest.approx(-500 * math.log(10))
    assert x.normalize().norm() == pytest.approx(1, rel=1e-13)


def test_zero_has_no_direction():
    with pytest.raises(ZeroDivisionError):
        made.zeros((2, 3)).normalize()


def test_atol_drops_the_noise_of_a_difference(rng):
    """``x - x`` is noise at 1e-16; relative to itself it would keep its ranks."""
    x = made.random_tensor((4, 5, 6), 3, rng=rng)
    noise = x - x.round()
    assert noise.round(tol=1e-6).max_rank > 1
    dropped, info = noise.round(atol=1e-10 * x.norm(), return_info=True)
    assert dropped.ranks == (1, 1, 1, 1)
    assert info.tol_met
    assert dropped.norm() <= 1e-13 * x.norm()


@pytest.mark.parametrize("tol", [None, 1e-8, 1e-2])
def test_the_larger_of_tol_and_atol_counts(tol, rng):
    x = made.random_tensor((4, 5, 6, 3), 4, rng=rng)
    _, info = x.round(tol=tol, atol=0.1 * x.norm(), return_info=True)
    assert info.tol == pytest.approx(0.1)
    assert info.error <= 0.1
    assert x.round(tol=0.2, atol=1e-9).ranks == x.round(tol=0.2).ranks


@pytest.mark.parametrize("atol", [-1, math.nan, "1", 1j, True])
def test_bad_atol(atol):
    with pytest.raises((tt.errors.TTError, TypeError)):
        made.ones((2, 3)).round(atol=atol)


@pytest.mark.host("of the configuration")
def test_configuration_is_text():
    found = tt.show_config()
    assert {"python", "numpy", "blas", "ttalgebra"} <= set(found)
    assert all(isinstance(value, str) and value for value in found.values())
