"""No route misses in silence: 0 of TTALGEBRA_CASES cases, each with its own seed."""

import sys

import numpy as np
import pytest

from tests.backends import here
from tests.cores.rounding.adversaries import TOLS, draw, small_bonds
from tests.cores.rounding.judging import assert_honest
from tests.reference import dense, eps, growth, norm, unit, width
from ttalgebra.arrays.roots import root as condensing
from ttalgebra.cores import products
from ttalgebra.cores.rounding import (
    by_gram,
    by_sketch,
    by_svd,
    product_rounded,
    sum_rounded,
)

ROUTES = {"svd": by_svd, "gram": by_gram, "random": by_sketch}


def bounds(rng, d):
    """No bound, mostly; else small ones."""
    if rng.random() < 0.7:
        return (None,) * (d - 1)
    return tuple(int(r) for r in rng.integers(1, 6, d - 1))


@pytest.mark.parametrize("route", ROUTES)
def test_rounding(route, cases, ratios):
    taken = 0
    for seed in range(cases):
        rng = np.random.default_rng([11, seed])
        x = draw(rng, int(rng.integers(1, 3)))
        tol = TOLS[seed % len(TOLS)]
        options = {"rng": seed} if route == "random" else {}
        found = ROUTES[route](here(x), tol=tol, max_rank=bounds(rng, len(x)), **options)
        assert_honest(found, dense(x), unit(x), tol, ratios, f"by_{route}")
        info = found[1]
        assert (info.method == route) == (info.fallback is None)
        taken += info.method == route
    assert taken > cases // 10


@pytest.mark.host("only NumPy's roots are condensed")
def test_rounding_by_condensed_roots(cases, ratios, monkeypatch):
    """The way of large cores, in small ones; of sums, whose columns depend."""
    monkeypatch.setattr(sys.modules[condensing.__module__], "WIDE", 1)
    for seed in range(cases):
        rng = np.random.default_rng([14, seed])
        x = draw(rng, int(rng.integers(1, 3)))
        tol, limits = TOLS[seed % len(TOLS)], bounds(rng, len(x))
        found = by_svd(x, tol=tol, max_rank=limits)
        assert_honest(found, dense(x), unit(x), tol, ratios, "by_svd, condensed")
        found = sum_rounded([1.0, -0.5], [x, x], tol=tol, max_rank=limits)
        exact, u = dense(x) / 2, 2 * unit(x)
        assert_honest(found, exact, u, tol, ratios, "sum, condensed")


@pytest.mark.parametrize("method", ["svd", "random"])
def test_sums(method, cases, ratios):
    taken = 0
    for seed in range(cases):
        rng = np.random.default_rng([12, seed])
        x = draw(rng)
        modes = [core.shape[1:-1] for core in x]
        chains, coefficients = [x], [1.0]
        for _ in range(rng.integers(0, 5)):
            bonds = small_bonds(rng, len(x))
            chains.append(draw(rng, dtype=x[0].dtype, modes=modes, bonds=bonds))
            coefficients.append(float(rng.choice([0, 1, -1, 0.5, 1e-9])))
        if rng.random() < 0.2:
            chains.append(x)
            coefficients.append(-1.0)
        tol = TOLS[seed % len(TOLS)]
        found = sum_rounded(
            coefficients,
            here(chains),
            tol=tol,
            max_rank=bounds(rng, len(x)),
            method=method,
            rng=seed,
        )
        pairs = list(zip(coefficients, chains, strict=True))
        exact = sum(c * dense(chain) for c, chain in pairs)
        u = eps(x[0].dtype) * sum(width(chain) for chain in chains)
        u *= sum(abs(c) * growth(chain) for c, chain in pairs)
        assert_honest(found, exact, u, tol, ratios, f"sum {method}")
        taken += found[1].method == method
    assert taken > cases // 10


@pytest.mark.parametrize("kind", ["matvec", "matmat", "hadamard"])
@pytest.mark.parametrize("method", ["exact", "zipup", "random", "fit"])
def test_products(kind, method, cases, ratios):
    taken = 0
    for seed in range(cases // 4):
        rng = np.random.default_rng([13, seed])
        A, x, exact, formed = operands(rng, kind)
        tol = TOLS[seed % len(TOLS)]
        options = {"max_rank": bounds(rng, len(A)), "method": method, "rng": seed}
        found = product_rounded(here(A), here(x), kind=kind, tol=tol, **options)
        u = eps(A[0].dtype) * (width(A) + width(x)) * max(growth(formed), norm(exact))
        assert_honest(found, exact, u, tol, ratios, f"{kind} {method}")
        taken += found[1].method == method
    assert taken > cases // 60


def operands(rng, kind):
    """Two chains, the long double of their product, and the product formed."""
    A = draw(rng, 1 if kind == "hadamard" else 2)
    modes = [core.shape[1:-1] for core in A]
    if kind == "matvec":
        modes = [(n,) for _, n in modes]
    if kind == "matmat":
        modes = [(n, int(rng.integers(1, 4))) for _, n in modes]
    x = draw(rng, dtype=A[0].dtype, modes=modes, bonds=small_bonds(rng, len(A)))
    if kind == "hadamard":
        letters, exact = "aib,cid->acibd", dense(A) * dense(x)
    elif kind == "matvec":
        letters = "aijb,cjd->acibd"
        exact = dense(A) @ dense(x).reshape(-1)
        exact = exact.reshape([core.shape[1] for core in A])
    else:
        letters, exact = "aikb,ckjd->acijbd", dense(A) @ dense(x)
    form = {"matvec": products.matvec, "matmat": products.compose}.get(kind)
    magnitudes = zip(map(np.abs, A), map(np.abs, x), strict=True)
    formed = [np.einsum(letters, G, H) for G, H in magnitudes]
    formed = tuple(
        core.reshape(core.shape[0] * core.shape[1], *core.shape[2:-2], -1)
        for core in formed
    )
    assert form is None or len(form(A, x)) == len(A)
    return A, x, exact, formed


@pytest.mark.parametrize("method", ["exact", "zipup", "random", "fit"])
def test_a_product_that_vanishes_by_its_supports(method, rng):
    """Roundoff of ``norm(A) norm(x)`` is not of ``A x``: seed 4577 of the products."""
    x = tuple(rng.standard_normal((r, 4, s)) for r, s in ((1, 3), (3, 3), (3, 1)))
    y = tuple(rng.standard_normal((r, 4, s)) for r, s in ((1, 3), (3, 3), (3, 1)))
    x, y = (tuple(core.copy() for core in chain) for chain in (x, y))
    x[1][:, ::2], y[1][:, 1::2] = 0, 0
    options = {"tol": 1e-3, "max_rank": (None,) * 2, "method": method}
    found, info = product_rounded(here(x), here(y), kind="hadamard", **options)
    assert not np.any(dense(found))
    assert (info.error, info.norm, info.method) == (0.0, 0.0, "exact")
