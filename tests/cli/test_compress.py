"""``ttalgebra compress``: what it writes is what it says, and what it refuses."""

import os

import numpy as np
import pytest

import ttalgebra as tt
from tests.cli.conftest import COMPRESS, FORGED, smooth


def compress(source, *more, rows="2,3,2", cols="2,2,4", target="out.npz"):
    return ["compress", source, target, "--rows", rows, "--cols", cols, *more]


def test_the_file_holds_the_matrix_to_tol(folder, call_json):
    result = call_json(*COMPRESS, "--tol", "1e-8")
    A = tt.load("W.npz")
    assert isinstance(A, tt.TTMatrix)
    difference = np.abs(A.to_dense() - smooth()).max()
    assert difference <= 1e-8 * 12 * 16
    assert result["error"] <= 1e-8
    assert result["tol_met"] is True


def test_the_result_says_what_the_file_holds(folder, call_json):
    result = call_json(*COMPRESS, "--tol", "1e-8")
    A = tt.load("W.npz")
    assert (result["input"], result["output"]) == ("W.npy", "W.npz")
    assert (result["shape"], result["dtype"]) == ([12, 16], "float64")
    assert (result["row_modes"], result["col_modes"]) == ([2, 3, 2], [2, 2, 4])
    assert result["ranks"] == list(A.ranks) == [1, 2, 2, 1]
    assert result["parameters"] == A.n_parameters == 8 + 24 + 16
    assert result["compression"] == 192 / 48
    assert result["input_bytes"] == (folder / "W.npy").stat().st_size
    assert result["output_bytes"] == (folder / "W.npz").stat().st_size
    assert result["pays"] is True


def test_people_read_the_same(folder, call):
    code, out, err = call(*COMPRESS, "--tol", "1e-8")
    assert (code, err) == (0, "")
    said = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert said["file"] == "W.npy -> W.npz"
    assert said["matrix"] == "12 x 16 float64"
    assert said["modes"] == "2x2 3x2 2x4"
    assert said["ranks"] == "1 2 2 1"
    assert said["parameters"] == "48 of 192"
    assert said["compression"] == "4"
    assert said["error"].endswith("relative, within tol 1e-08")


def test_it_says_where_tt_does_not_pay(folder, call, call_json):
    noise = np.random.default_rng(0).normal(size=(12, 16))
    np.save("noise.npy", noise)
    code, out, _ = call(*compress("noise.npy"))
    dense = call_json("info", "out.npz")["parameters"]
    assert code == 0
    assert dense > 192
    assert f"TT does not pay here: {dense} parameters, 192 dense" in out
    assert call_json(*compress("noise.npy"))["pays"] is False


def test_max_rank_wins_and_the_result_says_so(folder, call, call_json):
    result = call_json(*COMPRESS, "--tol", "1e-8", "--max-rank", "1")
    assert result["ranks"] == [1, 1, 1, 1]
    assert result["tol_met"] is False
    difference = tt.load("W.npz").to_dense() - smooth()
    truth = np.sqrt((difference**2).sum() / (smooth() ** 2).sum())
    assert result["error"] == pytest.approx(truth, rel=1e-10)
    _, out, err = call(*COMPRESS, "--tol", "1e-8", "--max-rank", "1")
    assert "above tol 1e-08: raise --max-rank" in out
    assert err == ""


@pytest.mark.parametrize("name", ["fortran", "big_endian", "complex", "ints"])
def test_every_layout_of_numbers_is_read(folder, call_json, name):
    call_json(*compress(f"{name}.npy", "--tol", "1e-12"))
    W = np.load(f"{name}.npy")
    assert np.allclose(tt.load("out.npz").to_dense(), W, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("missing.npy", "missing.npy: No such file or directory"),
        (".", "not a regular file"),
        ("nothing.npy", "nothing.npy: not a .npy file"),
        ("pickle.npy", "not a .npy file; save one matrix with numpy.save"),
        ("plain.npz", "not a .npy file"),
        ("matrix.npz", "not a .npy file"),
        ("objects.npy", "not a whole .npy file of numbers"),
        ("short.npy", "not a whole .npy file of numbers"),
        *((f"{name}.npy", "not a whole .npy file of numbers") for name in FORGED),
        ("vector.npy", "shape (16,), two axes are needed"),
        ("cube.npy", "shape (3, 4, 16), two axes are needed"),
        ("empty.npy", "shape (0, 16)"),
        ("half.npy", "float16"),
        ("text.npy", "W has dtype <U8"),
        ("nan.npy", "are not finite"),
    ],
)
def test_inputs_that_are_refused(folder, assert_one_line, source, match):
    before = sorted(os.listdir())
    assert_one_line(1, match, *compress(source))
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize(
    ("rows", "cols", "match"),
    [
        ("2,3,3", "2,2,4", "W has shape (12, 16), the modes multiply to (18, 16)"),
        ("16", "12", "the modes multiply to (16, 12)"),
        ("2,6", "2,2,4", "modes"),
    ],
)
def test_modes_that_do_not_fit(folder, assert_one_line, rows, cols, match):
    assert_one_line(1, match, *compress("W.npy", rows=rows, cols=cols))
    assert not os.path.exists("out.npz")


@pytest.mark.parametrize(
    ("more", "match"),
    [
        (["--tol", "-1"], "--tol: must be finite and at least 0, got -1.0"),
        (["--tol", "nan"], "--tol: must be finite and at least 0, got nan"),
        (["--tol", "1e999"], "--tol: must be finite"),
        (["--tol", "x\ny"], r"--tol: 'x\ny' is not a number"),
        (["--max-rank", "0"], "--max-rank: must be at least 1, got 0"),
        (["--max-rank", "1.5"], "--max-rank: must be an int"),
        (["--rows", "2,0"], "--rows: must be at least 1, got 0"),
        (["--rows", ""], "--rows: must be an int"),
        (["--cols", "2,,4"], "--cols: must be an int"),
        (["--cols", f"{2**32},{2**32}"], "--cols: the product is beyond any file"),
        (["--to", "1"], "unrecognized arguments: --to 1"),
    ],
)
def test_usage_that_is_refused(folder, assert_one_line, more, match):
    assert_one_line(2, match, *compress("W.npy", *more))


@pytest.mark.parametrize("missing", ["--rows", "--cols"])
def test_modes_are_required(folder, assert_one_line, missing):
    arguments = compress("W.npy")
    at = arguments.index(missing)
    assert_one_line(2, missing, *arguments[:at], *arguments[at + 2 :])


@pytest.mark.parametrize(
    ("target", "match"),
    [
        ("missing/out.npz", "missing: there is no such folder; create it first"),
        ("W.npy/out.npz", "no such folder"),
        (".", "not a regular file"),
        ("/dev/null", "not a regular file"),
        ("/proc/out.npz", "not saved"),
        ("", "no file can have this name"),
        ("a\0b", "no file can have this name"),
        ("x" * 300, "File name too long"),
    ],
)
def test_outputs_that_are_refused(folder, assert_one_line, target, match):
    assert_one_line(1, match, *compress("W.npy", target=target))


def test_a_bad_output_is_noticed_before_the_input_is_read(folder, assert_one_line):
    assert_one_line(1, "no such folder", *compress("missing.npy", target="missing/f"))


@pytest.mark.parametrize("link", [None, os.link, os.symlink])
def test_the_input_is_never_overwritten(folder, assert_one_line, link):
    target = "./W.npy" if link is None else "link"
    if link:
        link("W.npy", target)
    before = (folder / "W.npy").read_bytes()
    assert_one_line(1, "this is the input", *compress("W.npy", target=target))
    assert (folder / "W.npy").read_bytes() == before
    assert os.path.samefile("W.npy", target)


def test_a_failure_leaves_the_old_output(folder, assert_one_line):
    before = (folder / "matrix.npz").read_bytes()
    assert_one_line(1, "not finite", *compress("nan.npy", target="matrix.npz"))
    assert (folder / "matrix.npz").read_bytes() == before


@pytest.mark.parametrize("error", [MemoryError(), MemoryError("Unable to allocate")])
def test_too_little_memory_is_one_line(folder, assert_one_line, monkeypatch, error):
    def raise_(*_, **__):
        raise error

    monkeypatch.setattr(tt.TTMatrix, "from_dense", raise_)
    assert_one_line(1, str(error) or "memory does not suffice", *COMPRESS)
