"""Forward in exact numbers, and the gradients of the straight-through estimators."""

from fractions import Fraction
from math import log

import numpy as np
import pytest

from tests.backends import here, host
from tests.layers.shift.test_roundings import COMPOSED, P, S
from ttalgebra.arrays.errors import NonFiniteError, ShapeError
from ttalgebra.layers import DeepShiftPS, DeepShiftQ
from ttalgebra.layers.shift import FixedPoint, power_decay, real_weights
from ttalgebra.testing import central, check_pullback, complex_step

KINDS = (DeepShiftQ, DeepShiftPS)
both = pytest.mark.parametrize("kind", KINDS)


def rationals(x):
    return np.vectorize(Fraction, otypes=[object])(np.asarray(host(x)))


@both
@pytest.mark.parametrize("bits", [2, 5])
def test_forward_and_backward_in_exact_fractions(kind, bits, rng):
    """Dyadic numbers: float64 makes no error, so equality is to the last bit."""
    layer = here(kind.random(7, 5, bits=bits, rng=rng, dtype="f8"))
    x, dy = rng.standard_normal((3, 7)), rng.integers(-9, 9, (3, 5)) / 4
    y, backward = layer(here(x))
    dx, gradients = backward(here(dy))
    point, w = FixedPoint(), rationals(layer.power)
    rounded, exact_dy = rationals(point.rounded(x)), rationals(dy)
    wanted = rounded @ w.T + rationals(point.rounded(layer.bias))
    G = exact_dy.T @ rounded
    assert (rationals(y) == wanted).all()
    assert (rationals(dx) == exact_dy @ w).all()
    assert (rationals(gradients["bias"]) == exact_dy.sum(axis=0)).all()
    learned = "weight" if kind is DeepShiftQ else "sign"
    assert (rationals(gradients[learned]) == G).all()
    if kind is DeepShiftPS:
        wanted = (G * w).astype(float) * log(2)
        np.testing.assert_allclose(host(gradients["shift"]), wanted, rtol=1e-15)


def test_gradients_of_the_notes():
    layer = here(DeepShiftPS(np.array([P]), np.array([S]), np.zeros(1)))
    np.testing.assert_array_equal(host(layer.power), [COMPOSED])
    _, backward = layer(here(np.ones((1, 7))))
    gradients = host(backward(here(np.ones((1, 1))))[1])
    wanted = [.693147, -.173287, 0, 0, 4.2306e-5, -.693147, 4.2306e-5]  # fmt: skip
    np.testing.assert_allclose(gradients["shift"], [wanted], rtol=1e-5)
    np.testing.assert_array_equal(gradients["sign"], np.ones((1, 7)))


def test_the_gradient_of_an_exponent_is_that_of_the_unrounded_weight(rng):
    """At integer ``P`` nothing is rounded: ``y = [x] (S 2^P)^T`` is analytic in P."""
    powers, signs = (
        -rng.integers(0, 15, (4, 6)) * 1.0,
        rng.integers(-1, 2, (4, 6)) * 1.0,
    )
    layer = here(DeepShiftPS(powers, signs, np.zeros(4)))
    x = here(rng.integers(-50, 50, (3, 6)) / 8)
    y, backward = layer(x)

    def smooth(moved):
        w = here(signs) * 2.0**moved
        return x @ w.T, lambda dy: backward(dy)[1]["shift"]

    check_pullback(smooth, here(powers), rng=rng, difference=central)
    np.testing.assert_array_equal(host(y), host(smooth(here(powers))[0]))


def test_decay(rng):
    exponents = here(rng.uniform(-14, 0, (3, 4)))
    squares = 4.0 ** host(exponents)
    value, gradient = power_decay(exponents, 1e-3)
    assert value == pytest.approx(0.5e-3 * squares.sum(), rel=1e-14)
    np.testing.assert_allclose(host(gradient), 1e-3 * log(2) * squares, rtol=1e-14)

    def each(p):
        return 0.5e-3 * np.exp(p * log(4)), lambda dy: dy * power_decay(p, 1e-3)[1]

    check_pullback(each, host(exponents), rng=rng, difference=complex_step)


def test_only_the_training_form_decays_and_only_exponents(rng):
    layer = here(DeepShiftPS.random(4, 3, decay=0.25, rng=0, dtype="f8"))
    x, dy = here(rng.standard_normal((2, 4))), here(rng.standard_normal((2, 3)))
    y, backward = layer(x)
    z, decayed = layer.training(rng)(x)
    np.testing.assert_array_equal(*host((y, z)))
    (dx, plain), (dz, found) = host(backward(dy)), host(decayed(dy))
    np.testing.assert_array_equal(dx, dz)
    own = host(power_decay(layer.shift, 0.25)[1])
    np.testing.assert_array_equal(found.pop("shift"), plain.pop("shift") + own)
    for name, gradient in plain.items():
        np.testing.assert_array_equal(found[name], gradient)
    bare = layer.with_arrays({})
    assert type(DeepShiftPS.random(4, 3, rng=0).training(rng)) is DeepShiftPS
    assert bare.decay == 0.25


def test_optimizers_leave_exponents_and_signs_alone():
    layer = here(DeepShiftPS.random(4, 3, rng=0))
    decayed = {n: real_weights(f"2.{n}", p) for n, p in layer.parameters.items()}
    assert decayed == {"shift": False, "sign": False, "bias": False}
    weight = here(np.ones((2, 2)))
    assert real_weights("weight", weight)
    assert not real_weights("0.bias", weight[0, :])


@pytest.mark.host("draws are made in NumPy")
def test_initial_arrays():
    layer = DeepShiftPS.random(400, 300, bits=4, rng=3)
    assert layer.shift.min() >= -6
    assert layer.shift.max() <= 0
    assert abs(layer.shift.mean() + 3) < 6 / 12**0.5 / 346 * 5
    dead = (layer.power == 0).mean()
    assert abs(dead - 0.5) < 5 * 0.5 / 346  # 120,000 coins, five deviations
    layer = DeepShiftQ.random(400, 300, rng=3, dtype="f8")
    assert abs(layer.weight).max() <= 0.05
    assert abs(layer.weight.std() / (0.05 / 3**0.5) - 1) < 0.01
    assert abs(layer.bias).max() <= 0.05
    again = DeepShiftQ.random(400, 300, rng=3, dtype="f8")
    np.testing.assert_array_equal(layer.weight, again.weight)


ONES = np.ones((2, 3))


@pytest.mark.host("the door is the same for every library")
@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: DeepShiftQ(ONES, np.ones(3)), ShapeError, "3 entries, the weight 2"),
        (lambda: DeepShiftQ(ONES, np.ones(2), 6), ShapeError, "from 2 to 5, got 6"),
        (lambda: DeepShiftQ(ONES, np.ones(2), 1), ShapeError, "from 2 to 5, got 1"),
        (lambda: DeepShiftQ(ONES, np.ones(2), 5, 1), ShapeError, "integer is 1"),
        (lambda: DeepShiftQ(1j * ONES, np.ones(2)), TypeError, "weight is complex128"),
        (lambda: DeepShiftQ(ONES[0], np.ones(2)), ShapeError, "expected 2 axes"),
        (lambda: DeepShiftQ(ONES / 0, np.ones(2)), NonFiniteError, "weight: the value"),
        (lambda: DeepShiftQ.random(0, 2), ShapeError, "size must be at least 1, got 0"),
        (
            lambda: DeepShiftQ.random(3, 2, dtype="c8"),
            TypeError,
            "powers of two are real",
        ),
        (lambda: DeepShiftPS.random(3, 2, bits=7), ShapeError, "from 2 to 5, got 7"),
        (lambda: DeepShiftPS(ONES, ONES.T, np.ones(2)), ShapeError, r"\(3, 2\), shift"),
        (lambda: DeepShiftPS(ONES, ONES, np.ones(2), decay=-1), ShapeError, "least 0"),
        (lambda: DeepShiftPS(ONES, ONES, np.ones(2), decay="1"), TypeError, "str"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_refuses(call, error, says):
    with pytest.raises(error, match=says):
        call()
