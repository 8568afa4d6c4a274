"""Entrywise products, Kronecker products, diagonals: against dense, and their laws."""

import numpy as np
import pytest
from hypothesis import given

import ttalgebra as tt
from tests import made
from tests.algebra.chains import (
    assert_exact,
    assert_train,
    booleans,
    draw,
    dtypes,
    integers,
    kinds,
    magnitude,
    modes_of,
    scales,
    seeds,
    train,
    train_of,
)
from tests.backends import dtype_of, here, host
from tests.reference import dense, eps, norm, unit, width
from tests.trains.families import gaussian_cores


def kron_of(x, y):
    a, b = dense(x.cores), dense(y.cores)
    if isinstance(x, tt.TTTensor):
        return np.multiply.outer(a, b)
    return np.kron(a, b)


@given(seeds, kinds, dtypes, scales)
def test_hadamard(ratios, seed, n_modes, dtype, scale):
    rng, x = draw(seed, n_modes, dtype, scale)
    y = train(rng, modes_of(x), dtype, scale)
    product = x.hadamard(y)
    assert dtype_of(product) == dtype
    assert type(product) is type(x)
    assert product.ranks == tuple(r * s for r, s in zip(x.ranks, y.ranks, strict=True))
    wanted = dense(x.cores) * dense(y.cores)
    assert_train(ratios, "x * y", product, wanted, unit(product.cores))
    if n_modes == 1:
        assert_exact(dense((x * y).cores), dense(product.cores))
    swapped = dense(y.hadamard(x).cores)
    assert_train(ratios, "x * y = y * x", product, swapped, unit(product.cores))


@given(seeds, kinds, dtypes, scales)
def test_kron(ratios, seed, n_modes, dtype, scale):
    rng, x = draw(seed, n_modes, dtype, scale, limit=60, orders=(1, 4))
    y = train(rng, ((3, 2)[:n_modes], (1, 3)[:n_modes]), dtype, scale)
    product = tt.kron(x, y)
    assert product.ranks == (*x.ranks, *y.ranks[1:])
    assert modes_of(product) == modes_of(x) + modes_of(y)
    assert dtype_of(product) == dtype
    wanted = kron_of(x, y)
    assert_train(ratios, "kron", product, wanted, unit(product.cores))


@given(seeds, dtypes)
def test_kron_is_bilinear_and_multiplicative(ratios, seed, dtype):
    """``(A x B)(C x D) = AC x BD``; the adjoint goes through."""
    rng, A = draw(seed, 2, dtype, limit=40, orders=(1, 3))
    B = train(rng, ((2, 3), (2, 1)), dtype)
    C = train(rng, [(n, int(rng.integers(1, 3))) for n in A.col_modes], dtype)
    D = train(rng, ((3, 2), (1, 2)), dtype)
    one, other = tt.kron(A, B) @ tt.kron(C, D), tt.kron(A @ C, B @ D)
    wanted = dense(other.cores)
    assert_train(ratios, "(A x B)(C x D) = AC x BD", one, wanted, unit(one.cores))
    assert_exact(dense(tt.kron(A, B).H.cores), dense(tt.kron(A.H, B.H).cores))


@given(seeds, booleans)
def test_exact_on_integers(seed, complex_):
    rng, A = integers(seed, 2, complex_, square=True, limit=100)
    bonds = (1, *(2,) * (A.order - 1), 1)
    B = train_of(gaussian_cores(rng, modes_of(A), bonds, complex_))
    a, b = dense(A.cores), dense(B.cores)
    assert_exact(A.hadamard(B).to_dense(), a * b)
    assert_exact(tt.kron(A, B).to_dense(), np.kron(a, b))
    x = A.diagonal()
    assert_exact(host(x.to_dense()).ravel(), a.diagonal())
    assert x.modes == A.row_modes
    D = tt.TTMatrix.from_diagonal(x)
    assert D.ranks == x.ranks
    assert_exact(D.to_dense(), np.diag(a.diagonal()))
    y = B.diagonal()
    assert_exact((D @ y).to_dense(), (x * y).to_dense())
    assert_exact(host((x * y).to_dense()).ravel(), a.diagonal() * b.diagonal())
    assert_exact(A.H.diagonal().to_dense(), x.conj().to_dense())


@given(seeds, kinds, dtypes)
def test_ones_are_neutral(seed, n_modes, dtype):
    """Equality: a product with one is no arithmetic."""
    _, x = draw(seed, n_modes, dtype)
    ones = made.ones(*zip(*modes_of(x), strict=True), dtype=dtype)
    product = x.hadamard(ones)
    assert dtype_of(product) == dtype
    for core, wanted in zip(product.cores, x.cores, strict=True):
        assert_exact(core, wanted)
    assert (0 * x).hadamard(x).norm() == 0.0


@given(seeds, dtypes, scales)
def test_diagonals(ratios, seed, dtype, scale):
    _, A = draw(seed, 2, dtype, scale, square=True)
    x = A.diagonal()
    assert dtype_of(x) == dtype
    assert x.ranks == A.ranks
    assert_exact(dense(x.cores).ravel(), dense(A.cores).diagonal())
    D = tt.TTMatrix.from_diagonal(x)
    assert_exact(dense(D.cores), np.diag(dense(x.cores).ravel()))
    back = D.diagonal()
    for core, wanted in zip(back.cores, x.cores, strict=True):
        assert_exact(core, wanted)
    y = A[0]
    assert_train(
        ratios,
        "from_diagonal(x) @ y = x * y",
        D @ y,
        dense((x * y).cores),
        unit((x * y).cores),
    )


@pytest.mark.parametrize("sizes", [(1e200, 1e-200), (1e-200, 1e200), (1e300, 1e-160)])
@pytest.mark.parametrize("n_modes", [1, 2])
def test_cores_that_are_far_from_each_other(sizes, n_modes):
    """The product is in range; that of two first cores alone is not."""
    x = train_of([np.full((1, *(2,) * n_modes, 1), size) for size in sizes])
    value = np.longdouble(sizes[0]) * np.longdouble(sizes[1])
    product = x.hadamard(x)
    assert product.log_norm() == pytest.approx(2 * x.log_norm() - n_modes * np.log(2))
    if value**2 < 1e300:
        assert np.allclose(host(product.to_dense()), float(value**2), rtol=1e-13)


def test_hadamard_of_a_power_with_ranks_one():
    """``exp(i) * exp(j) = exp(i + j)``: one rank, and known numbers."""
    grid = np.arange(64)
    x, y = (
        tt.TTTensor.from_dense(here(np.exp(c * grid).reshape((2,) * 6)), 1e-14)
        for c in (0.01, -0.03)
    )
    product = x * y
    assert product.max_rank == 1
    error = host(product.to_dense()).ravel() - np.exp(-0.02 * grid)
    assert norm(error) <= 30 * eps("f8") * width(product.cores) * 8


def test_norm_of_a_kron_is_the_product_of_norms(rng):
    x, y = (made.random_tensor((3, 4, 2), 3, rng=rng) for _ in range(2))
    assert tt.kron(x, y).norm() == pytest.approx(x.norm() * y.norm(), rel=1e-13)
    inner = tt.dot(tt.kron(x, y), tt.kron(y, x))
    assert abs(inner - tt.dot(x, y) ** 2) <= 1e-13 * x.norm() ** 2 * y.norm() ** 2
    assert norm(magnitude(x)) >= x.norm() * (1 - 1e-12)
