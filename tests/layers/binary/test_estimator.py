"""Signs and their straight-through gradients: the definitions, exact on integers."""

from itertools import product

import numpy as np
import pytest

from tests.backends import here, host
from ttalgebra.arrays.errors import NonFiniteError, ShapeError
from ttalgebra.layers import LSTM, BinaryLinear, Dense, Sequential, Sign, Stepwise
from ttalgebra.layers.binary.binarize import sign, stochastic_sign
from ttalgebra.learning import SGD, Adam, SquaredError, start, step

PLACES = np.array([[-2.0, -1.5, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 1.5, 2.0]])
SIGNS = [[-1, -1, -1, -1, 1, 1, 1, 1, 1, 1]]
PASSED = [[0, 0, 1, 1, 1, 1, 1, 1, 0, 0]]


@pytest.mark.parametrize("stochastic", [False, True])
def test_sign_passes_gradients_where_it_is_not_saturated(rng, stochastic):
    layer = Sign(stochastic)
    layer = layer.training(rng) if stochastic else layer
    y, backward = layer(here(PLACES))
    dy = rng.integers(-9, 10, PLACES.shape).astype("f8")
    np.testing.assert_array_equal(host(backward(here(dy))[0]), dy * PASSED)
    if not stochastic:
        np.testing.assert_array_equal(host(y), SIGNS)


def test_smallest_numbers_keep_their_sign():
    for dtype in ("f4", "f8"):
        tiny = np.finfo(dtype).tiny
        x = np.array([tiny, -tiny, 0.0, -0.0], dtype)
        assert host(sign(here(x))).tolist() == [1, -1, 1, 1]


def test_stochastic_sign_has_the_mean_of_the_saturated_identity():
    """Of 16 equidistant draws exactly ``16 p`` are below ``p``."""
    x = np.arange(-16, 17) / 8
    uniform = np.broadcast_to((np.arange(16)[:, None] + 0.5) / 16, (16, 33)).copy()
    y = host(stochastic_sign(here(np.tile(x, (16, 1))), here(uniform)))
    assert set(np.unique(y)) == {-1, 1}
    np.testing.assert_array_equal(y.mean(axis=0), np.clip(x, -1, 1))


def test_draws_are_those_of_the_step(rng):
    model, x = Sign(stochastic=True), np.zeros((8, 50))
    assert (host(model(here(x))[0]) == 1).all()
    one, other = model.training(rng), model.training(rng)
    first, again, second = (host(layer(here(x))[0]) for layer in (one, one, other))
    np.testing.assert_array_equal(first, again)
    assert (first != second).any()
    assert abs(first.mean()) < 5 / 20  # five standard deviations of 400 draws
    assert Sign().training(rng)(here(x))[0].shape == x.shape


def test_weights_get_the_gradient_of_their_signs(rng):
    """Of the map, affine in each sign: half the difference of its two values."""
    W = rng.integers(-3, 4, (3, 4)) / 4
    x, dy = rng.integers(-9, 10, (5, 4)), rng.integers(-9, 10, (5, 3))
    x, dy = x.astype("f8"), dy.astype("f8")

    def value(weight):
        return float((host(BinaryLinear(here(weight))(here(x))[0]) * dy).sum())

    wanted = np.zeros((3, 4))
    for i, j in product(range(3), range(4)):
        up, down = W.copy(), W.copy()
        up[i, j], down[i, j] = 1, -1
        wanted[i, j] = (value(up) - value(down)) / 2
    y, backward = BinaryLinear(here(W))(here(x))
    dx, gradients = backward(here(dy))
    B = np.where(W >= 0, 1, -1)
    np.testing.assert_array_equal(host(gradients["weight"]), wanted)
    np.testing.assert_array_equal(host(y), x @ B.T)
    np.testing.assert_array_equal(host(dx), dy @ B)


def test_two_layers_by_the_chain_of_the_definitions(rng):
    W, V = rng.integers(-3, 4, (6, 4)) / 4, rng.integers(-3, 4, (2, 6)) / 4
    x, dy = rng.integers(-1, 2, (5, 4)) * 1.0, rng.integers(-9, 10, (5, 2)) * 1.0
    model = Sequential([BinaryLinear(here(W)), Sign(), BinaryLinear(here(V))])
    y, backward = model(here(x))
    dx, gradients = host(backward(here(dy)))
    A, B = (np.where(weight >= 0, 1, -1) for weight in (W, V))
    inner = x @ A.T
    outer = np.where(inner >= 0, 1, -1)
    ds = (dy @ B) * (abs(inner) <= 1)
    assert 0 < np.count_nonzero(ds) < ds.size
    np.testing.assert_array_equal(host(y), outer @ B.T)
    np.testing.assert_array_equal(gradients["2.weight"], dy.T @ outer)
    np.testing.assert_array_equal(gradients["0.weight"], ds.T @ x)
    np.testing.assert_array_equal(dx, ds @ A)


def trained(weight, limit, rule, x, target, steps=20):
    model = BinaryLinear(here(weight), limit)
    state = start(model, rule).state
    for _ in range(steps):
        model, state, _ = step(
            model, SquaredError(), rule, state, x, target, np.random.default_rng(0)
        )
    return host(model.weight)


def test_a_limit_is_a_rate(rng):
    """Limit ``c`` and rate ``c r`` are limit 1 and rate ``r``: exactly, for powers."""
    W, c = rng.uniform(-1, 1, (4, 6)), 2.0**-5
    x, target = here(rng.standard_normal((9, 6))), here(rng.standard_normal((9, 4)))
    one = trained(W, 1.0, Adam(2.0**-3, eps=1e-300), x, target)
    other = trained(c * W, c, Adam(c * 2.0**-3, eps=1e-300), x, target)
    np.testing.assert_array_equal(other, c * one)
    assert (abs(one) == 1).any()
    assert (sign(one) != sign(W)).any()


def test_layers_that_hold_layers_project_them(rng):
    wide = BinaryLinear(here(np.array([[4.0, -3.0], [0.25, -0.5]])), 0.5)
    wanted = [[0.5, -0.5], [0.25, -0.5]]
    gates = BinaryLinear(here(rng.standard_normal((4, 3))), 0.5)
    around = LSTM(gates, here(np.zeros((4, 1))))
    model = Sequential([Stepwise(Sequential([wide])), around])
    names = ["0.0.weight", "1.gates.weight"]
    projected = host(model.projected().arrays)
    np.testing.assert_array_equal(projected[names[0]], wanted)
    assert abs(projected[names[1]]).max() == 0.5
    assert abs(host(wide.weight)).max() == 4
    dense = here(Dense.random(2, 2, rng=0))
    assert dense.projected() is dense


def test_a_step_that_leaves_the_limits_comes_back():
    model, rule = BinaryLinear(here(np.array([[0.5]]))), SGD(100.0)
    for target, wanted in ((-8.0, -1.0), (8.0, 1.0)):
        model, _, _ = step(
            model, SquaredError(), rule, rule.init(model.parameters),
            here(np.array([[1.0]])), here(np.array([[target]])), None,
        )  # fmt: skip
        assert host(model.weight).tolist() == [[wanted]]


@pytest.mark.host("nothing is computed")
@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: BinaryLinear([[1.0]], 0.0), ShapeError, "limit must be above 0"),
        (lambda: BinaryLinear([[1.0]], 1j), ShapeError, "limit must be above 0"),
        (lambda: BinaryLinear([[1.0]], "1"), TypeError, "limit must be a number"),
        (lambda: BinaryLinear([[1j]]), TypeError, "weight is complex128; a real"),
        (lambda: BinaryLinear([1.0]), ShapeError, "expected 2 axes"),
        (lambda: BinaryLinear([[np.nan]]), NonFiniteError, "weight: the value at"),
        (lambda: BinaryLinear.random(0, 2), ShapeError, "n_in must be at least 1"),
        (
            lambda: BinaryLinear.random(2, 2, limit=-1.0),
            ShapeError,
            "limit must be above 0, got -1.0",
        ),
        (lambda: BinaryLinear.random(2, 2, dtype="c16"), TypeError, "is complex128"),
        (lambda: Sign(1), TypeError, "stochastic must be True or False, got int"),
    ],
)
def test_refuses(call, error, says):
    with pytest.raises(error, match=says):
        call()
