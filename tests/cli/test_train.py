"""``ttalgebra train``: one command from samples to a model, and on after any stop."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import ttalgebra
from ttalgebra.layers import load
from ttalgebra.learning import accuracy
from ttalgebra.storage import read

FILES = {"model.npz", "history.csv", "history.jsonl", "config.toml", "versions.jsonl"}
SMALL = """
epochs = 4
[data]
source = "mine.npz"
validation = 0.2
[[layers]]
layer = "TTLinear"
units = 12
ranks = 3
[[layers]]
layer = "ReLU"
[[layers]]
layer = "Dropout"
rate = 0.1
[[layers]]
layer = "Dense"
"""


def clouds(n=200):
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, n)
    return 3 * rng.standard_normal((3, 12))[labels] + rng.standard_normal(
        (n, 12)
    ), labels


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with samples in every form."""
    x, labels = clouds()
    np.savez(tmp_path / "mine.npz", x=x, y=labels)
    np.save(tmp_path / "x.npy", x.astype("f4"))
    np.save(tmp_path / "y.npy", labels)
    (tmp_path / "run.toml").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bits(path):
    return {name: a.tobytes() for name, a in read(path)[0].items()}


def losses(folder):
    lines = Path(folder, "history.jsonl").read_text().splitlines()
    return [
        {k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines
    ]


def test_ones_own_samples_in_one_command(folder, call):
    code, out, err = call("train", "mine.npz")
    assert (code, err) == (0, "")
    assert "BatchNorm -> TTLinear -> ReLU -> Dense" in out
    assert set(os.listdir("mine")) >= FILES
    model = load("mine/model.npz")
    x, labels = clouds()
    assert accuracy(model, x.astype("f4"), labels) > 0.97  # scaling is in the model


def test_what_it_says_in_json(folder, call_json):
    result = call_json("train", "run.toml", "--output", "there")
    assert set(result.pop("files")) >= FILES
    numbers = ("loss", "validation_loss", "validation_accuracy")
    assert all(isinstance(result.pop(name), float) for name in numbers)
    assert result == {
        "data": "mine.npz", "samples": 160, "parameters": 126, "epochs": 4,
        "network": ["Rescale", "TTLinear", "ReLU", "Dropout", "Dense"],
        "folder": "there",
    }  # fmt: skip
    versions = [*map(json.loads, Path("there/versions.jsonl").read_text().splitlines())]
    assert versions[0]["ttalgebra"] == ttalgebra.__version__
    assert versions[0]["numpy"] == np.__version__


def test_the_configuration_as_run_runs_again_in_the_same_bits(folder, call):
    assert call("train", "run.toml")[0] == 0
    assert call("train", "run/config.toml", "--output", "again")[0] == 0
    assert bits("run/model.npz") == bits("again/model.npz")
    assert losses("run") == losses("again")
    first, again = (Path(f, "config.toml").read_text() for f in ("run", "again"))
    assert first.replace('"run"', '"again"') == again


def test_the_example_runs(folder, call):
    pytest.importorskip("sklearn", reason="scikit-learn ships the digits")
    code, example, _ = call("train", "--example")
    assert code == 0
    text = example.replace("epochs = 20", "epochs = 2 ")
    (folder / "example.toml").write_text(text)
    code, out, err = call("train", "example.toml")
    assert (code, err) == (0, "")
    assert "test accuracy" in out


SOURCES = {
    "mapped": ('source = "x.npy"\ny = "y.npy"\nvalidation = 0.2', "CrossEntropy"),
    "tested": ('source = "x.npy"\ny = "y.npy"\nx_test = "x.npy"\ny_test = "y.npy"', ""),
    "named": ('source = "named.npz"\nx = "X_train"\ny = "t"', "SquaredError"),
    "images": ('source = "images.npz"', "CrossEntropy"),
    "mnist": ('source = "idx"', "CrossEntropy"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_kind_of_data(folder, call_json, name):
    x, labels = clouds()
    np.savez("named.npz", X_train=x, t=x[:, :2].sum(axis=1))
    images = (10 * x + 100).clip(0, 255).astype("u1").reshape(-1, 3, 4)
    np.savez("images.npz", x=images, y=labels[:, None].astype("u1"))
    write_mnist(folder / "idx")
    said, _ = SOURCES[name]
    (folder / "c.toml").write_text(f"epochs = 1\n[data]\n{said}\n")
    result = call_json("train", "c.toml")
    assert ("test_loss" in result) == (name in ("tested", "mnist"))
    assert ("accuracy" in str(result)) == (name in ("mapped", "tested", "mnist"))


def write_mnist(folder):
    """Two and one thousand images of the official size, of noise."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for part, n in (("train", 64), ("t10k", 32)):
        images, labels = rng.integers(0, 256, (n, 28, 28)), rng.integers(0, 10, n)
        for kind, a in (("images-idx3", images), ("labels-idx1", labels)):
            head = bytes((0, 0, 8, a.ndim)) + np.array(a.shape, ">u4").tobytes()
            (folder / f"{part}-{kind}-ubyte").write_bytes(
                head + a.astype("u1").tobytes()
            )


def test_mapped_samples_stay_on_the_disk(folder):
    from ttalgebra.cli.train.keys import config_of
    from ttalgebra.cli.train.samples import samples

    data = {"source": "x.npy", "y": "y.npy", "validation": 0.2}
    found = samples(config_of({"data": data}))
    assert isinstance(found.fit[0], np.memmap)
    assert isinstance(found.validation[0], np.memmap)


@pytest.mark.parametrize("rule", ["SGD", "RMSProp", "Adam"])
def test_every_rule_and_layer(folder, call, rule):
    layers = ["BatchNorm", "BTLinear", "Tanh", "TTLinear", "Sigmoid", "Dense"]
    units = {"BTLinear": "units = 12", "TTLinear": "units = 8\nrows = [4, 2]\n"}
    units["TTLinear"] += "columns = [3, 4]"
    tables = "\n".join(f'[[layers]]\nlayer = "{n}"\n{units.get(n, "")}' for n in layers)
    text = f"""epochs = 2\npatience = 1\non_nonfinite = "skip"\nloss = "Hinge"
[data]\nsource = "mine.npz"\nvalidation = 0.1
[optimizer]\nrule = "{rule}"\nschedule = "cosine"\nclip = 1\ndecay = 1e-4
master = true\n{tables}"""
    (folder / "all.toml").write_text(text)
    assert call("train", "all.toml")[::2] == (0, "")
    assert losses("all")[0]["skipped"] == 0


def test_values_far_from_one_are_learnt_in_their_units(folder, call):
    """A linear function with values about 500 +- 1000: 99 % of the variance."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 6))
    y = 500 + 1000 * x @ [0.3, -0.5, 0.1, 0.7, 0, 0.4]
    np.savez("price.npz", x=x, y=y)
    assert call("train", "price.npz")[::2] == (0, "")
    model = load("price/model.npz")
    assert model.layers[-1].name == "Rescale"
    found = model(x.astype("f4"))[0][:, 0]
    assert ((found - y) ** 2).mean() < 0.01 * y.var()


def test_a_sample_that_would_be_alone_joins_the_batch_before(folder, call):
    x, labels = clouds(33)
    np.savez("odd.npz", x=x, y=labels)
    (folder / "odd.toml").write_text('epochs = 1\n[data]\nsource = "odd.npz"')
    assert call("train", "odd.toml")[::2] == (0, "")


WRONG = {
    "epoch = 3": "epoch: no such key; there are: data, optimizer, layers, out",
    "epochs = 0": "epochs: must be an int of at least 1 and below 2^63, got 0",
    "epochs = 2.5": "epochs: must be an int of at least 1 and below 2^63, got 2.5",
    "epochs = true": "epochs: must be an int of at least 1 and below 2^63, got True",
    "batch_size = 1": "batches of 1: BatchNorm cannot take one alone",
    'batch_size = "a"': "an int of at least 1 and below 2^63, got 'a'",
    'loss = "L2"': 'loss: must be one of "auto", "CrossEntropy"',
    "patience = 3": "patience: needs data.validation",
    "data = 3": "data: must be a table, got 3",
    "[data]": "data.source: is missing; name digits",
    "[data]\nsource = 3": "data.source: must be a text in UTF-8, got 3",
    '[data]\nsource = "no.npz"': "no.npz: No such file or directory",
    '[data]\nsource = "nowhere"': "is in nowhere",
    '[data]\nsource = "mine.npz"\nx = "X"': "mine.npz has no 'X'; there are: x, y",
    '[data]\nsource = "mine.npz"\nvalidation = 1': "data.validation: must be a number",
    '[data]\nsource = "mine.npz"\nx_test = "x"': "data.x_test: needs data.y_test",
    '[data]\nsource = "x.npy"': "data.y: must be the .npy with the labels or values",
    '[data]\nsource = "digits"\nx = "a"': "are not for 'digits'",
    '[data]\nsource = "bad.npz"': "bad.npz: not a whole file of numbers",
    '[data]\nsource = "objects.npz"': "x: not a whole file of numbers",
    '[data]\nsource = "text.npz"': "data.x: has dtype <U1; real numbers are needed",
    '[data]\nsource = "short.npz"': "one row and one target for each sample needed",
    '[data]\nsource = "minus.npz"': "CrossEntropy needs one label 0, 1, 2, ...",
    '[data]\nsource = "nan.npz"': "epoch 1, batch 0 (of 32 samples): the data",
    'optimizer = "Adam"': "optimizer: must be a table, got 'Adam'",
    '[optimizer]\nrule = "adam"': "optimizer.rule: must be one of Adam, SGD, RMSProp",
    "[optimizer]\nrate = 1": "must be one of Adam, SGD, RMSProp; it is missing",
    '[optimizer]\nrule = "SGD"\nrate = 0': "optimizer.rate: must be a number above 0",
    '[optimizer]\nrule = "SGD"\nrate = inf': "optimizer.rate: must be a number above 0",
    '[optimizer]\nrule = "Adam"\nmomentum = 0.9': "optimizer.momentum: no such key",
    "layers = []": "layers: must be tables [[layers]]",
    '[[layers]]\nlayer = "Conv"': "layers, entry 1.layer: must be one of BatchNorm",
    '[[layers]]\nlayer = "Dense"\nunits = -1': "layers, entry 1.units: must be an int",
    '[[layers]]\nlayer = "Dense"\nunits = 5': "last gives 5 outputs, the data have 3",
    '[[layers]]\nlayer = "TTLinear"\nrows = [2]\ncolumns = [12]': "of rows must be",
    '[[layers]]\nlayer = "TTLinear"\nrows = [3]\ncolumns = [3, 4]': "1 rows and 2 c",
    '[[layers]]\nlayer = "TTLinear"\nrows = 3': "rows: must be a list of ints",
    "epochs =": "not TOML: Invalid value (at line 1, column 9)",
    "\xff": "not TOML",
    "a = " + "[" * 5000: "not TOML",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: ascii(text)[1:60])
def test_what_is_wrong_is_said_in_one_line(folder, assert_one_line, text):
    x, labels = clouds(64)
    np.savez("objects.npz", x=x.astype(object), y=labels, allow_pickle=True)
    np.savez("text.npz", x=np.full((4, 3), "a"), y=np.arange(4))
    np.savez("short.npz", x=x, y=labels[1:])
    np.savez("minus.npz", x=x, y=labels - 1)
    np.savez("nan.npz", x=x * np.nan, y=labels)
    (folder / "bad.npz").write_bytes(b"PK\x03\x04 and nothing")
    source = "" if "data" in text.split("=")[0] else '\n[data]\nsource = "mine.npz"\n'
    encoding = "latin-1" if text == "\xff" else "utf-8"
    (folder / "wrong.toml").write_bytes((text + source).encode(encoding))
    assert_one_line(1, WRONG[text], "train", "wrong.toml")


def test_a_missing_file_and_none_at_all(folder, assert_one_line):
    assert_one_line(1, "no.toml: No such file or directory", "train", "no.toml")
    assert_one_line(1, "name a .toml or a .npz file, or ask for --example", "train")


def test_a_run_is_never_overwritten(folder, call, assert_one_line):
    assert call("train", "run.toml")[0] == 0
    before = bits("run/model.npz")
    assert_one_line(
        1, "run: there is a run already; --resume goes", "train", "run.toml"
    )
    (folder / "run.toml").write_text(SMALL.replace("rate = 0.1", "rate = 0.2"))
    says = "the run to resume has layers = "
    assert_one_line(1, says, "train", "run.toml", "--resume")
    (folder / "other").mkdir()
    (folder / "other" / "diary.txt").write_text("mine")
    asked = ("train", "run.toml", "--resume", "--output", "other")
    assert_one_line(1, "other: no config.toml, so there is no run to resume", *asked)
    assert bits("run/model.npz") == before


def test_resume_goes_on_and_a_longer_run_too(folder, call):
    assert call("train", "run.toml", "--output", "whole")[0] == 0
    longer = SMALL.replace("epochs = 4", "epochs = 2")
    (folder / "run.toml").write_text(longer)
    assert call("train", "run.toml", "--resume")[0] == 0  # missing is a first run
    (folder / "run.toml").write_text(SMALL)
    assert call("train", "run.toml", "--resume")[0] == 0
    assert bits("run/model.npz") == bits("whole/model.npz")
    assert losses("run") == losses("whole")
    assert len(Path("run/versions.jsonl").read_text().splitlines()) == 2


def test_a_damaged_checkpoint_is_named_and_the_good_one_taken(
    folder, call, assert_one_line
):
    assert call("train", "run.toml")[0] == 0
    before = bits("run/model.npz")
    path = folder / "run" / "checkpoints" / "checkpoint-000004.npz"
    path.write_bytes(path.read_bytes()[:-1])
    offered = "checkpoint-000003.npz is whole: resume from 'checkpoint-000003.npz'"
    assert_one_line(1, offered, "train", "run.toml", "--resume")
    asked = ("train", "run.toml", "--resume-from", "checkpoint-000003.npz")
    assert call(*asked)[0] == 0
    assert bits("run/model.npz") == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_with_its_code(folder, call, number):
    (folder / "run.toml").write_text(SMALL.replace("epochs = 4", "epochs = 25"))
    command = [sys.executable, "-W", "error", "-m", "ttalgebra", "train", "run.toml"]
    root = str(Path(ttalgebra.__file__).parents[1])
    default = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": root},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        signal.signal(signal.SIGINT, default)
        deadline = time.monotonic() + 60
        while not os.path.exists("run/history.csv") and time.monotonic() < deadline:
            time.sleep(0.001)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    name = signal.Signals(number).name
    assert err == (
        f"ttalgebra train: {name}: the step was finished and the run saved; resume it\n"
    )
    assert call("train", "run.toml", "--resume")[::2] == (0, "")
    shutil.copy("run.toml", "whole.toml")
    assert call("train", "whole.toml")[0] == 0
    assert bits("run/model.npz") == bits("whole/model.npz")
    assert losses("run") == losses("whole")


def test_without_matplotlib_there_is_no_picture(folder, call_json, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert set(call_json("train", "run.toml")["files"]) == FILES
