"""Batches that are not finite are refused by place, or skipped; no bit moves."""

import numpy as np
import pytest

from tests.backends import here, host
from tests.learning import survivor
from ttalgebra.arrays.errors import NonFiniteError, ShapeError
from ttalgebra.layers import Dense
from ttalgebra.learning import (
    Adam,
    CrossEntropy,
    RMSProp,
    SquaredError,
    fit,
    start,
)
from ttalgebra.learning.epoch import Task, steps


def bits(arrays):
    items = host(dict(arrays)).items()
    return {name: a.tobytes() if hasattr(a, "tobytes") else a for name, a in items}


def broken(kind, batch):
    """A loss of which one value or one gradient is not finite."""
    seen = []

    def loss(y, target):
        seen.append(1)
        value, dy = CrossEntropy()(y, target)
        if len(seen) != batch + 1:
            return value, dy
        return (np.inf, dy) if kind == "loss" else (value, dy * np.nan)

    return loss


def task(x, labels, loss, *, skips):
    return Task(x, labels, loss, Adam(1e-2), 16, skips, None)


@pytest.mark.parametrize("kind", ["data", "loss", "gradient"])
@pytest.mark.parametrize("batch", [0, 2, 6])
def test_a_bad_batch_moves_no_bit(kind, batch):
    x, labels = survivor.data()
    run = start(here(survivor.model()), Adam(1e-2), rng=7)
    loss = broken(kind, batch) if kind != "data" else CrossEntropy()
    if kind == "data":
        order = np.random.default_rng((run.seed, 1, 0)).permutation(100)
        x = x.copy()
        x[order[16 * batch], 3] = np.nan
    given = bits(run.model.arrays), bits(run.state)
    asked = here(x), here(labels), loss
    before, counted = given, []
    for k, after in enumerate(steps(task(*asked, skips=True), run)):
        now = bits(after.model.arrays), bits(after.state)
        assert (now == before) == (k == batch)
        before, counted = now, [*counted, after.partial.skipped]
    assert counted == [int(k >= batch) for k in range(survivor.BATCHES)]
    loss = broken(kind, batch) if kind != "data" else CrossEntropy()
    with pytest.raises(NonFiniteError, match=rf"^fit: epoch 1, batch {batch} "):
        list(steps(task(*asked[:2], loss, skips=False), run))
    assert (bits(run.model.arrays), bits(run.state)) == given


def test_the_history_counts_what_was_skipped_and_leaves_it_out_of_the_mean():
    x, labels = survivor.data()
    x = x.copy()
    x[41] = np.inf
    asked = {"loss": CrossEntropy(), "optimizer": Adam(1e-2), "batch_size": 2}
    data = here(x), here(labels)
    _, history = fit(
        here(survivor.model()), *data, **asked, epochs=2, rng=0, on_nonfinite="skip"
    )
    assert history["skipped"] == [1, 1]
    assert np.isfinite(history["loss"]).all()
    with pytest.raises(NonFiniteError, match=r"batch \d+ \(of 2 samples\): the data"):
        fit(here(survivor.model()), *data, **asked, epochs=2, rng=0)


def test_an_epoch_of_nothing_else_is_refused():
    x, labels = survivor.data()
    asked = {"loss": CrossEntropy(), "optimizer": Adam(1e-2), "rng": 0}
    data = here(x * np.float32(np.nan)), here(labels)
    with pytest.raises(NonFiniteError, match="epoch 1: each of its 4 batches was skip"):
        fit(here(survivor.model()), *data, **asked, epochs=1, on_nonfinite="skip")


@pytest.mark.host("a refusal that no library has a part in")
def test_other_wishes_are_refused():
    with pytest.raises(ShapeError, match="no method 'ignore'; there are: raise, skip"):
        survivor.run(on_nonfinite="ignore")


@pytest.mark.host("files")
def test_what_was_skipped_survives(tmp_path):
    x, labels = survivor.data()
    x = x.copy()
    x[::40] = np.nan
    asked = {"validation": None, "callbacks": (), "on_nonfinite": "skip"}
    whole, history = _run_on(x, labels, tmp_path / "whole", **asked)
    assert history["skipped"][0] >= 1
    files = sorted((tmp_path / "whole").glob("checkpoint-*"))
    files[-1].unlink()
    files[-2].unlink()  # the newest is now within the last epoch
    again, resumed = _run_on(x, labels, tmp_path / "whole", resume=True, **asked)
    assert bits(again.arrays) == bits(whole.arrays)
    assert resumed["skipped"] == history["skipped"]


def _run_on(x, labels, folder, **other):
    from ttalgebra.learning import Checkpoint

    return fit(
        survivor.model(), x, labels, loss=CrossEntropy(), optimizer=Adam(1e-2),
        epochs=3, batch_size=16, rng=7, checkpoint=Checkpoint(folder, every=2), **other,
    )  # fmt: skip


@pytest.mark.parametrize("rule", [Adam(1.0), RMSProp(1.0)])
@pytest.mark.parametrize("wish", ["raise", "skip"])
def test_a_state_that_would_overflow_is_refused(rule, wish):
    """The gradient is finite and its square is not: no weight would move again."""
    x, y = here((np.full((8, 1), 100, "f4"), np.full((8, 1), 1e19, "f4")))
    y = here(np.where(np.arange(8)[:, None] < 4, host(y), 1).astype("f4"))
    model, states = Dense(*here((np.zeros((1, 1), "f4"), np.zeros(1, "f4")))), []
    asked = {"loss": SquaredError(), "optimizer": rule, "batch_size": 1, "rng": 0}
    asked |= {"epochs": 1, "callbacks": [lambda run: states.append(run.state)]}
    if wish == "raise":
        says = "epoch 1, batch .*: the optimizer's square.weight: .* inf"
        with pytest.raises(NonFiniteError, match=says):
            fit(model, x, y, **asked)
        return
    found, history = fit(model, x, y, on_nonfinite="skip", **asked)
    assert history["skipped"][0] == 4
    assert np.isfinite(host(states[0]["square.weight"])).all()
    assert np.isfinite(host(found.weight)).all()
