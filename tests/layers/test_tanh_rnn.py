"""The plain recurrent network and layers applied at every step, written out."""

import numpy as np
import pytest

from tests.backends import here, host
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.layers import BatchNorm, Dense, ReLU, Stepwise, TanhRNN


def written_out(p, x):
    """All states ``(samples, steps, n)``; analytic in everything."""
    h = np.zeros((len(x), len(p["bias"])))
    states = []
    for t in range(x.shape[1]):
        h = np.tanh(h @ p["recurrent"].T + x[:, t] @ p["weight"].T + p["bias"])
        states.append(h)
    return np.stack(states, axis=1)


def random(rng, **options):
    rnn = TanhRNN.random(3, 5, rng=rng, dtype="f8", **options)
    arrays = rnn.arrays | {"bias": rng.random(5)}
    return rnn.with_arrays({name: here(a) for name, a in arrays.items()})


@pytest.mark.parametrize("sequences", [False, True])
def test_all_gradients_by_complex_steps(sequences, rng):
    rnn, x = random(rng, sequences=sequences), rng.standard_normal((4, 7, 3))
    y, backward = rnn(here(x))
    p = host(rnn.parameters)
    shown = (lambda h: h) if sequences else (lambda h: h[:, -1])
    np.testing.assert_allclose(host(y), shown(written_out(p, x)), rtol=0, atol=1e-15)
    dy = rng.standard_normal(y.shape)
    dx, gradients = backward(here(dy))
    arrays = p | {"x": x}
    for name, gradient in (host(gradients) | {"x": host(dx)}).items():
        for place in np.ndindex(gradient.shape):
            moved = arrays[name].astype(complex)
            moved[place] += 1e-30j
            q = arrays | {name: moved}
            after = shown(written_out(q, q["x"]))
            derivative = (after * dy).sum().imag / 1e-30
            assert abs(derivative - gradient[place]) < 1e-13 * abs(dy).sum(), name


def test_small_signals_meet_a_linear_recurrence():
    """``tanh z = z - z^3 / 3``: the states are powers of ``A``, to 1e-18."""
    A = np.array([[0.0, -1.0], [1.0, 0.0]])
    rnn = TanhRNN(here(A), here(np.eye(2) * 1e-6), here(np.zeros(2)), sequences=True)
    x = np.zeros((1, 8, 2))
    x[0, 0, 0] = 1
    turns = [np.linalg.matrix_power(A, t)[:, 0] for t in range(8)]
    np.testing.assert_allclose(host(rnn(here(x))[0])[0] / 1e-6, turns, atol=1e-11)


@pytest.mark.host("random numbers are drawn on the host")
def test_the_start_of_training():
    rnn = TanhRNN.random(100, 200, rng=0)
    assert rnn.weight.dtype == np.float32
    assert not rnn.bias.any()
    np.testing.assert_allclose(rnn.recurrent.var(), 2 / 400, rtol=0.05)
    np.testing.assert_allclose(rnn.weight.var(), 2 / 300, rtol=0.05)


def test_stepwise_is_the_layer_at_each_step(rng):
    W, b = here(rng.standard_normal((4, 3))), here(rng.standard_normal(4))
    x, dy = rng.standard_normal((5, 6, 3)), rng.standard_normal((5, 6, 4))
    y, backward = Stepwise(Dense(W, b))(here(x))
    dx, gradients = backward(here(dy))
    total, near = 0, {"rtol": 1e-14, "atol": 1e-15}  # XLA adds in another order
    for t in range(6):
        z, pullback = Dense(W, b)(here(x[:, t]))
        dz, found = pullback(here(dy[:, t]))
        np.testing.assert_allclose(host(y)[:, t], host(z), **near)
        np.testing.assert_allclose(host(dx)[:, t], host(dz), **near)
        total = total + host(found["weight"])
    np.testing.assert_allclose(host(gradients["weight"]), total, rtol=1e-12)


def test_stepwise_measures_over_samples_and_steps(rng):
    x = rng.standard_normal((5, 6, 3))
    norm = BatchNorm(*(here(a) for a in (*np.ones((2, 3)), *np.ones((2, 3)))))
    _, backward = Stepwise(norm).training(rng)(here(x))
    _, gradients = backward(here(np.zeros(x.shape)))
    wanted = 0.9 + 0.1 * x.mean(axis=(0, 1))
    np.testing.assert_allclose(host(gradients["mean"]), wanted, rtol=1e-13)


@pytest.mark.host("refusals come before any array library is met")
@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: Stepwise(ReLU), TypeError, "Stepwise: ABCMeta is not a layer"),
        (
            lambda: Stepwise(Stepwise(ReLU())),
            ShapeError,
            "Stepwise meets sequences itself",
        ),
        (
            lambda: TanhRNN(np.ones((2, 3)), np.ones((2, 1)), np.ones(2)),
            ShapeError,
            r"recurrent has shape \(2, 3\) and weight 2 rows; a bias of 2",
        ),
        (
            lambda: TanhRNN(np.ones((2, 2)), np.ones((3, 1)), np.ones(2)),
            ShapeError,
            "weight 3 rows",
        ),
        (
            lambda: TanhRNN(np.ones((2, 2)), np.ones((2, 1)), np.ones(2), "yes"),
            TypeError,
            "sequences must be a bool, got str",
        ),
        (lambda: TanhRNN.random(0, 2), ShapeError, "n_in must be at least 1, got 0"),
        (
            lambda: TanhRNN.random(1, 2)(np.ones((3, 0, 1))),
            ShapeError,
            "x has no steps; at least one is needed",
        ),
    ],
)
def test_refuses(call, error, says):
    with pytest.raises(error, match=says):
        call()
