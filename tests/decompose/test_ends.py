"""Large arrays, cut in passes over blocks: as right as the plain sweep, and small.

Blocks of a few elements make small arrays large, so that all of the promises of TT-SVD
are tried on them.
"""

import math
import tracemalloc

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import dtype_of, here, host
from tests.reference import dense, dense_unit, eps, norm, wide
from tests.trains.families import random_dense
from ttalgebra.arrays.namespace import on_host
from ttalgebra.decompose import ends, gram, unfolding
from ttalgebra.decompose.svd import tt_svd

TOLS = (0.9, 0.1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-14, 1e-15, 0.0, None)


@pytest.fixture
def blocks(monkeypatch):
    """Sets what counts as large, and how blocks are made of it."""

    def use(block, *, width=32, tall=4):
        monkeypatch.setattr(unfolding, "SLAB", block)
        monkeypatch.setattr(ends, "SLAB", min(block, 4))
        monkeypatch.setattr(ends, "WIDTH", width)
        monkeypatch.setattr(ends, "TALL", tall)

    return use


def plainly(x, modes, monkeypatch, **options):
    """The ranks of the plain sweep, which takes each unfolding as a whole."""
    with monkeypatch.context() as patch:
        patch.setattr(ends, "SLAB", math.inf)
        return tt_svd(x, modes, **options)[1]


@pytest.mark.parametrize("n_modes", [1, 2], ids=["tensor", "matrix"])
def test_tol_is_kept_and_reported(n_modes, cases, ratios, blocks, monkeypatch):
    """And ranks are those of the plain sweep, or less, down to what is roundoff."""
    for seed in range(cases):
        rng = np.random.default_rng([31, n_modes, seed])
        array, modes = random_dense(rng, n_modes)
        tol = TOLS[seed % len(TOLS)]
        width, tall = int(rng.choice([1, 4, 32])), int(rng.integers(1, 5))
        blocks(int(rng.choice([16, 64])), width=width, tall=tall)
        options = {"tol": tol, "max_rank": (None,) * (len(modes) - 1)}
        cores, info = tt_svd(here(array), modes, **options)
        u, size = dense_unit(array, len(modes)), norm(array)
        error = norm(dense(cores) - wide(array))
        allowed = (tol or 0) * size * (1 + 1e-9)
        ratios.check("ends: error beyond tol", max(error - allowed, 0), u)
        ratios.check("ends: info.error", abs(info.error * size - error), u)
        ratios.check("ends: info.norm", abs(info.norm - size), u)
        assert info.tol_met
        assert dtype_of(cores[0]) == array.dtype
        if tol and tol > 30 * eps(array.dtype):
            plain = plainly(here(array), modes, monkeypatch, **options)
            assert all(r <= s for r, s in zip(info.ranks, plain.ranks, strict=True))


def test_bounds_are_as_good_as_the_sweep(cases, blocks, monkeypatch):
    for seed in range(cases // 5):
        rng = np.random.default_rng([32, seed])
        array, modes = random_dense(rng, 1 + seed % 2)
        blocks(32, width=int(rng.choice([1, 8])), tall=1)
        bounds = tuple(int(r) for r in rng.integers(1, 5, len(modes) - 1))
        options = {"tol": None, "max_rank": bounds}
        cores, info = tt_svd(here(array), modes, **options)
        plain = plainly(here(array), modes, monkeypatch, **options)
        error, u = norm(dense(cores) - wide(array)), dense_unit(array, len(modes))
        assert error <= plain.error * norm(array) * (1 + 1e-10) + 30 * u
        assert all(r <= s for r, s in zip(info.ranks[1:], bounds, strict=False))


def graded(rng, rows, columns, smallest, dtype="f8"):
    """A tall matrix with singular values from 1 to ``smallest``, and these."""
    values = np.geomspace(1, smallest, columns)
    u, _ = np.linalg.qr(rng.standard_normal((rows, columns)))
    v, _ = np.linalg.qr(rng.standard_normal((columns, columns)))
    matrix = (u * values) @ v
    if np.dtype(dtype).kind == "c":
        matrix = matrix * np.exp(1j * rng.uniform(0, 7, columns))
    return matrix.astype(dtype), values


@pytest.mark.parametrize(("dtype", "smallest"), [("f8", 1e-18), ("c16", 1e-18)])
def test_two_passes_know_as_much_as_a_triangle(dtype, smallest, rng):
    matrix, values = graded(rng, 2000, 24, smallest, dtype)
    found = gram.twice(lambda: unfolding.row_blocks(here(matrix)))
    known = np.linalg.svd(host(found), compute_uv=False)
    known = np.append(known, np.zeros(24 - len(known)))
    assert np.abs(known - values).max() < 20 * eps("f8")
    rows = np.linalg.svd(host(found))[2][: int((values > 1e-8).sum())]
    missed = matrix - (matrix @ rows.conj().T) @ rows
    assert np.linalg.svd(missed, compute_uv=False)[0] < 1.2e-8


@pytest.mark.parametrize("dtype", ["f4", "c8"])
def test_one_pass_knows_all_of_single_precision(dtype, rng):
    matrix, values = graded(rng, 2000, 24, 1e-9, dtype)
    found = gram.once(lambda: unfolding.row_blocks(here(matrix)))
    known = np.linalg.svd(host(found), compute_uv=False)
    known = np.append(known, np.zeros(24 - len(known)))
    assert np.abs(known - values).max() < 2 * eps("f4")


@pytest.mark.parametrize("factor", [gram.once, gram.twice])
def test_zeros_have_a_factor(factor):
    zeros = here(np.zeros((50, 6)))
    found = host(factor(lambda: [zeros]))
    assert found.shape == (1, 6)
    assert not found.any()


@pytest.mark.parametrize("hidden", [3e-8, 3e-9, 1e-12])
def test_what_one_pass_cannot_see_is_found(hidden, rng, blocks, monkeypatch):
    """Rank 1 and a part far below sqrt(eps): measured, missed, and then found."""
    blocks(256)
    runs = []
    once, twice = gram.once, gram.twice
    monkeypatch.setattr(gram, "once", lambda b: runs.append("once") or once(b))
    monkeypatch.setattr(gram, "twice", lambda b: runs.append("twice") or twice(b))
    (u, v), (w, z) = (np.linalg.qr(rng.standard_normal((n, 2)))[0].T for n in (512, 8))
    array = np.outer(u, w) + hidden * np.outer(v, z)
    for tol, rank in ((hidden / 3, 2), (hidden * 1.01, 1)):
        x, info = tt.TTTensor.from_dense(here(array), tol=tol, return_info=True)
        assert x.ranks == (1, rank, 1)
        assert info.error <= tol
        error = norm(dense(x.cores) - wide(array))
        assert abs(info.error - error) < 1e-14
    seen = runs.count("once"), "twice" in runs
    wanted = (2, True) if on_host(here(array)) else (0, False)
    assert seen == wanted, "a device wants whole unfoldings, not passes"


@pytest.mark.parametrize("sizes", [(4,), (4, 3)])
@pytest.mark.parametrize("block", [1, 20, 10**6])
def test_parts_have_the_rows_of_the_whole(sizes, block, rng, monkeypatch):
    monkeypatch.setattr(unfolding, "SLAB", block)
    monkeypatch.setattr(unfolding, "TALLER", 0)
    axes = (24, 30)[: len(sizes)]
    rest = rng.standard_normal((*axes, 2))
    whole = host(unfolding.peel(here(rest), sizes))
    parts = [unfolding.peel(s, sizes) for s in unfolding.slabs(here(rest), sizes)]
    assert np.array_equal(np.concatenate([host(part) for part in parts]), whole)
    assert (len(parts) > 1) == (block < 10**6)
    digits = rest.reshape(
        *(k for n, m in zip(axes, sizes, strict=True) for k in (n // m, m)), 2
    )
    order = (*range(0, 2 * len(sizes), 2), *range(1, 2 * len(sizes), 2), -1)
    order = [n % digits.ndim for n in order]
    assert np.array_equal(digits.transpose(order).reshape(whole.shape), whole)


@pytest.mark.parametrize("exponent", [-900, -30, 30, 900])
def test_powers_of_two_change_no_bit(exponent, rng, blocks):
    blocks(64)
    array = rng.standard_normal((16, 4, 4, 4)) * 0.1 ** np.arange(4)
    x, info = tt.TTTensor.from_dense(here(array), tol=1e-3, return_info=True)
    far = here(array * 2.0**exponent)
    y, other = tt.TTTensor.from_dense(far, tol=1e-3, return_info=True)
    assert y.ranks == x.ranks
    assert other.error == info.error
    assert other.norm == info.norm * 2.0**exponent
    assert np.array_equal(host(y.to_dense()), host(x.to_dense()) * 2.0**exponent)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_bad_index_is_named(value, rng):
    array = rng.standard_normal((70, 40, 50))
    array[41, 3, 7] = array[60, 0, 0] = value
    for method in ("svd", "random"):
        with pytest.raises(tt.errors.NonFiniteError, match=r"\(41, 3, 7\)"):
            tt.TTTensor.from_dense(here(array), tol=0.1, method=method)


def test_a_function_has_its_ranks():
    """2^18 samples of a sine and an exponential: 3, and 2 where that is exact."""
    x = np.linspace(0, 1, 2**18)
    array = (np.sin(20 * x) + np.exp(-3 * x)).reshape((2,) * 18)
    found, info = tt.TTTensor.from_dense(here(array), tol=1e-10, return_info=True)
    assert max(found.ranks) == 3
    assert info.error <= 1e-10
    assert norm(dense(found.cores) - wide(array)) <= 1e-10 * norm(array)


@pytest.mark.host("tracemalloc knows NumPy's memory only")
@pytest.mark.parametrize("scale", [1.0, 1e30, 1e-30])
@pytest.mark.parametrize("n_modes", [1, 2], ids=["tensor", "matrix"])
def test_memory_is_a_quarter_of_the_array(n_modes, scale, rng):
    """32 MiB: 8 for what a bond of full rank 4 or one cut to 4 leaves, and blocks."""
    if n_modes == 1:
        array = np.sin(np.linspace(0, 9, 2**22)).reshape((16,) * 5 + (4,))
    else:
        array = rng.standard_normal((2**11, 2**11))
    array *= scale
    tracemalloc.start()
    if n_modes == 1:
        tt.TTTensor.from_dense(array, tol=1e-8)
    else:
        modes = (2, 4, 4, 4, 4, 4)
        tt.TTMatrix.from_dense(array, modes, modes, max_rank=4)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < array.nbytes / 4 + 4 * 2**20
