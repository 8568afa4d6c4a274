"""Models of other ranks: what is cut and kept, what grows and what it changes."""

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import here, host
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.layers import (
    Dense,
    Sequential,
    Stepwise,
    Tanh,
    TTEmbedding,
    TTLinear,
    tt_conv2d,
    tt_lstm,
)
from ttalgebra.layers.adaptive import grown, ranks_of, rounded


def everywhere():
    """A train in each kind of layer that holds one, and layers that hold none."""
    inner = Sequential(
        [TTLinear.fitting(13, 11, 3, order=2, rng=0, dtype="f8"), Tanh()]
    )
    return Sequential([
        tt_conv2d((3, 3, 4), (2, 2), (2, 2), 3, window=(2, 2), rng=1, dtype="f8"),
        Stepwise(inner), tt_lstm((2, 2), (3, 3), 3, rng=2, dtype="f8"),
        TTEmbedding.random((3, 3), (3, 3), 3, words=8, rng=3, dtype="f8"),
        Dense.random(2, 2, rng=4, dtype="f8"),
    ])  # fmt: skip


def weights(model):
    """Every weight that is a train, dense."""
    first, (second, _), third = (
        model.layers[0].kernel,
        model.layers[1].layer.layers,
        model.layers[2].gates,
    )
    return [
        tt.TTMatrix(host(layer.cores)).to_dense()
        for layer in (first, second, third, model.layers[3])
    ]


def test_every_train_of_a_model_is_met():
    model = here(everywhere())
    assert [max(ranks) for ranks in ranks_of(model)] == [3, 3, 3, 3]
    smaller = rounded(model, max_rank=1)
    assert [max(ranks) for ranks in ranks_of(smaller)] == [1, 1, 1, 1]
    assert [max(ranks) for ranks in ranks_of(model)] == [3, 3, 3, 3]
    assert smaller.layers[1].layer.layers[0].config == {"n_in": 13, "n_out": 11}
    assert smaller.layers[3].words == 8
    for name in ("0.bias", "1.0.bias", "2.gates.bias", "2.recurrent", "4.weight"):
        assert (host(smaller.arrays[name]) == host(model.arrays[name])).all()


@pytest.mark.parametrize("tol", [0.5, 0.1, 1e-3])
def test_rounding_keeps_its_promise(tol):
    model = here(everywhere())
    pairs = zip(weights(model), weights(rounded(model, tol=tol)), strict=True)
    for before, after in pairs:
        size = (before**2).sum() ** 0.5
        assert ((before - after) ** 2).sum() ** 0.5 <= tol * size * (1 + 1e-12)


def test_growth_and_rounding_are_inverse():
    model = here(everywhere())
    again = rounded(grown(model, by=2, rng=0))
    assert ranks_of(again) == ranks_of(model)
    for before, after in zip(weights(model), weights(again), strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c16"])
def test_growth_changes_nothing_but_the_ranks_exactly(dtype, rng):
    """On integers: what is random is multiplied by zeros only."""
    shapes = (1, 3, 3, 2), (2, 3, 2, 2), (2, 2, 3, 1)
    cores = here([rng.integers(-4, 5, shape).astype(dtype) for shape in shapes])
    layer, x = TTLinear(cores), here(rng.integers(-4, 5, (5, 18)).astype(dtype))
    larger = grown(layer, by=3, rng=0)
    assert larger.weight.ranks == (1, 5, 5, 1)
    assert {host(c).dtype for c in larger.cores} == {np.dtype(dtype)}
    y, z = host(layer(x)[0]), host(larger(x)[0])
    assert (y == z).all()


def test_new_rows_have_gradients_at_once(rng):
    layer = here(TTLinear.random((3, 3), (3, 3), 2, rng=0, dtype="f8"))
    larger = grown(layer, by=2, rng=0)
    y, backward = larger(here(rng.standard_normal((4, 9))))
    gradient = host(backward(y)[1]["cores.1"])
    assert (np.abs(gradient[2:]).max(axis=(1, 2, 3)) > 1e-3).all()
    assert not host(larger.cores[1])[2:].any()


def test_growth_stops_at_its_bounds():
    layer = here(TTLinear.random((2, 4, 2), (2, 4, 2), 3, rng=0))
    assert grown(layer, by=9, rng=0).weight.ranks == (1, 4, 4, 1)
    assert grown(layer, by=1, max_rank=3, rng=0).weight.ranks == (1, 3, 3, 1)
    assert grown(layer, by=1, max_rank=2, rng=0).weight.ranks == (1, 3, 3, 1)


def test_noise_is_as_large_as_asked_and_seeded():
    layer = here(TTLinear.random((8, 8), (8, 8), 4, rng=0, dtype="f8"))
    one, two = (grown(layer, by=40, noise=1e-3, rng=7) for _ in range(2))
    core = host(one.cores[1])
    assert (core == host(two.cores[1])).all()
    share = core[4:].std() / core[:4].std()
    assert share == pytest.approx(1e-3, rel=0.1)  # of 2,560 numbers


@pytest.mark.host("refusals at the door")
def test_what_is_refused():
    layer = TTLinear.random((2, 2), (2, 2), 2, rng=0)
    with pytest.raises(ShapeError, match="grown: by must be at least 1, got 0"):
        grown(layer, by=0)
    with pytest.raises(ShapeError, match="rounded: tol must be finite and at least 0"):
        rounded(layer, tol=-1.0)
    with pytest.raises(ShapeError, match="max_rank must be at least 1, got 0"):
        rounded(layer, max_rank=0)
    with pytest.raises(TypeError, match="the model is TTMatrix, not a layer"):
        rounded(layer.weight)
