"""Which route is taken, when it yields to SVD, and what the report says of it."""

import numpy as np
import pytest

from tests.backends import dtype_of, here, host
from tests.reference import dense, norm
from ttalgebra.cores.arithmetic import add, scale
from ttalgebra.cores.rounding import by_gram, by_sketch, by_svd, product_rounded

FREE = (None,) * 4


def graded(rng, dtype="f8", ranks=6, copies=3, modes=((4,),) * 5, decay=0.2):
    """A chain of known decaying spectra in ``copies`` times the ranks it needs."""
    dtype = np.dtype(dtype)
    bonds = (1, *(ranks,) * (len(modes) - 1), 1)
    cores = []
    for r, sizes, s in zip(bonds, modes, bonds[1:], strict=False):
        core = rng.standard_normal((r, *sizes, s))
        if dtype.kind == "c":
            core = core + 1j * rng.standard_normal(core.shape)
        cores.append((core * decay ** np.arange(s)).astype(dtype))
    x = tuple(cores)
    for _ in range(copies - 1):
        x = add(x, scale(tuple(cores), 0.5))
    return x


def relative_error(x, y):
    return float(norm(dense(x) - dense(y)) / norm(dense(x)))


def assert_same(x, y):
    for G, H in zip(host(x), host(y), strict=True):
        assert np.array_equal(G, H)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("route", [by_gram, by_sketch])
def test_verified_routes_are_taken_and_near(route, dtype, rng):
    """Where the floor allows, without fallback; the report within 10 of the truth."""
    tol = 5e-2 if dtype in ("f4", "c8") else 1e-4
    x = graded(rng, dtype)
    y, info = route(here(x), tol=tol, max_rank=FREE)
    assert info.fallback is None
    assert info.method in ("gram", "random")
    assert dtype_of(y[0]) == np.dtype(dtype)
    error = relative_error(x, y)
    assert error <= info.error * (1 + 1e-9) <= tol * (1 + 1e-9)
    assert info.error <= 10 * error + 1e-5
    reference = by_svd(here(x), tol=tol, max_rank=FREE)[1]
    assert all(r <= s + 1 for r, s in zip(info.ranks, reference.ranks, strict=True))
    assert abs(info.norm / reference.norm - 1) < (1e-5 if tol > 1e-3 else 1e-12)


@pytest.mark.parametrize(("dtype", "tol"), [("f8", 9e-7), ("f4", 9e-3), ("c16", 0.0)])
@pytest.mark.parametrize("route", [by_gram, by_sketch])
def test_no_route_goes_below_its_floor(route, dtype, tol, rng):
    x = here(graded(rng, dtype))
    y, info = route(x, tol=tol, max_rank=FREE)
    floor = "1e-06" if dtype != "f4" else "1e-02"
    assert info.method == "svd"
    assert info.fallback.endswith(f"tol {tol:.3g} is below its floor {floor}")
    again, _ = by_svd(x, tol=tol, max_rank=FREE)
    assert_same(y, again)


def test_no_tol_is_no_reason(rng):
    x = here(graded(rng))
    assert by_gram(x, max_rank=FREE)[1].fallback == "gram: tol is None"
    info = by_sketch(x, max_rank=FREE)[1]
    assert info.fallback == "random: there is neither tol nor max_rank"
    ones = here([np.ones((1, 2, 1))] * 5)
    info = by_sketch(tuple(ones), tol=0.1, max_rank=FREE)[1]
    assert info.fallback == "random: ranks are 1 already"


def test_a_bound_that_breaks_tol_is_told(rng):
    x = here(graded(rng, decay=0.9))
    for route in (by_gram, by_sketch):
        y, info = route(x, tol=1e-4, max_rank=(2,) * 4)
        assert not info.tol_met
        assert "exceeds tol" in info.fallback
        assert info.error == pytest.approx(relative_error(x, y), rel=1e-9)


def test_fixed_ranks_are_sketched_and_verified(rng):
    x = here(graded(rng))
    y, info = by_sketch(x, max_rank=(3,) * 4, rng=5)
    assert (info.method, info.seed, info.tol_met) == ("random", 5, True)
    assert max(info.ranks) == 3
    assert relative_error(x, y) <= info.error


def test_a_seed_repeats_what_was_drawn(rng):
    x = here(graded(rng, decay=0.6))
    for given in (None, 7, np.random.default_rng(1)):
        y, info = by_sketch(x, tol=1e-3, max_rank=FREE, rng=given)
        again, _ = by_sketch(x, tol=1e-3, max_rank=FREE, rng=info.seed)
        assert info.method == "random"
        assert_same(y, again)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    by_sketch(x, tol=1e-3, max_rank=FREE)
    assert np.array_equal(state, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("power", [-900, 900])
def test_powers_of_two_change_nothing(power, rng):
    x = graded(rng)
    far = (*x[:-1], x[-1] * 2.0**power)
    for route, options in ((by_svd, {}), (by_gram, {}), (by_sketch, {"rng": 3})):
        _, near = route(here(x), tol=1e-4, max_rank=FREE, **options)
        y, info = route(here(far), tol=1e-4, max_rank=FREE, **options)
        assert (info.error, info.ranks) == (near.error, near.ranks)
        assert info.norm == near.norm * 2.0**power
        pairs = zip(info.singular_values, near.singular_values, strict=True)
        assert all(np.array_equal(s, t * 2.0**power) for s, t in pairs)
        size = np.longdouble(2) ** power
        assert norm(dense(y) / size - dense(x)) <= 1e-4 * norm(dense(x))


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("method", ["exact", "zipup", "random", "fit"])
def test_products_take_the_method_that_is_asked_for(method, xp, dtype, rng):
    x = graded(rng, dtype)
    A = graded(rng, dtype, modes=((2, 4),) * 5, ranks=2, copies=1)
    exact = dense(A).astype(np.clongdouble) @ dense(x).reshape(-1)
    tol = 5e-2 if dtype in ("f4", "c8") else 1e-4
    options = {"tol": tol, "max_rank": FREE, "method": method, "rng": 1}
    y, info = product_rounded(here(A), here(x), kind="matvec", **options)
    assert info.method == method
    assert {xp.numpy(core).dtype for core in y} == {np.dtype(dtype)}
    error = norm(dense(y).reshape(-1) - exact) / norm(exact)
    assert error <= info.error * (1 + 1e-9) + 30 * np.finfo(dtype).eps
