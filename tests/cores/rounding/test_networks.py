"""Sites that are never formed act as the cores they stand for, on every library."""

import numpy as np
import pytest

from tests.backends import dtype_of, here, host
from tests.reference import dense, eps, growth, norm, width
from tests.trains.families import DTYPES, draw_modes, random_cores
from ttalgebra.cores import arithmetic, products
from ttalgebra.cores.chain import spread
from ttalgebra.cores.rounding import networks
from ttalgebra.cores.rounding.sites import Plain

KINDS = ("plain", "sum", "matvec", "matmat", "hadamard", "hadamard of matrices")


def draw_network(kind, rng, dtype):
    """A network, and the dense array of it from NumPy's own contractions."""
    modes = draw_modes(rng, 2)
    d = len(modes)
    bonds = (1, *(int(r) for r in rng.integers(1, 4, d - 1)), 1)

    def chain(sizes):
        return tuple(random_cores(rng, sizes, bonds, dtype))

    A, B = chain(modes), chain(modes)
    if kind == "plain":
        return networks.plain(here(A)), dense(A), growth(A), A
    if kind == "sum":
        size = growth(A) + growth(B)
        return networks.total(here([A, B]), 0), dense(A) + dense(B), size, A
    if kind == "hadamard of matrices":
        found = networks.product(here(A), here(B), "hadamard")
        return found, dense(A) * dense(B), growth(A) * growth(B), A
    if kind == "matvec":
        x = chain([(n,) for _, n in modes])
        exact = (dense(A) @ dense(x).reshape(-1)).reshape([m for m, _ in modes])
    elif kind == "matmat":
        x = chain([(n, m) for m, n in modes])
        exact = dense(A) @ dense(x)
    else:
        A, x = chain([modes[k][:1] for k in range(d)]), chain([m[:1] for m in modes])
        exact = dense(A) * dense(x)
    return networks.product(here(A), here(x), kind), exact, growth(A) * growth(x), A


def formed(site):
    """The core ``(r, *modes, s)`` that a site stands for."""
    return site.absorb_left(here(np.eye(site.shape[0], dtype=dtype_of(site.like))))


@pytest.mark.parametrize("kind", KINDS)
def test_formed(kind, xp, ratios):
    for seed in range(12):
        rng = np.random.default_rng([21, seed])
        network, exact, size, A = draw_network(kind, rng, DTYPES[seed % 4])
        cores = tuple(map(formed, network.sites))
        if kind != "sum":
            cores = spread(cores, network.exponent)
        found = dense([xp.numpy(core) for core in cores])
        u = eps(A[0].dtype) * 4 * width(A) * size
        ratios.check("formed network", norm(found - exact), u)


@pytest.mark.parametrize("kind", KINDS)
def test_contractions(kind, xp):
    """The four contractions are those of the core: to ``eps`` times what is summed."""
    for seed in range(12):
        rng = np.random.default_rng([22, seed])
        network, _, _, _ = draw_network(kind, rng, DTYPES[seed % 4])
        for site in network.sites:
            core = Plain(formed(site))
            assert core.shape == site.shape
            r, *modes, s = site.shape
            for verb, shape in (
                ("absorb_left", (2, r)),
                ("absorb_right", (s, 2)),
                ("overlap_left", (r, *modes, 3)),
                ("overlap_right", (3, *modes, s)),
            ):
                dtype = xp.numpy(site.like).dtype
                other = here(rng.standard_normal(shape).astype(dtype))
                expected = xp.numpy(getattr(core, verb)(other))
                found = xp.numpy(getattr(site, verb)(other))
                assert found.shape == expected.shape
                size = norm(core.core) * norm(other)
                terms = 8 * r * s * max(modes)
                assert norm(found - expected) <= terms * eps(dtype) * size
            columns = xp.numpy(core.core).reshape(-1, s)
            largest = max(float(norm(column)) for column in columns.T)
            assert site.stretch() >= largest * (1 - 1e-5)


def test_a_product_meets_a_sum_of_products_of_the_same_modes():
    """Formed products are `products.matvec` and `products.compose`, bit for bit."""
    rng = np.random.default_rng(23)
    A = tuple(rng.integers(-2, 3, (r, 2, 3, s)) * 1.0 for r, s in ((1, 2), (2, 1)))
    B = tuple(rng.integers(-2, 3, (r, 3, 2, s)) * 1.0 for r, s in ((1, 3), (3, 1)))
    x = tuple(rng.integers(-2, 3, (r, 3, s)) * 1.0 for r, s in ((1, 3), (3, 1)))
    A, B, x = here((A, B, x))
    for found, expected in (
        (networks.product(A, x, "matvec"), products.matvec(A, x)),
        (networks.product(A, B, "matmat"), products.compose(A, B)),
    ):
        cores = spread(tuple(map(formed, found.sites)), found.exponent)
        assert np.array_equal(dense(cores), dense(expected))
    twice = networks.total([x, x], 0)
    formed_sum = tuple(formed(site) for site in twice.sites)
    pairs = zip(host(formed_sum), host(arithmetic.add(x, x)), strict=True)
    assert all(np.array_equal(G, H) for G, H in pairs)
