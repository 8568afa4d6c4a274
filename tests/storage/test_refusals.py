"""What the format cannot hold is refused before anything is written."""

import numpy as np
import pytest

from ttalgebra.arrays.errors import FormatError, TooLargeError
from ttalgebra.storage import header, read, reading, write


def assert_refused(folder, error, match, arrays, own=None):
    with pytest.raises(error, match=match):
        write(folder / "f", arrays, own or {})
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "dtype", ["f2", "g", "G", "O", "M8[s]", "S3", "U3", "i2", "u8", "i1", "V4", "i4,f8"]
)
def test_dtypes(tmp_path, dtype):
    x = np.zeros(2, dtype)
    assert_refused(tmp_path, TypeError, r"x has dtype .*; convert it to", {"x": x})


@pytest.mark.parametrize(
    "x", [None, 1.0, [1.0], "x", b"x", np.ma.array([1.0], mask=[True])], ids=repr
)
def test_what_is_no_array(tmp_path, x):
    assert_refused(tmp_path, TypeError, "x must be an array, got", {"x": x})


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/b", "", ".", "a b", "header.json", "é"]
)
def test_names(tmp_path, name):
    arrays = {name: np.zeros(1)}
    assert_refused(tmp_path, FormatError, "no array in a file can be called", arrays)


@pytest.mark.parametrize("name", [1, None, b"x", ("x",)])
def test_names_that_are_no_strings(tmp_path, name):
    assert_refused(tmp_path, TypeError, "must be strings", {name: np.zeros(1)})


def circular():
    own = {}
    own["own"] = own
    return own


def deep():
    own = {}
    for _ in range(100_000):
        own = {"own": own}
    return own


@pytest.mark.parametrize(
    "own",
    [
        {"a": np.float64(1)} | {"b": np.zeros(1)},
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": b"x"},
        {"a": {1, 2}},
        {("a",): 1},
        circular(),
    ],
    ids=["array", "nan", "inf", "bytes", "set", "tuple key", "circular"],
)
def test_headers_beyond_json(tmp_path, own):
    assert_refused(tmp_path, TypeError, "not plain JSON.*; use dicts", {}, own)


def test_headers_of_any_depth(tmp_path):
    assert_refused(tmp_path, TypeError, "not plain JSON", {}, deep())


def test_headers_beyond_the_bound(tmp_path):
    own = {"a": "x" * header.MAX_BYTES}
    assert_refused(tmp_path, TooLargeError, r"takes \d+ bytes > limit 1048576", {}, own)


def test_more_arrays_than_the_header_lists(tmp_path):
    arrays = dict.fromkeys(map(str, range(100_000)), np.zeros(1))
    assert_refused(tmp_path, TooLargeError, "store fewer arrays", arrays)


@pytest.mark.parametrize("path", [None, 1, 1.5, ["x"]], ids=repr)
def test_paths_that_are_none(path):
    with pytest.raises(TypeError):
        write(path, {}, {})
    with pytest.raises(TypeError):
        read(path)


@pytest.mark.parametrize("path", ["", "a\0b", "\ud800"], ids=ascii)
def test_names_that_no_file_can_have(path):
    with pytest.raises(OSError, match="no file can have this name"):
        read(path)


def test_a_file_larger_than_memory_is_too_large(small, monkeypatch):
    def no_memory(*_):
        raise MemoryError

    monkeypatch.setattr(reading.np, "empty", no_memory)
    with pytest.raises(
        TooLargeError, match=r"memory does not suffice for its \d+ bytes"
    ):
        read(small)
