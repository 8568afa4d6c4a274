"""Shift-based AdaMax: the paper's numbers, and exact rationals."""

from fractions import Fraction

import numpy as np
import pytest

from tests.backends import dtype_of, here, host
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.learning import ShiftAdaMax, everything, schedules


def run(rule, start, gradients):
    p, path = {"p": here(np.array(start))}, []
    state = rule.init(p)
    for g in gradients:
        p, state = rule.update(p, {"p": here(np.array(g))}, state)
        path.append(host(p["p"]).tolist())
    return path, state


def test_check_values():
    """Steps 2^-7 and 2^-8; the second number is clipped at -1 in between."""
    rule = ShiftAdaMax()
    assert rule == ShiftAdaMax(2**-10, (7 / 8, 1023 / 1024))
    path, _ = run(rule, [0.5, -0.999], [[0.3, 0.02], [-0.1, 0.05]])
    assert path[0][0] == 0.498828125
    assert path[0][1] < -1
    assert abs(path[1][0] - 0.4985107422) < 1e-10


def test_in_exact_rationals():
    """Powers of two as gradients: ``P`` is the identity on all but the rate."""
    gradients, b1, b2 = (1, -2, 4, 1, 0, -1), Fraction(3, 4), Fraction(1, 2)
    # 1/4 over 1 - b1^t is 1, 4/7, 16/37, 64/175, 256/781, 1024/3367
    rates = [Fraction(1, k) for k in (1, 2, 2, 2, 4, 4)]
    p, m, v, wanted = Fraction(1), Fraction(0), Fraction(0), []
    for g, rate in zip(gradients, rates, strict=True):
        m, v = b1 * m + (1 - b1) * g, max(b2 * v, abs(g))
        p -= rate * m / v
        wanted.append([float(p)])
    found, state = run(
        ShiftAdaMax(0.25, (0.75, 0.5)), [1.0], [[g * 1.0] for g in gradients]
    )
    assert found == wanted
    assert host(state["maximum.p"]).tolist() == [float(v)]
    assert host(state["mean.p"]).tolist() == [float(m)]


def test_a_parameter_without_gradients_stays():
    path, _ = run(ShiftAdaMax(0.5), [3.0, 3.0], [[0.0, 1.0], [0.0, 0.0]])
    assert [now[0] for now in path] == [3.0, 3.0]
    still, _ = run(ShiftAdaMax(0.5, (0.5, 0.0)), [3.0], [[1.0], [0.0]])
    assert still[0] == still[1] != [3.0]


def test_a_schedule_may_end_at_zero():
    rule = ShiftAdaMax(schedules.cosine(0.1, 1))
    path, _ = run(rule, [1.0], [[1.0], [1.0]])
    assert path[0] == path[1] != [1.0]


def test_decay_is_for_weights_unless_asked():
    rule = ShiftAdaMax(0.1, decay=0.5)
    assert run(rule, [[1.0]], [[[0.0]]])[0][0] != [[1.0]]
    assert run(rule, [1.0], [[0.0]])[0][0] == [1.0]
    asked = ShiftAdaMax(0.1, decay=0.5, decays=everything)
    assert run(asked, [1.0], [[0.0]])[0][0] != [1.0]


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_pure_and_of_its_dtype(dtype, rng):
    rule = ShiftAdaMax(0.1)
    p, g = ({"p": here(rng.standard_normal((3, 2)).astype(dtype))} for _ in range(2))
    state, kept = rule.init(p), host(p["p"]).copy()
    first, after = rule.update(p, g, state)
    again, _ = rule.update(p, g, state)
    np.testing.assert_array_equal(*host((first["p"], again["p"])))
    np.testing.assert_array_equal(host(p["p"]), kept)
    assert (state["step"], after["step"]) == (0, 1)
    assert dtype_of(first["p"]) == dtype_of(after["mean.p"]) == dtype
    assert dtype_of(after["maximum.p"]) == kept.real.dtype


@pytest.mark.host("nothing is computed")
@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ShiftAdaMax(0.0), "ShiftAdaMax: rate must be above 0, got 0.0"),
        (lambda: ShiftAdaMax(betas=0.9), "betas must be a pair, got 0.9"),
        (lambda: ShiftAdaMax(betas=(0.9, 1.0)), "each of betas must be .* below 1"),
        (lambda: ShiftAdaMax(decay=-1.0), "decay must be at least 0, got -1.0"),
    ],
)
def test_refuses(call, says):
    with pytest.raises(ShapeError, match=says):
        call()
