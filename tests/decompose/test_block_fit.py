"""Fitting sums of Tucker terms: known optima, the error that is reported, the ends."""

import math
import warnings

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import dtype_of, here, host
from tests.blocks import dense
from tests.reference import norm, wide
from ttalgebra.arrays.errors import (
    ConvergenceError,
    NonFiniteError,
    ShapeError,
    ToleranceWarning,
)

ROWS, COLUMNS = (3, 2, 4), (2, 4, 2)  # axes of 6, 8, 8


def fitted(W, rows=ROWS, columns=COLUMNS, **options):
    A, info = tt.BlockTerm.from_dense(
        here(W), rows, columns, return_info=True, **options
    )
    return A, info


def dense_of(A):
    blocks = [(host(core), [host(f) for f in factors]) for core, factors in A.blocks]
    return dense(blocks, wide)


def planted(seed, n_blocks, ranks, dtype="f8", rows=ROWS, columns=COLUMNS):
    A = tt.BlockTerm.random(
        rows, columns, n_blocks=n_blocks, ranks=ranks, rng=seed, dtype=dtype
    )
    return A.to_dense()


def unfoldings(W, rows=ROWS, columns=COLUMNS):
    """The matrices ``(m_k n_k, rest)``."""
    d = len(rows)
    order = [axis for k in range(d) for axis in (k, d + k)]
    T = np.transpose(W.reshape(*rows, *columns), order)
    T = T.reshape([m * n for m, n in zip(rows, columns, strict=True)])
    return [np.moveaxis(T, k, 0).reshape(T.shape[k], -1) for k in range(d)]


def tails(W, rank):
    spectra = [np.linalg.svd(x, compute_uv=False) for x in unfoldings(W)]
    return [math.hypot(*s[rank:]) for s in spectra]


def assert_honest(A, info, W):
    """The report is the error itself, and no sweep made it larger."""
    size = float(norm(W))
    error = float(norm(dense_of(A) - wide(W)))
    unit = 100 * float(np.finfo(W.dtype).eps)
    assert abs(info.error * size - error) <= unit * size
    assert info.norm == pytest.approx(size, rel=unit)
    assert info.error == pytest.approx(info.errors[-1], abs=unit)
    assert info.error == pytest.approx(min(info.starts), abs=unit)
    for before, after in zip(info.errors, info.errors[1:], strict=False):
        assert after <= before + unit


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_one_block_is_found_at_once(dtype):
    W = planted(0, 1, (2, 3, 2), dtype)
    A, info = fitted(W, n_blocks=1, ranks=(2, 3, 2))
    assert dtype_of(A) == np.dtype(dtype)
    assert A.ranks == ((2, 3, 2),)
    assert info.errors[0] < 50 * np.finfo(dtype).eps
    assert_honest(A, info, W)


@pytest.mark.parametrize("rank", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_one_block_keeps_the_bounds_of_the_hosvd(seed, rank):
    """``max tail <= error <= sqrt(sum of tails^2)`` (De Lathauwer et al. 2000)."""
    W = np.random.default_rng(seed).standard_normal((24, 16))
    A, info = fitted(W, n_blocks=1, ranks=rank)
    found = tails(W, rank)
    error = info.error * info.norm
    assert max(found) * (1 - 1e-12) <= error <= math.hypot(*found)
    assert info.errors[0] * info.norm <= math.hypot(*found) * (1 + 1e-12)
    assert_honest(A, info, W)


@pytest.mark.parametrize(("n_blocks", "rank"), [(1, 1), (1, 4), (2, 2), (3, 1)])
def test_two_modes_are_the_truncated_svd(n_blocks, rank, rng):
    """Eckart and Young: the best of rank ``n_blocks * rank`` of the one unfolding."""
    W = rng.standard_normal((6, 20))
    A, info = fitted(W, (2, 3), (4, 5), n_blocks=n_blocks, ranks=rank)
    s = np.linalg.svd(unfoldings(W, (2, 3), (4, 5))[0], compute_uv=False)
    best = math.hypot(*s[n_blocks * rank :]) / math.hypot(*s)
    assert info.error == pytest.approx(best, rel=1e-12)
    assert_honest(A, info, W)


@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_two_planted_blocks_are_found_from_several_starts(dtype):
    seed = 1
    W = planted(seed, 2, 2, dtype)
    options = {"n_blocks": 2, "ranks": 2, "sweeps": 500}
    A, info = fitted(W, starts=12, tol=1e-8, rng=seed, **options)
    assert info.tol_met
    assert info.converged
    assert info.error <= 1e-8
    assert len(info.starts) <= 12
    assert_honest(A, info, W)
    again, _ = fitted(W, starts=12, tol=1e-8, rng=seed, **options)
    assert np.array_equal(dense_of(again), dense_of(A))


def test_more_blocks_are_not_worse(rng):
    W = rng.standard_normal((24, 16))
    errors = [fitted(W, n_blocks=n, ranks=2, sweeps=20)[1].error for n in range(1, 6)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > errors[-1] + 0.05


def test_the_sweeps_end(rng):
    W = rng.standard_normal((24, 16))
    start = fitted(W, n_blocks=2, ranks=2, sweeps=0)[1]
    assert len(start.errors) == 1
    assert not start.converged
    few = fitted(W, n_blocks=2, ranks=2, sweeps=3)[1]
    assert len(few.errors) == 4
    many = fitted(W, n_blocks=2, ranks=2, sweeps=10_000)[1]
    assert many.converged
    assert len(many.errors) < 10_000
    assert many.error <= few.error <= start.error


def test_tolerance(rng):
    W = rng.standard_normal((24, 16))
    options = {"n_blocks": 2, "ranks": 3, "sweeps": 5}
    loose = fitted(W, tol=0.95, **options)[1]
    assert loose.tol_met
    assert len(loose.errors) == 2
    with pytest.warns(
        ToleranceWarning, match="the blocks leave .* > tol=0.1; see info"
    ):
        missed = fitted(W, tol=0.1, **options)[1]
    assert not missed.tol_met
    with pytest.raises(ConvergenceError, match="take more blocks, ranks, sweeps or"):
        fitted(W, tol=0.1, strict=True, **options)


@pytest.mark.parametrize("starts", [1, 3])
def test_zero(starts):
    A, info = fitted(np.zeros((24, 16)), n_blocks=2, ranks=2, starts=starts, tol=0.0)
    assert not dense_of(A).any()
    assert info.error == info.norm == 0.0
    assert info.tol_met


@pytest.mark.parametrize("exponent", [-900, 900])
def test_scale_is_no_matter(exponent, rng):
    W = rng.standard_normal((24, 16))
    A, info = fitted(W, n_blocks=2, ranks=2, sweeps=4)
    B, far = fitted(np.ldexp(W, exponent), n_blocks=2, ranks=2, sweeps=4)
    assert far.errors == info.errors
    assert far.norm == math.ldexp(info.norm, exponent)
    for one, other in zip(A.blocks, B.blocks, strict=True):
        assert np.array_equal(np.ldexp(host(one.core), exponent), host(other.core))


@pytest.mark.parametrize(
    ("rows", "columns", "ranks", "found"),
    [
        ((3,), (4,), 5, (1,)),
        ((1, 2), (1, 3), 4, (1, 1)),
        ((2, 2, 2), (2, 2, 2), 9, (4, 4, 4)),
        ((2, 2, 2), (2, 2, 2), (1, 1, 3), (1, 1, 1)),
        ((2, 2, 2), (2, 2, 2), (1, 2, 3), (1, 2, 2)),
    ],
)
def test_ranks_are_cut_to_what_is_feasible(rows, columns, ranks, found, rng):
    W = rng.standard_normal((math.prod(rows), math.prod(columns)))
    A, info = fitted(W, rows, columns, n_blocks=1, ranks=ranks)
    assert A.ranks == (found,)
    exact = all(r == m * n for r, m, n in zip(found, rows, columns, strict=True))
    assert (info.error < 1e-14) == (exact or len(rows) == 1 or found == (1, 1))


@pytest.mark.host("a kernel of an operator, and how large it is")
def test_a_smooth_kernel_is_compressed():
    """What a fit is for: 4,096 entries, 171 and 342 numbers."""
    i, j = np.ogrid[:64, :64]
    W = np.exp(-(((i - j) / 20.0) ** 2))
    modes = (4, 4, 4)
    one = fitted(W, modes, modes, n_blocks=1, ranks=3)[1].error
    A, info = fitted(W, modes, modes, n_blocks=2, ranks=3)
    assert A.n_parameters == 342
    assert info.error < 1e-3 < 1e-2 < one


@pytest.mark.host("errors at the door")
def test_refuses():
    W = np.ones((24, 16))
    options = {"n_blocks": 1, "ranks": 1}
    for error, says, call in (
        (ShapeError, r"\(24, 15\), the modes multiply to \(24, 16\)",
         lambda: fitted(W[:, :-1], **options)),
        (NonFiniteError, r"from_dense: W: the value at index \(0, 0\) is nan",
         lambda: fitted(W * np.nan, **options)),
        (ShapeError, "row_modes has 2 entries and col_modes 3",
         lambda: fitted(W, rows=(3, 8), **options)),
        (ShapeError, "n_blocks must be at least 1, got 0",
         lambda: fitted(W, n_blocks=0, ranks=1)),
        (ShapeError, "ranks must be at least 1, got 0",
         lambda: fitted(W, n_blocks=1, ranks=0)),
        (ShapeError, "starts must be at least 1",
         lambda: fitted(W, starts=0, **options)),
        (ShapeError, "sweeps must be at least 0",
         lambda: fitted(W, sweeps=-1, **options)),
        (ShapeError, "tol must be finite", lambda: fitted(W, tol=-1.0, **options)),
        (TypeError, "rng must be an int", lambda: fitted(W, rng="seed", **options)),
    ):  # fmt: skip
        with pytest.raises(error, match=says):
            call()


@pytest.mark.host("a warning is an error here")
def test_no_warning_on_the_way(rng):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(rng.standard_normal((24, 16)) * 1e-300, n_blocks=3, ranks=2, sweeps=5)
