"""Layers against independent truths: short formulas, exact integers, mpmath."""

from math import prod

import mpmath
import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import here, host
from ttalgebra.layers import (
    BatchNorm,
    Dense,
    Dropout,
    ReLU,
    Sigmoid,
    Tanh,
    TTLinear,
    he,
    lecun,
)
from ttalgebra.testing import check_pullback, complex_step


def complex_derivative(function, x, v):
    return function(x + 1e-30j * v).imag / 1e-30


def test_dense_is_exact_on_integers(rng):
    W, b = rng.integers(-9, 9, (3, 5)), rng.integers(-9, 9, 3)
    x, dy = rng.integers(-9, 9, (4, 5)), rng.integers(-9, 9, (4, 3))
    y, backward = Dense(here(W), here(b))(here(x))
    dx, gradients = backward(here(dy))
    y, dx, gradients = host((y, dx, gradients))
    assert (y == x @ W.T + b).all()
    assert (dx == dy @ W).all()
    assert (
        gradients["weight"] == sum(np.outer(g, s) for g, s in zip(dy, x, strict=True))
    ).all()
    assert (gradients["bias"] == dy.sum(axis=0)).all()


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize(
    ("rows", "columns", "rank"),
    [((3,), (5,), 1), ((2, 3), (4, 1), 2), ((3, 2, 2), (2, 1, 3), 2)],
)
def test_tt_linear_is_exact_on_integers(rng, rows, columns, rank, n):
    ranks = (1, *(rank,) * (len(rows) - 1), 1)
    cores = tuple(
        rng.integers(-3, 4, (r, i, j, s)).astype("f8")
        for r, i, j, s in zip(ranks, rows, columns, ranks[1:], strict=False)
    )
    bias = rng.integers(-9, 9, prod(rows))
    layer = TTLinear(here(cores), here(bias))
    W = host(layer.weight.to_dense())
    x, dy = rng.integers(-9, 9, (n, W.shape[1])), rng.integers(-9, 9, (n, W.shape[0]))
    y, backward = layer(here(x))
    dx, gradients = backward(here(dy))
    y, dx, gradients = host((y, dx, gradients))
    assert (y == x @ W.T + bias).all()
    assert (dx == dy @ W).all()
    dW = dy.T @ x
    for k, core in enumerate(cores):  # each entry of a core enters W linearly
        for place in np.ndindex(core.shape):
            unit = np.zeros_like(core)
            unit[place] = 1
            moved = tt.TTMatrix((*cores[:k], unit, *cores[k + 1 :])).to_dense()
            assert gradients[f"cores.{k}"][place] == (dW * moved).sum()


def test_whole_network_by_complex_step(rng):
    from ttalgebra.layers import Sequential

    first = TTLinear.random((2, 3), (3, 4), 2, rng=rng, dtype="f8")
    last = Dense.random(6, 4, rng=rng, dtype="f8")
    model = here(Sequential([first, Tanh(), last, Sigmoid()]))
    x = here(rng.standard_normal((3, 12)))

    def function(x, parameters):
        return model.with_arrays(parameters)(x)

    check_pullback(function, x, model.parameters, rng=rng, difference=complex_step)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_sigmoid_to_full_relative_accuracy(dtype):
    x = np.array([[-80.0, -30.5, -1.0, -1e-9, 0.0, 1e-9, 1.0, 30.5, 80.0]], dtype)
    y, backward = Sigmoid()(here(x))
    y, dx = host((y, backward(here(np.ones_like(x)))[0]))
    with mpmath.workdps(60):
        tails = [1 / (1 + mpmath.exp(-mpmath.mpf(float(t)))) for t in x[0]]
        slopes = [s * (1 - s) for s in tails]
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(y[0], np.array(tails, "f8"), rtol=4 * eps)
    np.testing.assert_allclose(dx[0], np.array(slopes, "f8"), rtol=8 * eps)


def test_activations_at_the_ends_of_the_range():
    x = np.array([[-1e308, -1e4, 1e4, 1e308]])
    ends = {ReLU: [0, 0, 1e4, 1e308], Tanh: [-1, -1, 1, 1], Sigmoid: [0, 0, 1, 1]}
    for kind, values in ends.items():
        y, backward = kind()(here(x))
        np.testing.assert_array_equal(host(y)[0], values)
        assert np.isfinite(host(backward(here(np.ones_like(x)))[0])).all()


def test_relu_lets_nan_through_and_is_flat_at_zero():
    y, backward = ReLU()(here(np.array([[np.nan, 0.0, 2.0]])))
    assert np.isnan(host(y)[0, 0])
    slope = backward(here(np.ones((1, 3))))[0]
    np.testing.assert_array_equal(host(slope), [[0, 0, 1]])


def normalized(x, scale, shift, eps):
    """Ioffe & Szegedy (2015), Algorithm 1, as printed; analytic in all four."""
    mean = x.sum(axis=0) / len(x)
    variance = ((x - mean) ** 2).sum(axis=0) / len(x)
    return scale * (x - mean) / np.sqrt(variance + eps) + shift


@pytest.mark.parametrize("n", [2, 3, 50])
def test_batch_norm_of_batch_against_complex_steps_of_the_formula(rng, n):
    x, scale, shift = rng.standard_normal((n, 4)), rng.random(4), rng.random(4)
    layer = BatchNorm(scale, shift, np.zeros(4), np.ones(4), eps=1e-3)
    y, backward = here(layer).training(rng)(here(x))
    np.testing.assert_allclose(
        host(y), normalized(x, scale, shift, 1e-3), rtol=1e-12, atol=1e-14
    )
    w = rng.standard_normal(y.shape)
    dx, gradients = host(backward(here(w)))
    pairs = {"x": dx, "scale": gradients["scale"], "shift": gradients["shift"]}
    values = {"x": x, "scale": scale, "shift": shift}
    for name, gradient in pairs.items():
        v = rng.standard_normal(gradient.shape)

        def along(moved, name=name):
            return normalized(**(values | {name: moved}), eps=1e-3)

        moved = complex_derivative(along, values[name], v)
        size = np.abs(w * moved).sum() + np.abs(gradient * v).sum()
        assert abs((w * moved).sum() - (gradient * v).sum()) < 1e-12 * size


def test_batch_norm_measures_running_values(rng):
    x = rng.standard_normal((20, 3)) * 5 + 7
    layer = here(BatchNorm.new(3, dtype="f8", momentum=0.25))
    _, backward = layer.training(rng)(here(x))
    gradients = host(backward(here(np.zeros((20, 3))))[1])
    np.testing.assert_allclose(gradients["mean"], 0.25 * x.mean(axis=0), rtol=1e-13)
    variance = 0.75 + 0.25 * x.var(axis=0, ddof=1)
    np.testing.assert_allclose(gradients["variance"], variance, rtol=1e-13)
    assert (host(layer.mean) == 0).all()


def test_batch_norm_makes_mean_and_variance_what_was_asked(rng):
    x = rng.standard_normal((500, 3)) * [1, 10, 100] + [0, -50, 3]
    layer = BatchNorm(
        [2.0, 3.0, 4.0], [5.0, 6.0, 7.0], np.zeros(3), np.ones(3), eps=1e-12
    )
    y = host(here(layer).training(rng)(here(x))[0])
    np.testing.assert_allclose(y.mean(axis=0), [5, 6, 7], rtol=1e-12)
    np.testing.assert_allclose(y.std(axis=0), [2, 3, 4], rtol=1e-10)


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.9])
def test_dropout_keeps_the_mean(rate):
    x = np.ones((1000, 200))
    y, backward = Dropout(rate).training(np.random.default_rng(1))(here(x))
    y, dx = host((y, backward(here(x))[0]))
    assert set(np.unique(y)) <= {0.0, 1 / (1 - rate)}
    spread = (rate / (1 - rate) / x.size) ** 0.5
    assert abs(y.mean() - 1) <= 5 * spread
    np.testing.assert_array_equal(dx, y)


def test_dropout_draws_anew_for_each_step_and_once_within_it():
    rng = np.random.default_rng(0)
    first, second = (Dropout(0.5).training(rng) for _ in range(2))
    x = here(np.ones((8, 50)))
    one, again, other, plain = (
        host(layer(x)[0]) for layer in (first, first, second, Dropout(0.5))
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    np.testing.assert_array_equal(plain, host(x))


on_host = pytest.mark.host("random numbers are drawn on the host")


@on_host
@pytest.mark.parametrize("variance", [None, he], ids=["glorot", "he"])
@pytest.mark.parametrize(
    ("rows", "columns", "rank"),
    [((16,), (9,), 1), ((4, 8), (6, 4), 3), ((5, 5, 5, 5), (4, 8, 8, 4), 4)],
)
def test_entries_of_a_random_weight_have_the_derived_variance(
    rows, columns, rank, variance
):
    M, N = int(prod(rows)), int(prod(columns))
    wanted = 2 / N if variance else 2 / (M + N)
    chosen = {"variance": variance} if variance else {}
    layers = [
        TTLinear.random(rows, columns, rank, rng=seed, dtype="f8", **chosen)
        for seed in range(400)
    ]
    squares = np.array([(L.weight.norm() ** 2) / (M * N) for L in layers])
    spread = squares.std() / len(squares) ** 0.5
    assert abs(squares.mean() - wanted) < 5 * spread
    assert spread < 0.1 * wanted
    stds = [np.std([L.cores[k] for L in layers]) for k in range(len(rows))]
    inner = float(prod(layers[0].weight.ranks))
    derived = wanted ** (0.5 / len(rows)) * inner ** (-0.5 / len(rows))
    np.testing.assert_allclose(stds, derived, rtol=0.05)


@on_host
def test_random_dense_weights_have_the_stated_variance():
    layer = Dense.random(300, 200, rng=0, dtype="f8")
    assert abs(layer.weight.var() / (2 / 500) - 1) < 0.03
    assert (
        abs(Dense.random(300, 200, variance=he, rng=0).weight.var() / (2 / 300) - 1)
        < 0.03
    )
    flat = Dense.random(300, 200, variance=lecun, rng=0).weight
    assert abs(flat.var() / (1 / 300) - 1) < 0.03
    assert Dense.random(3, 2, rng=0).weight.dtype == np.float32
    assert not layer.bias.any()


def test_from_dense_keeps_the_map(rng):
    W, b, x = (rng.standard_normal(shape) for shape in ((12, 20), 12, (3, 20)))
    layer = TTLinear.from_dense(here(W), here(b), (3, 4), (4, 5))
    y = host(layer(here(x))[0])
    np.testing.assert_allclose(y, x @ W.T + b, rtol=1e-12, atol=1e-13)
    assert isinstance(layer.weight, tt.TTMatrix)
    cut = TTLinear.from_dense(here(W), None, (3, 4), (4, 5), max_rank=2)
    assert cut.weight.ranks == (1, 2, 1)
    assert cut.bias is None
    close = TTLinear.from_dense(here(W), None, (3, 4), (4, 5), tol=0.3)
    error = W - host(close.weight.to_dense())
    assert (error**2).sum() <= 0.3**2 * (W**2).sum()
