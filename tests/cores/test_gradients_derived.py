"""Gradients against derivatives: complex step, differences, Wirtinger, mpmath."""

import mpmath
import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import dtype_of, here, host
from tests.reference import core_gradients, dense, eps, wide

SHAPES = [
    (((2, 3),), 1),
    (((2, 3), (3, 2)), 2),
    (((2, 3), (1, 2), (3, 1)), (3, 2)),
    (((2, 1), (3, 2), (1, 3), (2, 2)), (2, 5, 3)),
    (((1, 2), (2, 1), (2, 2), (1, 3), (3, 1)), (2, 3, 3, 2)),
]


def random_train(shape, rng, dtype=np.float64):
    modes, ranks = SHAPES[shape]
    rows, cols = zip(*modes, strict=True)
    return here(tt.random_matrix(rows, cols, ranks, rng=rng, dtype=dtype))


def replaced(cores, k, core):
    return [*cores[:k], core, *cores[k + 1 :]]


def normal(rng, shape, dtype):
    values = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)


@pytest.mark.parametrize("shape", range(5))
def test_complex_step(shape, rng):
    """A smooth loss, ``sum log cosh y``, at a step of 1e-30: nothing is subtracted."""
    for _ in range(20):
        A = random_train(shape, rng)
        X = rng.standard_normal((3, A.shape[1]))
        y, pullback = A.vjp(here(X))
        dcores, dX = host(pullback(here(np.tanh(host(y)))))
        cores = host(A.cores)
        steps = [rng.standard_normal(core.shape) for core in cores]
        for k, (dG, step) in enumerate(zip(dcores, steps, strict=True)):
            moved = cores[k] + 1e-30j * step
            W = dense(replaced(cores, k, moved)).astype(complex)
            derivative = np.log(np.cosh(X @ W.T)).sum().imag / 1e-30
            size = abs(dG * step).sum()
            assert derivative == pytest.approx((dG * step).sum(), abs=1e-12 * size)
        W, step = dense(cores).astype(float), rng.standard_normal(X.shape)
        derivative = np.log(np.cosh((X + 1e-30j * step) @ W.T)).sum().imag / 1e-30
        size = abs(dX * step).sum()
        assert derivative == pytest.approx((dX * step).sum(), abs=1e-12 * size)


@pytest.mark.parametrize("shape", range(5))
def test_every_entry_by_step_one(shape, rng):
    """Linear in each core: a difference of step 1 has no truncation error."""
    A = random_train(shape, rng)
    X = rng.standard_normal((2, A.shape[1]))
    dy = rng.standard_normal((2, A.shape[0]))
    dcores = host(A.core_gradients(here(X), here(dy)))
    assert sum(dG.size for dG in dcores) == A.n_parameters
    for k, dG in enumerate(dcores):
        for place in np.ndindex(dG.shape):
            unit = np.zeros(dG.shape)
            unit[place] = 1.0
            W = dense(replaced(A.cores, k, unit))
            assert dG[place] == pytest.approx(float((dy * (X @ W.T)).sum()), abs=1e-12)


@pytest.mark.parametrize("shape", range(5))
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_wirtinger(shape, dtype, rng):
    """``dL = Re sum(conj(g) dG)`` in the real and the imaginary direction."""
    A = random_train(shape, rng, dtype)
    X, dy = normal(rng, (3, A.shape[1]), dtype), normal(rng, (3, A.shape[0]), dtype)
    dcores, dX = host(A.vjp(here(X))[1](here(dy)))
    scale = 30 * eps(dtype) * sum(A.ranks) * A.order
    for direction in (1, 1j):
        for k, dG in enumerate(dcores):
            step = direction * rng.standard_normal(dG.shape)
            change = wide(X) @ dense(replaced(A.cores, k, step)).T
            expected = (np.conj(wide(dy)) * change).sum().real
            found = (np.conj(wide(dG)) * step).sum().real
            assert abs(found - expected) <= scale * 30 * abs(dG * step).sum()
        step = direction * rng.standard_normal(X.shape)
        expected = (np.conj(wide(dy)) * (step @ dense(A.cores).T)).sum().real
        found = (np.conj(wide(dX)) * step).sum().real
        assert abs(found - expected) <= scale * 30 * abs(dX * step).sum()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_in_units_of_the_product_of_magnitudes(dtype, rng, ratios):
    """Entrywise, unit ``eps * terms * |dy|^T |G_1| ... |x|``, at every precision."""
    for shape in range(5):
        A = random_train(shape, rng, dtype)
        X, dy = normal(rng, (4, A.shape[1]), dtype), normal(rng, (4, A.shape[0]), dtype)
        found, cores = host(A.core_gradients(here(X), here(dy))), host(A.cores)
        exact = core_gradients(cores, X, dy, wide)
        sizes = core_gradients([abs(G) for G in cores], abs(X), abs(dy), wide)
        terms = 4 + sum(G.shape[1] * G.shape[2] + G.shape[-1] for G in cores)
        for g, e, s in zip(found, exact, sizes, strict=True):
            assert g.dtype == dtype
            error = abs(np.asarray(wide(g) - e).astype(np.clongdouble))
            size = np.asarray(s).astype(np.longdouble)
            ratios.check("core_gradients", error, eps(dtype) * terms * size)


def test_against_two_hundred_bits(rng):
    with mpmath.workprec(200):
        A = random_train(2, rng)
        X, dy = (rng.standard_normal((2, n)) for n in reversed(A.shape))
        to_mp = np.vectorize(mpmath.mpf, otypes=[object])
        exact = core_gradients(host(A.cores), X, dy, to_mp)
        gradients = host(A.core_gradients(here(X), here(dy)))
        for found, wanted in zip(gradients, exact, strict=True):
            assert np.abs(to_mp(found) - wanted).max() < 1e-13


def test_gradient_of_a_complex_train_is_not_its_conjugate(rng):
    """L = Re conj(dy) g x for 1x1 cores: dL/dg is dy conj(x), not conj(dy) x."""
    A = tt.TTMatrix([here(np.full((1, 1, 1, 1), 2 + 1j))])
    pullback = A.vjp(here(np.array([3 - 2j])))[1]
    dcores, dX = host(pullback(here(np.array([1 + 4j]))))
    assert dcores[0].item() == (1 + 4j) * (3 + 2j)
    assert dX.item() == (1 + 4j) * (2 - 1j)


@pytest.mark.parametrize(
    ("train", "samples", "cotangent", "cores_out", "samples_out"),
    [
        ("f4", "f4", "f4", "f4", "f4"),
        ("f4", "c8", "c8", "f4", "c8"),
        ("c8", "f4", "c8", "c8", "f4"),
        ("f8", "f4", "f8", "f8", "f8"),
    ],
)
def test_dtypes(train, samples, cotangent, cores_out, samples_out, rng):
    A = here(tt.random_matrix((2, 3), (2, 2), 2, rng=rng, dtype=train))
    y, pullback = A.vjp(here(np.ones((3, 4), samples)))
    assert dtype_of(y) == np.result_type(train, samples)
    dcores, dX = pullback(here(np.ones((3, 6), cotangent)))
    assert {dtype_of(dG) for dG in dcores} == {np.dtype(cores_out)}
    assert dtype_of(dX) == samples_out
