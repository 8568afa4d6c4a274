"""A TTMatrix in SciPy: every iterative method takes it as it is, or as an operator."""

import warnings

import numpy as np
import pytest
from scipy import linalg as dense_linalg
from scipy import sparse
from scipy.sparse import linalg

import ttalgebra as tt

pytestmark = pytest.mark.host("SciPy computes in NumPy")
MODES = (2, 3, 4)
N = 24
AGREEMENT = 1e-8
REAL_AND_COMPLEX = pytest.mark.parametrize("dtype", [np.float64, np.complex128])


def near_identity(dtype, rng):
    """A square matrix with condition number below 10: the identity and some noise."""
    noise = tt.random_matrix(MODES, MODES, 3, dtype=dtype, rng=rng)
    return tt.identity(MODES, dtype=dtype) + noise * (0.5 / noise.norm())


def positive(dtype, rng):
    """A Hermitian positive definite matrix."""
    A = near_identity(dtype, rng)
    return A.H @ A


def tall(dtype, rng):
    """``(24, 6)``, of full column rank."""
    return tt.random_matrix(MODES, (1, 3, 2), 4, dtype=dtype, rng=rng)


def vector(dtype, rng, *shape):
    x = rng.normal(size=shape)
    return x + 1j * rng.normal(size=shape) if dtype is np.complex128 else x


def assert_agree(found, true):
    """``|found - true| <= 1e-8 |true|`` in the largest entry."""
    assert np.shape(found) == np.shape(true)
    assert np.abs(found - true).max() <= AGREEMENT * np.abs(true).max()


SOLVERS = {
    "cg": (linalg.cg, positive),
    "minres": (linalg.minres, positive),
    "gmres": (linalg.gmres, near_identity),
    "bicgstab": (linalg.bicgstab, near_identity),
    "bicg": (linalg.bicg, near_identity),
    "lgmres": (linalg.lgmres, near_identity),
    "tfqmr": (linalg.tfqmr, near_identity),
    "gcrotmk": (linalg.gcrotmk, near_identity),
}


SYSTEMS = [(name, dtype) for name in SOLVERS for dtype in (np.float64, np.complex128)]
SYSTEMS.remove(("minres", np.complex128))  # SciPy's fails for dense arrays too


@pytest.mark.parametrize("columns", [(), (1,)], ids=["(N,)", "(N, 1)"])
@pytest.mark.parametrize(("name", "dtype"), SYSTEMS)
def test_linear_systems(name, columns, dtype, rng):
    solve, make = SOLVERS[name]
    A = make(dtype, rng)
    b = vector(dtype, rng, N, *columns)
    how = {"rtol": 1e-12} | ({} if name == "minres" else {"atol": 0.0})
    x, info = solve(A, b, **how)
    assert info == 0
    assert_agree(x, np.linalg.solve(A.to_dense(), b.ravel()))


@REAL_AND_COMPLEX
@pytest.mark.parametrize("solve", [linalg.lsqr, linalg.lsmr])
def test_least_squares(solve, dtype, rng):
    A = tall(dtype, rng)
    b = vector(dtype, rng, N)
    x, stop = solve(A, b, atol=1e-14, btol=1e-14)[:2]
    assert stop in (1, 2, 4, 5)
    assert_agree(x, np.linalg.lstsq(A.to_dense(), b, rcond=None)[0])


@REAL_AND_COMPLEX
def test_eigenvalues_of_hermitian_matrices(dtype, rng):
    A = positive(dtype, rng)
    w, V = linalg.eigsh(A, k=3, tol=1e-12)
    assert_agree(np.sort(w), np.linalg.eigvalsh(A.to_dense())[-3:])
    assert_agree(A @ V, V * w)


@REAL_AND_COMPLEX
def test_eigenvalues(dtype, rng):
    A = near_identity(dtype, rng)
    w, V = linalg.eigs(A, k=3, tol=1e-12)
    true = np.linalg.eigvals(A.to_dense())
    assert_agree(np.sort(abs(w)), np.sort(abs(true))[-3:])
    assert_agree(A @ V, V * w)


@REAL_AND_COMPLEX
@pytest.mark.parametrize("solver", ["arpack", "propack", "lobpcg"])
def test_singular_values(solver, dtype, rng):
    A = tall(dtype, rng)
    k = 1 if solver == "lobpcg" else 3  # it wants five times as many columns
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # lobpcg: no more accuracy left
        u, s, vh = linalg.svds(A, k, tol=1e-12, solver=solver, maxiter=200, rng=0)
    true = dense_linalg.svdvals(A.to_dense())[:k]
    assert_agree(np.sort(s)[::-1], true)
    assert np.abs(A @ vh.conj().T - u * s).max() <= 1e-6 * true[0]


@REAL_AND_COMPLEX
def test_lobpcg(dtype, rng):
    A = positive(dtype, rng)
    X = vector(dtype, rng, N, 3)
    w, V = linalg.lobpcg(A, X, tol=1e-10, maxiter=200)
    assert_agree(np.sort(w), np.linalg.eigvalsh(A.to_dense())[-3:])
    assert_agree(A @ V, V * w)


@REAL_AND_COMPLEX
def test_the_one_norm(dtype, rng):
    A = near_identity(dtype, rng)
    true = np.abs(A.to_dense()).sum(axis=0).max()
    assert abs(linalg.onenormest(A, t=N) - true) <= AGREEMENT * true
    assert true / 3 <= linalg.onenormest(A) <= true * (1 + AGREEMENT)


@REAL_AND_COMPLEX
@pytest.mark.parametrize("columns", [(), (1,), (5,)])
def test_the_exponential(columns, dtype, rng):
    A = near_identity(dtype, rng)
    b = vector(dtype, rng, N, *columns)
    S = tt.interop.scipy.aslinearoperator(A)
    found = linalg.expm_multiply(S, b, traceA=A.trace())
    assert_agree(found, dense_linalg.expm(A.to_dense()) @ b)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_operators_have_the_shape_dtype_and_products_of_the_matrix(dtype, rng):
    A = tt.random_matrix(MODES, (1, 3, 2), 4, dtype=dtype, rng=rng)
    S, W = tt.interop.scipy.aslinearoperator(A), A.to_dense()
    assert isinstance(S, linalg.LinearOperator)
    assert (S.shape, S.dtype) == (A.shape, A.dtype) == ((N, 6), np.dtype(dtype))
    unit = 1e3 * np.finfo(dtype).eps
    for X in (np.ones(6, dtype), np.ones((6, 1), dtype), np.ones((6, 5), dtype)):
        np.testing.assert_allclose(S @ X, W @ X, rtol=unit, atol=unit)
        assert (S @ X).dtype == A.dtype
    for Y in (np.ones(N, dtype), np.ones((N, 1), dtype), np.ones((N, 5), dtype)):
        np.testing.assert_allclose(S.H @ Y, W.conj().T @ Y, rtol=unit, atol=unit)
        np.testing.assert_allclose(S.T @ Y, W.T @ Y, rtol=unit, atol=unit)


@pytest.mark.parametrize("A", [np.eye(2), None, tt.ones((2, 2))], ids=repr)
def test_operators_are_made_of_matrices(A):
    with pytest.raises(TypeError, match="aslinearoperator: a TTMatrix is needed, got"):
        tt.interop.scipy.aslinearoperator(A)


def test_operators_are_made_in_numpy():
    A = tt.identity(MODES).to("array_api_strict")
    with pytest.raises(
        TypeError, match=r'SciPy computes in NumPy; use A.to\("numpy"\)'
    ):
        tt.interop.scipy.aslinearoperator(A)


def test_the_door_to_scipy_is_opened_when_it_is_used():
    assert "scipy" in dir(tt.interop)
    with pytest.raises(AttributeError, match="no_such_neighbour"):
        _ = tt.interop.no_such_neighbour


@REAL_AND_COMPLEX
@pytest.mark.parametrize("shape", [(6,), (6, 1), (6, 5), (6, 0)])
def test_blocks_of_every_shape(shape, dtype, rng):
    A = tall(dtype, rng)
    X = vector(dtype, rng, *shape)
    W = A.to_dense()
    for Y in (A @ X, A.dot(X), *([A.matmat(X)] if len(shape) == 2 else [])):
        assert Y.shape == (N, *shape[1:])
        np.testing.assert_allclose(Y, W @ X, rtol=0, atol=1e-13 * N)
    if shape in ((6,), (6, 1)):
        assert A.matvec(X).shape == (N, *shape[1:])


@REAL_AND_COMPLEX
@pytest.mark.parametrize("shape", [(N,), (1, N), (5, N)])
def test_dense_arrays_on_the_left(shape, dtype, rng):
    A = tall(dtype, rng)
    X = vector(dtype, rng, *shape)
    assert type(X @ A) is np.ndarray
    np.testing.assert_allclose(X @ A, X @ A.to_dense(), rtol=0, atol=1e-13 * N)


@pytest.mark.parametrize("name", ["csr", "csc", "coo", "bsr", "dia", "dok", "lil"])
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_sparse_arrays_on_the_right_say_what_to_do(name, kind, rng):
    """Once an AttributeError of SciPy's, or all of the matrix made dense in silence."""
    A = near_identity(np.float64, rng)
    S = getattr(sparse, f"{name}_{kind}")(np.eye(N))
    for call in (
        lambda: A @ S,
        lambda: A.matvec(S),
        lambda: A.matmat(S),
        lambda: A.apply(S),
        lambda: A.vjp(S),
        lambda: tt.padded(S, (N, N)),
    ):
        with pytest.raises(TypeError, match=rf"sparse {name}_{kind}.*toarray"):
            call()
    for call in (lambda: A * S, lambda: A / S, lambda: tt.ones((N,)) * S):
        with pytest.raises(TypeError, match=f"must be a number, got {name}_{kind}"):
            call()
    assert np.allclose(A @ S.toarray(), A.to_dense(), rtol=0, atol=1e-12)
    assert np.allclose(S @ A, A.to_dense(), rtol=1e-13)  # SciPy asks for np.asarray(A)


def test_sparse_arrays_on_the_left_never_form_what_is_too_large():
    S = sparse.eye_array(2**20, format="csr")
    with pytest.raises(tt.errors.TooLargeError, match="matvec"):
        S @ tt.identity((2,) * 20)


def test_functions_of_numpy_refuse_a_train():
    A = tt.identity(MODES)
    with pytest.raises(TypeError):
        np.matmul(np.ones(N), A)
    with pytest.raises(TypeError):
        np.add(np.ones((N, N)), A)


@REAL_AND_COMPLEX
@pytest.mark.parametrize("columns", [(), (1,), (4,)])
def test_products_are_adjoint(columns, dtype, rng):
    """``<y, A x> = <A^H y, x>``, to roundoff of the terms."""
    A = tall(dtype, rng)
    x, y = vector(dtype, rng, 6, *columns), vector(dtype, rng, N, *columns)
    many = columns == (4,)
    forward = A.matmat(x) if many else A.matvec(x)
    backward = A.rmatmat(y) if many else A.rmatvec(y)
    W = abs(A.to_dense())
    scale = np.sum(abs(y) * (W @ abs(x)))
    difference = np.vdot(y, forward) - np.vdot(backward, x)
    assert abs(difference) <= 100 * np.finfo(float).eps * scale
    np.testing.assert_allclose(A.H @ y, backward, rtol=0, atol=1e-13 * N)
    np.testing.assert_allclose(A.T @ y.conj(), backward.conj(), rtol=0, atol=1e-13 * N)


def test_asarray_is_the_dense_matrix(rng):
    A = tall(np.complex128, rng)
    assert np.array_equal(np.asarray(A), A.to_dense())
    assert np.asarray(A, dtype=np.complex64).dtype == np.complex64
    assert (A.dtype, A.shape, A.ndim) == (np.complex128, (N, 6), 2)


def test_asarray_never_forms_what_is_too_large():
    A = tt.identity((2,) * 40)
    advice = r"to_dense needs \d+ elements .* > limit 2.0 GiB; use matvec, or to_dense"
    with pytest.raises(tt.errors.TooLargeError, match=advice):
        np.asarray(A)
    with pytest.raises(MemoryError):
        np.asarray(A)


def test_asarray_cannot_share():
    with pytest.raises(ValueError, match=r"no dense array to share; use to_dense\(\)"):
        np.asarray(tt.identity(MODES), copy=False)


def test_complex_as_real_is_not_silent(rng):
    with pytest.warns(np.exceptions.ComplexWarning):
        np.asarray(tall(np.complex128, rng), dtype=np.float64)


def test_the_shape_of_a_huge_operator_is_that_of_the_matrix():
    """2^40 rows: the operator is made, its product refused before memory is."""
    A = tt.identity((2,) * 40)
    S = tt.interop.scipy.aslinearoperator(A)
    assert S.shape == (2**40, 2**40)
    with pytest.raises(tt.errors.TooLargeError, match="the product needs"):
        A @ np.broadcast_to(np.float64(1), (2**40,))
