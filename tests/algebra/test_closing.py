"""Sums, traces and partial traces: against dense, and what they are to each other."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    kinds,
    magnitude,
    modes_of,
    scales,
    seeds,
    tensor_of,
    train,
    train_of,
)
from tests.backends import dtype_of, here, host
from tests.reference import dense, eps, norm, wide, width

choices = st.integers(0, 63)


def chosen(bits, d):
    return tuple(k for k in range(d) if bits >> k & 1)


def partially_traced(array, d, sites):
    """Row and column axes of ``sites`` traced, the others made a matrix again."""
    for k in sorted(sites, reverse=True):
        array = array.trace(axis1=k, axis2=array.ndim // 2 + k)
    rows = math.prod(array.shape[: array.ndim // 2])
    return array.reshape(rows, -1)


@given(seeds, dtypes, scales)
def test_trace(ratios, seed, dtype, scale):
    _, A = draw(seed, 2, dtype, scale, square=True)
    wanted, bound = dense(A.cores).trace(), magnitude(A).trace()
    assert_number(ratios, "trace", A.trace(), wanted, bound, A)
    assert_number(ratios, "trace(A.T)", A.T.trace(), wanted, bound, A)
    assert_number(ratios, "sum(diagonal)", A.diagonal().sum(), wanted, bound, A)
    assert_number(ratios, "trace(A.H)", A.H.trace(), wanted.conj(), bound, A)


@given(seeds, dtypes)
def test_trace_of_products(ratios, seed, dtype):
    """``tr AB = tr BA = <A^H, B>`` and ``tr (A x B) = tr A tr B``."""
    rng, A = draw(seed, 2, dtype, limit=80)
    B = train(rng, [(n, m) for m, n in modes_of(A)], dtype)
    bound = (magnitude(A) @ magnitude(B)).trace()
    wanted = (dense(A.cores) @ dense(B.cores)).trace()
    AB = A @ B
    assert_number(ratios, "trace(AB)", AB.trace(), wanted, bound, AB)
    assert_number(ratios, "trace(BA)", (B @ A).trace(), wanted, bound, AB)
    assert_number(ratios, "<A.H, B>", tt.dot(A.H, B), wanted, bound, AB)
    one = train(rng, ((2, 2), (3, 3)), dtype)
    C = tt.kron(one, AB)
    wanted, bound = wanted * dense(one.cores).trace(), bound * magnitude(one).trace()
    assert_number(ratios, "tr(A x B) = tr A tr B", C.trace(), wanted, bound, C)


@given(seeds, dtypes, scales, choices)
def test_partial_trace(ratios, seed, dtype, scale, bits):
    _, A = draw(seed, 2, dtype, scale, square=True, limit=256)
    sites, found = chosen(bits, A.order), None
    found = A.partial_trace(sites)
    wanted = partially_traced(tensor_of(A), A.order, sites)
    array = magnitude(A).reshape(*A.row_modes, *A.col_modes)
    bound = norm(partially_traced(array, A.order, sites))
    if len(sites) == A.order:
        assert_number(ratios, "partial_trace", found, wanted.item(), bound, A)
        return
    u = eps(dtype) * width(A.cores) * bound
    assert_train(ratios, "partial_trace", found, wanted, u)
    assert dtype_of(found) == dtype
    left = [k for k in range(A.order) if k not in sites]
    assert found.row_modes == tuple(A.row_modes[k] for k in left)
    total = abs(found.trace() - dense(A.cores).trace())
    u = eps(dtype) * 2 * width(A.cores) * magnitude(A).trace()
    ratios.check("trace(partial_trace) = trace", total, u)


@given(seeds, booleans, choices)
def test_exact_on_integers(seed, complex_, bits):
    _, A = integers(seed, 2, complex_, square=True, limit=200)
    sites, a = chosen(bits, A.order), tensor_of(A)
    assert A.trace() == dense(A.cores).trace()
    if len(sites) < A.order:
        wanted = partially_traced(a, A.order, sites)
        assert_exact(A.partial_trace(sites).to_dense(), wanted)
        again = A.partial_trace(sites).partial_trace(0)
        first = min(set(range(A.order)) - set(sites))
        both = A.partial_trace((*sites, first))
        if isinstance(both, tt.TTMatrix):
            assert_exact(again.to_dense(), both.to_dense())
        else:
            assert again == both == A.trace()
    assert A.sum() == dense(A.cores).sum()
    for axis in (0, -1):
        found = host(A.sum(axis=axis).to_dense()).ravel()
        assert_exact(found, dense(A.cores).sum(axis=axis))
    _, x = integers(seed, 1, complex_)
    sites = chosen(bits, x.order)
    found = x.sum(sites)
    wanted = dense(x.cores).sum(axis=sites)
    if len(sites) < x.order:
        found = found.to_dense()
    assert_exact(found, wanted)


@given(seeds, kinds, dtypes, scales)
def test_sum_of_all(ratios, seed, n_modes, dtype, scale):
    _, x = draw(seed, n_modes, dtype, scale)
    wanted, bound = dense(x.cores).sum(), magnitude(x).sum()
    assert_number(ratios, "sum", x.sum(), wanted, bound, x)
    ones = made.ones(*zip(*modes_of(x), strict=True), dtype=dtype)
    assert_number(ratios, "sum = <ones, x>", tt.dot(ones, x), wanted, bound, x)


@given(seeds, dtypes, scales, choices)
def test_sum_over_some(ratios, seed, dtype, scale, bits):
    _, x = draw(seed, 1, dtype, scale)
    sites = chosen(bits, x.order)
    found = x.sum(sites)
    wanted = dense(x.cores).sum(axis=sites)
    bound = norm(magnitude(x).sum(axis=sites))
    if len(sites) == x.order:
        assert_number(ratios, "sum(modes)", found, wanted, bound, x)
        return
    assert dtype_of(found) == dtype
    u = eps(dtype) * width(x.cores) * bound
    assert_train(ratios, "sum(modes)", found, wanted, u)
    negative = x.sum(tuple(k - x.order for k in reversed(sites)))
    assert_exact(negative.to_dense(), found.to_dense())


@given(seeds, dtypes, scales, st.sampled_from([0, 1]))
def test_sum_of_rows_and_columns(ratios, seed, dtype, scale, axis):
    _, A = draw(seed, 2, dtype, scale)
    found = A.sum(axis=axis)
    wanted, bound = dense(A.cores).sum(axis=axis), magnitude(A).sum(axis=axis)
    modes = (A.col_modes, A.row_modes)[axis]
    assert found.modes == modes
    u = eps(dtype) * width(A.cores) * norm(bound)
    assert_train(ratios, "A.sum(axis)", found, wanted.reshape(modes), u)
    product = (A.T if axis == 0 else A) @ here(np.ones(A.shape[axis], dtype))
    gap = norm(wide(product) - dense(found.cores).ravel())
    ratios.check("A.sum(axis) = A @ ones", gap if scale == 0 else 0, u)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_sums_whose_first_core_alone_overflows(xp, dtype):
    """``1e308 * 4`` is out of range, the sum of the whole is 16."""
    xp.need_subnormals()
    top = float(np.finfo(dtype).max) / 2
    x = train_of([np.full((1, 4, 1), size, dtype) for size in (top, 1 / top)])
    A = train_of([np.full((1, 4, 4, 1), size, dtype) for size in (top, 1 / top)])
    close = {"rel": 1e-5}
    assert x.sum() == pytest.approx(16, **close)
    assert A.sum() == pytest.approx(256, **close)
    assert A.trace() == pytest.approx(16, **close)
    for part, value in (
        (x.sum(0), np.full(4, 4)),
        (A.partial_trace(0), np.full((4, 4), 4)),
        (A.sum(axis=0), np.full((4, 4), 16)),
        (A.sum(axis=1), np.full((4, 4), 16)),
    ):
        assert host(part.to_dense()) == pytest.approx(value, **close)
