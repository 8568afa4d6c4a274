"""RMSProp and clipping: the rules written out once more, and what they keep."""

from math import hypot, sqrt

import numpy as np
import pytest

from tests.backends import here, host
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.learning import SGD, Adam, Clipped, RMSProp, everything, schedules

GRADIENTS = (1.0, -2.0, 3.0, 1.0, 0.0, -1.0)
RULES = (RMSProp(0.1), Clipped(RMSProp(0.1), 0.5), Clipped(Adam(0.1), 2.0))


def run(rule, gradients=GRADIENTS, shape=(1, 1), dtype="f8"):
    """The values of one parameter after each step."""
    parameters, path = {"p": here(np.ones(shape, dtype))}, []
    state = rule.init(parameters)
    for g in gradients:
        grads = {"p": here(np.full(shape, g, dtype))}
        parameters, state = rule.update(parameters, grads, state)
        path.append(host(parameters["p"]).flat[0].item())
    return path


@pytest.mark.parametrize("start", [0.0, 1e-3])
def test_against_its_sums_written_out(start):
    beta, rate, eps, p = 0.9, 0.1, 1e-8, 1.0
    path = run(RMSProp(rate, beta, start, eps))
    for t in range(len(GRADIENTS)):
        squares = [beta ** (t - s) * g * g for s, g in enumerate(GRADIENTS[: t + 1])]
        v = beta ** (t + 1) * start + (1 - beta) * sum(squares)
        p -= rate * GRADIENTS[t] / (sqrt(v) + eps)
        assert abs(path[t] - p) < 1e-14


def test_by_hand():
    """v = 1/4, then 1/4 * 1/4 + 3/4 * 1/4 = 1/4: each step is rate * 1/2 / 1/2."""
    rule = RMSProp(0.25, beta=0.25, start=0.25, eps=1e-300)
    assert run(rule, gradients=(0.5, 0.5)) == [0.75, 0.5]


def test_the_step_is_about_the_rate_whatever_the_scale():
    moved = sum(0.25 / sqrt(1 - 0.9**t) for t in range(1, 401))
    assert 100 < moved < 103
    for size in (1e-6, 1.0, 1e6):
        rule = RMSProp(0.25, start=0.0, eps=1e-30)
        assert abs(run(rule, gradients=[size] * 400)[-1] - (1 - moved)) < 1e-10


def test_a_gradient_of_zero_moves_nothing_ever():
    """The mean forgets its start: without eps this would end as 0 / 0."""
    assert run(RMSProp(0.1), gradients=(0,) * 8000) == [1.0] * 8000


def test_both_parts_of_a_complex_number_share_their_mean():
    rule, p = RMSProp(0.5, beta=0.0, start=0.0, eps=1e-300), here(np.array([[0j]]))
    new, state = rule.update({"p": p}, {"p": here(np.array([[3 - 4j]]))},
                             rule.init({"p": p}))  # fmt: skip
    np.testing.assert_allclose(host(new["p"]), [[-0.3 + 0.4j]], rtol=1e-15)
    assert host(state["square.p"]).dtype == np.float64


def test_clipping_cuts_entries_and_keeps_phases():
    g = {"x": np.array([-3.0, 0.5, 2.0]), "z": np.array([[3 + 4j, 0.3j, 0]])}
    rule, p = Clipped(SGD(1.0), 1.0), {name: here(0 * x) for name, x in g.items()}
    new, _ = rule.update(p, {name: here(x) for name, x in g.items()}, rule.init(p))
    np.testing.assert_array_equal(host(new["x"]), [1, -0.5, -1])
    np.testing.assert_allclose(host(new["z"]), [[-0.6 - 0.8j, -0.3j, 0]], rtol=1e-15)
    assert hypot(*host(new["z"])[0, 0:1].view("f8")) == pytest.approx(1)


def test_clipping_below_the_bound_is_the_rule_itself():
    assert run(Clipped(Adam(0.1), 3.0)) == run(Adam(0.1))
    assert run(Clipped(SGD(0.1), 1.0)) != run(SGD(0.1))


@pytest.mark.parametrize(
    "rule", RULES, ids=["RMSProp", "clipped RMSProp", "clipped Adam"]
)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_pure_and_of_its_dtype(rule, dtype, rng):
    p, g = (here(rng.standard_normal((3, 2)).astype(dtype)) for _ in range(2))
    state = rule.init({"p": p})
    before = [np.array(host(x)) for x in (p, g)]
    first, after = rule.update({"p": p}, {"p": g}, state)
    again, _ = rule.update({"p": p}, {"p": g}, state)
    np.testing.assert_array_equal(host(first["p"]), host(again["p"]))
    for x, kept in zip((p, g), before, strict=True):
        np.testing.assert_array_equal(host(x), kept)
    assert host(first["p"]).dtype == dtype
    assert state["step"] == 0
    assert after["step"] == 1


@pytest.mark.parametrize(
    "rule", RULES, ids=["RMSProp", "clipped RMSProp", "clipped Adam"]
)
def test_minimises_a_quadratic(rule):
    """With a rate that falls: RMSProp alone ends in a circle of about the rate."""
    inner = rule.rule if isinstance(rule, Clipped) else rule
    falling = type(inner)(schedules.exponential(0.1, 0.5, every=100))
    rule = Clipped(falling, rule.bound) if isinstance(rule, Clipped) else falling
    p = {"p": here(np.array([[3.0, -2.0]]))}
    state = rule.init(p)
    for _ in range(2500):
        p, state = rule.update(p, {"p": p["p"] * here(np.array([[1.0, 4.0]]))}, state)
    assert np.abs(host(p["p"])).max() < 1e-6


def test_decay_is_for_weights_unless_asked():
    still = {"gradients": (0,)}
    assert run(RMSProp(0.1, decay=0.5), **still)[0] < 1
    assert run(RMSProp(0.1, decay=0.5), shape=(3,), **still)[0] == 1
    asked = RMSProp(0.1, decay=0.5, decays=everything)
    assert run(asked, shape=(3,), **still)[0] < 1


@pytest.mark.host("refusals come before any array library is met")
@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: RMSProp(0.0), ShapeError, "RMSProp: rate must be above 0, got 0.0"),
        (lambda: RMSProp(beta=1.0), ShapeError, "beta must be at least 0 and below 1"),
        (lambda: RMSProp(start=-1), ShapeError, "start must be at least 0, got -1"),
        (lambda: RMSProp(eps=0.0), ShapeError, "eps must be above 0, got 0.0"),
        (lambda: RMSProp(decay=-1.0), ShapeError, "decay must be at least 0"),
        (lambda: Clipped(RMSProp(), 0.0), ShapeError, "bound must be above 0, got 0"),
        (lambda: Clipped("sgd", 1.0), TypeError, "rule is str; use SGD, Adam or"),
    ],
)
def test_refuses(call, error, says):
    with pytest.raises(error, match=says):
        call()
