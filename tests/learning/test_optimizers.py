"""Optimizers against exact rationals, and against each rule written another way."""

import tracemalloc
from fractions import Fraction
from math import sqrt

import numpy as np
import pytest

from tests.backends import dtype_of, here, host
from ttalgebra.arrays.errors import NonFiniteError, ShapeError
from ttalgebra.learning import (
    SGD,
    Adam,
    RMSProp,
    ShiftAdaMax,
    everything,
    schedules,
)
from ttalgebra.learning.rules import entrywise

GRADIENTS = (1, -2, 3, 1, 0, -1)


def run(rule, gradients=GRADIENTS, shape=(1, 1), start=1.0, dtype="f8"):
    """The values of one parameter after each step, and the last state."""
    parameters, path = {"p": here(np.full(shape, start, dtype))}, []
    state = rule.init(parameters)
    for g in gradients:
        grads = {"p": here(np.full(shape, g, dtype))}
        parameters, state = rule.update(parameters, grads, state)
        path.append(host(parameters["p"]).flat[0].item())
    return path, state


def exact_sgd(momentum, nesterov, decay, rate=Fraction(1, 4)):
    p, v, path = Fraction(1), Fraction(0), []
    for g in GRADIENTS:
        slope = g + decay * p
        v = momentum * v - rate * slope
        p += momentum * v - rate * slope if nesterov else v
        path.append(float(p))
    return path


@pytest.mark.parametrize("momentum", [Fraction(0), Fraction(1, 2), Fraction(3, 4)])
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("decay", [Fraction(0), Fraction(1, 8)])
def test_sgd_in_exact_rationals(momentum, nesterov, decay):
    """Powers of two: every float operation is exact."""
    rule = SGD(0.25, float(momentum), nesterov, float(decay))
    assert run(rule)[0] == exact_sgd(momentum, nesterov, decay)


def test_sgd_by_hand():
    path, state = run(SGD(0.5, momentum=0.5), gradients=(1, 1, -2))
    assert path == [0.5, -0.25, 0.375]  # v = -0.5, -0.75, 0.625
    assert host(state["velocity.p"]) == 0.625
    assert state["step"] == 3


def test_momentum_is_the_weighted_sum_of_past_gradients():
    path, _ = run(SGD(0.25, momentum=0.5))
    for t in range(len(GRADIENTS)):
        weights = [sum(0.5**k for k in range(t - s + 1)) for s in range(t + 1)]
        moved = sum(w * g for w, g in zip(weights, GRADIENTS, strict=False))
        assert abs(path[t] - (1 - 0.25 * moved)) < 1e-14


def test_adam_against_its_sums_written_out():
    b1, b2, rate, eps = 0.9, 0.99, 0.1, 1e-8
    path, _ = run(Adam(rate, (b1, b2), eps))
    p = 1.0
    for t in range(1, len(GRADIENTS) + 1):
        past = list(enumerate(GRADIENTS[:t], start=1))
        m = sum((1 - b1) * b1 ** (t - s) * g for s, g in past) / (1 - b1**t)
        v = sum((1 - b2) * b2 ** (t - s) * g * g for s, g in past) / (1 - b2**t)
        p -= rate * m / (sqrt(v) + eps)
        assert abs(path[t - 1] - p) < 1e-13


def test_adams_first_step_is_the_rate_whatever_the_scale():
    for g in (1e-6, 1.0, 1e6):
        assert abs(run(Adam(0.25, eps=1e-30), gradients=(g,))[0][0] - 0.75) < 1e-15


@pytest.mark.parametrize("rule", [SGD(0.1, 0.9, decay=0.5), Adam(0.1, decay=0.5)])
def test_decay_is_for_weights_unless_asked(rule):
    still = {"gradients": (0,)}
    assert run(rule, **still)[0][0] < 1
    assert run(rule, shape=(3,), **still)[0][0] == 1
    asked = type(rule)(0.1, decay=0.5, decays=everything)
    assert run(asked, shape=(3,), **still)[0][0] < 1


@pytest.mark.parametrize(
    "rule", [SGD(0.1, 0.9), SGD(0.1, 0.9, nesterov=True), Adam(0.1)]
)
def test_minimises_a_quadratic(rule):
    A, p = here(np.array([1.0, 4.0])), {"p": here(np.array([3.0, -2.0]))}
    state = rule.init(p)
    for _ in range(1200):
        p, state = rule.update(p, {"p": A * p["p"]}, state)
    assert np.abs(host(p["p"])).max() < 1e-6


@pytest.mark.parametrize("rule", [SGD(0.1, 0.9, decay=0.1), Adam(0.1, decay=0.1)])
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_pure_and_of_its_dtype(rule, dtype, rng):
    p, g = (rng.standard_normal((3, 2)).astype(dtype) for _ in range(2))
    parameters, gradients = here({"p": p}), here({"p": g})
    state = rule.init(parameters)
    before = {name: np.array(host(x)) for name, x in state.items()}
    first, after = rule.update(parameters, gradients, state)
    again, _ = rule.update(parameters, gradients, state)
    np.testing.assert_array_equal(*host((first["p"], again["p"])))
    np.testing.assert_array_equal(host(parameters["p"]), p)
    np.testing.assert_array_equal(host(gradients["p"]), g)
    for name, x in before.items():
        np.testing.assert_array_equal(host(state[name]), x)
    assert dtype_of(first["p"]) == dtype
    assert state["step"] == 0
    assert after["step"] == 1
    sizes = [dtype_of(v).itemsize for v in list(after.values())[1:]]
    assert max(sizes) == np.dtype(dtype).itemsize


def test_complex_gradients_descend_on_the_squared_modulus():
    """``L = |p - c|^2 / 2`` has the gradient ``p - c``; Adam's ``v`` stays real."""
    c, p = here(np.array([[3 - 4j]])), {"p": here(np.array([[0j]]))}
    for rule in (SGD(0.1), Adam(0.05)):
        moved, state = p, rule.init(p)
        for _ in range(800):
            moved, state = rule.update(moved, {"p": moved["p"] - c}, state)
        assert abs(host(moved["p"] - c)) < 1e-6
    assert dtype_of(state["square.p"]) == np.float64


@pytest.mark.parametrize("rule", [SGD(0.1, 0.9, decay=0.1), Adam(0.1)])
def test_same_on_every_library(rule, rng, xp):
    p, g = rng.standard_normal((2, 3, 2))
    ours, theirs = {"p": p}, {"p": xp.asarray(p)}
    state, other = rule.init(ours), rule.init(theirs)
    for _ in range(3):
        ours, state = rule.update(ours, {"p": g}, state)
        theirs, other = rule.update(theirs, {"p": xp.asarray(g)}, other)
    np.testing.assert_allclose(xp.numpy(theirs["p"]), ours["p"], rtol=1e-14)


@pytest.mark.host("schedules are numbers")
def test_schedules_against_their_formulas():
    t = np.arange(200)
    rates = {
        schedules.constant(0.5): 0.5 + 0.0 * t,
        schedules.steps(1.0, 0.5, every=50): 0.5 ** (t // 50),
        schedules.exponential(1.0, 0.5, every=50): np.exp(-np.log(2) * t / 50),
        schedules.cosine(1.0, 100): np.cos(np.minimum(t, 100) * np.pi / 200) ** 2,
        schedules.logspace(1e-2, 1e-5, 45, every=2): np.append(
            np.repeat(np.logspace(-2, -5, 45), 2), np.full(110, 1e-5)
        ),
    }
    for schedule, wanted in rates.items():
        np.testing.assert_allclose([schedule(k) for k in t], wanted, atol=1e-15)
    assert schedules.cosine(1.0, 10, final=0.25)(10) == 0.25


def test_a_schedule_counts_the_steps_done():
    path, _ = run(SGD(schedules.steps(1.0, 0.5, every=1)), gradients=(1, 1, 1))
    assert path == [0.0, -0.5, -0.75]


@pytest.mark.host("refusals come before any array library is met")
@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: SGD(0.0), ShapeError, "SGD: rate must be above 0, got 0.0"),
        (lambda: SGD(-1), ShapeError, "above 0, got -1.0"),
        (lambda: SGD(float("nan")), NonFiniteError, "rate must be finite, got nan"),
        (lambda: SGD("fast"), TypeError, "rate must be a number, got str"),
        (lambda: SGD(0.1, momentum=1.0), ShapeError, "below 1, got 1.0"),
        (lambda: SGD(0.1, momentum=-0.1), ShapeError, "at least 0 .* got -0.1"),
        (
            lambda: SGD(0.1, decay=-1.0),
            ShapeError,
            "must be at least 0, got -1.0",
        ),
        (lambda: Adam(1j), ShapeError, "rate must be above 0"),
        (lambda: Adam(betas=(0.9, 1.0)), ShapeError, "below 1, got 1.0"),
        (lambda: Adam(betas=0.9), ShapeError, "betas must be a pair, got 0.9"),
        (lambda: Adam(eps=0.0), ShapeError, "eps must be above 0, got 0.0"),
        (lambda: run(SGD(lambda _: -1.0)), ShapeError, "at step 0 must be at least 0"),
        (lambda: schedules.cosine(0.1, 0), ShapeError, "n_steps must be at least 1"),
        (lambda: schedules.logspace(1, 0, 3), ShapeError, "last must be above 0"),
        (lambda: schedules.steps(1, 0.5, 0), ShapeError, "every must be at least 1"),
    ],
)
def test_refuses(call, error, says):
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize("rule", [SGD(0.1), Adam(0.1)])
def test_a_gradient_that_is_missing_or_of_another_shape(rule):
    p = here({"p": np.ones((2, 2))})
    with pytest.raises(ShapeError, match="no gradient is named 'p'; there are: q"):
        rule.update(p, here({"q": np.ones((2, 2))}), rule.init(p))
    with pytest.raises(ShapeError, match=r"of p has shape \(2,\), the parameter"):
        rule.update(p, here({"p": np.ones(2)}), rule.init(p))


def test_a_schedule_may_end_at_zero():
    """Cosine falls to 0 and stays there: the parameters stay where they are."""
    sgd = SGD(schedules.cosine(0.1, 2))
    p = g = here({"p": np.array([1.0])})
    state = sgd.init(p)
    for _ in range(4):
        before = p["p"]
        p, state = sgd.update(p, g, state)
    assert host(p["p"]) == host(before) < 1


RULES = [SGD(0.1, 0.9, nesterov=True, decay=0.1), Adam(0.1, decay=0.1), RMSProp(0.1)]


@pytest.mark.host("pieces are NumPy's")
@pytest.mark.parametrize(
    ("rule", "dtype"),
    [*((r, "f4") for r in RULES), *((r, "c16") for r in RULES), (ShiftAdaMax(), "f8")],
)
def test_pieces_change_no_bit(rule, dtype, rng, monkeypatch):
    """Also where the arrays lie otherwise in memory, and the last piece is shorter."""
    p, g = (rng.standard_normal((5, 7, 3)).astype(dtype) for _ in range(2))
    p, g = {"p": p.transpose(2, 0, 1)}, {"p": g.transpose(2, 0, 1)}
    state = rule.init(p)
    whole, kept = rule.update(p, g, state)
    monkeypatch.setattr(entrywise, "PIECE", 16)
    moved, after = rule.update(p, g, state)
    np.testing.assert_array_equal(moved["p"], whole["p"])
    for name, x in kept.items():
        np.testing.assert_array_equal(after[name], x)


@pytest.mark.host("tracemalloc sees the memory of NumPy")
@pytest.mark.parametrize(("rule", "results"), [(SGD(0.1, 0.9), 2), (Adam(0.1), 3)])
def test_a_step_holds_its_results_and_pieces(rule, results):
    p, g = {"p": np.ones((1024, 1024))}, {"p": np.ones((1024, 1024))}
    state = rule.init(p)
    tracemalloc.start()
    rule.update(p, g, state)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < results * p["p"].nbytes + 10 * 8 * entrywise.PIECE
