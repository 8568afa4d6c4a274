"""Gradients on integer data equal the product rule in Python ints, to the last bit."""

from itertools import pairwise

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import dtype_of, here, host
from tests.reference import core_gradients, dense, exact

MODES = ((2, 3), (3, 1), (1, 2), (2, 2), (1, 3))
BONDS = (1, 2, 3, 2, 4)


def integers(rng, shape, *, complex_=False, bound=3):
    values = rng.integers(-bound, bound + 1, shape).astype(float)
    if complex_:
        values = values + 1j * rng.integers(-bound, bound + 1, shape)
    return values


def integer_cores(rng, d, *, complex_=False):
    bonds = (*BONDS[:d], 1)
    return [
        integers(rng, (r, *MODES[k], s), complex_=complex_)
        for k, (r, s) in enumerate(pairwise(bonds))
    ]


def train_of(cores):
    return tt.TTMatrix(here(cores))


def assert_exact(cores, X, dy):
    """``vjp`` and ``core_gradients`` against the reference, entry for entry."""
    A = train_of(cores)
    y, pullback = A.vjp(here(X))
    dcores, dX = host(pullback(here(dy)))
    W = dense(cores, exact)
    flat_X, flat_dy = X.reshape(-1, A.shape[1]), dy.reshape(-1, A.shape[0])
    expected_y = exact(flat_X) @ W.T
    expected_dX = exact(flat_dy) @ np.conjugate(W)
    assert np.array_equal(exact(y).reshape(expected_y.shape), expected_y)
    for found, wanted, like in (
        (dX.reshape(flat_X.shape), expected_dX, X),
        *zip(dcores, core_gradients(cores, flat_X, flat_dy), cores, strict=True),
    ):
        if not np.iscomplexobj(like):
            assert not np.iscomplexobj(found)
            wanted = np.vectorize(lambda z: z.real, otypes=[object])(wanted)
        assert found.shape == np.shape(like) or found.shape == flat_X.shape
        assert np.array_equal(found, wanted)
    again = host(A.core_gradients(here(X), here(dy)))
    for one, other in zip(again, dcores, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "Gaussian"])
@pytest.mark.parametrize("batch", [0, 1, 3])
@pytest.mark.parametrize("d", [1, 2, 3, 4, 5])
def test_product_rule(d, batch, complex_, rng):
    for _ in range(5):
        cores = integer_cores(rng, d, complex_=complex_)
        M, N = tt.TTMatrix(cores).shape
        X = integers(rng, (batch, N), complex_=complex_)
        assert_exact(cores, X, integers(rng, (batch, M), complex_=complex_))


@pytest.mark.parametrize(
    "leading", [(), (1,), (2, 3), (2, 0), (0, 2), (1, 1, 2)], ids=str
)
def test_leading_axes(leading, rng):
    cores = integer_cores(rng, 3)
    M, N = tt.TTMatrix(cores).shape
    X = integers(rng, (*leading, N))
    dy = integers(rng, (*leading, M))
    assert_exact(cores, X, dy)
    y, pullback = train_of(cores).vjp(here(X))
    assert y.shape == (*leading, M)
    assert pullback(here(dy))[1].shape == X.shape


@pytest.mark.parametrize("site", [0, 1, 2])
def test_zero_core(site, rng):
    """No division anywhere: the gradient of a zero core is that of any other."""
    cores = integer_cores(rng, 3)
    cores[site] = 0 * cores[site]
    M, N = tt.TTMatrix(cores).shape
    X, dy = integers(rng, (3, N)), integers(rng, (3, M))
    assert_exact(cores, X, dy)
    gradients = host(train_of(cores).core_gradients(here(X), here(dy)))
    assert np.any(gradients[site])
    assert not any(np.any(g) for k, g in enumerate(gradients) if k != site)


def test_one_core_object_at_two_sites(rng):
    """One gradient for each position; their sum belongs to the shared object."""
    first, last = integers(rng, (1, 2, 3, 2)), integers(rng, (2, 3, 2, 1))
    shared = integers(rng, (2, 2, 2, 2))
    cores = [first, shared, shared, last]
    X, dy = integers(rng, (3, 24)), integers(rng, (3, 24))
    assert_exact(cores, X, dy)
    first, shared, last = here((first, shared, last))
    A = tt.TTMatrix([first, shared, shared, last], copy=False)
    gradients = host(A.core_gradients(here(X), here(dy)))
    assert not np.array_equal(gradients[1], gradients[2])


def test_over_ranked(rng):
    """Ranks above the possible maximum: gradients have the shapes that were given."""
    bonds = (1, 9, 11, 1)
    cores = [
        integers(rng, (r, *m, s), bound=2)
        for r, m, s in zip(bonds, MODES, bonds[1:], strict=False)
    ]
    M, N = tt.TTMatrix(cores).shape
    assert_exact(cores, integers(rng, (2, N)), integers(rng, (2, M)))


def test_real_cores_with_complex_samples(rng):
    """Real cores move in real directions only; samples move where they live."""
    cores = integer_cores(rng, 3)
    M, N = tt.TTMatrix(cores).shape
    X = integers(rng, (3, N), complex_=True)
    dy = integers(rng, (3, M), complex_=True)
    assert_exact(cores, X, dy)
    gradients = train_of(cores).core_gradients(here(X), here(dy))
    assert {dtype_of(g) for g in gradients} == {np.dtype(float)}


def test_complex_cores_with_real_samples(rng):
    cores = integer_cores(rng, 3, complex_=True)
    M, N = tt.TTMatrix(cores).shape
    X, dy = integers(rng, (2, N)), integers(rng, (2, M), complex_=True)
    assert_exact(cores, X, dy)


def test_one_complex_core_among_real_ones_makes_all_complex(rng):
    cores = integer_cores(rng, 3)
    cores[1] = cores[1] + 1j * integers(rng, cores[1].shape)
    A = train_of(cores)
    M, N = A.shape
    gradients = A.core_gradients(here(np.ones(N)), here(np.ones(M)))
    assert {dtype_of(g) for g in gradients} == {np.dtype(complex)} == {dtype_of(A)}


def test_batch_gradient_is_the_sum_over_samples(rng):
    A = train_of(integer_cores(rng, 4))
    M, N = A.shape
    X, dy = integers(rng, (5, N)), integers(rng, (5, M))
    whole = host(A.core_gradients(here(X), here(dy)))
    pairs = zip(here([*X]), here([*dy]), strict=True)
    parts = [host(A.core_gradients(x, g)) for x, g in pairs]
    for k, dG in enumerate(whole):
        assert np.array_equal(dG, sum(part[k] for part in parts))


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "Gaussian"])
def test_euler(complex_, rng):
    """``sum_k Re <dG_k, G_k> = d L`` for ``L = Re <dy, A X>``."""
    A = train_of(integer_cores(rng, 5, complex_=complex_))
    M, N = A.shape
    X = integers(rng, (3, N), complex_=complex_)
    dy = integers(rng, (3, M), complex_=complex_)
    y, pullback = A.vjp(here(X))
    dcores, dX = host(pullback(here(dy)))
    L = np.vdot(dy, host(y)).real
    pairs = zip(dcores, host(A.cores), strict=True)
    inner = [np.vdot(dG, G).real for dG, G in pairs]
    assert inner == [L] * 5
    assert np.vdot(dX, X).real == L


def test_pullback_is_linear_and_repeatable(rng):
    A = train_of(integer_cores(rng, 3))
    M, N = A.shape
    _, pullback = A.vjp(here(integers(rng, (2, N))))
    one, two = here(integers(rng, (2, M))), here(integers(rng, (2, M)))
    found = host([pullback(dy) for dy in (one, two, one + 2 * two)])
    (first, d1), (second, d2), (both, d3) = found
    for a, b, c in zip((*first, d1), (*second, d2), (*both, d3), strict=True):
        assert np.array_equal(a + 2 * b, c)
    for a, b in zip(host(pullback(one)[0]), first, strict=True):
        assert np.array_equal(a, b)


def test_gauge_of_the_representation_is_seen_by_cores_only(rng):
    """``G_k P`` and ``P^-1 G_{k+1}``, unimodular: same value and same ``dX``."""
    cores = integer_cores(rng, 3)
    P, inverse = np.array([[1.0, 2], [0, 1]]), np.array([[1.0, -2], [0, 1]])
    gauged = [cores[0] @ P, np.einsum("ab,bijc->aijc", inverse, cores[1]), cores[2]]
    A, B = train_of(cores), train_of(gauged)
    X, dy = here(integers(rng, (3, A.shape[1]))), here(integers(rng, (3, A.shape[0])))
    (ya, pull_a), (yb, pull_b) = A.vjp(X), B.vjp(X)
    assert np.array_equal(host(ya), host(yb))
    (dcores_a, dX_a), (dcores_b, dX_b) = host(pull_a(dy)), host(pull_b(dy))
    assert np.array_equal(dX_a, dX_b)
    assert np.array_equal(dcores_a[2], dcores_b[2])


def test_vjp_gives_the_value_of_apply(rng):
    A = here(tt.random_matrix((2, 3, 4), (3, 2, 2), 3, rng=rng))
    X = here(rng.standard_normal((7, 12)))
    assert np.allclose(host(A.vjp(X)[0]), host(A.apply(X)), rtol=0, atol=1e-13)
