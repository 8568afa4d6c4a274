"""What is written is read: same bits, dtypes, shapes, names, header."""

import tracemalloc
from math import prod

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ttalgebra.storage import read, read_header, write

DTYPES = ["f4", "f8", "c8", "c16", "i8", "i4", "u1", "?"]
SHAPES = [(), (0,), (1,), (3, 0, 2), (2, 3), (1, 2, 3, 1), (1,) * 64]


def assert_same_bits(read_back, x):
    assert read_back.shape == x.shape
    assert read_back.dtype == x.dtype.newbyteorder("=")
    assert read_back.dtype.isnative
    assert read_back.tobytes() == x.astype(read_back.dtype).tobytes()


def written(path, arrays, header=None):
    write(path, arrays, header or {})
    return read(path)[0]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"{len(s)}d-{prod(s)}")
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_and_shape_returns(tmp_path, dtype, shape):
    size = prod(shape) * np.dtype(dtype).itemsize
    x = np.random.default_rng(0).integers(0, 2, size, np.uint8)
    x = x.view(dtype).reshape(shape)
    assert_same_bits(written(tmp_path / "f", {"x": x})["x"], x)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    st.sampled_from(DTYPES).flatmap(
        lambda d: hnp.arrays(d, hnp.array_shapes(min_side=0))
    )
)
def test_any_array_returns(tmp_path_factory, x):
    assert_same_bits(written(tmp_path_factory.mktemp("any") / "f", {"x": x})["x"], x)


def layouts():
    x = np.arange(24.0).reshape(2, 3, 4)
    yield "transposed", x.T
    yield "reversed", x[::-1, ::-1]
    yield "strided", x[:, ::2, ::3]
    yield "zero_stride", np.broadcast_to(x[:1], (5, 3, 4))
    yield "fortran", np.asfortranarray(x)
    yield "big_endian", x.astype(">f8")
    yield "big_endian_complex_transposed", x.astype(">c16").T
    read_only = x.copy()
    read_only.flags.writeable = False
    yield "read_only", read_only
    yield "matrix", np.asmatrix(np.eye(3))


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_every_memory_layout_returns(tmp_path):
    arrays = dict(layouts())
    back = written(tmp_path / "f", arrays)
    assert list(back) == list(arrays)
    for name, x in arrays.items():
        assert_same_bits(back[name], np.asarray(x))


def test_every_bit_pattern_of_floats_returns(tmp_path):
    odd = np.array(
        [0x7FF8000000000001, 0xFFF4000000000007, 0x7FF0000000000000, 1 << 63, 1]
    )
    x = odd.astype(np.uint64, casting="unsafe").view(np.float64)
    assert np.isnan(x).sum() == 2
    assert_same_bits(written(tmp_path / "f", {"x": x})["x"], x)


def test_strict_arrays_are_brought_to_the_host(tmp_path):
    x = array_api_strict.asarray([1.0, 2.0])
    assert_same_bits(written(tmp_path / "f", {"x": x})["x"], np.array([1.0, 2.0]))


def test_inputs_stay_as_they_are(tmp_path):
    x = np.arange(6.0).reshape(2, 3).T
    before = x.tobytes(), x.strides, x.flags.writeable
    write(tmp_path / "f", {"x": x}, {})
    assert (x.tobytes(), x.strides, x.flags.writeable) == before


def test_what_is_read_may_be_written_to(small):
    arrays, _ = read(small)
    assert all(x.flags.writeable and x.flags.c_contiguous for x in arrays.values())


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"kind": "a"},
        {"a": {"b": [1, 2.5, None, True, "é\n\0 \ud800"]}, "z": 1e-300},
    ],
    ids=["empty", "flat", "nested"],
)
def test_the_header_returns(tmp_path, header):
    write(tmp_path / "f", {}, header)
    assert read(tmp_path / "f") == ({}, header)
    assert read_header(tmp_path / "f") == header


def test_names_keep_their_order(tmp_path):
    names = ["cores.10", "cores.9", "a", "B-2", "_x.y.z", "0.weight", "x" * 255]
    back = written(tmp_path / "f", {name: np.zeros(1) for name in names})
    assert list(back) == names


def test_same_values_give_the_same_bytes(tmp_path):
    x = np.arange(12.0).reshape(3, 4)
    write(tmp_path / "a", {"x": x, "y": x.T}, {"k": [1]})
    write(
        tmp_path / "b",
        {"x": x.astype(">f8"), "y": np.array(x.T, order="C")},
        {"k": (1,)},
    )
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_numpy_reads_every_member(small):
    arrays, _ = read(small)
    with np.load(small, allow_pickle=False) as npz:
        assert npz.files == ["header.json", *arrays]
        assert npz["header.json"].tobytes().startswith(b'{"format":"ttalgebra"')
        for name, x in arrays.items():
            assert_same_bits(npz[name], x)


def test_ten_thousand_arrays_return(tmp_path):
    arrays = {f"cores.{k}": np.full((2, 2), k) for k in range(10_000)}
    back = written(tmp_path / "f", arrays)
    assert len(back) == 10_000
    assert all((back[name] == x).all() for name, x in arrays.items())


@pytest.mark.parametrize(("order", "allowed"), [("C", 0.1), ("F", 1.1)])
def test_writing_needs_at_most_one_array_more(tmp_path, order, allowed):
    x = np.zeros((2048, 2048), order=order)
    assert peak_of(lambda: write(tmp_path / "f", {"x": x}, {})) < allowed * x.nbytes


def test_reading_needs_little_more_than_the_file(tmp_path):
    write(tmp_path / "f", {"x": np.zeros((2048, 2048))}, {})
    assert peak_of(lambda: read(tmp_path / "f")) < 1.1 * 2**25


def peak_of(action):
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
