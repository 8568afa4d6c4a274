"""The algebra against the dense algebra, in units of roundoff, for every kind of train.

Hypothesis draws sizes and seeds; the numbers come from `families`. The largest ratio
of each law is printed at the end of the run and stays under 30.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ttalgebra as tt
from tests.backends import dtype_of, here, host
from tests.reference import dense, eps, growth, matvec_unit, norm, unit, wide, width
from tests.trains.families import (
    DTYPES,
    draw_bonds,
    random_chain,
    random_cores,
)

seeds = st.integers(0, 2**32 - 1)
kinds = st.sampled_from([1, 2])
dtypes = st.sampled_from(DTYPES)
NUMBERS = (2, -3, 0.5, 0, -1.25, 1e-3, 1j, 2 - 0.5j, np.float32(0.1), np.int64(3))


def train_of(cores):
    return (tt.TTTensor if cores[0].ndim == 3 else tt.TTMatrix)(here(cores))


def partner(rng, A):
    """A chain of the same modes and dtype, of other ranks and another family."""
    modes = [core.shape[1:-1] for core in A.cores]
    return train_of(random_cores(rng, modes, draw_bonds(rng, A.order), dtype_of(A)))


def draw(seed, n_modes, dtype):
    rng = np.random.default_rng([7, seed])
    return rng, train_of(random_chain(rng, n_modes, dtype))


def assert_law(ratios, law, train, expected):
    """Cores against an expected dense array, in the unit of those cores."""
    ratios.check(law, norm(dense(train.cores) - expected), unit(train.cores))


@given(seeds, kinds, dtypes)
def test_to_dense(ratios, seed, n_modes, dtype):
    _, A = draw(seed, n_modes, dtype)
    found, exact = A.to_dense(), dense(A.cores)
    assert found.shape == A.shape == exact.shape
    assert dtype_of(found) == dtype_of(A) == dtype
    ratios.check("to_dense", norm(wide(found) - exact), unit(A.cores))


@given(seeds, kinds, dtypes)
def test_sum_and_difference(ratios, seed, n_modes, dtype):
    rng, A = draw(seed, n_modes, dtype)
    B = partner(rng, A)
    a, b = dense(A.cores), dense(B.cores)
    assert dtype_of(A + B) == dtype_of(A - B) == dtype
    bonds = zip(A.ranks[1:-1], B.ranks[1:-1], strict=True)
    assert (A + B).ranks[1:-1] == tuple(r + s for r, s in bonds)
    assert_law(ratios, "x + y", A + B, a + b)
    assert_law(ratios, "x - y", A - B, a - b)
    assert_law(ratios, "x + y = y + x", B + A, dense((A + B).cores))
    assert_law(ratios, "-x", -A, -a)
    C = partner(rng, A)
    assert_law(ratios, "(x + y) + z", (A + B) + C, dense((A + (B + C)).cores))


@given(seeds, kinds, dtypes, st.sampled_from(NUMBERS))
def test_multiples(ratios, seed, n_modes, dtype, number):
    _, A = draw(seed, n_modes, dtype)
    a = dense(A.cores)
    for product in (number * A, A * number):
        assert product.ranks == A.ranks
        assert np.finfo(dtype_of(product)).eps == np.finfo(dtype).eps
        assert_law(ratios, "c x", product, wide(number) * a)
    if number:
        assert_law(ratios, "x / c", A / number, a / wide(number))


@given(seeds, kinds, dtypes)
def test_transposes_and_conjugates(seed, n_modes, dtype):
    """No arithmetic in these: equality."""
    _, A = draw(seed, n_modes, dtype)
    a = dense(A.cores)
    assert np.array_equal(dense(A.conj().cores), a.conj())
    assert np.array_equal(dense(A.conj().conj().cores), a)
    if n_modes == 2:
        assert (A.T.row_modes, A.T.col_modes) == (A.col_modes, A.row_modes)
        assert np.array_equal(dense(A.T.cores), a.T)
        assert np.array_equal(dense(A.H.cores), a.conj().T)
        assert np.array_equal(dense(A.H.H.cores), a)
        assert dtype_of(A.H) == dtype


@given(seeds, dtypes)
def test_train_products(ratios, seed, dtype):
    rng, A = draw(seed, 2, dtype)
    bonds = draw_bonds(rng, A.order)
    bonds = tuple(min(r, 4) for r in bonds)
    tails = [(n, int(rng.integers(1, 4))) for n in A.col_modes]
    B = train_of(random_cores(rng, tails, bonds, dtype))
    x = train_of(random_cores(rng, [(n,) for n in A.col_modes], bonds, dtype))
    a = dense(A.cores)
    assert (A @ B).row_modes == A.row_modes
    assert (A @ B).col_modes == B.col_modes
    assert (A @ B).ranks == tuple(r * s for r, s in zip(A.ranks, B.ranks, strict=True))
    assert_law(ratios, "A @ B", A @ B, a @ dense(B.cores))
    expected = (a @ dense(x.cores).reshape(-1)).reshape(A.row_modes)
    assert (A @ x).shape == A.row_modes
    assert_law(ratios, "A @ x, both trains", A @ x, expected)


@given(seeds, dtypes, st.integers(0, 5))
def test_dense_products(ratios, seed, dtype, batch):
    """Entrywise, in the unit ``eps sum(n_k r_k) (|A| |x|)_i``."""
    rng, A = draw(seed, 2, dtype)
    M, N = A.shape
    X = here(rng.standard_normal((N, batch)).astype(dtype))
    x = X[:, 0] if batch else here(np.ones(N, dtype))
    a, u, v = dense(A.cores), matvec_unit(A.cores, X), matvec_unit(A.cores, x)
    for found in (A @ X, A.matmat(X), A.apply(X.T).T):
        assert found.shape == (M, batch)
        assert dtype_of(found) == dtype
        if batch:
            ratios.check("A @ X", abs(wide(found) - a @ wide(X)), u)
    for found in (A @ x, A.matvec(x), A.apply(x), A.matvec(x[:, None])[:, 0]):
        assert found.shape == (M,)
        ratios.check("A @ x", abs(wide(found) - a @ wide(x)), v)
    Y = here(rng.standard_normal((M, 3)).astype(dtype))
    back = matvec_unit(A.T.cores, Y)
    for found in (A.rmatmat(Y), A.H @ Y, A.H.apply(Y.T).T):
        ratios.check("A.H @ Y", abs(wide(found) - a.conj().T @ wide(Y)), back)
    found = A.rmatvec(Y[:, 0])
    ratios.check("A.H @ y", abs(wide(found) - a.conj().T @ wide(Y[:, 0])), back[:, 0])
    cube = here(rng.standard_normal((2, 3, N)).astype(dtype))
    assert A.apply(cube).shape == (2, 3, M)


@given(seeds, kinds, dtypes)
def test_dot(ratios, seed, n_modes, dtype):
    """Unit ``eps max(W) Gamma_x Gamma_y``; the first argument is conjugated."""
    rng, A = draw(seed, n_modes, dtype)
    B = partner(rng, A)
    a, b = dense(A.cores), dense(B.cores)
    found = tt.dot(A, B)
    assert type(found) is (complex if dtype.kind == "c" else float)
    u = eps(dtype) * max(width(A.cores), width(B.cores))
    u = u * growth(A.cores) * growth(B.cores)
    ratios.check("dot", abs(found - (a.conj() * b).sum()), u)
    ratios.check("dot(y, x)", abs(np.conj(tt.dot(B, A)) - found), u)
    square = eps(dtype) * width(A.cores) * growth(A.cores) ** 2
    ratios.check("norm^2 = dot(x, x)", abs(tt.dot(A, A) - wide(A.norm()) ** 2), square)


@given(seeds, kinds, dtypes)
def test_norm(ratios, seed, n_modes, dtype):
    rng, A = draw(seed, n_modes, dtype)
    B, u = partner(rng, A), unit(A.cores)
    size, found = norm(dense(A.cores)), A.norm()
    assert type(found) is float
    ratios.check("norm", abs(found - size), u)
    ratios.check("norm(c x)", abs((-2.5 * A).norm() - 2.5 * size), 2.5 * u)
    if size > 1000 * u:
        ratios.check("log_norm", abs(A.log_norm() - np.log(size)), u / size)
    difference = A - B
    distance = norm(dense(A.cores) - dense(B.cores))
    error = abs(difference.norm() - distance)
    ratios.check("norm(x - y)", error, unit(difference.cores))
    ratios.check("norm(x - x)", (A - A).norm(), unit((A - A).cores))


@given(seeds, kinds, dtypes, st.integers(0, 5))
def test_orthogonalize(ratios, seed, n_modes, dtype, place):
    _, A = draw(seed, n_modes, dtype)
    site = place % A.order
    Q = A.orthogonalize(site)
    assert_law(ratios, "orthogonalize", Q, dense(A.cores))
    assert all(q <= r for q, r in zip(Q.ranks, A.ranks, strict=True))
    for k, core in enumerate(Q.cores):
        core = wide(core)
        q = (
            core.reshape(-1, core.shape[-1])
            if k < site
            else core.reshape(len(core), -1).T
        )
        if k != site:
            gap = norm(q.conj().T @ q - np.eye(q.shape[1]))
            ratios.check("orthonormal cores", gap, eps(dtype) * len(q))
    error = abs(norm(Q.cores[site]) - norm(dense(A.cores)))
    ratios.check("norm of the centre", error, unit(A.cores))
    assert np.array_equal(
        *host((A.orthogonalize(site - A.order).cores[site], Q.cores[site]))
    )


@pytest.mark.host("arrays of other libraries may refuse before they ask the train")
@given(seeds, dtypes)
def test_dense_on_the_left(ratios, seed, dtype):
    rng, A = draw(seed, 2, dtype)
    Y = rng.standard_normal((A.shape[0], 3)).astype(dtype)
    found = (Y.conj().T @ A).conj().T
    back = matvec_unit(A.T.cores, Y)
    ratios.check("Y.H @ A", abs(found - dense(A.cores).conj().T @ wide(Y)), back)
    y = Y[:, 0] @ A
    ratios.check("y @ A", abs(y - wide(Y[:, 0]) @ dense(A.cores)), back[:, 0])


@given(seeds, dtypes)
def test_linearity_and_adjoint(ratios, seed, dtype):
    rng, A = draw(seed, 2, dtype)
    M, N = A.shape
    x, y = (here(rng.standard_normal(N).astype(dtype)) for _ in range(2))
    u = matvec_unit(A.cores, abs(2 * x) + abs(3 * y))
    linear = A @ (2 * x + 3 * y) - 2 * (A @ x) - 3 * (A @ y)
    ratios.check("A(2x + 3y)", abs(wide(linear)), u)
    z = here(rng.standard_normal(M).astype(dtype))
    inner = np.vdot(wide(z), wide(A @ x)) - np.vdot(wide(A.H @ z), wide(x))
    ratios.check("adjoint", abs(inner), abs(wide(z)) @ matvec_unit(A.cores, x))
    eye = here(tt.identity(A.col_modes, dtype=dtype))
    assert np.array_equal(*host(((A @ eye).to_dense(), A.to_dense())))
    whole = A @ here(np.eye(N, dtype=dtype)) - A.to_dense()
    ratios.check("A @ eye", abs(wide(whole)), u.max())


@given(seeds, kinds, st.sampled_from([-900, -300, 300, 900]))
def test_powers_of_two_move_through(ratios, seed, n_modes, power):
    """``op(2^k x) = 2^k op(x)``, however the power is shared among the cores."""
    _, A = draw(seed, n_modes, np.dtype("f8"))
    near = A.norm()
    cores = host(A.cores)
    first = train_of([cores[0] * 2.0**power, *cores[1:]])
    for far in (first, 2.0**power * A, A / 2.0**-power):
        assert math.isclose(far.norm(), math.ldexp(near, power), rel_tol=1e-12)
        one, other = A.round(tol=1e-5), far.round(tol=1e-5)
        assert one.ranks == other.ranks
        error = norm(dense(other.cores) - 2 ** np.longdouble(power) * dense(one.cores))
        u = 2 ** np.longdouble(power) * unit(A.cores)
        ratios.check("round(2^k x)", error, u)
    inner = tt.dot(A, first)
    own = np.longdouble(tt.dot(A, A)) * 2 ** np.longdouble(power)
    assert inner == (float(own) if own <= np.finfo(float).max else math.inf)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_one_and_nothing(d, rng):
    """The neutral elements are exact."""
    A = here(tt.random_matrix((2, 3, 1, 2, 2)[:d], (3, 1, 2, 2, 2)[:d], 3, rng=rng))
    zero = here(tt.zeros(A.row_modes, A.col_modes))
    assert norm(wide((A + zero).to_dense()) - wide(A.to_dense())) <= unit(A.cores)
    assert np.array_equal(*host(((1 * A).to_dense(), A.to_dense())))
    assert not host((0 * A).to_dense()).any()
    assert (A - A).norm() <= 30 * unit((A - A).cores)
    X = here(rng.standard_normal((4, A.shape[1])))
    assert np.array_equal(*host((here(tt.identity(A.col_modes)).apply(X), X)))
