"""Slices and entries: three ways to the same numbers, those of the dense array."""

import math

import numpy as np
import pytest
from hypothesis import given

import ttalgebra as tt
from tests import made
from tests.algebra.chains import (
    assert_exact,
    assert_number,
    assert_train,
    booleans,
    draw,
    dtypes,
    integers,
    least,
    magnitude,
    scales,
    seeds,
)
from tests.backends import dtype_of, here, host
from tests.reference import dense, eps, norm, wide, width


def googol():
    """Entry ``i`` of 2^100 is 2 to the number of ones among its digits."""
    return tt.TTTensor(here([np.arange(1.0, 3).reshape(1, 2, 1)] * 100))


def draw_key(rng, modes):
    """Ints and slices of either sign and step, an Ellipsis for some of the rest."""
    key = []
    for n in modes:
        step = int(rng.choice([-2, -1, 1, 2]))
        start, stop = sorted(int(i) for i in rng.integers(-n - 2, n + 3, 2))
        picked = slice(start, stop, step) if rng.random() < 0.7 else slice(None)
        if len(range(n)[picked]) == 0:
            picked = slice(None, None, step)
        key.append(int(rng.integers(-n, n)) if rng.random() < 0.4 else picked)
    if rng.random() < 0.3:
        cut = int(rng.integers(0, len(key)))
        key = (*key[:cut], Ellipsis)
    return tuple(key)


@given(seeds, dtypes, scales)
def test_slices(ratios, seed, dtype, scale):
    rng, x = draw(seed, 1, dtype, scale)
    key = draw_key(rng, x.modes)
    found, wanted = x[key], dense(x.cores)[key]
    bound = magnitude(x)[key]
    if not np.ndim(wanted):
        assert_number(ratios, "x[i, j, ...]", found, wanted, bound, x)
        return
    assert dtype_of(found) == dtype
    u = eps(dtype) * width(x.cores) * norm(bound) + least(dtype) * bound.size
    assert_train(ratios, "x[slices]", found, wanted, u)


@given(seeds, booleans)
def test_slices_are_exact_on_integers(seed, complex_):
    rng, x = integers(seed, 1, complex_)
    for _ in range(4):
        key = draw_key(rng, x.modes)
        found = x[key]
        if isinstance(found, tt.TTTensor):
            found = found.to_dense()
        assert_exact(found, dense(x.cores)[key])
    if x.order > 1:
        assert_exact(x[0].to_dense(), dense(x.cores)[0])
        assert_exact(x[..., -1].to_dense(), dense(x.cores)[..., -1])
    assert_exact(x[...].to_dense(), dense(x.cores))
    assert_exact(x[()].to_dense(), dense(x.cores))


@given(seeds, dtypes, scales)
def test_rows_columns_entries_of_a_matrix(ratios, seed, dtype, scale):
    rng, A = draw(seed, 2, dtype, scale)
    a, bound = dense(A.cores), magnitude(A)
    i, j = (int(rng.integers(-n, n)) for n in A.shape)
    assert_number(ratios, "A[i, j]", A[i, j], a[i, j], bound[i, j], A)
    assert_exact(dense(A[i, :].cores).ravel(), a[i])
    assert_exact(dense(A[i].cores), dense(A[i, ...].cores))
    assert_exact(dense(A[:, j].cores).ravel(), a[:, j])
    assert_exact(dense(A[:, :].cores), a)
    assert A[i, :].modes == A.col_modes
    assert A[:, j].modes == A.row_modes
    I, J = (rng.integers(-n, n, 9) for n in A.shape)  # noqa: E741
    found = A.entries(I, J)
    assert dtype_of(found) == dtype
    u = eps(dtype) * width(A.cores) * bound[I, J] + least(dtype)
    ratios.check("A.entries", abs(wide(found) - a[I, J]), u)


def draw_several(rng, n):
    """A list of indices of either sign, or a mask, of either kind."""
    picked = [int(i) for i in rng.integers(-n, n, rng.integers(1, 6))]
    mask = rng.random(n) < 0.5
    mask[rng.integers(n)] = True
    return (picked, np.array(picked), mask.tolist(), mask)[rng.integers(4)]


@given(seeds, booleans)
def test_a_list_or_a_mask_picks_in_its_mode(seed, complex_):
    """The mode stays where it is, also beside integers, where NumPy may move it."""
    rng, x = integers(seed, 1, complex_)
    a = dense(x.cores)
    for k, n in enumerate(x.modes):
        several = draw_several(rng, n)
        key = (*(slice(None),) * k, several)
        assert_exact(x[here(key)].to_dense(), a[key])
    assert_exact(x[..., here(several)].to_dense(), a[..., several])
    if x.order > 2:
        assert_exact(x[0, :, [0, -1]].to_dense(), a[0][:, [0, -1]])


@given(seeds, booleans)
def test_none_is_a_new_mode(seed, complex_):
    rng, x = integers(seed, 1, complex_)
    key = list(draw_key(rng, x.modes))
    for _ in range(int(rng.integers(1, 4))):
        key.insert(int(rng.integers(len(key) + 1)), None)
    assert_exact(x[tuple(key)].to_dense(), dense(x.cores)[tuple(key)])
    assert x[None].ranks == (1, *x.ranks)
    assert x[None].modes == (1, *x.modes)


def draw_part(rng, n):
    """What may stand for the rows of a matrix, and picks one at least."""
    kind = rng.integers(4)
    if kind == 0:
        return int(rng.integers(-n, n))
    if kind == 1:
        return slice(None)
    if kind == 2:
        return draw_several(rng, n)
    start, stop = sorted(int(i) for i in rng.integers(0, n + 1, 2))
    return slice(start, stop + 1, int(rng.integers(1, 4)))


@given(seeds, booleans)
def test_parts_of_a_matrix_are_dense(seed, complex_):
    rng, A = integers(seed, 2, complex_)
    a, count = dense(A.cores), 0
    for _ in range(12):
        i, j = (draw_part(rng, n) for n in A.shape)
        lists = [part for part in (i, j) if not isinstance(part, (int, slice))]
        if len(lists) > 1 or not a[i, j].size:
            continue
        found = A[here((i, j))]
        if isinstance(found, (tt.TTTensor, tt.TTMatrix)):
            found = dense(found.cores).reshape(a[i, j].shape)
        assert_exact(found, a[i, j])
        count += 1
    assert count > 2
    assert_exact(A[: A.shape[0]], a)
    assert_exact(A[::-1, ::-1], a[::-1, ::-1])
    assert_exact(A[[0, -1, 0]], a[[0, -1, 0]])


@given(seeds, dtypes)
def test_parts_of_a_matrix_to_roundoff(ratios, seed, dtype):
    rng, A = draw(seed, 2, dtype)
    i, j = (slice(None, None, int(rng.integers(1, 4))) for _ in "ij")
    i = i if i.step > 1 else slice(0, None)
    found, bound = A[i, j], magnitude(A)[i, j]
    assert dtype_of(found) == dtype
    u = eps(dtype) * width(A.cores) * bound + least(dtype)
    ratios.check("A[slices]", abs(wide(found) - dense(A.cores)[i, j]), u)


def test_parts_of_what_is_never_formed():
    """Rows and columns beyond int64, of a matrix of 2^200 entries."""
    A = tt.TTMatrix.from_diagonal(googol())
    i, j = slice(2**99, 2**99 + 9, 4), slice(2**99 + 8, 2**99 - 1, -8)
    assert_exact(A[i, j], [[0.0, 2.0], [0.0, 0.0], [4.0, 0.0]])
    assert_exact(A[[2**99, -1], i], [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert_exact(A[i, 2**99 + 4], [0.0, 4.0, 0.0])
    for key in (np.s_[::2, 0:1], np.s_[0:1], np.s_[::3], np.s_[[0], 1:]):
        with pytest.raises(tt.errors.TooLargeError, match="rows or columns"):
            A[key]


@given(seeds, dtypes, scales)
def test_entries(ratios, seed, dtype, scale):
    """Each entry to its own digits, flat or by digits, in any integer dtype."""
    rng, x = draw(seed, 1, dtype, scale)
    flat = rng.integers(-x.size, x.size, 12)
    digits = np.stack(np.unravel_index(flat % x.size, x.modes), axis=-1)
    a, bound = dense(x.cores).ravel()[flat], magnitude(x).ravel()[flat]
    u = eps(dtype) * width(x.cores) * bound + least(dtype)
    for given_as in (
        flat,
        here(flat),
        flat.tolist(),
        flat.astype(object),
        flat.astype(np.int16),
        (flat % x.size).astype(np.uint64),
        tuple(int(i) for i in flat),
        digits,
        here(digits),
        digits.tolist(),
        here(digits.astype(np.int8)),
        digits.astype(np.uint32),
        digits.astype(object),
        digits - np.asarray(x.modes),
    ):
        found = x.entries(given_as)
        assert found.shape == (12,)
        assert dtype_of(found) == dtype
        ratios.check("x.entries", abs(wide(found) - a), u)
    one = x[tuple(int(i) for i in digits[0])]
    ratios.check("entries = slicing", abs(one - wide(found)[0]), u[0])


@given(seeds, booleans)
def test_entries_are_exact_on_integers(seed, complex_):
    rng, x = integers(seed, 1, complex_)
    flat = rng.integers(-x.size, x.size, 20)
    assert_exact(x.entries(flat), dense(x.cores).ravel()[flat])
    _, A = integers(seed, 2, complex_)
    I, J = (rng.integers(-n, n, 20) for n in A.shape)  # noqa: E741
    assert_exact(A.entries(I, J), dense(A.cores)[I, J])


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint64, object])
def test_narrow_integers_reach_long_modes(dtype):
    """Mode 200 and 300 are beyond int8 and uint8; the digits are not."""
    x = made.random_tensor((200, 300), 2, rng=0)
    wanted = x.entries(np.array([[1, 2], [100, 7]]))
    assert_exact(x.entries(np.array([[1, 2], [100, 7]], dtype)), wanted)
    plain = host(x.to_dense()).ravel()
    assert_exact(x.entries(np.array([5, 100], dtype)), plain[[5, 100]])


INDICES = [0, 1, 2**99, 2**100 - 1, -1, -(2**100), 2**64 + 5, 3**60]


def test_indices_beyond_int64():
    x, flat = googol(), [i % 2**100 for i in INDICES]
    wanted = [2.0 ** bin(i).count("1") for i in flat]
    assert_exact(x.entries(INDICES), wanted)
    assert_exact(x.entries(np.array(INDICES, dtype=object)), wanted)
    digits = np.array([[i >> (99 - k) & 1 for k in range(100)] for i in flat])
    assert_exact(x.entries(here(digits)), wanted)
    assert_exact(x.entries(digits - 2), wanted)
    assert [x[tuple(row)] for row in digits.tolist()] == wanted
    A = tt.TTMatrix.from_diagonal(x)
    assert_exact(A.entries(INDICES, INDICES), wanted)
    assert_exact(A.entries(INDICES, digits), wanted)
    assert [A[i, i] for i in INDICES] == wanted
    assert A[2**99, 2**99 + 1] == 0.0
    assert_exact(A[2**99, :].entries([2**99, 0]), [2.0, 0.0])
    for beyond in (2**100, -(2**100) - 1):
        with pytest.raises(tt.errors.ShapeError):
            x.entries([beyond])
        with pytest.raises(tt.errors.ShapeError):
            A[beyond, 0]


def test_small_entries_beside_large_ones_keep_their_digits():
    core = np.array([1e-12, 1.0, 1e12]).reshape(1, 3, 1)
    x = tt.TTTensor(here([core] * 40))
    digits = np.array([[0] * 20 + [2] * 20, [0] * 40, [1] * 40, [0] * 25 + [1] * 15])
    found = host(x.entries(digits))
    assert found == pytest.approx([1.0, 0.0, 1.0, 1e-300], rel=1e-13, abs=0)
    assert x[tuple(digits[3])] == pytest.approx(1e-300, rel=1e-13)


def test_no_entries_at_all():
    x, A = made.ones((2, 3)), made.identity((2, 3))
    nothing = np.zeros(0, int)
    assert x.entries(here(nothing)).shape == x.entries(nothing).shape == (0,)
    assert x.entries(np.zeros((0, 2), int)).shape == (0,)
    assert A.entries(nothing, np.zeros((0, 2), int)).shape == (0,)
    assert x.entries([]).shape == (0,)


def test_a_train_is_no_sequence_of_slices():
    """Python would otherwise read ``x[0], x[1], ...`` up to the number of cores."""
    x = made.random_tensor((5, 4, 3), 2, rng=0)
    for ask in (iter, list, lambda x: np.add(x, 1), reversed):
        with pytest.raises((TypeError, tt.errors.TTError)):
            ask(x)
    with pytest.raises(TypeError):
        1.0 in x  # noqa: B015


def test_all_entries_are_the_dense_array():
    x = made.random_tensor((3, 1, 4), (1, 2, 5, 1), rng=1, dtype="c16")
    every, plain = host((x.entries(list(range(12))), x.to_dense()))
    assert np.allclose(every, plain.ravel(), rtol=1e-13, atol=1e-13)
    assert math.prod(x.modes) == 12
