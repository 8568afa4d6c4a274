"""BlockTerm as a value: exact on integers, checked at the door, never changed."""

import pickle

import numpy as np
import pytest
from scipy.sparse import linalg

import ttalgebra as tt
from tests.backends import dtype_of, here, host
from tests.blocks import MODES, arrays, dense, gradients, integer_blocks, integers
from tests.reference import exact
from ttalgebra.arrays.errors import NonFiniteError, ShapeError, TooLargeError

KINDS = pytest.mark.parametrize("complex_", [False, True], ids=["real", "Gaussian"])
CASES = {
    "d=1": (((2, 3),), ((1,), (3,))),
    "d=2": (((2, 3), (3, 1)), ((2, 2),)),
    "d=3": (MODES, ((2, 1, 3), (1, 1, 1), (2, 2, 2))),
    "d=5": (((1, 2), (2, 1), (1, 1), (2, 2), (1, 2)), ((1, 2, 1, 2, 1),)),
}
cases = pytest.mark.parametrize("case", list(CASES))


def drawn(case, rng, **options):
    modes, ranks = CASES[case]
    return integer_blocks(rng, modes, *ranks, **options)


def of(blocks):
    return tt.BlockTerm(here(blocks))


def equal(found, wanted):
    return np.array_equal(exact(host(found)), wanted)


@KINDS
@cases
def test_products(case, complex_, rng):
    blocks = drawn(case, rng, complex_=complex_)
    A, W = of(blocks), dense(blocks)
    M, N = A.shape
    X, Y = (integers(rng, (size, 3), complex_=complex_) for size in (N, M))
    assert W.shape == (M, N)
    assert equal(A.to_dense(), W)
    assert equal(A @ here(X), W @ exact(X))
    assert equal(A.matmat(here(X)), W @ exact(X))
    assert equal(A.matvec(here(X[:, 0])), W @ exact(X[:, 0]))
    assert equal(A.matvec(here(X[:, :1])), W @ exact(X[:, :1]))
    assert equal(A.rmatmat(here(Y)), np.conjugate(W.T) @ exact(Y))
    assert equal(A.rmatvec(here(Y[:, 0])), np.conjugate(W.T) @ exact(Y[:, 0]))
    assert equal(A.T.apply(here(Y.T)), exact(Y.T) @ W)
    assert equal(A.apply(here(X.T)), exact(X.T) @ W.T)
    assert equal(A.apply(here(X[:, 0])), W @ exact(X[:, 0]))
    assert equal(A.apply(here(np.zeros((0, N)))), np.zeros((0, M)))


@KINDS
@cases
def test_algebra(case, complex_, rng):
    one, other = (drawn(case, rng, complex_=complex_) for _ in range(2))
    A, B, V, W = of(one), of(other[:1]), dense(one), dense(other[:1])
    assert equal((A + B).to_dense(), V + W)
    assert equal((A - B).to_dense(), V - W)
    assert equal((-A).to_dense(), -V)
    assert equal((3 * A).to_dense(), 3 * V)
    assert equal((A * 4 / 2).to_dense(), 2 * V)
    assert equal(A.T.to_dense(), V.T)
    assert equal(A.H.to_dense(), np.conjugate(V.T))
    assert equal(A.conj().to_dense(), np.conjugate(V))
    assert (A + B).n_blocks == A.n_blocks + 1
    assert (A + B).ranks == A.ranks + B.ranks


@KINDS
@cases
def test_gradients_are_those_of_the_product_rule(case, complex_, rng):
    blocks = drawn(case, rng, complex_=complex_)
    A, W = of(blocks), dense(blocks)
    X, dy = (integers(rng, (3, size), complex_=complex_) for size in A.shape[::-1])
    y, pullback = A.vjp(here(X))
    dblocks, dX = pullback(here(dy))
    assert equal(y, exact(X) @ W.T)
    assert equal(dX, exact(dy) @ np.conjugate(W))
    for found, wanted in zip(arrays(dblocks), gradients(blocks, X, dy), strict=True):
        assert equal(found, wanted)


def test_real_blocks_meet_complex_samples(rng):
    blocks = drawn("d=2", rng)
    A = of(blocks)
    X = integers(rng, (2, 3), complex_=True)
    dy = integers(rng, (2, 6), complex_=True)
    y, pullback = A.vjp(here(X))
    dblocks, dX = pullback(here(dy))
    assert equal(y, exact(X) @ dense(blocks).T)
    assert equal(dX, exact(dy) @ dense(blocks))
    for found, wanted in zip(arrays(dblocks), gradients(blocks, X, dy), strict=True):
        assert equal(found, np.vectorize(lambda z: z.real, otypes=[object])(wanted))


def test_leading_axes_and_edits_after_the_call(rng):
    blocks = drawn("d=2", rng)
    A = of(blocks)
    given = integers(rng, (2, 4, 3))
    X = here(given)
    y, pullback = A.vjp(X)
    assert y.shape == (2, 4, 6)
    first = pullback(y)[0]
    if isinstance(X, np.ndarray) and X.flags.writeable:
        X[...] = 77.0
    again = pullback(y)[0]
    for one, other in zip(arrays(first), arrays(again), strict=True):
        assert np.array_equal(host(one), host(other))
    assert pullback(y)[1].shape == (2, 4, 3)


def test_description(rng):
    A = tt.BlockTerm.random((2, 3), (4, 5), n_blocks=2, ranks=(3, 2), rng=0)
    B = of([(host(core), [host(f) for f in factors]) for core, factors in A.blocks])
    assert (B.shape, B.row_modes, B.col_modes) == ((6, 20), (2, 3), (4, 5))
    assert (B.n_blocks, B.order, B.ranks) == (2, 2, ((3, 2), (3, 2)))
    assert B.n_parameters == 2 * (2 * 4 * 3 + 3 * 5 * 2 + 6) == 120
    assert B.nbytes == 960
    assert B.compression == 1.0
    assert "shape=(6, 20), modes=(2x4 3x5), ranks=((3, 2), (3, 2))" in repr(B)
    assert repr(A).endswith("dtype=float64, backend=numpy)")


@pytest.mark.host("numpy's protocols, pickle, SciPy")
def test_neighbours(rng):
    blocks = drawn("d=3", rng)
    A, W = tt.BlockTerm(blocks), dense(blocks, np.asarray)
    np.testing.assert_array_equal(np.asarray(A), W)
    np.testing.assert_array_equal(np.ones(6) @ A, np.ones(6) @ W)
    np.testing.assert_array_equal((np.float64(2) * A).to_dense(), 2 * W)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(A)).to_dense(), W)
    operator = linalg.aslinearoperator(A)
    np.testing.assert_array_equal(operator @ np.ones(12), W @ np.ones(12))
    np.testing.assert_array_equal(operator.H @ np.ones(6), W.T @ np.ones(6))


@pytest.mark.host("numpy's flags")
def test_a_value_owns_its_arrays(rng):
    blocks = drawn("d=2", rng)
    kept = [x.copy() for x in arrays(blocks)]
    A = tt.BlockTerm(blocks)
    for x in arrays(blocks):
        x[...] = 77.0
    for x, y in zip(arrays(A.blocks), kept, strict=True):
        np.testing.assert_array_equal(x, y)
        assert not x.flags.writeable
    with pytest.raises(AttributeError, match="immutable"):
        A.blocks = ()
    with pytest.raises(AttributeError, match="immutable"):
        del A.blocks


def test_dtypes():
    def single(name, factor=None):
        factors = [np.ones((2, 2, 1), factor or name)]
        return of([(np.ones(1, name), factors)])

    for found, wanted in (
        (single("f4") + single("f4"), "f4"),
        (single("f4") + single("f8"), "f8"),
        (2 * single("f4"), "f4"),
        (2j * single("f4"), "c8"),
        (single("f4") @ here(np.ones(2, "f4")), "f4"),
        (single("i8"), "f8"),
        (single("f4", "c16").blocks[0].core, "c16"),
    ):
        assert dtype_of(found) == wanted


@pytest.mark.host("moves by name")
def test_moves_to_another_library(rng):
    blocks = drawn("d=2", rng)
    A = tt.BlockTerm(blocks).to("array_api_strict")
    assert A.backend == "array_api_strict"
    assert equal(A.to("numpy").to_dense(), dense(blocks))
    with pytest.raises(TypeError, match="no array library named 'nowhere'"):
        A.to("nowhere")
    with pytest.raises(TypeError, match="arrays of one library are needed"):
        A + tt.BlockTerm(blocks)


@pytest.mark.host("the variance of what is drawn")
def test_random_entries_have_variance_one():
    squares = [
        (
            tt.BlockTerm.random((4, 5), (5, 3), n_blocks=2, ranks=3, rng=s).to_dense()
            ** 2
        )
        for s in range(400)
    ]
    means = np.array([square.mean() for square in squares])
    spread = means.std() / len(means) ** 0.5
    assert abs(means.mean() - 1) < 5 * spread
    assert spread < 0.1


ONE = np.ones((2, 3, 1))
GOOD = (np.ones(1), [ONE])


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: of(np.ones(3)), TypeError, "a list or tuple, got"),
        (lambda: of([ONE]), TypeError, "block 0 is not a pair"),
        (
            lambda: of([(np.ones(1), ONE)]),
            TypeError,
            "factors must be a list",
        ),
        (
            lambda: of([(np.ones(0), [])]),
            ShapeError,
            "has 0 factors; 1 to 30",
        ),
        (
            lambda: of([(np.ones(2), [ONE])]),
            ShapeError,
            r"core has shape \(2,\), its factors have ranks \(1,\)",
        ),
        (
            lambda: of([(np.ones(1), [np.ones((2, 3))])]),
            ShapeError,
            r"block 0: factor 0 has shape \(2, 3\), expected \(m, n, r\)",
        ),
        (
            lambda: of([GOOD, (np.ones(1), [np.ones((2, 4, 1))])]),
            ShapeError,
            r"block 1 has modes \(\(2, 4\),\), block 0 has \(\(2, 3\),\)",
        ),
        (
            lambda: of([(np.ones(1), [ONE * np.nan])]),
            NonFiniteError,
            "BlockTerm: block 0: factor 0: the value at index",
        ),
        (lambda: of([GOOD]) @ here(np.ones(4)), ShapeError, r"X must be \(3,\)"),
        (lambda: of([GOOD]).apply(here(np.ones(4))), ShapeError, "must be 3 = 3"),
        (lambda: of([GOOD]).matvec(here(np.ones((3, 2)))), ShapeError, "2 columns"),
        (lambda: of([GOOD]).matmat(here(np.ones(3))), ShapeError, "two axes"),
        (
            lambda: of([GOOD]).vjp(here(np.ones((5, 3))))[1](here(np.ones((5, 3)))),
            ShapeError,
            r"dy has shape \(5, 3\), y has \(5, 2\)",
        ),
        (
            lambda: of([GOOD]) + of([GOOD]).T,
            ShapeError,
            "the modes differ",
        ),
        (lambda: of([GOOD]) + 1, TypeError, "unsupported operand"),
        (lambda: of([GOOD]) * "2", TypeError, "must be a number, got str"),
        (
            lambda: of([(np.array([1e300]), [ONE])]) * 1e10,
            NonFiniteError,
            "leaves the range of .*float64",
        ),
        (lambda: of([GOOD]) / 0, ZeroDivisionError, "division by zero"),
        (lambda: of([GOOD]).to_dense(max_bytes=40), TooLargeError, "48 B"),
    ],
)
def test_refuses(call, error, says):
    with pytest.raises(error, match=says):
        call()


@pytest.mark.host("of no blocks, or of random ones, which NumPy makes")
@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: tt.BlockTerm([]), ShapeError, "at least one block, got none"),
        (
            lambda: tt.BlockTerm.random((2, 2), (2, 2), n_blocks=0, ranks=1),
            ShapeError,
            "n_blocks must be at least 1, got 0",
        ),
        (
            lambda: tt.BlockTerm.random((2, 2), (2, 2), n_blocks=1, ranks=(1, 2, 3)),
            ShapeError,
            "ranks has 3 entries for 2 modes",
        ),
        (
            lambda: tt.BlockTerm.random((9,) * 12, (9,) * 12, n_blocks=1, ranks=8),
            TooLargeError,
            "random needs .* lower the ranks",
        ),
    ],
)
def test_refuses_to_make(call, error, says):
    with pytest.raises(error, match=says):
        call()


@pytest.mark.host("refused before anything is allocated")
def test_too_large_products():
    A = tt.BlockTerm.random((1000, 1000), (1000, 1000), n_blocks=1, ranks=1, rng=0)
    with pytest.raises(TooLargeError, match="use matvec"):
        A.to_dense()
    X = np.broadcast_to(np.float64(1), (1000, 10**6))
    with pytest.raises(TooLargeError, match=r"the product needs .* fewer samples"):
        A.apply(X)
