"""``norm(A - B) <= tol norm(A)`` in every case: random ones, for all three doors."""

import warnings

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import dtype_of, here
from tests.reference import dense, dense_unit, eps, norm, unfolding_tails, unit, wide
from tests.trains.families import random_chain, random_dense

TOLS = (0.9, 0.5, 0.1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-14, 0.0, None)


def train_of(cores):
    return (tt.TTTensor if cores[0].ndim == 3 else tt.TTMatrix)(here(cores))


def from_dense(array, modes, **options):
    if len(modes[0]) == 1:
        return tt.TTTensor.from_dense(here(array), **options)
    rows, cols = zip(*modes, strict=True)
    return tt.TTMatrix.from_dense(here(array), rows, cols, **options)


def assert_honest(B, info, exact, u, tol, ratios, law):
    """The promise on ``tol``, the report, and Pythagoras, all in long double."""
    size, rounded = norm(exact), dense(B.cores)
    error = norm(rounded - exact)
    allowed = (tol or 0) * size * (1 + 1e-9)
    ratios.check(f"{law}: error beyond tol", max(error - allowed, 0), u)
    ratios.check(f"{law}: info.error", abs(info.error * size - error), u)
    ratios.check(f"{law}: info.norm", abs(info.norm - size), u)
    assert info.tol_met
    assert info.ranks == B.ranks
    assert min(B.ranks) >= 1
    precise = 1e-12 if eps(dtype_of(B)) < 1e-10 else 1e-4
    gap = abs(size**2 - norm(rounded) ** 2 - error**2)
    assert gap <= precise * size**2 + 30 * u * size


def test_round(cases, ratios):
    for seed in range(cases):
        rng = np.random.default_rng([1, seed])
        A = train_of(random_chain(rng, int(rng.integers(1, 3))))
        tol = TOLS[seed % len(TOLS)]
        B, info = A.round(tol=tol, return_info=True)
        assert B.dtype == A.dtype
        assert all(b <= a for a, b in zip(A.ranks, B.ranks, strict=True))
        exact = dense(A.cores)
        assert_honest(B, info, exact, unit(A.cores), tol, ratios, "round")


@pytest.mark.parametrize("n_modes", [1, 2], ids=["tensor", "matrix"])
def test_from_dense(n_modes, cases, ratios):
    for seed in range(cases):
        rng = np.random.default_rng([2, n_modes, seed])
        array, modes = random_dense(rng, n_modes)
        tol = TOLS[seed % len(TOLS)]
        B, info = from_dense(array, modes, tol=tol, return_info=True)
        assert dtype_of(B) == array.dtype
        u = dense_unit(array, len(modes))
        assert_honest(B, info, wide(array), u, tol, ratios, "from_dense")


def test_round_of_a_cancelling_sum(cases, ratios):
    """``(x + y) - x``: Gamma far above the norm, and rank 2r where r is enough."""
    for seed in range(cases // 10):
        rng = np.random.default_rng([3, seed])
        x = train_of(random_chain(rng, 1, "f8", scales=False))
        size = 10.0 ** rng.uniform(-8, 0)
        A = (x + size * here(tt.random_tensor(x.modes, 2, rng=rng))) - x
        tol = TOLS[seed % len(TOLS)]
        B, info = A.round(tol=tol, return_info=True)
        exact = dense(A.cores)
        assert_honest(B, info, exact, unit(A.cores), tol, ratios, "round a sum")


def test_bounded_ranks_are_quasi_optimal(cases):
    """``max eps_k <= error <= sqrt(sum eps_k^2)``, eps_k from SVDs of our own."""
    for seed in range(cases // 5):
        rng = np.random.default_rng([4, seed])
        array, modes = random_dense(rng, 1)
        bound = int(rng.integers(1, 5))
        for route in ("from_dense", "round"):
            A = from_dense(array, modes)
            if route == "round":
                B = A.round(max_rank=bound)
            else:
                B = from_dense(array, modes, max_rank=bound)
            assert B.max_rank <= bound
            error = norm(dense(B.cores) - wide(array))
            u = dense_unit(array, len(modes)) + unit(A.cores)
            tails = [
                unfolding_tails(array, B.ranks[k], k) for k in range(1, array.ndim)
            ]
            assert max(tails, default=0.0) - 30 * u <= error
            assert error <= np.sqrt(sum(t**2 for t in tails)) * (1 + 1e-10) + 30 * u


def test_two_modes_need_the_minimal_rank(cases):
    """d = 2: the rank is the smallest that the tail admits, no slack to share."""
    for seed in range(cases // 5):
        rng = np.random.default_rng([5, seed])
        m, n = rng.integers(1, 13, 2)
        values = np.sort(10.0 ** rng.uniform(-9, 0, min(m, n)))[::-1]
        u, _ = np.linalg.qr(rng.standard_normal((m, len(values))))
        v, _ = np.linalg.qr(rng.standard_normal((n, len(values))))
        array, tol = (u * values) @ v.T, 10.0 ** rng.uniform(-8, -0.1)
        size = norm(array)
        tails = [unfolding_tails(array, r, 1) for r in range(len(values) + 1)]
        minimal = max(1, next(r for r, t in enumerate(tails) if t <= tol * size))
        near = any(abs(t / (tol * size) - 1) < 1e-10 for t in tails)
        for B in (
            tt.TTTensor.from_dense(here(array), tol=tol),
            tt.TTTensor.from_dense(here(array)).round(tol=tol),
        ):
            assert minimal <= B.ranks[1] <= minimal + near


def test_bound_on_ranks_is_reported(cases):
    """``tol_met`` tells the truth for each pair of tol and max_rank."""
    seen = {True: 0, False: 0}
    for seed in range(cases // 5):
        rng = np.random.default_rng([6, seed])
        array, modes = random_dense(rng, 1 + seed % 2)
        tol, bound = 10.0 ** rng.uniform(-6, -0.3), int(rng.integers(1, 4))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            B, info = from_dense(
                array, modes, tol=tol, max_rank=bound, return_info=True
            )
        exact = wide(array)
        error, size = norm(dense(B.cores) - exact), norm(exact)
        slack = 30 * dense_unit(array, len(modes))
        kinds = [warning.category for warning in caught]
        assert kinds == [tt.errors.ToleranceWarning] * (not info.tol_met)
        seen[info.tol_met] += 1
        if info.tol_met:
            assert error <= tol * size * (1 + 1e-9) + slack
        else:
            assert error > tol * size - slack
            assert bound in B.ranks
    assert min(seen.values()) > cases // 200


def test_first_cut_takes_an_equal_share(cases):
    """``tol / sqrt(d - 1)`` and no more: a greedy cut would starve the other bonds."""
    for seed in range(cases // 10):
        rng = np.random.default_rng([7, seed])
        A = here(tt.random_tensor((3, 4, 4, 3), 12, rng=rng))
        for B, info in (
            A.round(tol=0.3, return_info=True),
            tt.TTTensor.from_dense(A.to_dense(), tol=0.3, return_info=True),
        ):
            tail = norm(info.singular_values[-1][B.ranks[-2] :])
            assert tail <= 0.3 * info.norm / np.sqrt(3) * (1 + 1e-9)
