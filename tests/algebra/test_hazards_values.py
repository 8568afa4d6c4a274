"""Hazards 17, 18, 20, 24, 25: zeros, negative squares, noise, norms without a float."""

import math

import numpy as np
import pytest

import ttalgebra as tt
from tests import made
from tests.algebra.operations import OPERATIONS, operands, parts
from tests.backends import dtype_of, here, host
from tests.reference import Ratios, unit

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_zero_in_any_operation(name, dtype, rng):
    """Exact zeros of the same dtype, norm 0.0, rank 1 once rounded, no warning."""
    x, y, A, B = (0 * train for train in here(operands(rng, dtype)))
    result = OPERATIONS[name](x, y, A, B)
    if name.startswith(("same", "cost")):
        return
    if isinstance(result, (tt.TTTensor, tt.TTMatrix)):
        assert dtype_of(result) == dtype
        assert result.norm() == 0.0
        rounded = result.round(tol=1e-3)
        assert rounded.max_rank == 1
        assert not host(rounded.to_dense()).any()
        assert not host(result.to_dense()).any()
    for piece in host(parts(result)):
        assert np.all(np.isfinite(piece))
        if not isinstance(result, (tt.TTTensor, tt.TTMatrix)):
            assert not np.any(piece)


def test_the_root_of_a_dot_is_no_norm():
    """``<z, z>`` of a difference may be below zero; its norm never is NaN."""
    negative = 0
    for seed in range(40):
        x = made.random_tensor((3, 4, 3), 3, rng=seed)
        z = x - x.round()
        square = tt.dot(z, z)
        negative += square < 0
        assert math.isfinite(z.norm())
        assert 0 <= z.norm() <= 30 * unit(z.cores)
    assert negative, "no example shows the hazard; draw others"


@pytest.mark.parametrize("tol", [None, 1e-8, 0.5])
def test_rounding_what_is_left_of_a_train_minus_itself(tol):
    """Noise relative to noise keeps noise ranks; it is finite and below the unit."""
    x = made.random_tensor((4, 5, 4), 3, rng=0)
    z = x - x.round()
    found, info = z.round(tol=tol, return_info=True)
    assert found.norm() <= 30 * unit(z.cores)
    assert math.isfinite(info.error)
    assert all(r <= s for r, s in zip(found.ranks, z.ranks, strict=True))
    assert tt.same(x + z, x)


def test_an_absolute_tolerance_drops_the_noise():
    """What ``x - x`` left is below ``atol``: rank 1, and no more."""
    x = made.random_tensor((4, 5, 4), 3, rng=0)
    z = x - x.round()
    found = z.round(atol=1e-10 * x.norm())
    assert found.max_rank == 1
    assert (z - found).norm() <= 1e-10 * x.norm()
    kept = (x + z).round(atol=1e-10 * x.norm())
    assert kept.ranks == x.ranks
    assert (kept - x).norm() <= 2e-10 * x.norm()


@pytest.mark.parametrize("power", [-500, 500])
def test_true_norms_without_a_float(power):
    """The train keeps its value though nothing can hold its norm."""
    x = tt.TTTensor(here([np.full((1, 3, 1), 10.0 ** (power / 5))] * 5))
    assert x.norm() == (0.0 if power < 0 else math.inf)
    y, info = (x + x).round(tol=1e-9, return_info=True)
    assert y.ranks == x.ranks
    assert info.error < 1e-12
    assert y.log_norm() == pytest.approx(x.log_norm() + math.log(2), rel=1e-13)
    back = y * 10.0 ** (-power / 2) * 10.0 ** (-power / 2)
    assert back.norm() == pytest.approx(2 * math.sqrt(3**5), rel=1e-9)
    assert tt.same(y, 2 * x)


@pytest.mark.host("of the judge itself")
def test_comparing_nothing_is_no_success():
    """``np.all([])`` is True: the judge of our laws counts what it compares."""
    judge = Ratios()
    with pytest.raises(AssertionError, match="nothing"):
        judge.check("law", np.zeros(0), 1.0)
    with pytest.raises(AssertionError, match="finite"):
        judge.check("law", math.nan, 1.0)
    with pytest.raises(AssertionError, match="exact"):
        judge.check("law", 1e-300, 0.0)
    with pytest.raises(AssertionError, match="units"):
        judge.check("law", 31.0, 1.0)
    judge.check("law", 29.0, 1.0)
    assert judge.counts["law"] == 2
