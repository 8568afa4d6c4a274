"""``ttalgebra convert``: npz to safetensors and back, bit for bit."""

import os

import numpy as np
import pytest
from safetensors import numpy as package

import ttalgebra as tt
from ttalgebra.layers import load


def bits(x):
    return [core.tobytes() for core in x.cores]


@pytest.mark.parametrize("kind", ["matrix", "tensor"])
def test_a_train_goes_there_and_back(folder, call_json, kind):
    call_json("convert", f"{kind}.npz", "there.safetensors")
    call_json("convert", "there.safetensors", "back.npz")
    there, back = tt.load("there.safetensors"), tt.load("back.npz")
    assert bits(there) == bits(back) == bits(tt.load(f"{kind}.npz"))
    assert (folder / "back.npz").read_bytes() == (folder / f"{kind}.npz").read_bytes()


def test_a_model_goes_there_and_back(folder, call_json):
    result = call_json("convert", "model.npz", "model.safetensors")
    assert result["kind"] == "model"
    call_json("convert", "model.safetensors", "back.npz")
    assert (folder / "back.npz").read_bytes() == (folder / "model.npz").read_bytes()
    arrays = load("model.safetensors").arrays
    assert set(package.load_file("model.safetensors")) == set(arrays)


def test_the_result_says_what_was_written(folder, call, call_json):
    result = call_json("convert", "matrix.npz", "out.safetensors")
    assert result == {
        "input": "matrix.npz",
        "output": "out.safetensors",
        "kind": "TTMatrix",
        "input_bytes": (folder / "matrix.npz").stat().st_size,
        "output_bytes": (folder / "out.safetensors").stat().st_size,
    }
    code, out, err = call("convert", "matrix.npz", "out.safetensors")
    assert (code, err) == (0, "")
    said = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert said["file"] == "matrix.npz -> out.safetensors"
    assert said["kind"] == "TTMatrix"


def test_a_train_of_others_becomes_ours(folder, call_json):
    cores = {f"cores.{k}": np.ones((1, 2, 1), "f4") for k in range(12)}
    package.save_file(cores, "theirs.safetensors")
    assert call_json("convert", "theirs.safetensors", "ours.npz")["kind"] == "TTTensor"
    x = tt.load("ours.npz")
    assert (x.modes, x.dtype) == ((2,) * 12, np.float32)
    assert call_json("info", "theirs.safetensors")["kind"] == "TTTensor"


@pytest.mark.parametrize("suffix", ["", ".npy", ".pt", ".npz.bak", ".safetensor"])
def test_names_that_say_no_format(folder, assert_one_line, suffix):
    match = "OUT: must end in .npz or .safetensors"
    assert_one_line(2, match, "convert", "matrix.npz", f"out{suffix}")


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("missing.npz", "missing.npz: No such file or directory"),
        ("short.npz", "damaged"),
        ("flipped.npz", "damaged"),
        ("plain.npz", "not a ttalgebra file"),
        ("W.npy", "not a ttalgebra file"),
        ("pickle.npy", "ttalgebra file"),
        ("weights.safetensors", "are no train; it would have cores.0"),
        (".", "not a regular file"),
    ],
)
def test_inputs_that_are_refused(folder, assert_one_line, source, match):
    package.save_file({"weight": np.ones((2, 2))}, "weights.safetensors")
    before = sorted(os.listdir())
    assert_one_line(1, match, "convert", source, "out.safetensors")
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize(
    ("target", "match"),
    [
        ("missing/out.npz", "missing: there is no such folder; create it first"),
        ("W.npy/out.npz", "no such folder"),
        ("folder.npz", "not a regular file"),
        ("/proc/out.npz", "not saved"),
        ("a\0b.npz", "no file can have this name"),
        ("x" * 300 + ".npz", "File name too long"),
    ],
)
def test_outputs_that_are_refused(folder, assert_one_line, target, match):
    (folder / "folder.npz").mkdir()
    assert_one_line(1, match, "convert", "matrix.npz", target)


@pytest.mark.parametrize("link", [None, os.link, os.symlink])
def test_the_input_is_never_overwritten(folder, assert_one_line, link):
    target = "./matrix.npz" if link is None else "link.safetensors"
    if link:
        link("matrix.npz", target)
    before = (folder / "matrix.npz").read_bytes()
    assert_one_line(1, "this is the input", "convert", "matrix.npz", target)
    assert (folder / "matrix.npz").read_bytes() == before
    assert os.path.samefile("matrix.npz", target)


def test_a_failure_leaves_the_old_output(folder, assert_one_line):
    before = (folder / "tensor.npz").read_bytes()
    assert_one_line(1, "damaged", "convert", "flipped.npz", "tensor.npz")
    assert (folder / "tensor.npz").read_bytes() == before


def test_nothing_is_written_outside_the_target(folder, assert_one_line):
    """A name in the file is matched against what a train may have, never a path."""
    package.save_file({"../escaped": np.ones((1, 2, 1))}, "evil.safetensors")
    assert_one_line(1, "no possible name", "convert", "evil.safetensors", "out.npz")
    assert not (folder.parent / "escaped").exists()
