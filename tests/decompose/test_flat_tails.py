"""Tails between roundoff and a generous floor: a tol that is asked for is kept.

Noise has a norm of about ``eps`` times the square root of its count. A floor that
grows with the count itself would cut what was asked to be kept.
"""

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import here


def with_flat_tail(n, height, dtype, rng):
    """``n x n`` with singular values 1 and, ``n - 1`` times, ``height``."""
    left, right = (np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(2))
    values = np.full(n, height)
    values[0] = 1.0
    return here(((left * values) @ right).astype(dtype))


CASES = [
    (64, "f4", 1e-6, 1e-5),
    (256, "f4", 6e-6, 2e-5),
    (256, "f8", 2e-14, 5e-14),
    (64, "f8", 1e-15, 2e-15),
]


@pytest.mark.parametrize(("n", "dtype", "height", "tol"), CASES, ids=str)
def test_tol_is_kept_down_to_roundoff(n, dtype, height, tol, rng):
    array = with_flat_tail(n, height, dtype, rng)
    _, info = tt.TTTensor.from_dense(array, tol=tol, strict=True, return_info=True)
    assert info.error <= tol
    assert info.tol_met
    y = tt.TTTensor.from_dense(array)
    _, report = y.round(tol=tol, strict=True, return_info=True)
    assert report.error <= tol


def test_a_graded_spectrum_keeps_its_tol():
    array = here(np.diag(np.geomspace(1, 1e-7, 64)).astype("f4"))
    _, info = tt.TTTensor.from_dense(array, tol=1e-6, strict=True, return_info=True)
    assert info.error <= 1e-6


@pytest.mark.parametrize("n", [4, 64, 512])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_noise_alone_is_cut_by_default(n, dtype, rng):
    """Rank 3 and roundoff: without tol or max_rank, rank 3 is found."""
    left, right = rng.standard_normal((n, 3)), rng.standard_normal((3, n))
    x = tt.TTTensor.from_dense(here(left.astype(dtype) @ right.astype(dtype)))
    assert x.ranks == (1, 3, 1)
    assert (x + x + x).round().ranks == (1, 3, 1)
