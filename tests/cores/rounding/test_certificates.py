"""The check of the check: its floor covers its roundoff, its bound is not idle."""

import math

import numpy as np
import pytest

from tests.backends import here
from tests.cores.rounding.adversaries import draw, small_bonds
from tests.reference import dense, norm
from ttalgebra.cores.rounding.certify import Certificate, inner, squared_norm
from ttalgebra.cores.rounding.networks import plain, product


def far_gauge(rng, x):
    """The same tensor (nearly) with bonds of condition up to 1e12."""
    cores = [np.array(core) for core in x]
    for k in range(len(cores) - 1):
        r = cores[k].shape[-1]
        P = rng.standard_normal((r, r)) * 10.0 ** rng.uniform(-6, 6, r)
        cores[k] = cores[k] @ P
        cores[k + 1] = np.tensordot(np.linalg.pinv(P), cores[k + 1], 1)
    return tuple(cores)


def test_floors_cover_roundoff(cases):
    """Largest error / floor of 6,000 squares: 0.13, so the factor 4 is 7 too wide."""
    worst, asked = 0.0, 0
    for seed in range(cases):
        rng = np.random.default_rng([31, seed])
        x = draw(rng, dtype=("f8", "c16")[seed % 2])
        if seed % 3 == 1:
            x = far_gauge(rng, x)
        network, exact = plain(here(x)), dense(x)
        if seed % 3 == 2:
            modes = [core.shape[1:-1] for core in x]
            bonds = small_bonds(rng, len(x))
            y = draw(rng, dtype=x[0].dtype, modes=modes, bonds=bonds)
            network, exact = product(here(x), here(y), "hadamard"), exact * dense(y)
        square = squared_norm(network)
        scale = np.longdouble(2) ** square.exponent
        error = abs(square.value * scale - norm(exact) ** 2)
        floor = square.floor * scale
        assert error <= floor
        if floor:
            worst, asked = max(worst, float(error / floor)), asked + 1
    assert asked > cases // 2
    assert worst < 0.5


@pytest.mark.parametrize("power", [-900, 0, 900])
def test_scales_change_nothing(power, rng):
    x = here(draw(rng, dtype="f8", modes=[(3,)] * 4, bonds=(1, 3, 3, 3, 1)))
    far = (*x[:-1], x[-1] * 2.0**power)
    near, moved = Certificate.of(plain(x)), Certificate.of(plain(far))
    assert moved.floor == near.floor
    assert moved.norm == near.norm * 2.0**power
    y = (*x[:-1], x[-1] * 1.25)
    assert near.error_of(y) == moved.error_of((*y[:-1], y[-1] * 2.0**power))
    assert near.error_of(y) == pytest.approx(0.25, rel=1e-6)


def test_inner_products(rng):
    x = draw(rng, dtype="c16", modes=[(3,)] * 3, bonds=(1, 3, 3, 1))
    y = draw(rng, dtype="c16", modes=[(3,)] * 3, bonds=(1, 2, 2, 1))
    value, exponent = inner(plain(here(y)), plain(here(x)))
    expected = np.vdot(dense(y), dense(x)).real
    size = norm(dense(x)) * norm(dense(y))
    assert abs(math.ldexp(value, exponent) - expected) <= 1e-13 * size


def test_a_norm_of_roundoff_certifies_nothing():
    x = np.ones((1, 2, 1))
    pair = here((np.concatenate([x, x], axis=2), np.concatenate([x, -x], axis=0)))
    certificate = Certificate.of(plain(pair))
    assert certificate.floor == math.inf
    assert certificate.error_of(here((x, x))) == math.inf
    assert certificate.refusal(0.9) == "the floor of the check is inf here"
