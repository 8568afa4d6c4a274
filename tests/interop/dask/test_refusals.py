"""What is not an array in blocks is refused at the door, and the way out is said."""

import importlib
import sys

import numpy as np
import pytest

import ttalgebra as tt
from ttalgebra.arrays.errors import (
    FormatError,
    NonFiniteError,
    ShapeError,
    TooLargeError,
)

da = pytest.importorskip("dask.array", reason="dask is not installed")
pytest.importorskip("distributed", reason="distributed is not installed")
tt_svd = pytest.importorskip("ttalgebra.interop.dask").tt_svd

x = da.ones((6, 5, 4), chunks=(2, 5, 4))


@pytest.mark.parametrize(
    "wrong",
    [np.ones((3, 4)), [[1.0, 2.0]], 3.0, None, b"x", tt.ones((2, 3)), x.to_delayed()],
    ids=lambda wrong: type(wrong).__name__,
)
def test_other_kinds(wrong):
    with pytest.raises(TypeError, match=r"must be a dask array.*from_dense"):
        tt_svd(wrong)


@pytest.mark.parametrize("dtype", ["O", "f2", "g", "U3", "M8[s]"])
def test_other_dtypes(dtype):
    with pytest.raises(TypeError, match=r"tt_svd: x has dtype .*convert it"):
        tt_svd(da.zeros((6, 5), chunks=(2, 5), dtype=dtype))


def test_other_blocks():
    masked = da.ma.masked_equal(x, 2)
    for hidden in (masked, da.Array(masked.dask, masked.name, x.chunks, meta=x._meta)):
        with pytest.raises(TypeError, match="masked"):
            tt_svd(hidden)
    strict = pytest.importorskip("array_api_strict", reason="no other blocks here")
    other = da.Array(x.dask, x.name, x.chunks, meta=strict.zeros((0, 0, 0)))
    with pytest.raises(TypeError, match=r"blocks of x are array_api_strict.*NumPy"):
        tt_svd(other)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2)])
def test_nothing_to_decompose(shape):
    with pytest.raises(ShapeError, match="at least one mode"):
        tt_svd(da.ones(shape))


def test_empty_files(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((3, 0)))
    with pytest.raises(ShapeError, match="at least one mode"):
        tt_svd(tmp_path / "x.npy")


def test_unknown_sizes():
    with pytest.raises(ShapeError, match="compute_chunk_sizes"):
        tt_svd(x[x[:, 0, 0] > 0])


def test_no_end_is_whole():
    with pytest.raises(ShapeError, match=r"\(3, 1, 2\) blocks.*x.rechunk\(\(6, 5, 4"):
        tt_svd(x.rechunk((2, 5, 2)))


@pytest.mark.parametrize("tol", [np.nan, -1.0, np.inf])
def test_tolerances(tol):
    with pytest.raises(ShapeError, match="tt_svd: tol"):
        tt_svd(x, tol)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"tol": "1e-3"}, TypeError),
        ({"tol": True}, TypeError),
        ({"tol": 1j}, TypeError),
        ({"max_rank": 0}, ShapeError),
        ({"max_rank": (1, 2, 3)}, ShapeError),
        ({"max_rank": 1.5}, TypeError),
        ({"block_bytes": 0}, ShapeError),
        ({"block_bytes": 1.5}, TypeError),
        ({"max_bytes": 1.5}, TypeError),
        ({"eps": 1e-3}, TypeError),
    ],
    ids=str,
)
def test_other_arguments(options, kind):
    with pytest.raises(kind):
        tt_svd(x, **options)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("split", [(2, 5, 4), (6, 2, 4), (6, 5, 3)], ids=str)
@pytest.mark.parametrize("dtype", ["f8", "c8"])
def test_the_first_bad_block_is_named(value, split, dtype, rng):
    """Which has it does not depend on who was first; LAPACK never sees it."""
    array = rng.standard_normal((6, 5, 4)).astype(dtype)
    bad = (3, 3, 2)
    array[bad] = array[5, 4, 3] = value
    for _ in range(3):
        with pytest.raises(NonFiniteError, match=r"index \(3, 3, 2\) is .*replace"):
            tt_svd(da.from_array(array, split))
    with pytest.raises(NonFiniteError, match=r"index \(3,\)"):
        tt_svd(da.from_array(array[:, 3, 2], 4))


def test_what_would_be_too_large_here(rng):
    noise = da.from_array(rng.standard_normal((40, 30, 20)), (40, 3, 20))
    with pytest.raises(TooLargeError, match=r"triangle of 40 columns.*raise tol"):
        tt_svd(noise, max_bytes=8 * 40 * 40 * 8 - 1)
    with pytest.raises(TooLargeError, match=r"core 1 needs 24000 elements"):
        tt_svd(noise, max_bytes=8 * 40 * 40 * 8)
    with pytest.raises(TooLargeError, match="only core"):
        tt_svd(noise[:, 0, 0], max_bytes=8 * 40 - 1)


def test_files_of_another_kind(tmp_path):
    (tmp_path / "x.npy").write_bytes(b"no array")
    np.save(tmp_path / "objects.npy", np.array([{}, None]), allow_pickle=True)
    for name in ("x.npy", "objects.npy"):
        with pytest.raises(FormatError, match=r"is no \.npy array"):
            tt_svd(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        tt_svd(tmp_path / "nothing.npy")


def test_folders_of_another_kind(tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is not installed")
    zarr.open_group(tmp_path / "group", mode="w")
    for folder in (tmp_path, tmp_path / "group"):
        with pytest.raises(FormatError, match="no zarr array"):
            tt_svd(folder)


def test_maps_that_no_file_holds(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((3, 4)))
    changed = np.load(tmp_path / "x.npy", mmap_mode="c")
    with pytest.raises(TypeError, match="no file holds"):
        tt_svd(changed)


def test_errors_of_blocks_reach_the_caller():
    def torn(block):
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        tt_svd(x.map_blocks(torn, meta=x._meta))


@pytest.mark.parametrize("name", ["dask", "distributed"])
def test_the_error_says_what_to_install(name, monkeypatch):
    for module in list(sys.modules):
        if module == name or module.startswith((f"{name}.", "ttalgebra.interop.dask")):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    wanted = r"^Needs dask and distributed \(pip install 'ttalgebra\[dask\]'\)\.$"
    with pytest.raises(ImportError, match=wanted):
        importlib.import_module("ttalgebra.interop.dask")
