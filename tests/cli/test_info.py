"""``ttalgebra info``: what a file holds, once every byte of it is verified."""

import math
from unittest.mock import ANY

import numpy as np
import pytest

import ttalgebra as tt
from tests.cli.conftest import smooth
from ttalgebra.layers import Dense
from ttalgebra.learning import Adam, Checkpoint, SquaredError, fit
from ttalgebra.storage import write


def test_a_matrix(folder, call_json):
    result = call_json("info", "matrix.npz")
    assert result["kind"] == "TTMatrix"
    assert result["shape"] == [12, 16]
    assert (result["row_modes"], result["col_modes"]) == ([2, 3, 2], [2, 2, 4])
    assert result["ranks"] == [1, 2, 2, 1]
    assert (result["parameters"], result["bytes"]) == (48, 384)
    assert result["compression"] == 4
    assert result["dtype"] == "float64"
    assert result["file_bytes"] == (folder / "matrix.npz").stat().st_size
    assert result["norm"] == pytest.approx(np.sqrt((smooth() ** 2).sum()), rel=1e-9)
    assert result["log_norm"] == pytest.approx(math.log(result["norm"]))


def test_a_tensor(folder, call_json):
    result = call_json("info", "tensor.npz")
    assert result["kind"] == "TTTensor"
    assert result["shape"] == result["modes"] == [3, 4, 5]
    assert "row_modes" not in result
    assert result["norm"] == pytest.approx(math.sqrt(60))


def test_a_model(folder, call_json):
    result = call_json("info", "model.npz")
    assert result["kind"] == "model"
    assert result["layers"] == [
        {
            "layer": "TTLinear",
            "parameters": 20,
            "bytes": 80,
            "weight_shape": [4, 3],
            "ranks": [1, 2, 1],
        },
        {"layer": "ReLU", "parameters": 0, "bytes": 0},
        {"layer": "Dense", "parameters": 15, "bytes": 60, "weight_shape": [3, 4]},
    ]
    assert (result["parameters"], result["bytes"]) == (35, 140)


def test_a_checkpoint(tmp_path, call, call_json):
    x = np.linspace(-1, 1, 20)[:, None]
    checkpoint = Checkpoint(tmp_path, every=2)
    asked = {"loss": SquaredError(), "optimizer": Adam(0.1), "rng": 3}
    asked |= {"batch_size": 4, "checkpoint": checkpoint}
    fit(Dense([[0.0]], [0.0]), x, x, epochs=2, **asked)
    path = str(checkpoint.files()[-2])
    result = call_json("info", path)
    assert result["kind"] == "checkpoint"
    assert (result["samples"], result["batch_size"], result["seed"]) == (20, 4, ANY)
    assert result["optimizer"].startswith("Adam(rate=0.1, betas=[0.9, 0.999]")
    assert (result["epochs_done"], result["batches_of_the_next"]) == (1, 4)
    assert result["last_epoch"]["epoch"] == 1
    code, out, err = call("info", path)
    assert (code, err) == (0, "")
    assert "batches of the next  4\n" in out


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("matrix", ["shape 12 x 16 float64", "modes 2x2 3x2 2x4", "ranks 1 2 2 1"]),
        ("tensor", ["shape 3 x 4 x 5 float64", "modes 3 4 5", "compression 5"]),
        ("model", ["layer 0 TTLinear 4 x 3, ranks 1 2 1, 20 parameters"]),
    ],
)
def test_people_read_the_same(folder, call, name, lines):
    code, out, err = call("info", f"{name}.npz")
    assert (code, err) == (0, "")
    said = [" ".join(line.split()) for line in out.splitlines()]
    assert set(lines) <= set(said)


def test_a_train_beyond_all_ranges(folder, call, call_json):
    tt.identity((2,) * 3000).save("long.npz")
    result = call_json("info", "long.npz")
    assert result["shape"] == ["10^903.1", "10^903.1"]
    assert (result["norm"], result["compression"]) == (None, None)
    assert result["log_norm"] == pytest.approx(1500 * math.log(2))
    _, out, _ = call("info", "long.npz")
    assert max(map(len, out.splitlines())) < 100
    assert "... (3000)" in out


def test_a_train_that_is_zero(folder, call_json):
    tt.zeros((2, 3)).save("zero.npz")
    result = call_json("info", "zero.npz")
    assert (result["norm"], result["log_norm"]) == (0.0, None)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("missing.npz", "missing.npz: No such file or directory"),
        (".", "not a regular file"),
        ("short.npz", "short.npz: damaged: it has"),
        ("flipped.npz", "damaged"),
        ("W.npy", "not a ttalgebra file"),
        ("plain.npz", "not a ttalgebra file"),
        ("pickle.npy", "not a ttalgebra file"),
        ("nothing.npy", "damaged: it ends"),
        ("a\0b", "no file can have this name"),
    ],
)
def test_files_that_are_refused(folder, assert_one_line, name, match):
    assert_one_line(1, match, "info", name)


CORE = np.ones((1, 2, 1))


@pytest.mark.parametrize(
    ("arrays", "header", "match"),
    [
        ({}, {}, "holds nothing known here, not a train"),
        ({"cores.0": CORE}, {"kind": ["TTTensor"]}, "holds nothing known here"),
        ({"cores.0": CORE}, {"kind": "Other"}, "holds Other, not a train"),
        ({}, {"kind": "TTTensor"}, "at least one core"),
        ({"cores.1": CORE}, {"kind": "TTTensor"}, "array 0 is called cores.1"),
        ({"x": CORE}, {"kind": "TTTensor"}, "array 0 is called x"),
        ({"cores.0": CORE}, {"kind": "TTMatrix"}, "core 0 has shape (1, 2, 1)"),
        ({"cores.0": CORE.astype(int)}, {"kind": "TTTensor"}, "one inexact dtype"),
        ({"cores.0": CORE * np.nan}, {"kind": "TTTensor"}, "not finite"),
        ({"cores.0": CORE[:, :0]}, {"kind": "TTTensor"}, "zero-size"),
        ({"cores.0": np.ones((2, 2, 1))}, {"kind": "TTTensor"}, "outer ranks"),
        (
            {"cores.0": CORE, "cores.1": CORE.astype("f4")},
            {"kind": "TTTensor"},
            "cores.1 has dtype float32",
        ),
        (
            {"cores.0": CORE, "cores.1": np.ones((3, 2, 1))},
            {"kind": "TTTensor"},
            "cores 0 and 1 do not connect",
        ),
        ({}, {"kind": "model"}, "its layers are NoneType, not a list"),
        ({}, {"kind": "model", "layers": [{"layer": "os"}]}, "no layer is called"),
    ],
)
def test_sound_files_that_hold_no_train(folder, assert_one_line, arrays, header, match):
    write("forged.npz", arrays, header)
    assert_one_line(1, match, "info", "forged.npz")


def test_loading_a_model_as_a_train_says_what_to_use(folder):
    with pytest.raises(tt.errors.FormatError, match=r"holds model.*tt\.layers\.load"):
        tt.load("model.npz")


@pytest.mark.parametrize("kind", ["matrix", "tensor"])
def test_loaded_trains_are_those_that_were_saved(folder, kind):
    x = tt.load(f"{kind}.npz")
    x.save("again.npz")
    y = tt.load("again.npz")
    assert type(x) is type(y)
    assert [core.tobytes() for core in x.cores] == [core.tobytes() for core in y.cores]
    assert not any(core.flags.writeable for core in y.cores)
