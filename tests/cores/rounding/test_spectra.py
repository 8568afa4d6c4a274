"""Singular values of all bonds, ranks for a budget, the normal form."""

import itertools
import math

import numpy as np
import pytest

from tests.backends import here, host
from tests.cores.rounding.adversaries import draw
from tests.cores.rounding.test_routes import FREE, graded
from tests.reference import dense, norm, unit
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.cores.rounding import (
    by_parameters,
    by_svd,
    canonical,
    effective_rank,
    singular_values,
)
from ttalgebra.cores.rounding.spectra import parameters, ranks_for


def test_singular_values_are_those_of_the_unfoldings(cases, ratios):
    for seed in range(cases // 4):
        rng = np.random.default_rng([41, seed])
        x = draw(rng, dtype=("f8", "c16")[seed % 2])
        values, exponent = singular_values(here(x))
        tensor = dense(x)
        narrow = tensor.astype(np.complex128 if x[0].dtype.kind == "c" else np.float64)
        assert len(values) == len(x) - 1
        for bond, found in enumerate(values, start=1):
            rows = math.prod(tensor.shape[:bond])
            expected = np.linalg.svd(narrow.reshape(rows, -1), compute_uv=False)
            size = max(len(found), len(expected))
            padded = (
                np.pad(s, (0, size - len(s)))
                for s in (np.ldexp(found, exponent), expected)
            )
            gap = np.abs(np.subtract(*padded)).max()
            ratios.check("singular values", gap, unit(x) + 1e-15 * expected[0])


def test_singular_values_out_of_range():
    x = here((np.full((1, 4, 1), 2.0**500),) * 9)
    values, exponent = singular_values(x)
    assert all(len(s) == 1 for s in values)
    assert math.log2(values[0][0]) + exponent == pytest.approx(9 * 501)


def test_effective_rank():
    for d, n, r in ((2, 3, 2), (3, 4, 3), (6, 2, 5)):
        bonds = (1, *(r,) * (d - 1), 1)
        x = tuple(np.ones((a, n, b)) for a, b in itertools.pairwise(bonds))
        assert effective_rank(here(x)) == pytest.approx(r)
    assert effective_rank(here((np.ones((1, 5, 1)),))) == 1.0
    mixed = (np.ones((1, 2, 2)), np.ones((2, 2, 4)), np.ones((4, 2, 1)))
    assert 2 < effective_rank(here(mixed)) < 4


@pytest.mark.parametrize("dtype", ["f8", "c16"])
@pytest.mark.parametrize("power", [0, 3])
def test_canonical_forgets_the_gauge(dtype, power, rng):
    """Orthogonal, diagonal and scaled gauges, inflated ranks: the same cores."""
    x = graded(rng, dtype, copies=1)
    expected = host(canonical(here(x)))
    assert norm(dense(expected) - dense(x)) <= 30 * unit(x)
    other = [core.copy() for core in x]
    for k in range(len(x) - 1):
        r = x[k].shape[-1]
        q, _ = np.linalg.qr(rng.standard_normal((r, r)))
        scales = 2.0 ** rng.integers(-power, power + 1, r)
        other[k] = other[k] @ (q * scales)
        other[k + 1] = np.tensordot(q.T / scales[:, None], other[k + 1], 1)
    found = host(canonical(here(tuple(other))))
    values, exponent = singular_values(x)
    for k, (G, H) in enumerate(zip(found, expected, strict=True)):
        assert G.shape == H.shape
        bonds = [values[b] for b in (k - 1, k) if 0 <= b < len(values)]
        # a singular vector is as sharp as its value is apart from the others
        gaps = [np.abs(np.diff(np.append(s, 0.0)))[: len(s)] for s in bonds]
        kept = min(
            float(g[g > 1e-13 * s[0]].min()) for g, s in zip(gaps, bonds, strict=True)
        )
        sharp = math.ldexp(kept, exponent)
        bound = 30 * unit(other) * (norm(dense(x)) if k == 0 else 1) / sharp
        assert np.abs(G - H).max() <= bound


def test_canonical_signs(rng):
    for dtype in ("f8", "c16"):
        for core in host(canonical(here(graded(rng, dtype))))[1:]:
            rows = core.reshape(core.shape[0], -1)
            assert np.abs(rows @ rows.conj().T - np.eye(len(rows))).max() < 1e-13
            for row in rows:
                leads = np.abs(row) >= 0.618 * np.abs(row).max()
                lead = row[np.argmax(leads)]
                assert lead.real > 0
                assert abs(lead.imag) <= 1e-15


def test_canonical_is_the_same_in_every_library(xp, rng):
    x = graded(rng, "c16")
    for core, expected in zip(canonical(here(x)), canonical(x), strict=True):
        assert np.abs(xp.numpy(core) - expected).max() < 1e-9
    assert not np.any(dense(canonical(here(tuple(0 * core for core in x)))))


def count(x):
    return sum(math.prod(core.shape) for core in x)


def test_parameters_against_all_choices(cases):
    """Below 1.5 times the least bound of any ranks, below 2 times the least error."""
    worst_bound, worst_error, optimal, asked = 1.0, 1.0, 0, 0
    for seed in range(cases // 10):
        rng = np.random.default_rng([42, seed])
        d = int(rng.integers(2, 5))
        modes = [(int(n),) for n in rng.integers(2, 4, d)]
        bonds = (1, *(int(r) for r in rng.integers(2, 5, d - 1)), 1)
        x = draw(rng, dtype="f8", modes=modes, bonds=bonds)
        exact = dense(x)
        if norm(exact) <= 30 * unit(x):  # of noise no two sweeps see the same
            continue
        least = sum(n for (n,) in modes)
        budget = int(rng.integers(least, count(x) + 2))
        y, info = by_parameters(here(x), budget)
        assert count(y) <= budget
        values, _ = singular_values(x)
        tails = [np.append(np.cumsum(s[::-1] ** 2)[::-1], 0.0) for s in values]
        sizes = [n for (n,) in modes]

        def bound(ranks, tails=tails):
            return math.sqrt(sum(t[r] for t, r in zip(tails, ranks, strict=True)))

        choices = itertools.product(*(range(1, len(s) + 1) for s in values))
        fitting = [r for r in choices if parameters(sizes, r) <= budget]
        best = min(bound(ranks) for ranks in fitting)
        own = bound(ranks_for(values, sizes, budget))
        noise = 1e-7 * math.sqrt(tails[0][0])
        least_error = min(by_svd(x, max_rank=ranks)[1].error for ranks in fitting)
        worst_bound = max(worst_bound, (own + noise) / (best + noise))
        worst_error = max(worst_error, (info.error + 1e-7) / (least_error + 1e-7))
        optimal, asked = optimal + (own <= best + noise), asked + 1
    assert optimal > 0.8 * asked
    assert worst_bound < 1.5
    assert worst_error < 2


def test_parameters_at_the_ends(rng):
    x = here(graded(rng))
    y, info = by_parameters(x, 20)
    assert count(y) == 20
    assert info.ranks == (1,) * 6
    y, info = by_parameters(x, 10**6)
    assert info.error < 1e-14
    assert info.ranks == by_svd(x, max_rank=FREE)[1].ranks
    with pytest.raises(ShapeError, match=r"at least 20, .* got 19"):
        by_parameters(x, 19)
    zero = tuple(0 * core for core in x)
    assert by_parameters(zero, 100)[1].ranks == (1,) * 6
    single = here((np.ones((1, 7, 1)),))
    assert np.array_equal(host(by_parameters(single, 7)[0][0]), np.ones((1, 7, 1)))
    with pytest.raises(ShapeError, match="at least 7"):
        by_parameters(single, 6)


def test_more_parameters_are_never_worse(rng):
    x = here(graded(rng, decay=0.7))
    errors = [by_parameters(x, budget)[1].error for budget in range(20, 400, 15)]
    assert all(b <= a * 1.05 + 1e-14 for a, b in itertools.pairwise(errors))
