"""modReLU: its values, its derivative, and the places where it has none."""

import numpy as np
import pytest

from tests.backends import here, host
from ttalgebra.layers.unitary.modrelu import bias_gradient, modrelu, pulled, slope
from ttalgebra.testing import check_pullback


def at(z, bias):
    """``h``, and ``g -> dz, db`` of one sample."""
    z, bias = here(np.asarray(z, "c16")), here(np.asarray(bias, "f8"))
    found = slope(z, bias)

    def pull(g):
        dz = pulled(found.straight, found.turned, here(np.asarray(g, "c16")))
        db = bias_gradient(found.direction[None, :], dz[None, :])
        return host(dz), host(db)

    return host(modrelu(z, bias)), pull


def test_values_and_derivatives_by_hand():
    """3 + 4i with b = 5: twice as long; 1 along u, 1 + 5 / 5 across it."""
    u = 0.6 + 0.8j
    h, pull = at([5 * u] * 3, [5, -2.5, -6])
    np.testing.assert_allclose(h, [10 * u, 2.5 * u, 0], rtol=1e-15)
    for g, along, across in ((u, 1, 0), (1j * u, 0, 1), (u + 2j * u, 1, 2)):
        dz, db = pull([g] * 3)
        wanted = [along * u + across * f * 1j * u for f in (2, 0.5)]
        np.testing.assert_allclose(dz, [*wanted, 0], rtol=1e-15, atol=1e-15)
        np.testing.assert_allclose(db, [along, along, 0], rtol=1e-15, atol=1e-15)


def test_at_the_threshold_it_counts_as_active():
    """|z| = -b: the derivative from outside, all of ``u`` and nothing across it."""
    u = 0.6 + 0.8j
    h, pull = at([5 * u], [-5])
    assert h[0] == 0
    dz, db = pull([u + 1j * u])
    np.testing.assert_allclose(dz, [u], rtol=1e-15)
    np.testing.assert_allclose(db, [1], rtol=1e-15)


def test_without_bias_it_is_the_identity_at_zero_too(rng):
    z = np.concatenate([np.zeros(2), rng.standard_normal(3) * 1j, [1e-300, -1e300]])
    g = rng.standard_normal(7) + 1j
    h, pull = at(z, np.zeros(7))
    np.testing.assert_allclose(h, z, rtol=1e-15)
    dz, db = pull(g)
    np.testing.assert_array_equal(dz, g)
    np.testing.assert_array_equal(db[:2], 0)


def test_at_zero_there_is_nothing_with_another_bias():
    h, pull = at([0, 0, 0j], [-1, 1, 1e9])
    dz, db = pull([1, 1j, 1])
    assert not h.any()
    assert not dz.any()
    assert not db.any()


@pytest.mark.parametrize("dtype", ["c8", "c16"])
def test_no_overflow_at_the_ends_of_the_range(dtype):
    limits = np.finfo(dtype)
    ends = [limits.smallest_subnormal, limits.tiny, 1e-30, 1, limits.max / 4]
    z = np.array([1j**k * size for size in ends for k in range(4)], dtype)
    for bias in (0, -0.25, 1e10):
        b = np.full(z.shape, bias, np.zeros(0, dtype).real.dtype)
        h, found = modrelu(here(z), here(b)), slope(here(z), here(b))
        assert host(h).dtype == z.dtype
        assert np.isfinite(host(h)).all()
        assert all(np.isfinite(host(part)).all() for part in found)


@pytest.mark.parametrize("shift", [-0.5, 0.0, 0.5])
def test_pullback(shift, rng):
    z = rng.standard_normal((6, 50)) + 1j * rng.standard_normal((6, 50))
    bias = shift + 0.2 * rng.random(50)
    # away from the threshold and from 0, where the difference would see a kink
    near = (abs(abs(z) + bias) < 0.01) | (abs(z) < 0.2)
    z = np.where(near, 2 * z / abs(z), z)

    def function(z, bias):
        found = slope(z, bias)

        def pull(dh):
            dz = pulled(found.straight, found.turned, dh)
            return dz, bias_gradient(found.direction, dz)

        return modrelu(z, bias), pull

    check_pullback(function, here(z), here(bias), rng=rng)


def test_keeps_distances_at_most_unless_the_bias_is_positive(rng):
    z, other = rng.standard_normal((2, 1000)) + 1j * rng.standard_normal((2, 1000))
    bias = np.full(1000, -0.4)
    h, _ = at(z, bias)
    k, _ = at(other, bias)
    assert (abs(h - k) <= abs(z - other) * (1 + 1e-14)).all()
    assert (abs(h) <= abs(z)).all()
    h, _ = at([1, 1j], [0.5, 0.5])
    assert abs(h[0] - h[1]) == pytest.approx(1.5 * abs(1 - 1j))
