"""Ranks that change while a model is fitted, and a state that follows."""

from dataclasses import replace

import numpy as np
import pytest

from ttalgebra.layers import Sequential, Tanh, TTLinear
from ttalgebra.layers.adaptive import grown, ranks_of, rounded
from ttalgebra.learning import (
    SGD,
    Adam,
    AdaptRanks,
    Checkpoint,
    Progress,
    RiemannianSGD,
    SquaredError,
    fit,
    start,
)

pytestmark = pytest.mark.host("which ranks, and which numbers of a state")


def model_of(ranks, rng=0):
    return Sequential([
        TTLinear.random((3, 3, 2), (3, 3, 2), ranks, rng=rng, dtype="f8"), Tanh(),
    ])  # fmt: skip


def rounding(**how):
    return lambda model, rng: rounded(model, **how)


def growing(**how):
    return lambda model, rng: grown(model, rng=rng, **how)


def fitted(rng, optimizer, callbacks, model=None, **options):
    x = rng.standard_normal((100, 18))
    y = model_of(2, rng=5)(x)[0]
    return fit(model or model_of(4), x, y, loss=SquaredError(), optimizer=optimizer,
               batch_size=20, callbacks=callbacks, rng=0, **options)  # fmt: skip


@pytest.mark.parametrize(
    "rule", [SGD(0.1, momentum=0.5), Adam(), RiemannianSGD(0.3, others=Adam())]
)
def test_the_state_fits_the_new_shapes(rule, rng):
    model, history = fitted(
        rng,
        rule,
        [
            AdaptRanks(rule, rounding(max_rank=2), epochs={2}),
            AdaptRanks(rule, growing(by=1), epochs=range(4, 6)),
        ],
        epochs=6,
    )
    assert ranks_of(model) == ((1, 4, 4, 1),)
    assert len(history) == 6


def test_what_kept_its_shape_keeps_its_state(rng):
    rule = Adam()
    run = start(model_of(3), rule, 0)
    state = {n: v if n == "step" else v + 1.0 for n, v in run.state.items()}
    run = replace(run, state={**state, "step": 17}, epoch=3)
    after = AdaptRanks(rule, growing(by=1), epochs={3})(run)
    assert after.state["step"] == 17
    assert (after.state["mean.0.bias"] == 1).all()
    assert not after.state["mean.0.cores.1"].any()
    assert set(after.state) == set(run.state)
    for name, p in after.model.parameters.items():
        assert after.state[f"square.{name}"].shape == p.shape
    assert AdaptRanks(rule, growing(by=1), epochs={4})(run) is None


def test_a_run_is_its_seed(rng):
    rule = SGD(0.05)
    grow = [AdaptRanks(rule, growing(by=1, noise=0.1), epochs={1, 2})]
    rngs = np.random.default_rng(0), np.random.default_rng(0)
    one, two = (fitted(r, rule, grow, model_of(1), epochs=4)[0] for r in rngs)
    for name, p in one.arrays.items():
        assert (two.arrays[name] == p).all()


def test_a_resumed_run_is_the_uninterrupted_one(tmp_path):
    """Ranks have changed before the checkpoint, and change again after it."""
    rule = Adam(0.01)
    changes = [
        AdaptRanks(rule, growing(by=1, noise=0.1), epochs={1, 4}),
        AdaptRanks(rule, rounding(tol=0.1), epochs={5}),
    ]
    saved = {"checkpoint": Checkpoint(tmp_path)}

    def run(epochs, **options):
        rng = np.random.default_rng(0)
        return fitted(rng, rule, changes, model_of(1), epochs=epochs, **options)[0]

    run(3, **saved)
    resumed, whole = run(6, **saved, resume=True), run(6)
    assert ranks_of(resumed) == ranks_of(whole) != ranks_of(model_of(1))
    for name, p in whole.arrays.items():
        assert (resumed.arrays[name] == p).all()


def test_growing_ranks_reach_what_fixed_ones_cannot(rng):
    """A target of ranks 2: rank 1 stays behind, rank 1 that grows once does not."""
    rule, x = RiemannianSGD(1.0, others=SGD(0.1)), rng.standard_normal((200, 18))
    truth = TTLinear.random((3, 3, 2), (3, 3, 2), 2, rng=5, dtype="f8", bias=False)
    small = TTLinear.random((3, 3, 2), (3, 3, 2), 1, rng=0, dtype="f8", bias=False)
    grow = AdaptRanks(rule, growing(by=1), epochs={5})
    losses = [
        fit(small, x, truth(x)[0], loss=SquaredError(), optimizer=rule, epochs=60,
            batch_size=200, callbacks=callbacks, rng=0)[1]["loss"][-1]
        for callbacks in ([], [grow])
    ]  # fmt: skip
    assert losses[0] > 0.1
    assert losses[1] < 1e-20


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((0.1, rounding(), {1}), "optimizer is float; pass that of fit"),
        ((SGD(0.1), 0.1, {1}), "change is float, which cannot be called"),
        ((SGD(0.1), rounding(), 5), "epochs is int; a range or a set is needed"),
    ],
)
def test_what_is_refused(given, says):
    with pytest.raises(TypeError, match=says):
        AdaptRanks(*given)


def test_a_change_returns_a_layer():
    run = Progress(model_of(2), {"step": 0}, seed=0, epoch=1)
    with pytest.raises(TypeError, match="change returned NoneType, not a layer"):
        AdaptRanks(SGD(0.1), lambda model, rng: None, epochs={1})(run)
