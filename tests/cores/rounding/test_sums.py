"""Sums that are never formed: cancellation, far scales, many terms."""

import tracemalloc

import numpy as np
import pytest

from tests.backends import dtype_of, here, host
from tests.cores.rounding.test_routes import FREE, graded
from tests.reference import dense, norm, unit
from ttalgebra.cores.arithmetic import add, scale
from ttalgebra.cores.rounding import by_svd, sum_rounded, unformed
from ttalgebra.cores.rounding.svd import leveled

METHODS = ("svd", "random")


def many(rng, count, dtype="f8"):
    """``count`` chains in a space of few dimensions, and their coefficients."""
    base = [graded(rng, dtype, ranks=2, copies=1) for _ in range(3)]
    chains = [add(base[k % 3], scale(base[(k + 1) % 3], 0.5)) for k in range(count)]
    return rng.standard_normal(count).tolist(), chains


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("method", METHODS)
def test_many_terms(method, dtype, rng):
    coefficients, chains = many(rng, 12, dtype)
    exact = sum(c * dense(x) for c, x in zip(coefficients, chains, strict=True))
    tol = 5e-2 if dtype in ("f4", "c8") else 1e-4
    zero = tuple(0 * core for core in chains[0])
    y, info = sum_rounded(
        [*coefficients, 1.0],
        here([*chains, zero]),
        tol=tol,
        max_rank=FREE,
        method=method,
        rng=1,
    )
    assert (info.method, info.fallback) == (method, None)
    assert dtype_of(y[0]) == np.dtype(dtype)
    assert max(info.ranks) <= 6
    error = float(norm(dense(y) - exact) / norm(exact))
    assert error <= info.error + 30 * 100 * np.finfo(dtype).eps
    assert error <= tol


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_left(method, rng):
    """``0 x``, zero terms: exact zeros of rank 1; ``x - x``: roundoff of ``x``."""
    x = graded(rng, copies=1)
    for coefficients, chains in (
        ([0.0], [x]),
        ([0.0, 0], [x, x]),
        ([2.0], [tuple(0 * G for G in x)]),
    ):
        y, info = sum_rounded(
            coefficients, here(chains), tol=1e-3, max_rank=FREE, method=method
        )
        assert not np.any(dense(y))
        assert info.ranks == (1,) * 6
        assert (info.error, info.norm) == (0.0, 0.0)
    options = {"tol": 1e-3, "max_rank": FREE, "method": method}
    y, info = sum_rounded([1.0, -1.0], here([x, x]), **options)
    assert info.method == "svd"
    assert norm(dense(y)) <= 30 * 2 * unit(x)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [1e-3, 1e-9])
def test_what_survives_a_cancellation(method, size, rng):
    """``x + size y - x`` in three different gauges: ``tol`` is relative to the rest."""
    x, y = graded(rng, copies=1), graded(rng, copies=1)
    u = unit(add(add(x, y), x))
    found, info = sum_rounded(
        [1.0, size, -1.0], here([x, y, x]), tol=1e-2, max_rank=FREE, method=method
    )
    error = norm(dense(found) - size * dense(y))
    assert error <= 1e-2 * size * norm(dense(y)) + 30 * u
    if size < 1e-6 and method == "random":
        assert info.fallback.startswith("random: the floor of the check is")


@pytest.mark.parametrize("method", METHODS)
def test_far_scales(method, rng):
    """A term 2^1800 below another is negligible, wherever its cores are large."""
    x = graded(rng, copies=1)
    high = (x[0] * 2.0**900, *x[1:])
    low = (*x[:-1], x[-1] * 2.0**-900)
    tilted = (x[0] * 2.0**-450, *x[1:-1], x[-1] * 2.0**450)
    for coefficients, chains, factor in (
        ([1.0, 3.0], [high, low], 2.0**900),
        ([1e-300, 1.0], [low, low], 2.0**-900),
        ([1.0, 0.0], [low, high], 2.0**-900),
        ([2.0**900, 2.0**900], [low, tuple(0 * G for G in x)], 1.0),
        ([1.0, 0.25], [x, tilted], 1.25),
    ):
        y, info = sum_rounded(
            coefficients, here(chains), tol=1e-3, max_rank=FREE, method=method
        )
        exact = dense(x) * np.longdouble(factor)
        assert norm(dense(y) - exact) <= (1e-3 + 1e-12) * norm(exact)
        assert (
            abs(info.norm / factor - float(norm(dense(x))))
            <= 1e-11 * info.norm / factor
        )


def test_complex_coefficients_make_complex_sums(rng):
    x, y = graded(rng, "f4", copies=1), graded(rng, "f4", copies=1)
    found, _ = sum_rounded([1j, 2.0], here([x, y]), tol=1e-2, max_rank=FREE)
    assert {dtype_of(core) for core in found} == {np.dtype(np.complex64)}
    exact = 1j * dense(x) + 2 * dense(y)
    assert norm(dense(found) - exact) <= 1e-2 * norm(exact)


def test_one_core(rng):
    chains = [(rng.standard_normal((1, 5, 1)),) for _ in range(4)]
    for method in METHODS:
        y, info = sum_rounded(
            [1.0, 2.0, -1.0, 0.5], here(chains), tol=0.1, max_rank=(), method=method
        )
        exact = chains[0][0] + 2 * chains[1][0] - chains[2][0] + 0.5 * chains[3][0]
        assert np.allclose(host(y[0]), exact, rtol=1e-14, atol=1e-14)
        assert info.ranks == (1, 1)


@pytest.mark.host("the memory that is traced is NumPy's")
def test_memory_is_that_of_the_terms_not_of_the_sum(rng):
    """60 terms of rank 4: the block diagonal sum would take 90 times their cores."""
    coefficients, chains = many(rng, 60)
    block = sum(240 * 240 * 4 * 8 for _ in range(3))
    for method in METHODS:
        tracemalloc.start()
        sum_rounded(coefficients, chains, tol=1e-3, max_rank=FREE, method=method, rng=1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1.2 * block if method == "random" else peak < block / 4


def test_too_many_ranks_for_a_gram_matrix(rng, monkeypatch):
    monkeypatch.setattr(unformed, "WIDEST", 20)
    coefficients, chains = many(rng, 6)
    _, info = sum_rounded(
        coefficients, here(chains), tol=1e-3, max_rank=FREE, method="random"
    )
    assert info.fallback == "random: ranks of 24 in all exceed 20"


@pytest.mark.parametrize("power", [-300, 0, 300])
def test_a_leveled_chain_is_the_same_with_its_interfaces_near_one(power, rng):
    x = graded(rng, copies=1)
    tilted = (x[0] * 2.0**power, *x[1:-1], x[-1] * 2.0**-power)
    y, exponent, size = leveled(here(tilted))
    y = host(y)
    scale = np.longdouble(2) ** int(exponent)
    assert norm(dense(y) * scale - dense(x)) <= 30 * unit(x)
    assert abs(size * scale / norm(dense(x)) - 1) < 1e-12
    left = np.ones((1, 1))
    for core in y[:-1]:
        left = np.tensordot(left, core, 1).reshape(-1, core.shape[-1])
        assert 2.0**-40 < norm(left) < 2.0**40
    assert leveled(here(tuple(0 * core for core in x)))[2] == 0


def test_singular_values_that_were_not_needed_are_read_later(rng):
    """Of what is kept whole no SVD is taken; the report computes it when asked."""
    x = graded(rng, copies=1, decay=0.9)
    values = by_svd(here(x), tol=1e-12, max_rank=FREE)[1].singular_values
    tensor = dense(x).astype(float)
    assert len(values) == len(values[::-1]) == 4
    for bond, found in enumerate(values, start=1):
        unfolded = tensor.reshape(4**bond, -1)
        expected = np.linalg.svd(unfolded, compute_uv=False)[: len(found)]
        assert np.abs(found - expected).max() <= 1e-13 * expected[0]
        assert np.array_equal(values[::-1][4 - bond], found)
