"""The chain of an array in blocks: as close as asked, whatever the blocks."""

import numpy as np
import pytest

import ttalgebra as tt
from tests.reference import dense, dense_unit, norm, wide

da = pytest.importorskip("dask.array", reason="dask is not installed")
pytest.importorskip("distributed", reason="distributed is not installed")
interop = pytest.importorskip("ttalgebra.interop.dask")
chunks = pytest.importorskip("ttalgebra.interop.dask.chunks")
tt_svd = interop.tt_svd

DTYPES = ("f4", "f8", "c8", "c16", "i2", ">f8")
SPLITS = (
    ((40, 3), (7, 3)),
    ((40, 3), (40, 1)),
    ((3, 40), (1, 40)),
    ((3, 40), (3, 9)),
    ((6, 5, 7, 4), (6, 5, 7, 4)),
    ((6, 5, 7, 4), ((1, 3, 2), 5, 7, 4)),
    ((6, 5, 7, 4), (6, 2, 7, 4)),
    ((6, 5, 7, 4), (6, 5, 1, 4)),
    ((6, 5, 7, 4), (6, 5, 7, (3, 1))),
    ((6, 5, 7, 4), (1, 2, 3, 4)),
    ((6, 5, 7, 4), (6, 2, 3, 2)),
    ((6, 5, 7, 4), (6, 2, 3, 4)),
    ((1, 9, 1, 8, 1, 2), (1, 4, 1, 3, 1, 2)),
    ((2,) * 10, (1, 1, 1, *(2,) * 7)),
    ((2,) * 10, (*(2,) * 5, 1, *(2,) * 4)),
)


def entries(rng, shape, dtype):
    """Graded values, so that there is something to cut."""
    kind = np.dtype(dtype)
    if kind.kind == "i":
        return rng.integers(-99, 99, shape).astype(kind)
    values = rng.standard_normal(shape) * 10.0 ** rng.uniform(-6, 0, shape)
    if kind.kind == "c":
        values = values * np.exp(1j * rng.uniform(0, 7, shape))
    return values.astype(kind)


def close_as_asked(x, array, ratios, tol, **options):
    """Error, norm and ranks as reported; returns chain and report."""
    y, info = tt_svd(x, tol, return_info=True, **options)
    plain = array.astype(np.result_type(array, "f4"))
    plain = plain.astype(float) if array.dtype.kind == "i" else plain
    u, size = dense_unit(plain, array.ndim), norm(plain)
    error = norm(dense(y.cores) - wide(plain))
    assert (y.modes, y.dtype, y.backend) == (array.shape, plain.dtype, "numpy")
    assert info.ranks == y.ranks
    ratios.check("dask: info.error", abs(info.error * size - error), u)
    ratios.check("dask: info.norm", abs(info.norm - size), u)
    if info.tol_met:
        ratios.check("dask: beyond tol", max(error - tol * size * (1 + 1e-9), 0), u)
    return y, info


@pytest.fixture(params=[64, 4], ids=["wide", "narrow"])
def width(request, monkeypatch):
    """One pass for all axes, and one for each or for two."""
    monkeypatch.setattr(chunks, "WIDTH", request.param)
    monkeypatch.setattr(chunks, "WIDEST", 16 * request.param)


@pytest.mark.usefixtures("width")
@pytest.mark.parametrize(("shape", "split"), SPLITS, ids=str)
@pytest.mark.parametrize("tol", [1e-3, 0.3])
def test_every_split(shape, split, tol, rng, ratios):
    array = entries(rng, shape, "f8")
    close_as_asked(da.from_array(array, split), array, ratios, tol)


@pytest.mark.parametrize("split", [(2, 5, 7, 4), (6, 5, 7, 1), (6, 2, 3, 4)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(split, dtype, rng, ratios):
    array = entries(rng, (6, 5, 7, 4), dtype)
    close_as_asked(da.from_array(array, split), array, ratios, 1e-2)


@pytest.mark.parametrize("split", [(2, 6, 5), (8, 2, 5), (8, 6, 2)], ids=str)
def test_ranks_are_found_by_default(split, rng):
    """Without tol and max_rank roundoff alone is cut: the ranks are those known."""
    x = tt.random_tensor((8, 6, 5), (3, 2), rng=rng)
    y, info = tt_svd(da.from_array(x.to_dense(), split), return_info=True)
    assert y.ranks == (1, 3, 2, 1)
    assert info.tol is None
    assert info.tol_met
    assert [s.size for s in info.singular_values] == [8, 5][: len(y.ranks) - 2]


@pytest.mark.parametrize("split", [(2, 5, 7, 4), (6, 5, 7, 1), (6, 2, 3, 4)], ids=str)
def test_bounds_win_and_are_told(split, rng):
    array = rng.standard_normal((6, 5, 7, 4))
    x = da.from_array(array, split)
    with pytest.warns(tt.errors.ToleranceWarning, match="tt_svd: max_rank leaves"):
        y, info = tt_svd(x, 1e-8, (2, 3, 1), return_info=True)
    assert info.ranks == y.ranks == (1, 2, 3, 1, 1)
    assert not info.tol_met
    assert np.isclose(info.error * norm(array), norm(dense(y.cores) - wide(array)))
    with pytest.raises(tt.errors.ConvergenceError, match="tt_svd"):
        tt_svd(x, 1e-8, 2, strict=True)


def test_the_report_is_in_the_order_of_the_bonds(rng):
    """Both ends are cut; singular values and bounds belong to their bonds."""
    array = rng.standard_normal((6, 5, 7, 4))
    x = da.from_array(array, (6, 5, 2, 4))
    _, info = tt_svd(x, max_rank=(5, 20, 3), return_info=True)
    assert info.ranks == (1, 5, 20, 3, 1)
    assert len(info.drivers) == 3
    first = np.linalg.svd(array.reshape(6, -1), compute_uv=False)
    assert np.allclose(info.singular_values[0], first, rtol=0.1)
    assert [s.size for s in info.singular_values] == [6, 25, 4]


@pytest.mark.parametrize("split", [(5,), (30,)], ids=str)
def test_one_axis(split, rng):
    array = rng.standard_normal(30)
    y, info = tt_svd(da.from_array(array, split), 0.5, return_info=True)
    assert np.array_equal(y.to_dense(), array)
    assert info.error == 0


@pytest.mark.parametrize("split", [(2, 5, 4), (6, 5, 2), (6, 2, 4)], ids=str)
def test_zeros(split):
    y, info = tt_svd(da.zeros((6, 5, 4), chunks=split), 1e-3, return_info=True)
    assert y.ranks == (1, 1, 1, 1)
    assert not y.to_dense().any()
    assert info.error == info.norm == 0


@pytest.mark.parametrize("exponent", [-1000, -700, 700, 1000])
@pytest.mark.parametrize("split", [(2, 5, 4), (6, 5, 2), (6, 2, 4)], ids=str)
def test_powers_of_two_change_no_bit(split, exponent, rng):
    array = rng.standard_normal((6, 5, 4))
    array[2:4] = 0  # blocks of zeros do not set the scale
    near, info = tt_svd(da.from_array(array, split), 0.3, return_info=True)
    far, told = tt_svd(
        da.from_array(array * 2.0**exponent, split), 0.3, return_info=True
    )
    assert told.error == info.error
    assert told.norm == info.norm * 2.0**exponent
    for G, H in zip(near.cores, far.cores, strict=True):
        mantissa = np.frexp(H)[0]
        assert np.array_equal(mantissa, np.frexp(G)[0])


def test_scales_that_differ_from_block_to_block(ratios):
    """A block alone has its own exponent; the whole has that of the largest."""
    scales = 10.0 ** np.arange(-200, 201, 80)
    array = scales[:, None, None] * np.ones((6, 5, 4))
    y, _ = close_as_asked(da.from_array(array, (1, 5, 4)), array, ratios, 1e-9)
    assert y.ranks == (1, 1, 1, 1)


def test_chunks_of_nothing_and_lazy_arrays(rng, ratios):
    """A chunk of no rows adds none; what is lazy is computed block by block."""
    array = entries(rng, (6, 5, 4), "f8")
    x = da.from_array(array, ((2, 0, 4), 5, 4))
    close_as_asked(x, array, ratios, 1e-2)
    close_as_asked((x * 2).rechunk((6, 2, 4)) + 1, array * 2 + 1, ratios, 1e-2)


def test_what_lies_between_is_split_anew(rng, ratios, monkeypatch):
    monkeypatch.setattr(chunks, "BLOCK_BYTES", 1024)
    array = entries(rng, (8, 7, 6, 5), "f8")
    x = da.from_array(array, (2, 3, 2, 5))
    assert chunks.split_along(x, 0).numblocks == (8, 1, 1, 1)
    close_as_asked(x, array, ratios, 1e-2)


@pytest.mark.parametrize(("rank", "times"), [(2, 2), (None, 3)])
def test_how_often_an_array_is_read(rank, times, rng, monkeypatch):
    """Twice where the first cut shrinks it; what does not shrink is not stored."""
    monkeypatch.setattr(chunks, "WIDTH", 4)
    monkeypatch.setattr(chunks, "WIDEST", 16)
    array, read = rng.standard_normal((90, 9, 9)), []

    def reading(block, block_id):
        read.append(block_id)
        return block

    x = da.from_array(array, (30, 9, 9))
    x = x.map_blocks(reading, meta=np.empty((0, 0, 0)))
    y = tt_svd(x, max_rank=rank)
    assert y.ranks == (1, rank or 81, rank or 9, 1)
    assert sorted(read) == sorted([(k, 0, 0) for k in range(3)] * times)
