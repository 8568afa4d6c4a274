"""Powers of two: exact, in range, whatever the library."""

import math

import numpy as np
import pytest

from tests.backends import here, host
from ttalgebra.arrays.scaling import (
    exponent_of,
    largest,
    scalar_times_power,
    times_power,
    unit_scaled,
)

VALUES = [1.0, 0.5, 0.75, 2.0, 3.0, 1e-300, 1e300, 5e-324, 2.2e-308, 1.7e308, 1e-5]


@pytest.mark.parametrize("value", VALUES)
def test_unit_scaled_is_exact(value, xp):
    if value < 4 * np.finfo(float).tiny:
        xp.need_subnormals()
    x = np.array([value, -value / 2, 0.0, value / 4])
    scaled, exponent = unit_scaled(xp.asarray(x))
    found = xp.numpy(scaled)
    assert 0.5 <= np.abs(found).max() < 1
    assert np.array_equal(np.ldexp(found, int(exponent)), x)


@pytest.mark.parametrize("value", [1.0, 1e-38, 1e-45, 3e38, 0.7])
def test_unit_scaled_in_single_precision(value, xp):
    if value < np.finfo(np.float32).tiny:
        xp.need_subnormals()
    x = np.array([value, -value], np.float32)
    scaled, exponent = unit_scaled(xp.asarray(x))
    found = xp.numpy(scaled)
    assert found.dtype == np.float32
    assert 0.5 <= np.abs(found).max() < 1
    assert np.array_equal(np.ldexp(found.astype(float), int(exponent)), x.astype(float))


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_zero_has_exponent_zero(dtype, xp):
    zero = xp.asarray(np.zeros((2, 3), dtype))
    assert int(exponent_of(zero)) == 0
    scaled, exponent = unit_scaled(zero)
    assert not xp.numpy(scaled).any()
    assert int(exponent) == 0


def test_largest_of_complex_numbers_cannot_overflow(xp):
    x = xp.asarray(np.array([1e308 + 1e308j, -1.7e308j]))
    assert float(largest(x)) == 1.7e308


@pytest.mark.parametrize("exponent", [-2000, -1074, -901, -1, 0, 1, 901, 1023])
def test_times_power(exponent, xp):
    if exponent == -1074:
        xp.need_subnormals()
    x = np.array([1.0, -1.5, 0.0])
    assert np.array_equal(host(times_power(here(x), exponent)), np.ldexp(x, exponent))


@pytest.mark.parametrize("exponent", [10**6, -(10**6), 3000])
def test_far_powers_of_zero_and_of_one(exponent):
    assert not host(times_power(here(np.zeros(3)), exponent)).any()
    if exponent < 0:
        assert not host(times_power(here(np.ones(3)), exponent)).any()


def test_the_smallest_number_grows_to_one(xp):
    xp.need_subnormals()
    tiny = times_power(here(np.full(2, 5e-324)), 1074)
    assert np.array_equal(host(tiny), np.ones(2))


def test_what_has_unit_scale_stays():
    x = np.array([0.5, 0.75])
    scaled, exponent = unit_scaled(here(x))
    assert exponent == 0
    assert np.array_equal(host(scaled), x)


@pytest.mark.host("of Python floats")
@pytest.mark.parametrize(
    ("value", "exponent", "expected"),
    [
        (1.0, 0, 1.0),
        (0.75, 1024, math.ldexp(0.75, 1024)),
        (1.0, 1024, math.inf),
        (-1.0, 1024, -math.inf),
        (1.0, -1074, 5e-324),
        (1.0, -1076, 0.0),
        (-1.0, -5000, 0.0),
        (0.0, 10**9, 0.0),
        (1.5, 10**12, math.inf),
        (1.5, -(10**12), 0.0),
        (math.inf, -5, math.inf),
        (5e-324, 2000, math.ldexp(1.0, 926)),
    ],
)
def test_scalar_times_power(value, exponent, expected):
    assert scalar_times_power(value, exponent) == expected
