"""Powers of two: exact, in range, whatever the library."""

import math

import numpy as np
import pytest

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
    x = np.array([value, -value / 2, 0.0, value / 4])
    scaled, exponent = unit_scaled(xp.asarray(x))
    host = xp.numpy(scaled)
    assert 0.5 <= np.abs(host).max() < 1
    assert np.array_equal(np.ldexp(host, int(exponent)), x)


@pytest.mark.parametrize("value", [1.0, 1e-38, 1e-45, 3e38, 0.7])
def test_unit_scaled_in_single_precision(value, xp):
    x = np.array([value, -value], np.float32)
    scaled, exponent = unit_scaled(xp.asarray(x))
    host = xp.numpy(scaled)
    assert host.dtype == np.float32
    assert 0.5 <= np.abs(host).max() < 1
    assert np.array_equal(np.ldexp(host.astype(float), int(exponent)), x.astype(float))


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
def test_times_power(exponent):
    x = np.array([1.0, -1.5, 0.0])
    assert np.array_equal(times_power(x, exponent), np.ldexp(x, exponent))


@pytest.mark.parametrize("exponent", [10**6, -(10**6), 3000])
def test_far_powers_of_zero_and_of_tiny_numbers(exponent):
    assert not times_power(np.zeros(3), exponent).any()
    if exponent < 0:
        assert not times_power(np.ones(3), exponent).any()
    tiny = times_power(np.full(2, 5e-324), 1074)
    assert np.array_equal(tiny, np.ones(2))


def test_times_power_gives_no_caller_his_own_array():
    """A result that is the argument is a trap for whoever writes into it."""
    x = np.array([0.5, 0.75])
    scaled, exponent = unit_scaled(x)
    assert exponent == 0
    assert np.array_equal(scaled, x)


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
