"""TT-SVD of nonzeros: that of the dense array, at sizes that have no dense one."""

import math
import os
import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp

import ttalgebra as tt
from tests.reference import dense, dense_unit, norm, wide
from ttalgebra.arrays.errors import NonFiniteError, ShapeError, TooLargeError
from ttalgebra.decompose.sparse import tt_svd_sparse
from ttalgebra.decompose.svd import tt_svd

pytestmark = pytest.mark.host("SciPy's sparse arrays live on the host")

CASES = int(os.environ.get("TTALGEBRA_CASES", "120"))
FORMATS = ("coo", "csr", "csc", "bsr", "dia", "dok", "lil")
FACTORS = {2: (2,), 6: (2, 3), 12: (3, 4), 30: (5, 2, 3), 64: (2,) * 6, 7: (7, 1)}


def free(modes):
    return (None,) * (len(modes) - 1)


def random_sparse(rng, shape, nnz, dtype):
    index = [rng.integers(0, n, nnz) for n in shape]
    values = rng.standard_normal(nnz) * 10.0 ** rng.uniform(-6, 0, nnz)
    if np.dtype(dtype).kind == "c":
        values = values * np.exp(1j * rng.uniform(0, 7, nnz))
    if np.dtype(dtype).kind == "i":
        values = np.round(values * 100)
    return sp.coo_array((values.astype(dtype), tuple(index)), shape=shape)


def entry(cores, index):
    """One entry, digit by digit from the last, in the order of the modes."""
    digits = []
    index = list(index)
    for core in reversed(cores):
        place = []
        for axis, n in enumerate(core.shape[1:-1]):
            index[axis], digit = divmod(index[axis], n)
            place.append(digit)
        digits.append(tuple(place))
    state = np.ones((1, 1))
    for core, place in zip(cores, reversed(digits), strict=True):
        state = state @ core[(slice(None), *place)]
    return state[0, 0]


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i4", "?"])
def test_matrices_against_dense(dtype, ratios):
    sizes = list(FACTORS)
    for case in range(CASES // 6):
        rng = np.random.default_rng([41, case])
        M, N = (sizes[i] for i in rng.integers(0, len(sizes), 2))
        d = max(len(FACTORS[M]), len(FACTORS[N]))
        modes = [
            tuple(pair)
            for pair in zip(
                FACTORS[M] + (1,) * (d - len(FACTORS[M])),
                FACTORS[N] + (1,) * (d - len(FACTORS[N])),
                strict=True,
            )
        ]
        x = random_sparse(rng, (M, N), int(rng.integers(0, 40)), dtype)
        array = x.astype(float).toarray() if dtype in ("i4", "?") else x.toarray()
        tol = (1e-1, 1e-3, 1e-9, None)[case % 4]
        cores, info = tt_svd_sparse(x, modes, tol=tol, max_rank=free(modes))
        _, expected = tt_svd(np.array(array), modes, tol=tol, max_rank=free(modes))
        u, size = dense_unit(array, d), norm(array)
        error = norm(dense(cores) - wide(array))
        assert all(core.dtype == array.dtype for core in cores)
        ratios.check("sparse: info.error", abs(info.error * size - error), u)
        ratios.check("sparse: beyond tol", max(error - (tol or 0) * size, 0), u)
        if tol is not None and tol > 30 * np.finfo(array.dtype).eps:
            assert info.ranks == expected.ranks


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format(kind, rng):
    x = random_sparse(rng, (12, 30), 25, "f8")
    modes = [(3, 5), (4, 6)]
    cores, _ = tt_svd_sparse(x.asformat(kind), modes, max_rank=(None,))
    assert norm(dense(cores) - x.toarray()) < 30 * dense_unit(x.toarray(), 2)
    old = sp.coo_matrix(x)
    again, _ = tt_svd_sparse(old, modes, max_rank=(None,))
    assert all(np.array_equal(G, H) for G, H in zip(cores, again, strict=True))


def test_arrays_of_many_axes(rng):
    x = random_sparse(rng, (3, 4, 1, 5, 2), 17, "f8")
    modes = [(n,) for n in x.shape]
    cores, _ = tt_svd_sparse(x, modes, max_rank=free(modes))
    assert norm(dense(cores) - x.toarray()) < 30 * dense_unit(x.toarray(), 5)
    one, _ = tt_svd_sparse(sp.coo_array(np.array([0.0, 3, 0])), [(3,)], max_rank=())
    assert np.array_equal(one[0][0, :, 0], [0, 3, 0])


def test_duplicates_are_summed_and_zeros_dropped():
    values = np.array([1e308, 1e308, -1e308, 5.0, -5.0, 0.0])
    rows, columns = np.array([1, 1, 1, 2, 2, 3]), np.array([3, 3, 3, 0, 0, 1])
    x = sp.coo_array((values, (rows, columns)), shape=(4, 4))
    cores, info = tt_svd_sparse(x, [(2, 2), (2, 2)], max_rank=(None,))
    expected = np.zeros((4, 4))
    expected[1, 3] = 1e308
    assert info.ranks == (1, 1, 1)
    assert np.array_equal(dense(cores), expected)
    small = sp.coo_array((np.full(3, 100, np.int8), ([0] * 3, [0] * 3)), shape=(2, 2))
    assert tt_svd_sparse(small, [(2, 2)], max_rank=())[0][0][0, 0, 0, 0] == 300


@pytest.mark.parametrize("x", [sp.coo_array((8, 8)), sp.coo_array(np.zeros((8, 8)))])
def test_nothing_is_rank_one_zeros(x):
    cores, info = tt_svd_sparse(x, [(2, 4), (4, 2)], max_rank=(None,))
    assert info.ranks == (1, 1, 1)
    assert (info.error, info.norm, info.tol_met) == (0.0, 0.0, True)
    assert not np.any(dense(cores))


@pytest.mark.parametrize("levels", [10, 16])
def test_tridiagonal_has_rank_three(levels):
    """tridiag(-1, 2, -1) of ``2**levels``: rank 3, no rounding needed."""
    n = 2**levels
    T = sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(n, n))
    modes = [(2, 2)] * levels
    cores, info = tt_svd_sparse(T, modes, max_rank=free(modes))
    assert info.ranks == (1, *(3,) * (levels - 1), 1)
    assert info.norm == pytest.approx(math.sqrt(4 * n + 2 * (n - 1)), rel=1e-12)
    places = [(0, 0), (n - 1, n - 2), (n // 2, n // 2 - 1), (n // 3, n // 3), (5, 7)]
    found = [entry(cores, place) for place in places]
    assert np.allclose(found, [2, -1, -1, 2, 0], atol=1e-12)


def test_identity_has_rank_one():
    cores, info = tt_svd_sparse(sp.eye_array(4096), [(8, 8)] * 4, max_rank=(None,) * 3)
    assert info.ranks == (1,) * 5
    assert entry(cores, (4095, 4095)) == pytest.approx(1, rel=1e-12)


def test_2_to_the_30_squared_with_ten_thousand_nonzeros(rng):
    """A block scattered over ``2**30`` rows and columns; memory goes by nonzeros."""
    places = rng.choice(2**30, (2, 100), replace=False)
    block = rng.standard_normal((100, 3)) @ rng.standard_normal((3, 100))
    rows, columns = np.repeat(places[0], 100), np.tile(places[1], 100)
    x = sp.coo_array((block.ravel(), (rows, columns)), shape=(2**30, 2**30))
    modes = [(2, 2)] * 30
    tracemalloc.start()
    cores, info = tt_svd_sparse(x, modes, max_rank=(20,) * 29)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * 2**20
    assert max(info.ranks) == 20
    diagonal = sp.coo_array(
        (np.arange(1.0, 5), ([0, 1, 2**40 - 1, 7],) * 2), (2**40,) * 2
    )
    modes = [(2, 2)] * 40
    cores, info = tt_svd_sparse(diagonal, modes, tol=1e-14, max_rank=free(modes))
    assert max(info.ranks) <= 4
    assert entry(cores, (2**40 - 1, 2**40 - 1)) == pytest.approx(3, rel=1e-13)
    assert entry(cores, (2**40 - 1, 2**40 - 2)) == pytest.approx(0, abs=1e-13)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_far_scales(scale, rng):
    x = random_sparse(rng, (64, 64), 30, "f8")
    modes = [(2, 2)] * 6
    _, near = tt_svd_sparse(x, modes, tol=1e-2, max_rank=free(modes))
    _, far = tt_svd_sparse(x * scale, modes, tol=1e-2, max_rank=free(modes))
    assert far.ranks == near.ranks
    assert far.error == pytest.approx(near.error, rel=1e-12)


def test_padding_is_zeros(rng):
    x = random_sparse(rng, (5, 7), 12, "f8")
    cores, _ = tt_svd_sparse(x, [(2, 2), (3, 4)], max_rank=(None,))
    whole = dense(cores)
    assert whole.shape == (6, 8)
    assert norm(whole[:5, :7] - x.toarray()) < 30 * dense_unit(x.toarray(), 2)
    assert norm(whole[5:]) + norm(whole[:, 7:]) < 30 * dense_unit(x.toarray(), 2)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0,)])
def test_modes_of_no_size_are_refused_as_those_of_dense_arrays(shape):
    """Once an IndexError from inside the sweep."""
    with pytest.raises(ShapeError, match="at least one mode"):
        tt.TTTensor.from_sparse(sp.coo_array(shape))
    with pytest.raises(ShapeError, match="at least one mode"):
        tt.TTTensor.from_dense(np.zeros(shape))
    if len(shape) == 2:
        with pytest.raises(ShapeError):
            tt.TTMatrix.from_sparse(sp.coo_array(shape), (1,), (4,))


def test_refusals(rng):
    x = random_sparse(rng, (64, 64), 30, "f8")
    with pytest.raises(ShapeError, match=r"\(64, 64\).*\(8, 8\)"):
        tt_svd_sparse(x, [(2, 2)] * 3, max_rank=(None,) * 2)
    with pytest.raises(ShapeError, match="modes"):
        tt_svd_sparse(x, [(64,)] * 3, max_rank=(None,) * 2)
    with pytest.raises(TooLargeError, match=r"nonzero rows.*max_rank"):
        tt_svd_sparse(x, [(2, 2)] * 6, max_rank=(None,) * 5, max_bytes=500)
    for value in (np.nan, np.inf):
        bad = sp.coo_array(([1.0, value], ([1, 5], [2, 9])), shape=(16, 16))
        with pytest.raises(NonFiniteError, match=r"\(5, 9\).*1 of 2"):
            tt_svd_sparse(bad, [(4, 4)] * 2, max_rank=(None,))
    with pytest.raises(TypeError, match=r"longdouble|float128"):
        tt_svd_sparse(x.astype(np.longdouble), [(64, 64)], max_rank=())
