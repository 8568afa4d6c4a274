"""Hazards 1 to 14: the truncations that other libraries get wrong, one by one."""

import math

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import dtype_of, here, host
from tests.reference import dense, dense_unit, eps, norm, unit, wide
from ttalgebra.arrays import factorize
from ttalgebra.decompose import unfolding


def with_spectrum(values, shape=(6, 7), seed=0):
    """A matrix, as a two-mode tensor, with these singular values."""
    rng = np.random.default_rng(seed)
    u, _ = np.linalg.qr(rng.standard_normal((shape[0], len(values))))
    v, _ = np.linalg.qr(rng.standard_normal((shape[1], len(values))))
    return (u * np.asarray(values)) @ v.T


def diagonal(values):
    return np.diag(np.asarray(values, dtype=float))


def relative_error(x, array):
    return float(norm(dense(x.cores) - wide(array)) / norm(array))


def both_routes(array, **options):
    """Straight from the dense array, and by rounding the lossless train."""
    yield tt.TTTensor.from_dense(here(array), **options)
    yield tt.TTTensor.from_dense(here(array)).round(**options)


def test_tail_equal_to_the_threshold():
    """s = (4, 2, 1), threshold exactly 1: the last value may go, and no more."""
    array = diagonal([4, 2, 1])
    for x in both_routes(array, tol=math.nextafter(1 / math.sqrt(21), 1)):
        assert x.ranks == (1, 2, 1)
    for x in both_routes(array, tol=math.nextafter(1 / math.sqrt(21), 0) * (1 - 1e-9)):
        assert x.ranks == (1, 3, 1)


@pytest.mark.parametrize(
    "values", [(1, 1, 1, 1), (4, 2, 1), (1, 1e-3, 1e-3), (2, 2, 1)]
)
@pytest.mark.parametrize("cut", [1, 2])
@pytest.mark.parametrize("side", [-1, 1])
def test_both_sides_of_every_threshold(values, cut, side):
    tail = math.hypot(*values[cut:]) / math.hypot(*values)
    admissible = next(
        r
        for r in range(1, len(values) + 1)
        if math.hypot(*values[r:]) <= tail * math.hypot(*values) * (1 + side * 1e-6)
    )
    for x in both_routes(diagonal(values), tol=tail * (1 + side * 1e-6)):
        assert x.ranks == (1, admissible, 1)


@pytest.mark.parametrize("size", [1e-300, 1e-170, 1e-160, 1.0, 1e160, 1e200, 1e300])
def test_norms_whose_squares_leave_the_range(size):
    array = with_spectrum([1.0, 1e-3, 1e-6]) * size
    for tol, rank in ((1e-2, 1), (1e-4, 2), (1e-7, 3)):
        for x in both_routes(array, tol=tol):
            assert x.ranks == (1, rank, 1)
            assert relative_error(x, array) <= tol
            expected = float(norm(dense(x.cores)))
            assert math.isclose(x.norm(), expected, rel_tol=1e-13)


@pytest.mark.parametrize("exponent", [-900, -300, 300, 900])
def test_powers_of_two_change_no_bit_and_no_rank(exponent, rng):
    array = with_spectrum(0.1 ** np.arange(5)).reshape(2, 3, 7)
    options = {"tol": 1e-3, "return_info": True}
    x, info = tt.TTTensor.from_dense(here(array), **options)
    y, far = tt.TTTensor.from_dense(here(array * 2.0**exponent), **options)
    assert y.ranks == x.ranks
    assert np.array_equal(host(y.to_dense()), host(x.to_dense()) * 2.0**exponent)
    assert far.error == info.error
    assert far.norm == info.norm * 2.0**exponent
    for s, t in zip(info.singular_values, far.singular_values, strict=True):
        assert np.array_equal(t, s * 2.0**exponent)


def test_a_value_far_below_the_first():
    """s = (1, 1e-9): a sum of squares from the large end would not see the second."""
    array = with_spectrum([1.0, 1e-9])
    for x in both_routes(array, tol=1e-10):
        assert x.ranks == (1, 2, 1)
        assert relative_error(x, array) <= 1e-10
    for x in both_routes(array, tol=2e-9):
        assert x.ranks == (1, 1, 1)


def test_many_values_each_below_tol():
    """50 values of 0.9 %: each may go, together they are 6 %."""
    array = with_spectrum([1.0] + [0.009] * 50, shape=(51, 60))
    for x in both_routes(array, tol=0.01):
        assert relative_error(x, array) <= 0.01
        assert x.ranks[1] == 51 - int((0.01 / 0.009) ** 2 * norm(array) ** 2)


def test_a_tail_at_each_of_four_bonds():
    """d = 5, every bond spends its share: the parts add up to tol, not to more."""
    rng = np.random.default_rng(5)
    parts = [rng.standard_normal((4,) * 5) for _ in range(2)]
    smooth = np.cos(sum(np.ogrid[:4, :4, :4, :4, :4]))
    for tol in (0.3, 0.1, 0.03, 0.01):
        array = smooth + tol * (parts[0] + 1j * parts[1]) / 40
        for x in both_routes(array, tol=tol):
            assert relative_error(x, array) <= tol


@pytest.mark.parametrize("tol", [1.0, 5.0, 1e9])
def test_rank_one_is_the_least(tol):
    for x in both_routes(with_spectrum([1.0, 0.5]), tol=tol):
        assert x.ranks == (1, 1, 1)


def test_zero_block():
    array = np.zeros((4, 5, 3))
    array[:2] = 1.0
    for x in both_routes(array, tol=1e-12):
        assert x.ranks == (1, 1, 1, 1)
        assert relative_error(x, array) < 1e-15


def test_tiny_is_not_zero():
    """Only relative criteria: 1e-300 A has the ranks of A."""
    array = with_spectrum([1.0, 0.3, 0.1])
    for x in both_routes(1e-300 * array, tol=1e-8):
        assert x.ranks == (1, 3, 1)


def test_subnormal_entries_survive(xp):
    xp.need_subnormals()
    array = np.full((2, 2, 2), 5e-324)
    found = tt.TTTensor.from_dense(here(array)).to_dense()
    assert np.array_equal(host(found), array)


@pytest.mark.parametrize("tol", [None, 0.0, 1e-14])
def test_direct_sum_with_a_zero_or_a_parallel_part_loses_nothing(tol, rng):
    x = here(tt.random_tensor((3, 4, 2, 3), 3, rng=rng))
    zero, other = here(tt.zeros(x.modes)), here(tt.random_tensor(x.modes, 2, rng=1))
    for y in (zero, x, 0 * x, 1e-6 * other):
        total = x + y
        rounded = total.round(tol=tol)
        error = norm(dense(rounded.cores) - dense(total.cores))
        assert error <= (tol or 0) * norm(dense(total.cores)) + 30 * unit(total.cores)
        assert all(a <= b for a, b in zip(rounded.ranks, total.ranks, strict=True))
    assert (x + x).round(tol=tol).ranks == x.ranks
    assert (x + zero).round(tol=tol).ranks == x.ranks


def test_ranks_above_the_possible_maximum(rng):
    x = here(tt.random_tensor((2, 3, 2), (40, 50), rng=rng))
    y = x.round()
    assert y.ranks == (1, 2, 2, 1)
    assert norm(dense(y.cores) - dense(x.cores)) <= 30 * unit(x.cores)
    assert math.isclose(x.norm(), float(norm(dense(x.cores))), rel_tol=1e-12)


def test_gauge_is_made_not_trusted(rng):
    """Two roundings of one value in wildly different gauges cut alike."""
    x = tt.random_tensor((4, 4, 4), 4, rng=rng)
    P = rng.standard_normal((4, 4)) * 10.0 ** np.arange(-4, 4, 2)
    G, H, K = x.cores
    gauged = [G @ P, np.einsum("ab,bic->aic", np.linalg.inv(P), H), K]
    x, y = here(x), tt.TTTensor(here(gauged))
    for tol in (0.5, 0.1, 0.01):
        one, other = x.round(tol=tol), y.round(tol=tol)
        assert one.ranks == other.ranks
        assert norm(dense(one.cores) - dense(other.cores)) < 1e-6 * x.norm()


def tall(second, columns, dtype):
    """Two orthogonal rows of ``columns`` entries, the second this much smaller."""
    array = np.ones((2, columns), dtype)
    array[1, ::2] = -1
    array[1] *= dtype(second)
    return array


@pytest.mark.parametrize("tol", [None, 0.0, 1e-4])
def test_long_modes_are_no_licence_to_cut(tol):
    """2 x 200,000 in float32: a floor of eps * columns would be 2.4 % of the norm."""
    array = tall(0.01, 200_000, np.float32)
    for x in both_routes(array, tol=tol):
        assert x.ranks == (1, 2, 1)
        assert relative_error(x, array) <= (tol or 0) + 30 * eps(np.float32)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("rows", [65_535, 65_536, 65_537, 200_000])
def test_tall_arrays_in_blocks(dtype, rows, rng):
    """Values down to 1e-3 (1e-9), however many blocks of rows there are."""
    small = 1e-3 if np.finfo(dtype).eps > 1e-10 else 1e-9
    array = rng.standard_normal((rows, 4)) * [1.0, 0.1, small, small / 10]
    array = (array @ rng.standard_normal((4, 4))).astype(dtype)
    for tol in (None, small * 3, 0.01):
        x, info = tt.TTTensor.from_dense(here(array), tol=tol, return_info=True)
        error = norm(wide(x.to_dense()) - wide(array))
        slack = 30 * eps(dtype) * 8 * norm(array)
        assert error <= (tol or 0) * norm(array) * (1 + 1e-9) + slack
        assert abs(info.error * norm(array) - error) <= slack
    array[rows - 2, 3] = np.nan
    with pytest.raises(tt.errors.NonFiniteError, match=rf"\({rows - 2}, 3\)"):
        tt.TTTensor.from_dense(here(array))


def test_a_triangle_by_blocks_is_that_of_the_whole(rng):
    """Exactly the Gram matrix of the whole, for any number of blocks; and small."""
    matrix = rng.standard_normal((999, 6))
    for step in (6, 7, 100, 999):
        blocks = (here(matrix[i : i + step]) for i in range(0, 999, step))
        found = host(unfolding.triangle_of(blocks))
        assert found.shape == (6, 6)
        assert norm(found.T @ found - matrix.T @ matrix) < 1e-12 * norm(matrix) ** 2


def test_tall_unfoldings_beyond_the_limit_of_lapack(monkeypatch, rng):
    """Hazard 30: only a block of a tall unfolding meets LAPACK, so that must fit."""
    monkeypatch.setattr(unfolding, "BLOCK", 64)
    monkeypatch.setattr(factorize, "LAPACK_LIMIT", 128)
    array = rng.standard_normal((400, 4))
    x = tt.TTTensor.from_dense(here(array))
    assert norm(dense(x.cores) - array) < 30 * dense_unit(array, 2)


def test_long_modes_of_a_matrix():
    """(2 x 2) times (512 x 512): the promise in the unit eps d max(M, N) norm."""
    rows = tall(2e-11, 512 * 512, np.float64).reshape(2, 512, 512)
    W = np.block([[rows[0], rows[1]], [rows[1], rows[0]]])
    tol = 1e-12
    A = tt.TTMatrix.from_dense(here(W), (2, 512), (2, 512), tol=tol)
    error = norm(dense(A.cores) - wide(W))
    assert error <= tol * norm(W) * (1 + 1e-9) + 30 * dense_unit(W, 2)


def test_lossless_by_default(rng):
    for dtype in ("f4", "f8", "c8", "c16"):
        array = rng.standard_normal((3, 4, 5, 2)).astype(dtype)
        for x in both_routes(array):
            assert x.ranks == (1, 3, 10, 2, 1)
            error = norm(dense(x.cores) - wide(array))
            assert error <= 30 * dense_unit(array, 4)


@pytest.mark.parametrize("shape", [(7,), (1,), (1, 1, 1), (1, 5), (5, 1), (1, 3, 1, 4)])
@pytest.mark.parametrize("tol", [None, 0.0, 0.1, 2.0])
def test_one_core_and_modes_of_one(shape, tol, rng):
    array = rng.standard_normal(shape)
    for x in both_routes(array, tol=tol):
        assert x.shape == shape
        assert x.to_dense().shape == shape
        size = norm(array)
        error = norm(dense(x.cores) - wide(array))
        assert error <= (tol or 0) * size * (1 + 1e-9) + 30 * dense_unit(
            array, len(shape)
        )


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("tol", [None, 0.0, 0.5])
def test_zeros(dtype, tol):
    zero = here(tt.zeros((2, 3, 4), dtype=dtype))
    other = here(tt.random_tensor((2, 3, 4), 3, rng=0, dtype=dtype))
    options = {"tol": tol, "return_info": True}
    for x, info in (
        tt.TTTensor.from_dense(here(np.zeros((2, 3, 4), dtype)), **options),
        (zero + zero).round(**options),
        (0 * other).round(**options),
    ):
        assert x.ranks == (1, 1, 1, 1)
        assert dtype_of(x) == dtype
        assert not host(x.to_dense()).any()
        assert x.norm() == 0.0
        assert (info.error, info.norm, info.tol_met) == (0.0, 0.0, True)
