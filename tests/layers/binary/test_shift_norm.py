"""Shift-based normalisation: its backward by complex steps, and where it is exact."""

import numpy as np
import pytest

from tests.backends import here, host
from ttalgebra.layers import BatchNorm, ShiftBatchNorm
from ttalgebra.layers.binary.binarize import power_of_two as nearest

EPS = 1e-3


def drawn(rng, n=7, features=5):
    x = rng.standard_normal((n, features)) * 3 + rng.standard_normal(features)
    scale, shift, dy = (rng.standard_normal(s) for s in (5, 5, (n, features)))
    zeros, ones = np.zeros(features), np.ones(features)
    return x, dy, ShiftBatchNorm(scale, shift, zeros, ones, eps=EPS, momentum=0.25)


def rounded_factors(x0, scale, shift):
    """BatchNorm around ``x0``, analytic, its factors ``C, 1/sigma, scale`` rounded."""
    C0 = x0 - x0.mean(axis=0)
    D, q = nearest(C0), nearest(scale)
    v0 = (C0 * D).mean(axis=0)
    r = nearest(1 / np.sqrt(v0 + EPS))

    def function(x):
        C = x - x.mean(axis=0)
        moved = 2 * (D * (C - C0)).mean(axis=0)  # of the variance
        inverse = (moved + 1 / r**2) ** -0.5
        return q * (r * C + D * (inverse - r)) + shift

    return function


def test_backward_by_complex_steps_entry_by_entry(rng):
    x, dy, norm = drawn(rng)
    y, backward = here(norm).training(rng)(here(x))
    dx, gradients = host(backward(here(dy)))
    function = rounded_factors(x, norm.scale, norm.shift)
    np.testing.assert_allclose(host(y), function(x), atol=1e-14)
    wanted = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        z = x.astype("c16")
        z[place] += 1e-30j
        wanted[place] = (function(z).imag / 1e-30 * dy).sum()
    np.testing.assert_allclose(dx, wanted, atol=1e-13)
    normal = (function(x) - norm.shift) / nearest(norm.scale)
    np.testing.assert_allclose(gradients["scale"], (dy * normal).sum(0), atol=1e-13)
    np.testing.assert_allclose(gradients["shift"], dy.sum(0), atol=1e-14)


def test_it_is_batch_norm_where_everything_is_a_power_of_two(rng):
    """Columns ``c +- 2^k`` have the deviation ``2^k``: nothing is rounded."""
    k = np.arange(-2, 3)
    x = 3 + 2.0**k * np.array([1, -1, -1, 1, -1, 1])[:, None]
    dy, scale = rng.standard_normal(x.shape), 2.0 ** k[::-1]
    arrays = here([scale, scale / 3, 0 * scale, 1 + 0 * scale])
    found, wanted = (
        kind(*arrays, eps=1e-30).training(rng)(here(x))
        for kind in (ShiftBatchNorm, BatchNorm)
    )
    np.testing.assert_allclose(*host((found[0], wanted[0])), rtol=1e-13)
    (dx, gradients), (dz, others) = host((found[1](here(dy)), wanted[1](here(dy))))
    np.testing.assert_allclose(dx, dz, atol=1e-12)
    for name in ("scale", "shift", "mean"):
        np.testing.assert_allclose(gradients[name], others[name], atol=1e-13)


def test_no_gradient_along_what_the_layer_cannot_see(rng):
    x, dy, norm = drawn(rng)
    dx = host(here(norm).training(rng)(here(x))[1](here(dy))[0])
    np.testing.assert_allclose(dx.sum(axis=0), 0, atol=1e-13)


def test_running_values_and_inference(rng):
    x, dy, norm = drawn(rng)
    y, backward = here(norm).training(rng)(here(x))
    measured = host(backward(here(dy))[1])
    C = x - x.mean(axis=0)
    variance = (C * nearest(C)).mean(axis=0)
    np.testing.assert_allclose(measured["mean"], x.mean(axis=0) / 4, rtol=1e-12)
    np.testing.assert_allclose(measured["variance"], 0.75 + variance / 4, rtol=1e-12)
    fixed = norm.with_arrays({"mean": x.mean(axis=0), "variance": variance})
    np.testing.assert_allclose(*host((here(fixed)(here(x))[0], y)), atol=1e-13)


def test_scale_and_shift_at_inference(rng):
    """Affine in the rounded scale, whose gradient is passed on to the scale."""
    x, dy, norm = drawn(rng)
    x, scale = here(x), norm.scale
    gradients = host(here(norm)(x)[1](here(dy))[1])
    one, two = (
        host(here(norm.with_arrays({"scale": k * np.ones(5)}))(x)[0])
        for k in (1.0, 2.0)
    )
    np.testing.assert_allclose(
        gradients["scale"], ((two - one) * dy).sum(0), atol=1e-13
    )
    np.testing.assert_allclose(gradients["shift"], dy.sum(0), atol=1e-14)
    y = host(here(norm)(x)[0])
    np.testing.assert_allclose(y, one + (two - one) * (nearest(scale) - 1), atol=1e-13)


@pytest.mark.parametrize("n", [0, 1])
def test_a_batch_without_variance_is_refused(n, rng):
    with pytest.raises(ValueError, match=f"batch of {n} has no variance"):
        ShiftBatchNorm.new(2, dtype="f8").training(rng)(here(np.ones((n, 2))))
