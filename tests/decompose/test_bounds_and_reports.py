"""``max_rank`` and ``return_info``: who wins, who is told, what the report holds."""

import math

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import here
from tests.reference import dense, norm, wide


@pytest.fixture
def array(rng):
    return rng.standard_normal((3, 4, 5, 2))


@pytest.fixture(params=["from_dense", "round"])
def truncate(request, array):
    """Both doors, with one signature."""
    array = here(array)
    if request.param == "round":
        return tt.TTTensor.from_dense(array).round
    return lambda **options: tt.TTTensor.from_dense(array, **options)


def test_one_bound_for_all_bonds(truncate):
    assert truncate(max_rank=2).ranks == (1, 2, 2, 2, 1)


@pytest.mark.parametrize(
    "bounds", [[1, 3, 2], (1, 3, 2), (1, 1, 3, 2, 1), [1, 1, 3, 2, 1], range(1, 4)]
)
def test_one_bound_for_each_bond(truncate, bounds):
    inner = tuple(bounds) if len(bounds) == 3 else tuple(bounds)[1:-1]
    ranks = truncate(max_rank=bounds).ranks[1:-1]
    assert all(r <= b for r, b in zip(ranks, inner, strict=True))
    if inner == (1, 3, 2):
        assert ranks == inner


def test_a_bound_that_does_not_bite_changes_nothing(truncate):
    x, info = truncate(max_rank=10**6, return_info=True)
    assert x.ranks == (1, 3, 10, 2, 1)
    assert info.tol_met


def test_the_bound_wins_over_tol(truncate, array):
    with pytest.warns(tt.errors.ToleranceWarning, match=r"max_rank.*tol") as caught:
        x, info = truncate(tol=1e-8, max_rank=2, return_info=True)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert x.ranks == (1, 2, 2, 2, 1)
    assert not info.tol_met
    assert info.tol == 1e-8
    error = norm(dense(x.cores) - wide(array)) / norm(array)
    assert info.error == pytest.approx(float(error), rel=1e-12)
    assert info.error > 1e-8


def test_strict_raises_instead(truncate):
    with pytest.raises(tt.errors.ConvergenceError, match="max_rank") as caught:
        truncate(tol=1e-8, max_rank=2, strict=True)
    assert isinstance(caught.value, np.linalg.LinAlgError)
    assert "1e-08" in str(caught.value)


def test_strict_is_silent_where_tol_is_met(truncate):
    x, info = truncate(tol=0.99, max_rank=2, strict=True, return_info=True)
    assert info.tol_met
    assert x.max_rank <= 2


def test_bound_without_tol_warns_nobody(truncate):
    _, info = truncate(max_rank=1, return_info=True)
    assert info.tol_met
    assert info.tol is None
    assert 0 < info.error < 1


def test_positional_order(array):
    x = tt.TTTensor.from_dense(here(array), 0.99, 2)
    assert x.max_rank <= 2
    assert x.round(0.99, 1).max_rank == 1
    W = here(np.arange(36.0).reshape(6, 6))
    assert tt.TTMatrix.from_dense(W, (2, 3), (3, 2), None, 1).max_rank == 1


@pytest.mark.parametrize(
    "options", [{"eps": 1e-3}, {"rmax": 3}, {"rtol": 1e-3}, {"tolerance": 0.1}]
)
def test_unknown_keywords_are_refused(truncate, options):
    with pytest.raises(TypeError):
        truncate(**options)


def test_singular_values_are_those_of_the_unfoldings(truncate, array):
    """Lossless, so each bond's are those of the array's own unfolding."""
    _, info = truncate(return_info=True)
    assert len(info.singular_values) == 3
    for k, values in enumerate(info.singular_values, start=1):
        rows = math.prod(array.shape[:k])
        expected = np.linalg.svd(array.reshape(rows, -1), compute_uv=False)
        assert values.dtype == np.float64
        assert np.allclose(values, expected[: len(values)], rtol=1e-12, atol=1e-13)
        assert not np.any(expected[len(values) :] > 1e-13)


def test_error_is_what_the_singular_values_say(truncate):
    _, info = truncate(max_rank=2, return_info=True)
    kept = zip(info.singular_values, info.ranks[1:], strict=False)
    tails = np.concatenate([values[r:] for values, r in kept])
    assert info.error == pytest.approx(float(norm(tails)) / info.norm, rel=1e-12)


def test_report_of_a_far_train_is_in_true_units():
    near = here(tt.random_tensor((3, 4, 3), 3, rng=0))
    far = tt.TTTensor([G * 2.0**200 for G in near.cores])
    _, one = near.round(max_rank=2, return_info=True)
    _, two = far.round(max_rank=2, return_info=True)
    assert two.error == one.error
    assert two.norm == one.norm * 2.0**600
    for s, t in zip(one.singular_values, two.singular_values, strict=True):
        assert np.array_equal(t, s * 2.0**600)


@pytest.mark.parametrize("entry", [1e200, 1e-200], ids=["inf", "zero"])
def test_report_out_of_range_is_silent(entry):
    """Norms of 10^±1000: singular values are inf or 0.0, and no RuntimeWarning."""
    x = tt.TTTensor(here([np.full((1, 3, 1), entry)] * 5))
    y, info = x.round(tol=1e-3, return_info=True)
    assert info.norm == (np.inf if entry > 1 else 0.0)
    assert info.error < 1e-12
    assert y.log_norm() == pytest.approx(x.log_norm(), rel=1e-14)
    assert len(info.singular_values) == 4


def test_the_report_is_frozen_and_names_its_drivers(truncate, xp):
    _, info = truncate(tol=0.1, return_info=True)
    assert info.method == "svd"
    driver = "gesdd" if xp.is_numpy else "native"
    assert driver in info.drivers
    assert len(info.drivers) == 3
    assert set(info.drivers) <= {driver, "qr"}  # all of a bond may be kept
    with pytest.raises(AttributeError):
        info.error = 0.0


def test_one_core_has_nothing_to_report():
    ones = here(tt.ones((5,)))
    x, info = ones.round(tol=0.1, return_info=True)
    assert (x.ranks, info.error, len(info.singular_values)) == ((1, 1), 0.0, 0)
    assert ones.round(max_rank=[]).ranks == (1, 1)
    assert ones.round(max_rank=[1, 1]).ranks == (1, 1)
