"""TT-SVD by blocks: the same chain as in memory, and memory that stays small."""

import math
import tracemalloc

import numpy as np
import pytest

import ttalgebra as tt
from tests.reference import dense, dense_unit, norm, wide
from ttalgebra.arrays.errors import NonFiniteError, TooLargeError
from ttalgebra.decompose.streamed import orientation, passes, tt_svd_streamed
from ttalgebra.decompose.svd import tt_svd

pytestmark = pytest.mark.host("arrays on disk are read into NumPy")
DTYPES = ("f4", "f8", "c8", "c16", "i2", ">f8")
TENSORS = (
    (5,),
    (40, 3),
    (3, 40),
    (6, 5, 7, 4),
    (2,) * 10,
    (1, 9, 1, 8, 1, 2),
    (30, 1, 5),
)
MATRICES = (
    ((4, 5), (3, 2)),
    ((2,) * 5, (2,) * 5),
    ((6, 1, 4), (1, 5, 2)),
    ((12,), (7,)),
    ((3, 40), (50, 1)),
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


def flattened(array, modes):
    plain = (
        array.astype(array.dtype.newbyteorder("="))
        if array.dtype.kind != "i"
        else array
    )
    plain = plain.astype(float) if plain.dtype.kind == "i" else plain
    return plain, plain.reshape(-1) if len(modes[0]) == 1 else plain


def assert_as_in_memory(array, modes, ratios, *, tol=1e-3, **options):
    bounds = options.pop("max_rank", (None,) * (len(modes) - 1))
    cores, info = tt_svd_streamed(array, modes, tol=tol, max_rank=bounds, **options)
    plain, x = flattened(array, modes)
    _, expected = tt_svd(np.ascontiguousarray(x), modes, tol=tol, max_rank=bounds)
    u, size = dense_unit(plain, len(modes)), norm(plain)
    error = norm(dense(cores) - wide(plain))
    assert all(core.dtype == plain.dtype for core in cores)
    ratios.check("streamed: info.error", abs(info.error * size - error), u)
    ratios.check("streamed: info.norm", abs(info.norm - size), u)
    if info.tol_met:
        ratios.check("streamed: beyond tol", max(error - tol * size * (1 + 1e-9), 0), u)
    assert info.ranks == (*(int(G.shape[0]) for G in cores), 1)
    return cores, info, expected


@pytest.fixture(params=[1, 40, 4], ids=["narrow", "wide", "medium"])
def width(request, monkeypatch):
    """Few and many columns in the first unfolding, for arrays that tests can afford."""
    monkeypatch.setattr(orientation, "WIDTH", request.param)


@pytest.mark.usefixtures("width")
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", TENSORS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_tensors(shape, dtype, order, rng, ratios):
    array = np.asarray(entries(rng, shape, dtype), order=order)
    modes = [(n,) for n in shape]
    _, info, expected = assert_as_in_memory(array, modes, ratios, block_bytes=64)
    if order == "C" and shape != (3, 40):
        assert info.ranks == expected.ranks


@pytest.mark.usefixtures("width")
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("modes", MATRICES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_matrices(modes, dtype, order, rng, ratios):
    shape = math.prod(modes[0]), math.prod(modes[1])
    array = np.asarray(entries(rng, shape, dtype), order=order)
    pairs = list(zip(*modes, strict=True))
    _, info, expected = assert_as_in_memory(array, pairs, ratios, block_bytes=64)
    assert info.ranks == expected.ranks


@pytest.mark.usefixtures("width")
def test_bounds_win_and_are_told(rng, ratios):
    array = rng.standard_normal((6, 5, 7, 4))
    for view in (array, array.T):
        modes = [(n,) for n in view.shape]
        _, info, _ = assert_as_in_memory(
            view, modes, ratios, tol=1e-8, max_rank=(2, 3, 1), block_bytes=64
        )
        assert info.ranks == (1, 2, 3, 1, 1)
        assert not info.tol_met
        assert all(s[0] < info.norm for s in info.singular_values)
        assert len(info.singular_values) == len(info.drivers) == 3


class Sliceable:
    """What an HDF5 or Zarr array offers: a shape, a dtype, slices of the first axis."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.largest = 0

    def __getitem__(self, index):
        block = self.array[index]
        self.largest = max(self.largest, block.nbytes)
        return block


class Table(Sliceable):
    """What has a shape, a dtype and columns by name: no slices."""

    def __getitem__(self, index):
        raise KeyError(index)


@pytest.mark.parametrize("shape", [(4, 4), (64, 64, 8)])
def test_what_has_no_slices_is_no_array(shape):
    """Once the KeyError of somebody else."""
    with pytest.raises(TypeError, match=r"slices of Table.*KeyError"):
        tt.TTTensor.from_dense(Table(np.ones(shape)))


@pytest.mark.parametrize("n_modes", [1, 2], ids=["tensor", "matrix"])
def test_whatever_can_be_sliced(n_modes, rng, ratios, monkeypatch):
    monkeypatch.setattr(orientation, "WIDTH", 4)
    shape = (64, 4, 2, 4) if n_modes == 1 else (64, 64)
    x = Sliceable(entries(rng, shape, "f8"))
    modes = [(n,) for n in shape] if n_modes == 1 else [(2, 2)] * 6
    cores, _ = tt_svd_streamed(
        x, modes, tol=1e-4, max_rank=(None,) * (len(modes) - 1), block_bytes=2048
    )
    assert x.largest <= 2048
    assert norm(dense(cores) - wide(x.array)) <= 1e-4 * norm(x.array) * (1 + 1e-9)


def test_same_block_size_same_bits(rng, monkeypatch):
    monkeypatch.setattr(orientation, "WIDTH", 8)
    array, modes = rng.standard_normal((16,) * 4), [(16,)] * 4

    def run(**options):
        return tt_svd_streamed(array, modes, tol=0.5, max_rank=(None,) * 3, **options)[
            0
        ]

    one, two = run(block_bytes=4096), run(block_bytes=4096)
    assert all(np.array_equal(G, H) for G, H in zip(one, two, strict=True))


@pytest.mark.parametrize("exponent", [-900, 900])
def test_powers_of_two_change_no_bit(exponent, rng, monkeypatch):
    monkeypatch.setattr(orientation, "WIDTH", 8)
    array, modes = rng.standard_normal((16,) * 4), [(16,)] * 4
    array[8:] = 0  # blocks of zeros do not set the scale
    near = tt_svd_streamed(
        array, modes, tol=0.5, max_rank=(None,) * 3, block_bytes=4096
    )
    far = tt_svd_streamed(
        array * 2.0**exponent, modes, tol=0.5, max_rank=(None,) * 3, block_bytes=4096
    )
    assert far[1].error == near[1].error
    assert far[1].norm == near[1].norm * 2.0**exponent
    assert far[1].ranks == near[1].ranks
    for G, H in zip(near[0], far[0], strict=True):
        powers = np.unique(H[G != 0] / G[G != 0])
        assert powers.size == 1
        assert math.frexp(powers[0])[0] == 0.5


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("n_modes", [1, 2], ids=["tensor", "matrix"])
def test_the_first_bad_index_is_named(order, n_modes, rng, monkeypatch):
    monkeypatch.setattr(orientation, "WIDTH", 4)
    monkeypatch.setattr(passes, "triangle_of", lambda _: pytest.fail("too late"))
    shape = (16, 3, 5, 4) if n_modes == 1 else (64, 64)
    modes = [(n,) for n in shape] if n_modes == 1 else [(2, 2)] * 6
    for value in (np.nan, np.inf, -np.inf):
        array = np.asarray(rng.standard_normal(shape), order=order)
        index = tuple(int(rng.integers(n)) for n in shape)
        array[index] = value
        with pytest.raises(NonFiniteError, match=str(index).replace("(", r"\(")[:-1]):
            tt_svd_streamed(
                array, modes, max_rank=(None,) * (len(modes) - 1), block_bytes=512
            )


def test_memory_of_a_mapped_file(tmp_path):
    """128 MiB in a file; less than half of that is used."""
    shape = (64,) * 4
    array = np.memmap(tmp_path / "x", "f8", "w+", shape=shape)
    _, j, k, m = np.ogrid[:1, :64, :64, :64]
    for i in range(64):
        array[i] = 1 / (1.0 + i + j + k + m)[0]
    array.flush()
    array = np.memmap(tmp_path / "x", "f8", "r", shape=shape)
    tracemalloc.start()
    cores, info = tt_svd_streamed(
        array, [(64,)] * 4, tol=1e-6, max_rank=(None,) * 3, block_bytes=2**20
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    projected = 64**3 * info.ranks[3] * 8
    assert peak < projected + 40 * 2**20 < array.nbytes
    rest = np.tensordot(cores[2], cores[3], 1).reshape(-1, 4096)
    part = np.tensordot(cores[0][0, 17], cores[1], 1).reshape(64, -1) @ rest
    assert norm(part.reshape(64, 64, 64) - array[17]) < 1e-6 * info.norm


def test_what_is_left_is_refused_before_it_is_allocated(rng, monkeypatch):
    monkeypatch.setattr(orientation, "WIDTH", 4)
    array, modes = rng.standard_normal((32, 32, 4)), [(32,), (32,), (4,)]
    with pytest.raises(TooLargeError, match=r"4096 elements.*max_rank"):
        tt_svd_streamed(array, modes, max_rank=(None,) * 2, max_bytes=2**14)
    with pytest.raises(TooLargeError, match="loading"):
        tt_svd_streamed(Sliceable(array[0]), modes[1:], max_rank=(None,), max_bytes=99)
