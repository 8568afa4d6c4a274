"""Sequences: what each is by its definition, from a seed, the same for ever."""

from math import log

import numpy as np
import pytest

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.learning import (
    CrossEntropy,
    Dataset,
    SquaredError,
    StepwiseLoss,
    adding,
    copying,
    copying_baseline,
    pixel_by_pixel,
)

pytestmark = pytest.mark.host("data are made on the host")


@pytest.mark.parametrize("delay", [1, 2, 100])
def test_copying_is_what_the_paper_says(delay):
    x, labels = copying(500, delay, rng=0)
    assert x.shape == (500, delay + 20, 10)
    assert x.dtype == np.float32
    assert (x.sum(axis=2) == 1).all()
    given = x.argmax(axis=2)
    assert set(given[:, :10].flat) == set(range(1, 9))
    assert (given[:, 10 : 9 + delay] == 0).all()
    assert (given[:, 9 + delay] == 9).all()
    assert (given[:, -10:] == 0).all()
    assert (labels[:, :-10] == 0).all()
    np.testing.assert_array_equal(labels[:, -10:], given[:, :10])
    counts = np.bincount(given[:, :10].ravel())[1:]  # 625 each, deviation 23
    assert abs(counts - 625).max() < 5 * 24


def test_the_baseline_of_copying():
    """Blanks for certain, then eight symbols alike: the loss of just that answer."""
    printed = {100: 0.17328680, 200: 0.09452007, 300: 0.06498255, 500: 0.03998926}
    for delay, value in printed.items():
        assert round(copying_baseline(delay), 8) == value
    _, labels = copying(4, 100, rng=0)
    y = np.full((4, 120, 9), -1e3)
    y[:, :-10, 0] = 1e3
    y[:, -10:, 1:] = 0
    value, _ = StepwiseLoss(CrossEntropy())(y, labels)
    assert value == pytest.approx(10 * log(8) / 120, rel=1e-12)


@pytest.mark.parametrize("steps", [2, 3, 101])
def test_adding_marks_one_number_in_each_half(steps):
    x, total = adding(1000, steps, rng=0)
    assert x.shape == (1000, steps, 2)
    assert x.dtype == total.dtype == np.float32
    numbers, marks = x[:, :, 0], x[:, :, 1]
    assert set(marks.flat) <= {0, 1}
    assert (marks[:, : steps // 2].sum(axis=1) == 1).all()
    assert (marks[:, steps // 2 :].sum(axis=1) == 1).all()
    np.testing.assert_array_equal((numbers * marks).sum(axis=1), total[:, 0])
    assert 0 <= numbers.min() <= numbers.max() < 1
    assert (marks.sum(axis=0) > 0).all()  # every place is marked in some


def test_the_baseline_of_adding():
    """Answering 1 has the error 1/6; four deviations of its mean are 0.0033."""
    _, total = adding(50_000, 10, rng=1)
    value, _ = SquaredError()(np.ones(total.shape), total.astype("f8"))
    assert abs(2 * value - 1 / 6) < 0.0034


def test_pixels_come_row_by_row_or_in_one_drawn_order(rng):
    images = rng.random((5, 784)).astype("f4")
    data = Dataset(images, np.arange(5), images[:2], np.arange(2))
    plain = pixel_by_pixel(data)
    np.testing.assert_array_equal(plain.x, images[:, :, None])
    mixed = pixel_by_pixel(data, permuted=True, rng=3)
    order = [int(np.flatnonzero(images[0] == p)[0]) for p in mixed.x[0, :, 0]]
    assert sorted(order) == list(range(784)) != order
    np.testing.assert_array_equal(mixed.x[:, :, 0], images[:, order])
    np.testing.assert_array_equal(mixed.x_test, mixed.x[:2])
    np.testing.assert_array_equal(mixed.labels, data.labels)
    again = pixel_by_pixel(data, permuted=True, rng=3)
    np.testing.assert_array_equal(again.x, mixed.x)
    assert (pixel_by_pixel(data, permuted=True, rng=4).x != mixed.x).any()


@pytest.mark.parametrize("make", [copying, adding])
def test_a_seed_fixes_them_and_a_generator_goes_on(make):
    for first, again in zip(make(3, 20, rng=5), make(3, 20, rng=5), strict=True):
        np.testing.assert_array_equal(first, again)
    draw = np.random.default_rng(5)
    first, second = make(3, 20, rng=draw)[0], make(3, 20, rng=draw)[0]
    assert (first != second).any()
    assert make(0, 20, rng=5)[0].shape[0] == 0


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: copying(-1, 5), ShapeError, "copying: n must be at least 0, got -1"),
        (lambda: copying(1, 0), ShapeError, "delay must be at least 1, got 0"),
        (lambda: copying(1, 2.5), TypeError, "delay must be an int, got float"),
        (lambda: copying_baseline(0), ShapeError, "delay must be at least 1"),
        (lambda: adding(1, 1), ShapeError, "steps must be at least 2, got 1"),
        (lambda: adding(True, 5), TypeError, "n must be an int, got bool"),
        (lambda: adding(1, 5, rng="x"), TypeError, "rng must be an int"),
    ],
)
def test_refuses(call, error, says):
    with pytest.raises(error, match=says):
        call()
