"""The packed network against the float one, bit for bit."""

from itertools import pairwise

import numpy as np
import pytest

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.layers import (
    BatchNorm,
    BinaryLinear,
    Dropout,
    ReLU,
    Sequential,
    ShiftBatchNorm,
    Sign,
    pack,
)
from ttalgebra.layers.binary.thresholds import thresholds

pytestmark = pytest.mark.host("packed inference is NumPy's")


def norm_like(kind, n, spread, rng, dtype):
    """A normalisation with scales of both signs, some 0, around sums of ``spread``."""
    scale, shift = rng.standard_normal(n), rng.standard_normal(n)
    scale[:3], shift[:2] = 0, (0, -1)
    arrays = scale, shift, spread * rng.standard_normal(n), spread**2 * rng.random(n)
    return kind(*(array.astype(dtype) for array in arrays))


def network(kind, rng, dtype, sizes=(50, 70, 64, 10)):
    layers = []
    for n_in, n_out in pairwise(sizes):
        spread = (100 if not layers else 1) * n_in**0.5
        layers += [
            BinaryLinear.random(n_in, n_out, rng=rng, dtype=dtype),
            norm_like(kind, n_out, spread, rng, dtype),
            Sign(),
        ]
    return Sequential(layers[:-1])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("kind", [BatchNorm, ShiftBatchNorm])
def test_same_scores_from_bytes_and_from_signs(kind, dtype, rng):
    model = network(kind, rng, dtype)
    bits = pack(model)
    x = rng.integers(0, 256, (300, 50), dtype=np.uint8)
    scores = bits(x)
    assert scores.dtype == dtype
    np.testing.assert_array_equal(scores, model(x.astype(dtype))[0])
    assert len(np.unique(scores[:, 5])) > 5
    signs = rng.random((300, 50)) < 0.5
    floats = np.where(signs, 1, -1).astype(dtype)
    np.testing.assert_array_equal(bits(signs), model(floats)[0])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("kind", [BatchNorm, ShiftBatchNorm])
def test_thresholds_for_every_sum(kind, dtype, rng):
    """Integers in the shift put many zeros of the norm exactly on a sum."""
    n, reach = 200, 300
    norm = norm_like(kind, n, 30.0, rng, dtype)
    whole = {name: np.rint(norm.arrays[name]) for name in ("mean", "shift")}
    for layer in (norm, norm.with_arrays(whole)):
        threshold, turned = thresholds(layer, n, reach, np.dtype(dtype))
        sums = np.arange(-reach, reach + 1)[:, None]
        found = (sums >= threshold) != turned
        wanted = layer(np.tile(sums, (1, n)).astype(dtype))[0] >= 0
        np.testing.assert_array_equal(found, wanted)
        assert 50 < turned.sum() < 150


def test_thresholds_are_the_folded_ones(rng):
    """Where scales are positive: ``mean - shift sigma / scale``, rounded up."""
    mean, shift = 10 * rng.standard_normal(99), rng.standard_normal(99)
    scale, variance = 0.5 + rng.random(99), 50 * rng.random(99)
    norm = BatchNorm(scale, shift, mean, variance, eps=1e-5)
    exact = mean - shift * np.sqrt(variance + 1e-5) / scale
    threshold, turned = thresholds(norm, 99, 1000, np.dtype("f8"))
    np.testing.assert_array_equal(threshold, np.ceil(exact))
    assert not turned.any()


def test_dropout_nesting_and_missing_norms(rng):
    first, second = (BinaryLinear.random(n, 16, rng=rng) for n in (30, 16))
    inner = Sequential([first, Sign(stochastic=True), Dropout(0.5)])
    model = Sequential([Dropout(0.2), inner, Sequential([second])])
    x = rng.integers(0, 256, (20, 30), dtype=np.uint8)
    np.testing.assert_array_equal(pack(model)(x), model(x.astype("f4"))[0])
    alone = pack(Sequential([first]))
    np.testing.assert_array_equal(alone(x), first(x.astype("f4"))[0])
    assert alone(x[:0]).shape == (0, 16)


def test_thirty_two_times_smaller():
    layer = BinaryLinear(np.ones((48, 4096), "f4"))
    assert layer.nbytes == 32 * pack(Sequential([layer])).nbytes


LINEAR, NORM = BinaryLinear(np.ones((3, 2))), BatchNorm.new(3, dtype="f8")
SQUARE = BinaryLinear(np.ones((3, 3)))


@pytest.mark.parametrize(
    "layers",
    [
        [],
        [NORM],
        [LINEAR, Sign()],
        [LINEAR, SQUARE],
        [LINEAR, NORM, SQUARE],
        [LINEAR, Sign(), NORM, SQUARE],
        [LINEAR, NORM, NORM],
        [LINEAR, ReLU(), SQUARE],
        [Sign(), LINEAR],
    ],
    ids=lambda layers: " ".join(layer.name for layer in layers) or "empty",
)
def test_other_orders_are_refused(layers):
    names = ", ".join(layer.name for layer in layers) or "no layer"
    with pytest.raises(ShapeError, match=f"pack: the model is {names}; bits can do"):
        pack(Sequential(layers))


def test_what_does_not_fit_is_refused(rng):
    with pytest.raises(ShapeError, match="layer 0 has 3 outputs, the next one 2"):
        pack(Sequential([LINEAR, Sign(), LINEAR]))
    with pytest.raises(ShapeError, match="x has 3 features, the weight expects 2"):
        pack(Sequential([LINEAR, BatchNorm.new(2, dtype="f8"), Sign(), SQUARE]))
    with pytest.raises(TypeError, match="a Sequential is needed, got BinaryLinear"):
        pack(LINEAR)
    moved = Sequential([LINEAR]).to("array_api_strict")
    with pytest.raises(TypeError, match=r"in array_api_strict, .* model.to\('numpy'\)"):
        pack(moved)
    bits = pack(Sequential([LINEAR]))
    for x, found in ((np.ones((2, 2)), "float64"), ([[1, 2]], "list")):
        with pytest.raises(TypeError, match=f"x is .*{found}.* of uint8, or of bool"):
            bits(x)
    for shape in ((2,), (4, 3), (1, 1, 2)):
        with pytest.raises(ShapeError, match=r"expected \(samples, 2\)"):
            bits(np.zeros(shape, np.uint8))
