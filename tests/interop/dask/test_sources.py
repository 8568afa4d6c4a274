"""Arrays on disk: read where the work is done, in blocks that lie together."""

import pickle

import numpy as np
import pytest

import ttalgebra as tt
from tests.reference import norm

da = pytest.importorskip("dask.array", reason="dask is not installed")
pytest.importorskip("distributed", reason="distributed is not installed")
interop = pytest.importorskip("ttalgebra.interop.dask")
sources = pytest.importorskip("ttalgebra.interop.dask.sources")
blocks_of = pytest.importorskip("ttalgebra.interop.dask.chunks").blocks_of
tt_svd = interop.tt_svd


@pytest.fixture
def array(rng):
    return tt.random_tensor((12, 10, 8, 6), 3, rng=rng).to_dense()


def assert_read(x, array, block_bytes=4096):
    """As blocks of at most that size, and decomposed to roundoff."""
    lazy = sources.as_dask(x, block_bytes)
    assert max(block.nbytes for block in lazy.blocks.ravel()) <= block_bytes
    assert lazy.npartitions > 1
    y = tt_svd(x, block_bytes=block_bytes)
    assert y.ranks == (1, 3, 3, 3, 1)
    assert norm(y.to_dense() - array) < 1e-12 * norm(array)
    return lazy


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_path_of_a_file(array, order, tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.asarray(array, order=order))
    lazy = assert_read(path, array)
    assert lazy.numblocks[0 if order == "C" else -1] > 1
    assert_read(str(path), array)
    assert_read(np.load(path, mmap_mode="r"), array)


def test_memory_maps_and_views_of_them(array, tmp_path):
    """A view is read from where it begins, with the strides that it has."""
    mapped = np.memmap(tmp_path / "x", "f8", "w+", offset=104, shape=(14, 10, 16, 6))
    mapped[:] = 7
    mapped[2:, :, ::-2] = array
    mapped.flush()
    mapped = np.memmap(tmp_path / "x", "f8", "r", offset=104, shape=(14, 10, 16, 6))
    assert_read(mapped[2:, :, ::-2], array)
    assert_read(mapped.T[:, ::-2, :, 2:], array.T)


def test_no_data_travels_with_the_graph(array, tmp_path):
    np.save(tmp_path / "x.npy", np.broadcast_to(array, (20, *array.shape)))
    lazy = sources.as_dask(tmp_path / "x.npy", 2**14)
    assert lazy.nbytes > 900_000
    assert len(pickle.dumps(dict(lazy.__dask_graph__()))) < 100_000


@pytest.mark.parametrize("pieces", [(4, 10, 8, 6), (12, 10, 8, 2), (4, 5, 4, 3)])
def test_zarr(array, pieces, tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is not installed")
    path = tmp_path / "x.zarr"
    z = zarr.create_array(path, shape=array.shape, chunks=pieces, dtype="f8")
    z[:] = array
    for x in (z, path):
        lazy = assert_read(x, array, 2**14)
        for size, piece, n in zip(lazy.chunksize, pieces, array.shape, strict=True):
            assert size % piece == 0 or size == n, "a piece is read once"


def test_where_zarr_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "zarr", None)
    with pytest.raises(ImportError, match="needs zarr"):
        tt_svd(tmp_path)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((640, 64, 64, 64), (16, 64, 64, 64)),  # stretches of one axis
        ((64, 64, 64, 640), (1, 64, 64, 640)),
        ((10, 10**8), (10, 419430)),  # rows longer than a block
        ((4, 10**5, 10**5), (4, 10, 10**5)),
        ((2,) * 30, (*(1,) * 8, *(2,) * 22)),  # several axes, where one is too little
        ((3, 4), (3, 4)),
        ((10**10,), (2**22,)),
    ],
)
def test_the_shape_of_blocks(shape, expected):
    assert blocks_of(shape, (1,) * len(shape), 8, 2**25) == expected


def test_workers_read_files_themselves(array, processes, tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, array)
    y = tt_svd(path, block_bytes=4096)
    assert norm(y.to_dense() - array) < 1e-12 * norm(array)
