"""Randomised TT-SVD: the tolerance is kept in every case, whatever the sketch drew."""

import math
import os

import numpy as np
import pytest

from tests.backends import dtype_of, here, host
from tests.reference import dense, dense_unit, norm, wide
from tests.trains.families import random_dense
from ttalgebra.cores.orthogonalize import norm as train_norm
from ttalgebra.decompose.range_finder import RangeFinder, residual_norm
from ttalgebra.decompose.sketch import tt_svd_random
from ttalgebra.decompose.svd import tt_svd

CASES = int(os.environ.get("TTALGEBRA_CASES", "200"))
SEEDS = int(os.environ.get("TTALGEBRA_SEEDS", "2"))
TOLS = (0.9, 0.3, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 0.0, None)
SPECTRA = {
    "flat": lambda n: np.ones(n),
    "harmonic": lambda n: 1 / np.arange(1.0, n + 1),
    "geometric": lambda n: 0.5 ** np.arange(n),
    "low rank": lambda n: (np.arange(n) < 5).astype(float),
    "hidden": lambda n: np.where(np.arange(n) < n - 1, 1.0, 1e-3),
    "needle": lambda n: np.where(np.arange(n) == 0, 1.0, 1e-7),
}


def with_spectrum(rng, spectrum, shape, dtype="f8"):
    """An array whose middle unfolding has this spectrum, its vectors random."""
    bond = (len(shape) + 1) // 2
    rows, columns = math.prod(shape[:bond]), math.prod(shape[bond:])
    n = min(rows, columns)
    u, _ = np.linalg.qr(rng.standard_normal((rows, n)))
    v, _ = np.linalg.qr(rng.standard_normal((columns, n)))
    array = ((u * SPECTRA[spectrum](n)) @ v.T).reshape(shape)
    if np.dtype(dtype).kind == "c":
        array = array * np.exp(1j * rng.uniform(0, 7, shape[-1:]))
    return array.astype(dtype)


def axes_of(array, modes):
    return here(array.reshape(-1) if len(modes[0]) == 1 else array)


def assert_same(x, y):
    for G, H in zip(host(x), host(y), strict=True):
        assert np.array_equal(G, H)


def assert_kept(array, modes, tol, seed, ratios, law="sketch", **options):
    """tol, the report and the ranks, against long double."""
    bounds = options.pop("max_rank", (None,) * (len(modes) - 1))
    cores, info = tt_svd_random(
        axes_of(array, modes), modes, tol=tol, max_rank=bounds, rng=seed, **options
    )
    size, u = norm(array), dense_unit(array, len(modes))
    error = norm(dense(cores) - wide(array))
    ratios.check(f"{law}: info.error", abs(info.error * size - error), u)
    if info.tol_met:
        slack = (tol or 0) * size * (1 + 1e-9)
        beyond = max(error - slack, 0) if tol is not None or not any(bounds) else 0
        ratios.check(f"{law}: error beyond tol", beyond, u)
    assert info.seed == seed
    assert {dtype_of(core) for core in cores} == {array.dtype}
    return cores, info


@pytest.mark.parametrize("n_modes", [1, 2], ids=["tensor", "matrix"])
def test_small_arrays(n_modes, ratios):
    for case in range(CASES):
        array, modes = random_dense(np.random.default_rng([31, n_modes, case]), n_modes)
        for seed in range(SEEDS):
            tol = TOLS[(case + seed) % len(TOLS)]
            _, info = assert_kept(array, modes, tol, seed, ratios)
            assert info.tol_met


@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_spectra_that_a_sketch_could_miss(spectrum, dtype, ratios):
    for case in range(max(1, CASES // 30)):
        rng = np.random.default_rng([32, case])
        shape = tuple(
            int(n) for n in rng.integers(2, (61, 14, 8)[case % 3], 2 + case % 3)
        )
        array = with_spectrum(rng, spectrum, shape, dtype)
        modes = [(n,) for n in shape]
        tol = 10.0 ** rng.uniform(-9, -0.1) if dtype[-1] != "4" else 0.1
        for seed in range(SEEDS):
            _, info = assert_kept(array, modes, tol, seed, ratios, "sketch, spectra")
            assert info.tol_met


def test_bounds_and_tol_together(ratios):
    """With both, tol is met or the report says that it is not: no silent miss."""
    seen = set()
    for case in range(CASES // 3):
        rng = np.random.default_rng([33, case])
        spectrum = list(SPECTRA)[case % len(SPECTRA)]
        array = with_spectrum(rng, spectrum, (8, 9, 7, 8))
        modes, tol = [(n,) for n in array.shape], 10.0 ** rng.uniform(-5, -0.1)
        bounds = tuple(int(r) for r in rng.integers(1, 12, 3))
        cores, info = assert_kept(array, modes, tol, case, ratios, max_rank=bounds)
        error = norm(dense(cores) - wide(array))
        slack = 30 * dense_unit(array, 4)
        assert info.tol_met == (error <= tol * norm(array) + slack)
        exact = tt_svd(axes_of(array, modes), modes, tol=tol, max_rank=bounds)[1]
        assert info.tol_met or not exact.tol_met  # never worse than the exact route
        assert all(r <= b for r, b in zip(info.ranks[1:], bounds, strict=False))
        seen.add(info.tol_met)
    assert seen == {True, False}


def test_given_rank_is_near_the_best():
    """Halko et al., Theorem 10.5: at most ``sqrt(1 + k / (p - 1))`` times the best."""
    array = with_spectrum(np.random.default_rng(34), "harmonic", (20, 20, 20, 20))
    modes, x = [(20,)] * 4, here(array.reshape(-1))
    best = tt_svd(x, modes, max_rank=(10,) * 3)[1]
    for seed in range(5):
        _, info = tt_svd_random(x, modes, max_rank=(10,) * 3, rng=seed)
        assert info.ranks == (1, 10, 10, 10, 1)
        assert (
            best.error * (1 - 1e-9) <= info.error <= math.sqrt(1 + 10 / 9) * best.error
        )


def test_low_rank_is_found_and_named():
    array = with_spectrum(np.random.default_rng(35), "low rank", (60, 50))
    modes = [(60,), (50,)]
    for tol in (1e-6, None):
        _, info = tt_svd_random(
            axes_of(array, modes), modes, tol=tol, max_rank=(None,), rng=1
        )
        assert (info.ranks, info.method, info.fallback) == ((1, 5, 1), "random", None)


def test_flat_spectra_fall_back_and_say_so():
    array = with_spectrum(np.random.default_rng(36), "flat", (60, 50))
    modes = [(60,), (50,)]
    _, info = tt_svd_random(
        axes_of(array, modes), modes, tol=1e-3, max_rank=(None,), rng=1
    )
    assert info.method == "svd"
    assert "1 of 1 unfoldings" in info.fallback


def test_seeds(rng):
    array = here(rng.standard_normal((30, 30, 30)).reshape(-1))
    modes = [(30,)] * 3

    def run(seed):
        return tt_svd_random(array, modes, max_rank=(4, 4), rng=seed)

    one, info = run(7)
    same, _ = run(7)
    other, _ = run(8)
    assert_same(one, same)
    assert not np.array_equal(host(one[0]), host(other[0]))
    for source in (None, np.random.default_rng(3)):
        drawn, info = run(source)
        again, _ = run(info.seed)
        assert_same(drawn, again)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    run(None)
    assert np.array_equal(state, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("exponent", [-900, 900])
def test_powers_of_two_change_no_bit(exponent):
    array = with_spectrum(np.random.default_rng(37), "harmonic", (40, 40))
    x = here(array.reshape(-1))
    modes = [(40,), (40,)]
    _, near = tt_svd_random(x, modes, tol=0.2, max_rank=(None,), rng=1)
    far, info = tt_svd_random(
        x * 2.0**exponent, modes, tol=0.2, max_rank=(None,), rng=1
    )
    assert (info.ranks, info.error) == (near.ranks, near.error)
    assert math.isclose(train_norm(far), near.norm * 2.0**exponent, rel_tol=0.03)


@pytest.mark.parametrize("shape", [(5,), (1, 1, 1), (1, 7, 1), (3, 200), (200, 3)])
def test_edges(shape, rng, ratios):
    for array in (rng.standard_normal(shape), np.zeros(shape), np.ones(shape)):
        _, info = assert_kept(array, [(n,) for n in shape], 1e-10, 0, ratios)
        assert info.tol_met
        assert min(info.ranks) >= 1


def test_residual_has_no_square_root_floor(rng):
    """An error of 1e-13 is measured as such; a difference of squares would say 1e-8."""
    u, _ = np.linalg.qr(rng.standard_normal((500, 40)))
    v, _ = np.linalg.qr(rng.standard_normal((40, 40)))
    matrix = (u[:, :11] * np.append(np.ones(10), 1e-13)) @ v[:11]
    missed = residual_norm(here(matrix), here(v[:10]))
    assert math.isclose(missed, 1e-13, rel_tol=0.05)


def test_finder_gives_up_at_its_limit(rng):
    matrix = here(np.linalg.qr(rng.standard_normal((200, 64)))[0])
    finder = RangeFinder(np.random.default_rng(0))
    assert finder.find(matrix, 16, 32, 1e-3) is None
    basis, missed = finder.find(matrix, 16, 32, 7.0)
    assert basis.shape == (16, 64)
    assert math.isclose(missed, math.sqrt(48), rel_tol=1e-12)
    basis = host(basis)
    assert norm(basis @ basis.T - np.eye(16)) < 30 * 64 * np.finfo(float).eps
