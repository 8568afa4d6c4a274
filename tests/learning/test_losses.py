"""Losses against mpmath, against differences, and at the ends of the range."""

import mpmath
import numpy as np
import pytest

from tests.backends import dtype_of, here, host
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.learning import CrossEntropy, Hinge, SquaredError, SquaredHinge
from ttalgebra.testing import central, check_pullback

LABELLED = (CrossEntropy, Hinge, SquaredHinge)
EVERY = (*LABELLED, SquaredError)
EXTREME = (
    [[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]],
    [[1e30, -1e30, 0.0], [1.0, 2.0, -1e30]],
    [[-1e30, -1e30, -1e30], [1e-300, 0.0, 700.0]],
    [[0.1, 0.2, 0.3], [-40.0, 0.0, 40.0]],
)


def target_for(loss, rng, n):
    labelled = loss is not SquaredError
    return rng.integers(0, 4, n) if labelled else rng.standard_normal((n, 4))


def exact_cross_entropy(y, label):
    with mpmath.workdps(60):
        powers = [
            mpmath.exp(mpmath.mpf(float(v)) - mpmath.mpf(float(max(y)))) for v in y
        ]
        total = sum(powers)
        own = mpmath.mpf(float(y[label])) - mpmath.mpf(float(max(y)))
        p = [power / total for power in powers]
        p[label] -= 1
        return float(mpmath.log(total) - own), np.array(p, "f8")


@pytest.mark.parametrize("logits", EXTREME)
@pytest.mark.parametrize("labels", [[0, 1], [1, 2], [2, 0]])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_cross_entropy_against_mpmath(logits, labels, dtype):
    y = np.array(logits, dtype)
    value, dy = CrossEntropy()(here(y), here(np.array(labels)))
    truth = [exact_cross_entropy(row, k) for row, k in zip(y, labels, strict=True)]
    wanted = sum(v for v, _ in truth) / 2
    eps = np.finfo(dtype).eps
    assert abs(value - wanted) <= 8 * eps * (1 + abs(wanted))
    slopes = np.array([g for _, g in truth]) / 2
    np.testing.assert_allclose(host(dy), slopes, atol=8 * eps)
    assert dtype_of(dy) == dtype


def test_hinges_by_hand():
    y = here(np.array([[2.0, 1.5, -1.0], [0.0, 0.25, 0.5]]))
    value, dy = Hinge()(y, [0, 1])  # 0.5 | 0.75 + 1.25
    assert value == (0.5 + 2.0) / 2
    np.testing.assert_array_equal(host(dy) * 2, [[-1, 1, 0], [1, -2, 1]])
    value, dy = SquaredHinge()(y, [0, 1])  # (0, 2.5^2, 0) | (1, 0.75^2, 1.5^2)
    assert value == (6.25 + 1 + 0.5625 + 2.25) / 2
    np.testing.assert_array_equal(host(dy) * 2, [[0, 5, 0], [2, -1.5, 3]])


def test_squared_error_is_the_half_of_the_squared_norm(rng):
    y, target = rng.integers(-9, 9, (2, 5, 3))
    value, dy = SquaredError(mean=False)(here(y), here(target))
    assert value == ((y - target) ** 2).sum() / 2
    assert (host(dy) == y - target).all()
    z = y + 1j * target
    value, dy = SquaredError(mean=False)(here(z), here(0 * z))
    assert value == (y**2 + target**2).sum() / 2
    assert (host(dy) == z).all()


@pytest.mark.parametrize("loss", EVERY)
@pytest.mark.parametrize("mean", [True, False])
def test_gradient_by_differences(loss, mean, rng):
    y = here(rng.standard_normal((6, 4)))
    target = here(target_for(loss, rng, 6))

    def function(y):
        value, dy = loss(mean=mean)(y, target)
        return np.array(value), lambda dvalue: float(dvalue) * dy

    check_pullback(function, y, rng=rng, difference=central)


@pytest.mark.parametrize("loss", EVERY)
def test_mean_is_the_sum_over_the_samples(loss, rng):
    y, target = rng.standard_normal((8, 4)), target_for(loss, rng, 8)
    mean, dmean = loss()(here(y), here(target))
    total, dtotal = loss(mean=False)(here(y), here(target))
    assert mean == total / 8
    np.testing.assert_array_equal(*host((dmean, dtotal / 8)))
    pairs = [here((y[k : k + 1], target[k : k + 1])) for k in range(8)]
    parts = [loss(mean=False)(*pair)[0] for pair in pairs]
    assert abs(sum(parts) - total) < 1e-13 * total


@pytest.mark.parametrize("loss", EVERY)
def test_empty_batch(loss):
    target = np.empty((0, 4)) if loss is SquaredError else np.empty(0, int)
    value, dy = loss()(here(np.empty((0, 4))), here(target))
    assert value == 0
    assert dy.shape == (0, 4)


@pytest.mark.parametrize("loss", EVERY)
def test_same_on_every_library(loss, rng, xp):
    y = rng.standard_normal((6, 4)).astype("f4")
    target = target_for(loss, rng, 6)
    value, dy = loss()(y, target)
    other, dother = loss()(xp.asarray(y), xp.asarray(target))
    assert abs(value - other) < 1e-6 * abs(value)
    np.testing.assert_allclose(xp.numpy(dother), dy, rtol=1e-5, atol=1e-7)
    assert xp.numpy(dother).dtype == np.float32


Y = np.zeros((3, 4))


@pytest.mark.parametrize("loss", LABELLED)
@pytest.mark.parametrize(
    ("y", "target", "error", "says"),
    [
        (Y, [0, 1], ShapeError, r"labels have shape \(2,\), expected \(3,\)"),
        (Y, [0, 1, 4], ShapeError, "reach from 0 to 4; for 4 classes they are 0 to 3"),
        (Y, [0, -1, 2], ShapeError, "reach from -1 to 2"),
        (Y, [[0], [1], [2]], ShapeError, r"shape \(3, 1\)"),
        (Y, [0.0, 1.0, 2.0], TypeError, "must be integers, got dtype .*float64"),
        (Y, [True, False, True], TypeError, "must be integers, got dtype .*bool"),
        (Y[0], [0], ShapeError, r"y has shape \(4,\)"),
        (Y[:, :0], [0, 0, 0], ShapeError, r"y has shape \(3, 0\)"),
        (Y + 0j, [0, 1, 2], TypeError, "complex128; scores must be real"),
    ],
)
def test_labelled_refuses(loss, y, target, error, says):
    for labels in (target, here(np.array(target))):
        with pytest.raises(error, match=says):
            loss()(here(y), labels)


@pytest.mark.host("masked arrays are NumPy's")
@pytest.mark.parametrize("loss", LABELLED)
def test_labelled_refuses_what_is_no_array(loss):
    with pytest.raises(TypeError, match="masked array"):
        loss()(Y, np.ma.ones(3, int))
    with pytest.raises(TypeError, match="must be an array, got str"):
        loss()("y", [0])


def test_squared_error_refuses():
    y = here(Y)
    with pytest.raises(ShapeError, match=r"target has shape \(3, 1\), y has \(3, 4\)"):
        SquaredError()(y, here(Y[:, :1]))
    with pytest.raises(TypeError, match=r"target is .*complex128 but y .*float64"):
        SquaredError()(y, here(Y + 0j))
