"""The loop: pure, reproducible, resumable, and unmoved by numbers that are none."""

from dataclasses import replace

import numpy as np
import pytest

from tests.backends import dtype_of, here, host
from ttalgebra.arrays.errors import FormatError, NonFiniteError, ShapeError
from ttalgebra.layers import BatchNorm, Dense, Dropout, ReLU, Sequential, TTLinear
from ttalgebra.learning import (
    SGD,
    Adam,
    CrossEntropy,
    EarlyStopping,
    History,
    SquaredError,
    accuracy,
    advance,
    batch_count,
    error_rate,
    evaluate,
    fit,
    minibatches,
    predict,
    start,
    step,
)

ASKED = {"loss": CrossEntropy(), "optimizer": Adam(1e-2), "epochs": 3, "batch_size": 16}


@pytest.fixture
def data(rng):
    """Three clouds in 12 dimensions: 100 points, so the last batch of 16 has 4."""
    labels = rng.integers(0, 3, 100)
    centers = 2 * rng.standard_normal((3, 12))
    x = centers[labels] + rng.standard_normal((100, 12))
    return here((x.astype("f4"), labels))


@pytest.fixture
def model():
    rng = np.random.default_rng(0)
    first = TTLinear.random((2, 4), (3, 4), 2, rng=rng)
    last = Dense.random(8, 3, rng=rng)
    return here(Sequential([first, BatchNorm.new(8), ReLU(), Dropout(0.2), last]))


def bits(model):
    return {name: a.tobytes() for name, a in host(model.arrays).items()}


def dtypes(model):
    return {dtype_of(a) for a in model.arrays.values()}


def test_learns_and_leaves_the_model_as_it_was(model, data):
    before = bits(model)
    fitted, history = fit(
        model, *data, **ASKED | {"epochs": 20}, rng=0, validation=data
    )
    assert accuracy(fitted, *data) > 0.97
    assert history["loss"][-1] < history["loss"][0] / 2
    assert history["validation_accuracy"][-1] == accuracy(fitted, *data)
    assert history["epoch"] == list(range(1, 21))
    assert bits(model) == before
    assert dtypes(fitted) == {np.dtype("f4")}
    assert bits(fitted)["1.mean"] != before["1.mean"]


def test_parameters_keep_their_dtype_whatever_the_data(model, data):
    x, labels = host(data)
    wide = here((x.astype("f8"), np.eye(3)[labels]))
    fitted, _ = fit(model, *wide, **ASKED | {"loss": SquaredError()}, rng=0)
    assert dtypes(fitted) == {np.dtype("f4")}


def test_an_int_fixes_every_bit(model, data):
    first, second, other = (fit(model, *data, **ASKED, rng=k)[0] for k in (1, 1, 2))
    assert bits(first) == bits(second) != bits(other)


def test_two_and_two_epochs_are_four(model, data):
    asked = {k: v for k, v in ASKED.items() if k != "epochs"}
    run = start(model, asked["optimizer"], rng=5)
    whole = advance(run, *data, **asked, epochs=4)
    half = advance(run, *data, **asked, epochs=2)
    resumed = advance(half, *data, **asked, epochs=2)
    assert bits(whole.model) == bits(resumed.model)
    assert whole.history["loss"] == resumed.history["loss"]
    assert whole.epoch == resumed.epoch == 4
    assert bits(fit(model, *data, **asked, epochs=4, rng=5)[0]) == bits(whole.model)
    for name, value in whole.state.items():
        np.testing.assert_array_equal(*host((value, resumed.state[name])))


def test_zero_epochs_change_nothing(model, data):
    fitted, history = fit(model, *data, **ASKED | {"epochs": 0})
    assert fitted is model
    assert len(history) == 0


def test_full_batch_descent_is_the_iteration_by_hand(rng):
    """``p <- p - rate X^T (X p - t) / n``, twice."""
    x, t = rng.standard_normal((10, 3)), rng.standard_normal((10, 1))
    layer = here(Dense(np.ones((1, 3)), np.zeros(1)))
    asked = {"loss": SquaredError(), "optimizer": SGD(0.25), "batch_size": 10}
    fitted, _ = fit(layer, here(x), here(t), **asked, epochs=2, rng=0)
    w, b = np.ones((3, 1)), 0.0
    for _ in range(2):
        residual = x @ w + b - t
        w, b = w - 0.25 * x.T @ residual / 10, b - 0.25 * residual.mean()
    np.testing.assert_allclose(host(fitted.weight).T, w, rtol=1e-13)
    np.testing.assert_allclose(host(fitted.bias), b, rtol=1e-13)


on_host = pytest.mark.host("orders and histories are the host's")


@on_host
@pytest.mark.parametrize("size", [1, 2, 8])
@pytest.mark.parametrize("n", [1, 2, 7, 9, 16, 33, 34])
def test_every_sample_once_an_epoch(n, size):
    batches = list(minibatches(n, size, seed=3, epoch=2))
    assert sorted(np.concatenate(batches)) == list(range(n))
    assert len(batches) == batch_count(n, size)
    assert [len(b) for b in batches[:-1]] == [size] * (len(batches) - 1)
    assert min(2, size, n) <= len(batches[-1]) <= size + 1, "one sample has no variance"
    again = list(minibatches(n, size, seed=3, epoch=2))
    assert all((a == b).all() for a, b in zip(batches, again, strict=True))


@on_host
def test_epochs_and_seeds_give_other_orders():
    orders = {
        tuple(next(minibatches(50, 50, s, e))) for s in range(4) for e in range(4)
    }
    assert len(orders) == 16


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_data_that_are_not_finite_are_refused_by_epoch_and_batch(model, data, value):
    x, labels = host(data)
    x = x.copy()
    x[41, 5] = value
    before = bits(model)
    batches = list(minibatches(100, 16, start(model, Adam(), 0).seed, 1))
    k = next(k for k, batch in enumerate(batches) if 41 in batch)
    with pytest.raises(
        NonFiniteError, match=f"^fit: epoch 1, batch {k} .*: the data: "
    ):
        fit(model, here(x), here(labels), **ASKED, rng=0)
    assert bits(model) == before


def test_loss_gradient_and_target_that_are_not_finite(rng):
    layer, x = here(Dense(np.full((1, 1), 1e200), np.zeros(1))), np.full((4, 1), 1e200)
    state = SGD(0.1).init(layer.parameters)
    cases = {
        "the loss is inf": (SquaredError(), np.zeros((4, 1)), x),
        "the target: the value at index": (SquaredError(), np.full((4, 1), np.nan), x),
        "the gradient of weight: ": (
            lambda y, _: (0.0, y),
            None,
            np.full((4, 1), 1e100),
        ),
        "Dense: weight: ": (
            lambda y, _: (0.0, 0 * y + 1e307),
            None,
            np.full((4, 1), 1e-2),
        ),
    }
    for says, (loss, target, inputs) in cases.items():
        target = np.zeros((4, 1)) if target is None else target
        rule = SGD(1e10) if says.startswith("Dense") else SGD(0.1)
        with pytest.raises(NonFiniteError, match=says):
            step(layer, loss, rule, state, here(inputs), here(target), rng)
    assert host(layer.weight) == 1e200


def test_early_stopping_goes_back_to_the_best(model, data):
    seen = []

    def spoil(progress):
        """Validation losses 3, 2, 1, 5, 5, 5, ..."""
        value = (3.0, 2.0, 1.0)[progress.epoch - 1] if progress.epoch < 4 else 5.0
        record = progress.history.records[-1] | {"validation_loss": value}
        seen.append(progress)
        return replace(
            progress, history=History((*progress.history.records[:-1], record))
        )

    stopping = EarlyStopping(patience=2)
    asked = ASKED | {"epochs": 50}
    best, history = fit(
        model, *data, **asked, rng=0, validation=data, callbacks=[spoil, stopping]
    )
    assert len(history) == 5
    assert bits(best) == bits(seen[2].model) != bits(seen[4].model)
    assert seen[0].epochs == 50


def test_accuracy_is_better_when_higher(model):
    stopping = EarlyStopping(patience=1, monitor="validation_accuracy")
    run = start(model, Adam())
    falling = [{"validation_accuracy": a} for a in (0.5, 0.9, 0.8)]
    for k, record in enumerate(falling):
        run = stopping(replace(run, history=run.history.plus(record)))
        assert run.stopped == (k == 2)
    assert run.best is model


def test_callbacks_may_only_watch(model, data):
    epochs = []
    fitted, _ = fit(
        model, *data, **ASKED, rng=0, callbacks=[lambda p: epochs.append(p.epoch)]
    )
    assert epochs == [1, 2, 3]
    assert bits(fitted) == bits(fit(model, *data, **ASKED, rng=0)[0])


def test_a_callback_returns_progress_or_nothing(model, data):
    with pytest.raises(TypeError, match="a callback returned bool, not a Progress"):
        fit(model, *data, **ASKED, callbacks=[lambda _: True])


def test_validation_that_is_not_finite(model, data):
    x, labels = data
    with pytest.raises(NonFiniteError, match="the validation data: the value at"):
        fit(model, x, labels, **ASKED, validation=(x * np.nan, labels))
    big = here(Dense(np.full((1, 1), 1e200), np.zeros(1)))
    with pytest.raises(NonFiniteError, match="the loss is inf"):
        evaluate(big, SquaredError(), here(np.ones((2, 1))), here(np.zeros((2, 1))))


@on_host
def test_history_columns_and_json():
    history = (
        History().plus({"epoch": 1, "loss": 0.1}).plus({"epoch": 2, "loss": 1e-300})
    )
    assert History.from_json(history.to_json()) == history
    assert history["loss"] == [0.1, 1e-300]
    with pytest.raises(ShapeError, match=r"'rate' is not .*: epoch, loss"):
        history["rate"]
    with pytest.raises(ShapeError, match="none yet"):
        History()["loss"]
    for text in (
        "",
        "[]",
        "{}",
        '{"records": [1]}',
        '{"records": [{"a": "b"}]}',
        "[" * 10**5,
    ):
        with pytest.raises(FormatError, match="history: not one of ours"):
            History.from_json(text)


def test_metrics_are_the_same_in_blocks(model, rng):
    x, labels = here((rng.standard_normal((2300, 12)), rng.integers(0, 3, 2300)))
    y = model(x)[0]
    np.testing.assert_allclose(*host((predict(model, x), y)), rtol=1e-6, atol=1e-6)
    share = np.mean(host(y).argmax(axis=1) == host(labels))
    assert accuracy(model, x, labels) == share
    assert error_rate(model, x, labels) == 1 - share
    found = evaluate(model, CrossEntropy(), x, labels)
    assert abs(found["loss"] - CrossEntropy()(y, labels)[0]) < 1e-6
    assert found["accuracy"] == share
    values = evaluate(model, SquaredError(), x, y)
    assert set(values) == {"loss"}


def test_same_on_every_library(model, data, xp):
    """By SGD: Adam would blow up the roundoff of a bias that a BatchNorm takes away."""
    asked = ASKED | {"optimizer": SGD(0.05, 0.5)}
    fitted, history = fit(model, *data, **asked, rng=0)
    plain = model.with_arrays(host(model.arrays))
    ours, wanted = fit(plain, *host(data), **asked, rng=0)
    np.testing.assert_allclose(history["loss"], wanted["loss"], rtol=1e-5)
    for name, array in fitted.arrays.items():
        found = xp.numpy(array)
        np.testing.assert_allclose(found, ours.arrays[name], rtol=1e-4, atol=1e-5)


X, T = np.ones((4, 12)), np.zeros(4, int)


@pytest.mark.parametrize(
    ("x", "target", "asked", "error", "says"),
    [
        (X, T[:3], {}, ShapeError, r"target has shape \(3,\) for 4 samples"),
        (
            X[:0],
            T[:0],
            {},
            ShapeError,
            r"x has shape \(0, 12\); .* a sample are needed",
        ),
        (X[0], T, {}, ShapeError, r"x has shape \(12,\)"),
        (X, T, {"batch_size": 0}, ShapeError, "batch_size must be at least 1, got 0"),
        (X, T, {"batch_size": 2.5}, TypeError, "batch_size must be an int, got float"),
        (X, T, {"epochs": -1}, ShapeError, "epochs must be at least 0, got -1"),
        (X, T, {"epochs": "ten"}, TypeError, "epochs must be an int, got str"),
        (X, T, {"rng": "seed"}, TypeError, "rng must be an int"),
        (
            X,
            T,
            {"validation": (X, T[:2])},
            ShapeError,
            "validation: the target has shape",
        ),
        (X, T + 3, {}, ShapeError, "reach from 3 to 3; for 3 classes"),
        (X, T + 0.5, {}, TypeError, "labels must be integers, got dtype .*float64"),
        (
            X[:, :5],
            T,
            {},
            ShapeError,
            r"x has 5 features, the weight expects 12 = 3 \* 4",
        ),
    ],
)
def test_refuses(model, x, target, asked, error, says):
    with pytest.raises(error, match=says):
        fit(model, *here((x, target)), **here(ASKED | asked))


@pytest.mark.host("what is no array of any library")
def test_refuses_what_is_no_data_and_no_model(model):
    with pytest.raises(TypeError, match="masked array"):
        fit(model, np.ma.ones((4, 12)), T, **ASKED)
    with pytest.raises(TypeError, match="target has dtype <U1"):
        fit(model, X, ["a", "b", "c", "d"], **ASKED)
    with pytest.raises(TypeError, match="the model is list, not a layer"):
        fit([], X, T, **ASKED)
    with pytest.raises(ShapeError, match="patience must be at least 1, got 0"):
        EarlyStopping(patience=0)
    with pytest.raises(ShapeError, match="0 samples"):
        accuracy(ReLU(), X[:0], T[:0])
