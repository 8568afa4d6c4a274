"""Steps that single precision loses, and what moves parameters besides them."""

from fractions import Fraction

import numpy as np
import pytest

from tests.backends import dtype_of, here, host
from ttalgebra.layers import Dense, Sequential
from ttalgebra.learning import (
    SGD,
    Adam,
    Clipped,
    MasterWeights,
    SquaredError,
    advance,
    start,
)

TINY = 2.0**-26  # a quarter of the distance of 1 to its neighbour in single precision


def run(rule, steps, g=TINY, dtype="f4"):
    p = {"p": here(np.ones((2, 2), dtype))}
    gradients, state = {"p": here(np.full((2, 2), g, dtype))}, rule.init(p)
    for _ in range(steps):
        p, state = rule.update(p, gradients, state)
    return p["p"], state


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_small_steps_add_up_to_exact_rationals(momentum):
    """Powers of two: every sum in double precision is exact."""
    v = total = Fraction(0)
    for _ in range(40):
        v = Fraction(momentum) * v - Fraction(TINY)
        total += v if momentum else -Fraction(TINY)
    p, state = run(MasterWeights(SGD(1.0, momentum)), 40)
    if momentum == 0:
        assert (host(state["master.p"]) == float(1 + total)).all()
    np.testing.assert_allclose(host(state["master.p"]), float(1 + total), rtol=1e-15)
    np.testing.assert_array_equal(host(p), np.float32(float(1 + total)))
    assert (host(run(SGD(1.0), 40)[0]) == 1).all()  # which is why


@pytest.mark.parametrize("dtype", ["f4", "c8", "f8"])
def test_the_network_keeps_its_dtype_and_the_state_is_double(dtype):
    p, state = run(MasterWeights(Adam(0.1)), 3, dtype=dtype)
    double = np.result_type(dtype, "f8")
    assert dtype_of(p) == dtype
    assert dtype_of(state["master.p"]) == dtype_of(state["mean.p"]) == double
    np.testing.assert_array_equal(host(p), host(state["master.p"]).astype(dtype))


def test_in_double_precision_nothing_changes():
    p, _ = run(MasterWeights(Adam(0.1)), 5, g=0.3, dtype="f8")
    np.testing.assert_array_equal(
        host(p), host(run(Adam(0.1), 5, g=0.3, dtype="f8")[0])
    )


def test_what_was_moved_goes_on_from_where_it_is():
    rule, gradients = MasterWeights(SGD(1.0)), {"p": here(np.full(2, TINY, "f4"))}
    p = {"p": here(np.ones(2, "f4"))}
    p, state = rule.update(p, gradients, rule.init(p))
    moved = {"p": here(np.asarray([0.5, host(p["p"])[1]], "f4"))}
    _, state = rule.update(moved, gradients, state)
    np.testing.assert_array_equal(host(state["master.p"]), [0.5 - TINY, 1 - 2 * TINY])


def test_two_epochs_and_two_more_are_four(rng):
    x = here(rng.standard_normal((20, 3)).astype("f4"))
    model = Sequential([Dense.random(3, 1, rng=0)])
    rule = MasterWeights(Adam(1e-3))
    model = model.with_arrays(here({n: host(a) for n, a in model.arrays.items()}))
    setting = {"loss": SquaredError(), "optimizer": rule}
    first = start(model, rule, 0)
    twice = advance(advance(first, x, x[:, :1], epochs=2, **setting), x, x[:, :1],
                    epochs=2, **setting)  # fmt: skip
    once = advance(first, x, x[:, :1], epochs=4, **setting)
    for name, found in once.model.arrays.items():
        assert dtype_of(found) == np.float32
        np.testing.assert_array_equal(host(found), host(twice.model.arrays[name]))


def test_master_weights_of_master_weights_are_refused():
    parameters = {"p": here(np.ones(2, "f4"))}
    for inner in (MasterWeights(SGD(0.1)), Clipped(MasterWeights(SGD(0.1)), 1.0)):
        with pytest.raises(TypeError, match="the rule has master weights itself"):
            MasterWeights(inner).init(parameters)


@pytest.mark.host("there are no arrays")
def test_refuses_what_is_no_rule():
    with pytest.raises(TypeError, match="MasterWeights: rule is float; use SGD"):
        MasterWeights(0.1)
