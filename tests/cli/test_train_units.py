"""What ``ttalgebra train`` makes of numbers of any size: the same, or a refusal."""

import json
from pathlib import Path

import numpy as np
import pytest

from ttalgebra.cli.train.units import units
from ttalgebra.layers import load

WORDS = "which single precision cannot hold; subtract the mean and divide"
SHORT = 'epochs = 8\n[data]\nsource = "{}.npz"\nvalidation = 0.1\n'


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def linear(n=200):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 6))
    return x, x @ [1, 2, -1, 0.5, 0, 1]


def write(name, more="", **arrays):
    np.savez(f"{name}.npz", **arrays)
    Path(f"{name}.toml").write_text(SHORT.format(name) + more)
    return f"{name}.toml"


def losses(name):
    lines = Path(name, "history.jsonl").read_text().splitlines()
    return [json.loads(line)["validation_loss"] for line in lines]


def test_a_regression_does_not_depend_on_the_units_of_its_values(call):
    """Loss in variances of y: scales change it by the rounding of float64 alone."""
    x, y = linear()
    for name, scale in (("one", 1), ("tiny", 2.0**-80), ("large", 2.0**40)):
        assert call("train", write(name, x=x, y=y * scale))[::2] == (0, "")
        assert losses(name) == losses("one")  # powers of two: in the same bits
        found = load(f"{name}/model.npz")(x.astype("f4"))[0][:, 0]
        error = ((found / scale - y) ** 2).mean()
        assert error < 0.5 * y.var()  # it speaks in the units of the data
    assert losses("one")[-1] < losses("one")[0] < 1


def test_values_of_several_units_weigh_the_same(call_json):
    x, y = linear()
    both = np.stack([y, 1e-9 * x[:, 0]], axis=1)
    result = call_json("train", write("both", x=x, y=both))
    assert result["losses"] == "in variances of y"
    found = load("both/model.npz")(x.astype("f4"))[0].astype("f8")
    assert (((found - both) ** 2).mean(axis=0) < 0.5 * both.var(axis=0)).all()


def test_features_of_any_units_are_learnt_alike(call):
    x, y = linear()
    for name, scale in (("one", 1), ("tiny", 2.0**-90), ("large", 2.0**60)):
        rows, labels = x * scale, (y > 0) * 1
        assert call("train", write(name, x=rows, y=labels))[::2] == (0, "")
        assert losses(name) == losses("one")


def test_units_are_those_of_the_samples_that_are_fitted():
    from ttalgebra.cli.train.keys import config_of
    from ttalgebra.cli.train.samples import samples

    x, y = linear(100)
    np.save("x.npy", x)
    np.save("y.npy", y)
    data = {"source": "x.npy", "y": "y.npy", "validation": 0.2}
    found = samples(config_of({"data": data}))
    assert isinstance(found.fit[0], np.memmap)
    for units_, array in ((found.x_units, x), (found.y_units, y[:, None])):
        np.testing.assert_allclose(units_.mean, array[:80].mean(axis=0), atol=1e-15)
        np.testing.assert_allclose(units_.deviation, array[:80].std(axis=0))


def test_units_are_measured_in_blocks_of_whole_rows(monkeypatch):
    monkeypatch.setattr("ttalgebra.cli.train.units._BLOCK", 12)
    x = linear(37)[0] + 100
    x[:, 2] = 0.1
    whole = x.copy()
    x[[0, 1, 9, 36], [5, 4, 3, 0]] = np.nan, np.nan, np.inf, -np.inf
    kept = np.delete(whole, [0, 1, 9, 36], axis=0)
    found = units(x, "x")
    np.testing.assert_allclose(found.mean, kept.mean(axis=0))
    np.testing.assert_allclose(found.deviation[[0, 5]], kept.std(axis=0)[[0, 5]])
    assert found.deviation[2] == 0  # np.std finds 1e-17
    assert found.removed()(whole.astype("f4"))[0][:, 2].tolist() == [0] * 37
    z = found.standardised(kept)
    np.testing.assert_allclose(found.restored()(z)[0], kept, rtol=1e-6)


@pytest.mark.parametrize("which", ["x", "y"])
@pytest.mark.parametrize(
    ("scale", "shift"), [(1, 1.7e9), (1e-200, 0), (1e200, 0), (1e-38, 0)]
)
def test_what_single_precision_cannot_hold_is_refused(
    assert_one_line, which, scale, shift
):
    x, y = linear(40)
    arrays = {"x": x, "y": y}
    arrays[which] = scale * arrays[which] + shift
    says = f"data.{which}: column 0 has mean"
    assert_one_line(1, says, "train", write("far", **arrays))
    assert_one_line(1, WORDS, "train", "far.toml")
    assert not Path("far").exists()


@pytest.mark.parametrize("name", ["x_test", "y_test"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_what_cannot_be_tested_is_refused_before_training(assert_one_line, name, value):
    x, y = linear(40)
    arrays = {"x": x, "y": y, "x_test": x.copy(), "y_test": y[:, None].copy()}
    arrays[name][17, 0] = value
    path = write("nan", 'x_test = "x_test"\ny_test = "y_test"', **arrays)
    assert_one_line(1, f"data.{name}: row 17, column 0 is", "train", path)
    assert not Path("nan").exists()


def test_the_model_is_saved_before_it_is_tested(call, monkeypatch):
    def fails(*_):
        raise OSError("the disk with x_test is gone")

    monkeypatch.setattr("ttalgebra.cli.train.command._measured", fails)
    x, y = linear(40)
    assert call("train", write("saved", x=x, y=y))[0] == 1
    assert load("saved/model.npz").layers[-1].name == "Rescale"


LABELS = {
    "inf": [0, 1, np.inf],
    "-inf": [0, 1, -np.inf],
    "18446744073709551615": np.array([0, 1, 2**64 - 1], "u8"),
    "1e+300": [0, 1, 1e300],
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_that_are_no_classes_are_refused_in_words(assert_one_line, name):
    y = np.resize(np.array(LABELS[name]), 40)
    Path("c.toml").write_text('loss = "CrossEntropy"\n[data]\nsource = "c.npz"')
    np.savez("c.npz", x=linear(40)[0], y=y)
    says = "needs one label 0, 1, 2" if name == "-inf" else f"a label is {name}; count"
    assert_one_line(1, f"data.y: {says}" if name != "-inf" else says, "train", "c.toml")


def test_no_values_at_all_are_refused(assert_one_line):
    path = write("none", x=linear(40)[0], y=np.zeros((40, 0)))
    assert_one_line(1, "y (40, 0); one row and one target", "train", path)
