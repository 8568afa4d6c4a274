"""Safetensors: what is written is read, here and by the package, and the other way."""

import struct
from math import prod

import numpy as np
import pytest
from safetensors import numpy as package
from safetensors import safe_open

import ttalgebra as tt
from tests.storage.saving import child
from tests.storage.test_round_trip import (
    DTYPES,
    SHAPES,
    assert_same_bits,
    layouts,
    peak_of,
)
from ttalgebra.arrays.errors import FormatError, TooLargeError
from ttalgebra.storage import FOREIGN, read, read_header, write

NAME = "f.safetensors"


@pytest.fixture
def path(tmp_path):
    return tmp_path / NAME


def written(path, arrays, header=None):
    write(path, arrays, header or {})
    return read(path)[0]


def random_train(rng):
    return tt.random_matrix((2, 3, 2), (3, 1, 4), 3, dtype=np.complex128, rng=rng)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"{len(s)}d-{prod(s)}")
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_and_shape_returns(path, dtype, shape):
    size = prod(shape) * np.dtype(dtype).itemsize
    x = np.random.default_rng(0).integers(0, 2, size, np.uint8)
    x = x.view(dtype).reshape(shape)
    if dtype == "c16" and len(shape) == 64:
        with pytest.raises(FormatError, match=r"65 axes; save an \.npz"):
            write(path, {"x": x}, {})
    else:
        assert_same_bits(written(path, {"x": x})["x"], x)


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_every_memory_layout_is_the_same_here_and_in_the_package(path):
    """The package itself stores transposed arrays as other numbers."""
    arrays = dict(layouts())
    back, theirs = written(path, arrays), package.load_file(path)
    assert list(back) == list(arrays)
    for name, x in arrays.items():
        assert_same_bits(back[name], np.asarray(x))
        whole = theirs[name]
        if back[name].dtype.kind == "c":
            whole = whole.view(np.complex128)[..., 0]
        assert_same_bits(whole, np.asarray(x))


@pytest.mark.parametrize("view", ["T", "H", "conj", "plain"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_trains_and_their_transposes_return(path, rng, dtype, view):
    A = tt.random_matrix((2, 3, 2), (3, 1, 4), 3, dtype=dtype, rng=rng)
    B = {"T": A.T, "H": A.H, "conj": A.conj(), "plain": A}[view]
    B.save(path)
    C = tt.load(path)
    assert type(C) is tt.TTMatrix
    assert [x.tobytes() for x in C.cores] == [x.tobytes() for x in B.cores]
    assert (C.row_modes, C.col_modes, C.dtype) == (B.row_modes, B.col_modes, B.dtype)
    assert not any(core.flags.writeable for core in C.cores)


def test_content_and_not_the_name_says_what_a_file_is(tmp_path, rng):
    A = random_train(rng)
    A.save(tmp_path / "a.SafeTensors")
    A.save(tmp_path / "a.npz")
    (tmp_path / "a.npz").rename(tmp_path / "b.safetensors")
    (tmp_path / "a.SafeTensors").rename(tmp_path / "b.npz")
    for name in ("b.safetensors", "b.npz"):
        assert tt.load(tmp_path / name).cores[1].tobytes() == A.cores[1].tobytes()
    assert (tmp_path / "b.npz").read_bytes()[8:9] == b"{"


def test_mixed_dtypes_keep_their_order_and_are_aligned(path):
    arrays = {"mask": np.array([True]), "b": np.ones(3, "f4"), "a": np.ones(2, "c8")}
    arrays |= {"none": np.zeros((0, 3)), "c": np.ones(2, "c16"), "n": np.ones(1, "u1")}
    back = written(path, arrays, {"k": [1, 0.1, "é\ud800"]})
    assert list(back) == list(arrays)
    assert read_header(path) == {"k": [1, 0.1, "é\ud800"]}
    (length,) = struct.unpack("<Q", path.read_bytes()[:8])
    assert length % 8 == 0
    for name, x in package.load_file(path).items():
        assert x.tobytes() == arrays[name].tobytes()
        assert x.ctypes.data % x.itemsize == 0 or x.size == 0


def test_the_digest_is_that_of_the_npz(tmp_path, rng):
    A = random_train(rng)
    A.save(tmp_path / "a.npz")
    A.save(tmp_path / "a.safetensors")
    found = (tmp_path / "a.npz").read_bytes()
    digest = found[found.index(b'"sha256":"') + 10 :][:64]
    assert digest in (tmp_path / "a.safetensors").read_bytes()


def test_same_values_give_the_same_bytes_in_every_process(tmp_path):
    program = "import sys, ttalgebra as tt\n"
    program += "tt.random_matrix((2, 3), (3, 2), 2, rng=0).save(sys.argv[1])"
    files = [tmp_path / f"{k}.safetensors" for k in range(3)]
    for file in files:
        assert child(program, file).returncode == 0
    assert len({file.read_bytes() for file in files}) == 1


def test_the_package_reads_the_header(path, rng):
    random_train(rng).save(path)
    with safe_open(path, "np") as file:
        assert set(file.metadata()) == {"format", "ttalgebra"}
        assert file.metadata()["format"] == "np"
        assert sorted(file.keys()) == ["cores.0", "cores.1", "cores.2"]


@pytest.mark.parametrize("make", [tt.random_tensor, tt.random_matrix])
@pytest.mark.parametrize("metadata", [None, {"format": "pt", "epoch": "3"}])
def test_trains_of_others_are_read(path, rng, make, metadata):
    """Twelve cores, which the package stores as 0, 1, 10, 11, 2, ..."""
    modes = ((2,) * 12,) * (2 if make is tt.random_matrix else 1)
    x = make(*modes, 3, rng=rng)
    cores = {f"cores.{k}": np.ascontiguousarray(G) for k, G in enumerate(x.cores)}
    package.save_file(cores, path, metadata)
    y = tt.load(path)
    assert type(y) is type(x)
    assert [G.tobytes() for G in y.cores] == [G.tobytes() for G in x.cores]
    assert read_header(path) == FOREIGN


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({}, r"0 arrays with \[\] axes are no train"),
        ({"weight": np.ones((1, 2, 1))}, "are no train; it would have cores.0"),
        ({"cores.1": np.ones((1, 2, 1))}, "are no train"),
        ({"cores.00": np.ones((1, 2, 1))}, "are no train"),
        ({"cores.0": np.ones((2, 2))}, r"1 arrays with \[2\] axes"),
        ({"cores.0": np.ones((1, 2, 2)), "cores.1": np.ones((2, 2, 2, 1))}, "axes"),
        ({"cores.0": np.ones((1, 2, 2))}, "outer ranks"),
        ({"cores.0": np.full((1, 2, 1), np.inf)}, "not finite"),
        ({"cores.0": np.ones((1, 0, 1))}, "zero-size"),
        ({"cores.0": np.ones((1, 2, 1), "i8")}, "one inexact dtype"),
        ({"cores.0": np.ones((1, 2, 1), "f2")}, "dtype 'F16'.*convert it to one of"),
        ({"cores.0": np.ones((1, 2, 1), "u8")}, "dtype 'U64'.*convert it to one of"),
        ({"../x": np.ones((1, 2, 1))}, "no possible name"),
    ],
)
def test_files_of_others_that_are_no_trains(path, arrays, match):
    package.save_file(arrays, path)
    with pytest.raises(FormatError, match=match):
        tt.load(path)


def test_a_model_returns(path, rng):
    from ttalgebra.layers import Dense, ReLU, Sequential, TTLinear, load, save

    tt_linear = TTLinear.random((2, 2), (3, 1), 2, rng=0)
    model = Sequential([tt_linear, ReLU(), Dense.random(4, 3, rng=0)])
    save(model, path)
    back = load(path)
    assert {name: x.tobytes() for name, x in back.arrays.items()} == {
        name: x.tobytes() for name, x in model.arrays.items()
    }
    x = rng.normal(size=(5, 3))
    assert np.array_equal(back(x)[0], model(x)[0])


def test_the_package_is_not_needed(tmp_path):
    program = """
import sys
sys.modules["safetensors"] = None
import ttalgebra as tt
tt.ones((2, 3)).save(sys.argv[1])
tt.load(sys.argv[1])
"""
    assert child(program, tmp_path / NAME).returncode == 0


def test_a_name_that_the_format_uses_itself(path):
    with pytest.raises(FormatError, match=r"save an \.npz"):
        write(path, {"__metadata__": np.zeros(1)}, {})
    assert not path.exists()


def test_more_arrays_than_the_header_lists(path):
    with pytest.raises(TooLargeError, match="store fewer arrays"):
        write(path, dict.fromkeys(map(str, range(30_000)), np.zeros(1)), {})
    assert not path.exists()


@pytest.mark.parametrize("order", ["C", "F"])
def test_writing_needs_at_most_one_array_more(path, order):
    x = np.zeros((2048, 2048), order=order)
    allowed = 0.1 if order == "C" else 1.1
    assert peak_of(lambda: write(path, {"x": x}, {})) < allowed * x.nbytes


def test_reading_needs_little_more_than_the_file(path):
    write(path, {"x": np.zeros((2048, 2048))}, {})
    assert peak_of(lambda: read(path)) < 1.1 * 2**25
