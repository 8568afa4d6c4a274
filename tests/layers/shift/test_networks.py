"""Networks: converted, trained, clamped."""

import numpy as np
import pytest

from tests.backends import here, host
from ttalgebra.layers import (
    DeepShiftPS,
    DeepShiftQ,
    Dense,
    ReLU,
    Sequential,
    pack_shifts,
    shifted,
)
from ttalgebra.layers.shift import Clamped, real_weights
from ttalgebra.learning import SGD, Adam, CrossEntropy, accuracy, fit

both = pytest.mark.parametrize("kind", [DeepShiftQ, DeepShiftPS])


def dense(rng, dtype="f8"):
    layers = [Dense.random(n, m, rng=rng, dtype=dtype) for n, m in ((2, 16), (16, 3))]
    return Sequential([layers[0], ReLU(), Sequential([layers[1]])])


@both
def test_converted_weights_are_the_nearest_powers(kind, rng):
    model = here(dense(rng))
    found = shifted(model, kind, bits=4)
    assert [layer.name for layer in found.layers] == [
        kind.__name__,
        "ReLU",
        "Sequential",
    ]
    for old, new in ((0, found.layers[0]), (2, found.layers[2].layers[0])):
        name = "0.weight" if old == 0 else "2.0.weight"
        w, power = host(model.parameters[name]), host(new.power)
        low = -7 if kind is DeepShiftQ else -6
        k = np.clip(np.round(np.log2(abs(w))), low, 0)
        np.testing.assert_array_equal(power, np.sign(w) * 2.0**k)
        assert new.bits == 4
    options = {"decay": 1e-4} if kind is DeepShiftPS else {"integer": 8}
    assert shifted(model, kind, **options).layers[0].config.items() >= options.items()


def test_a_zero_weight_stays_zero():
    layer = here(Dense([[0.0, -0.5]], [0.25]))
    for kind in (DeepShiftQ, DeepShiftPS):
        new = kind.from_dense(layer)
        np.testing.assert_array_equal(host(new.power), [[0, -0.5]])
        np.testing.assert_array_equal(host(new.bias), [0.25])


def three_sectors(rng, n=600):
    x = rng.standard_normal((n, 2))
    angle = np.arctan2(x[:, 1], x[:, 0])
    return x, (np.floor((angle + np.pi) / (2 * np.pi) * 3).astype(int)) % 3


@both
@pytest.mark.parametrize("bits", [3, 5])
@pytest.mark.host("training meets the library in tests/learning")
def test_learns(kind, bits, rng):
    x, labels = three_sectors(rng)
    layers = [kind.random(n, m, bits=bits, rng=rng) for n, m in ((2, 32), (32, 3))]
    model = Sequential([layers[0], ReLU(), layers[1]])
    rule = Clamped(Adam(0.02), model)
    before = accuracy(model, x, labels)
    fitted, _ = fit(model, x, labels, loss=CrossEntropy(), optimizer=rule, epochs=15,
                    rng=0)  # fmt: skip
    found = accuracy(fitted, x, labels)
    assert found > 0.9 > before
    assert abs(accuracy(pack_shifts(fitted), x, labels) - found) < 0.01


@both
def test_clamped_steps(kind, rng):
    layers = [
        kind.random(n, m, bits=3, rng=rng, dtype="f8") for n, m in ((4, 6), (6, 2))
    ]
    model = here(Sequential([layers[0], Sequential([Dense.random(6, 6), layers[1]])]))
    plain, parameters = SGD(1.0, decay=0.1, decays=real_weights), model.parameters
    rule = Clamped(plain, model)
    gradients = {
        name: here(rng.standard_normal(tuple(p.shape)) * 9)
        for name, p in parameters.items()
    }
    new, state = rule.update(parameters, gradients, rule.init(parameters))
    free, _ = plain.update(parameters, gradients, plain.init(parameters))
    assert state["step"] == 1
    names = {f"{k}.{'weight' if kind is DeepShiftQ else 'shift'}" for k in ("0", "1.1")}
    for name, array in new.items():
        found, step = host(array), host(free[name])
        if name in names and kind is DeepShiftQ:
            step = np.sign(step) * np.clip(abs(step), 2.0**-3, 1)
        elif name in names:
            step = np.clip(step, -2, 0)
        np.testing.assert_array_equal(found, step)
    # what is learned is what is used
    after = model.with_arrays(new).layers[0].power
    np.testing.assert_array_equal(
        *host((after, model.with_arrays(free).layers[0].power))
    )


@pytest.mark.host("there are no arrays to move")
@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: shifted(Sequential([ReLU()]), DeepShiftQ), "with a Dense is needed"),
        (
            lambda: shifted(Dense.random(2, 2), DeepShiftQ),
            "a Sequential is needed, got Dense; wrap a layer",
        ),
        (lambda: pack_shifts(Sequential([])), "DeepShiftQ or DeepShiftPS is needed"),
        (lambda: Clamped(SGD(0.1), Sequential([ReLU()])), "has no shift layer"),
        (lambda: Clamped(3, DeepShiftQ.random(2, 2)), "rule is int; use SGD, Adam"),
    ],
)
def test_refuses(call, says):
    with pytest.raises(TypeError, match=says):
        call()
