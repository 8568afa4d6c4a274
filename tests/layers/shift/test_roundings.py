"""The two roundings: check values of papers/06, exact fractions, the ends of ranges."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from tests.backends import dtype_of, here, host
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.layers.shift import FixedPoint
from ttalgebra.layers.shift.powers import (
    clamped_exponent,
    clamped_magnitude,
    composed_weight,
    lowest,
    power_of_two,
    rounded_weight,
)

W = [0.9, 0.75, 0.72, 0.7, 0.36, 0.35, 0.3, -0.26, 0.18]
W += [-0.0126, 3e-5, 1e-6, -1.7, 0]
LARGE = [1, 1, 1, .5, .5, .25, .25, -.25, .25]  # fmt: skip
ROUNDED = {
    5: [*LARGE, -(2.0**-6), 2.0**-15, 2.0**-15, -1, 0],
    4: [*LARGE, -(2.0**-6), 2.0**-7, 2.0**-7, -1, 0],
    3: [*LARGE, -(2.0**-3), 2.0**-3, 2.0**-3, -1, 0],
    2: [1, 1, 1, .5, .5, .5, .5, -.5, .5, -.5, .5, .5, -1, 0],
}  # fmt: skip
P = [-0.4, -1.5, -2.5, -3.49, -13.7, 0.2, -20]
S = [0.6, -0.7, 0.4, -0.5, 1, -0.51, 0.9]
COMPOSED = [1, -0.25, 0, 0, 2.0**-14, -1, 2.0**-14]


@pytest.mark.parametrize("bits", ROUNDED)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_rounded_weights_of_the_notes(bits, dtype):
    found = rounded_weight(here(np.array([W], dtype)), bits)
    assert dtype_of(found) == dtype
    np.testing.assert_array_equal(host(found), [ROUNDED[bits]])


def test_composed_weights_of_the_notes():
    found = composed_weight(*here([np.array([P]), np.array([S])]), 5)
    np.testing.assert_array_equal(host(found), [COMPOSED])


@pytest.mark.parametrize("bits", [2, 3, 4, 5])
def test_the_nearest_exponent_in_exact_fractions(bits, rng):
    """``k`` is the exponent of ``w`` if ``2^(2k-1) < w^2 < 2^(2k+1)``."""
    w = rng.standard_normal((20, 20)) * 2.0 ** rng.integers(-18, 2, (20, 20))
    found = host(rounded_weight(here(w), bits))
    low = lowest(bits, ternary=False)
    for value, power in zip(w.ravel().tolist(), found.ravel().tolist(), strict=True):
        square = min(max(abs(Fraction(value)), Fraction(2) ** low), 1) ** 2
        k = next(k for k in range(low, 1) if square < Fraction(2) ** (2 * k + 1))
        assert power == (1 if value > 0 else -1) * 2.0**k


@pytest.mark.host("there are no arrays")
def test_ranges_of_the_authors():
    ranges = {b: (lowest(b, ternary=False), lowest(b, ternary=True)) for b in ROUNDED}
    assert ranges == {5: (-15, -14), 4: (-7, -6), 3: (-3, -2), 2: (-1, 0)}


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_powers_are_exact(dtype):
    found = power_of_two(here(-np.arange(16, dtype=dtype).reshape(4, 4)))
    assert dtype_of(found) == dtype
    assert host(found).ravel().tolist() == [2.0**-k for k in range(16)]


def test_clamps():
    w = here(np.array([[1e-9, -1e-9, 0.3, -4.0, 0.0]]))
    found = host(clamped_magnitude(w, 3))
    np.testing.assert_array_equal(found, [[0.125, -0.125, 0.3, -1, 0]])
    found = host(clamped_exponent(here(np.array([[0.5, -1.3, -9.0]])), 4))
    np.testing.assert_array_equal(found, [[0, -1.3, -6]])


def test_fixed_point_of_the_notes():
    x = here(np.array([0.3, -0.3, 1.99, 3.9, -4.2, 0.015625]))
    found = host(FixedPoint(3, 5).rounded(x))
    np.testing.assert_array_equal(found, [0.28125, -0.3125, 1.96875, 3, -4, 0])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("integer", "fraction"), [(2, 0), (3, 5), (16, 16), (8, 24)])
def test_fixed_point_is_an_exact_floor(integer, fraction, dtype, rng):
    point, end = FixedPoint(integer, fraction), 2 ** (integer - 1)
    drawn = rng.standard_normal(200) * 2.0 ** rng.integers(-20, 20, 200)
    x = np.concatenate([drawn, [1e38, -1e38, end - 1, end, -end]]).astype(dtype)
    found = point.rounded(here(x))
    assert dtype_of(found) == dtype
    counts = [floor(Fraction(value) * 2**fraction) for value in x.tolist()]
    bounded = [
        min(max(k, -end << fraction), (end - 1) << fraction) for k in counts
    ]  # fmt: skip
    wanted = [np.dtype(dtype).type(k * point.step) for k in bounded]
    np.testing.assert_array_equal(host(found), wanted)
    assert point.integers(x[:-5].astype("f8")).tolist() == bounded[:-5]


@pytest.mark.host("there are no arrays")
@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ((1, 8), ShapeError, "integer is 1 and fraction 8; integer is at least 2"),
        ((17, 16), ShapeError, "integer is 17 and fraction 16; .* both at most 32"),
        ((16, -1), ShapeError, "fraction must be at least 0, got -1"),
        ((16.0, 4), TypeError, "integer must be an int, got float"),
        ((16, True), TypeError, "fraction must be an int, got bool"),
    ],
)
def test_refused_formats(given, error, says):
    with pytest.raises(error, match=says):
        FixedPoint(*given)
