"""Factorisations: right, or they say so; NaN never reaches LAPACK."""

import re

import numpy as np
import pytest

from tests.backends import Backend, here, host
from tests.reference import eps, norm, wide
from ttalgebra.arrays import factorize
from ttalgebra.arrays.errors import ConvergenceError, NonFiniteError, TooLargeError
from ttalgebra.arrays.factorize import qr, svd, triangle

SHAPES = [(1, 1), (1, 5), (5, 1), (4, 4), (7, 3), (3, 7), (40, 4)]
DTYPES = ["f4", "f8", "c8", "c16"]
VERBS = {"qr": qr, "triangle": triangle, "svd": svd}
drivers = pytest.mark.host("the other drivers of LAPACK are NumPy's and SciPy's")


def failing(matrix, **options):
    raise np.linalg.LinAlgError("SVD did not converge")


def normal(rng, shape, dtype):
    values = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    return (values if np.dtype(dtype).kind == "c" else values.real).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_factors_multiply_to_the_matrix(shape, dtype, xp, rng, ratios):
    matrix = normal(rng, shape, dtype)
    k, u = min(shape), eps(dtype) * max(shape)
    q, r = map(xp.numpy, qr(xp.asarray(matrix)))
    assert (q.shape, r.shape) == ((shape[0], k), (k, shape[1]))
    ratios.check("qr", norm(wide(q) @ wide(r) - matrix), u * norm(matrix))
    ratios.check("qr: q", norm(wide(q).conj().T @ wide(q) - np.eye(k)), u * k)
    R = xp.numpy(triangle(xp.asarray(matrix)))
    gram = wide(R).conj().T @ wide(R) - wide(matrix).conj().T @ wide(matrix)
    ratios.check("triangle", norm(gram), u * norm(matrix) ** 2)
    found = svd(xp.asarray(matrix))
    left, s, right = (xp.numpy(part) for part in found[:3])
    assert (left.shape, s.shape, right.shape) == ((shape[0], k), (k,), (k, shape[1]))
    assert np.all(np.diff(s) <= 0)
    ratios.check("svd", norm(wide(left) * s @ wide(right) - matrix), u * norm(matrix))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(50_001, 2), (20_000, 16), (5000, 40)], ids=str)
def test_long_matrices_are_no_excuse(shape, dtype, xp, ratios):
    """Entries of one sign and size: roundoff of one sign, and it adds up.

    PyTorch's own QR of 20,000 x 16 in single precision is off by 1,000 eps.
    """
    rows, columns = shape
    matrix = np.ones(shape, dtype)
    matrix[np.arange(rows) % 2 == 0, 1] = -0.5
    matrix[: columns // 2, : columns // 2] += np.eye(columns // 2, dtype=dtype)
    if np.dtype(dtype).kind == "c":
        matrix *= 0.6 + 0.8j
    one, limit = np.eye(columns), eps(dtype) * columns
    q, r = map(xp.numpy, qr(xp.asarray(matrix)))
    ratios.check("long qr", norm(wide(q) @ wide(r) - matrix), limit * norm(matrix))
    ratios.check("long qr: q", norm(wide(q).conj().T @ wide(q) - one), limit)
    for given in (matrix, matrix.T.copy()):
        u, s, vh = map(xp.numpy, svd(xp.asarray(given))[:3])
        error = norm(wide(u) * s @ wide(vh) - given)
        ratios.check("long svd", error, limit * norm(matrix))
        ratios.check("long svd: u", norm(wide(u).conj().T @ wide(u) - one), limit)
        ratios.check("long svd: v", norm(wide(vh) @ wide(vh).conj().T - one), limit)


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())
def test_rank_deficiency_is_normal(verb):
    for matrix in (np.zeros((3, 3)), np.ones((4, 2)), np.diag([1.0, 0, 1e-300])):
        found = verb(here(matrix))
        parts = found[:3] if isinstance(found, tuple) else (found,)
        assert all(np.isfinite(part).all() for part in host(parts))


@drivers
@pytest.mark.parametrize("driver", ["gesvd", "qr+gesdd"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_fallbacks_are_as_right_as_the_first(driver, dtype, shape, monkeypatch, rng):
    matrix = normal(rng, shape, dtype)
    expected = svd(matrix).s
    for name in factorize.DRIVERS:
        if name == driver:
            break
        monkeypatch.setitem(factorize.DRIVERS, name, failing)
    kept = matrix.copy()
    found = svd(matrix)
    assert found.driver == driver
    assert found.u.dtype == matrix.dtype
    assert np.array_equal(matrix, kept)
    assert np.allclose(found.s, expected, rtol=30 * eps(dtype), atol=30 * eps(dtype))
    error = norm(wide(found.u) * found.s @ wide(found.vh) - matrix)
    assert error <= 30 * eps(dtype) * max(shape) * norm(matrix)


@drivers
def test_all_fail(monkeypatch):
    for name in factorize.DRIVERS:
        monkeypatch.setitem(factorize.DRIVERS, name, failing)
    with pytest.raises(ConvergenceError, match=r"\(3, 2\).*7") as caught:
        svd(np.full((3, 2), -7.0))
    assert all(name in str(caught.value) for name in factorize.DRIVERS)


WRONG = {
    "values": lambda u, s, vh: (u, 2 * s, vh),
    "one value": lambda u, s, vh: (u, np.append(s[:-1], s[-1] + 1e-6 * s[0]), vh),
    "vectors": lambda u, s, vh: (-u, s, vh),
    "conjugate": lambda u, s, vh: (u, s, vh.conj()),
    "NaN": lambda u, s, vh: (u, s * np.nan, vh),
    "NaN vectors": lambda u, s, vh: (u * np.nan, s, vh),
}


@drivers
@pytest.mark.parametrize("spoil", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_fallback_is_caught(spoil, monkeypatch, rng):
    """scipy #10032: gesvd gave wrong values of a 2 x 2 complex matrix."""
    matrix = normal(rng, (3, 3), "c16")
    gesvd = factorize.DRIVERS["gesvd"]
    monkeypatch.setitem(factorize.DRIVERS, "gesdd", failing)
    monkeypatch.setitem(factorize.DRIVERS, "gesvd", lambda m: spoil(*gesvd(m)))
    found = svd(matrix)
    assert found.driver == "qr+gesdd"
    assert norm(wide(found.u) * found.s @ wide(found.vh) - matrix) < 1e-13


@drivers
def test_a_fallback_gets_a_fresh_matrix(monkeypatch, rng):
    """LAPACK may have overwritten what the failed driver was given."""
    matrix = rng.standard_normal((4, 4))
    kept = matrix.copy()

    def spoiling(given):
        given = np.asarray(given)
        if given.flags.writeable:
            raise np.linalg.LinAlgError("did not converge")
        raise np.linalg.LinAlgError

    monkeypatch.setitem(factorize.DRIVERS, "gesdd", spoiling)
    svd(matrix)
    assert np.array_equal(matrix, kept)


@pytest.mark.parametrize("failure", ["NaN", "LinAlgError"])
def test_a_device_that_fails_is_repeated_on_the_host(failure, xp, monkeypatch):
    library = Backend("strict-on-device1") if xp.is_numpy else xp
    matrix, linalg = library.asarray([[3.0, 0], [0, 4]]), library.namespace.linalg
    original = linalg.svd

    def broken(x, **options):
        if failure == "LinAlgError":
            raise np.linalg.LinAlgError
        u, s, vh = original(x, **options)
        return u, s * float("nan"), vh

    monkeypatch.setattr(linalg, "svd", broken)
    with pytest.warns(UserWarning, match="host"):
        found = svd(matrix)
    assert found.driver.startswith("host")
    assert np.allclose(library.numpy(found.s), [4, 3])


def forbid_lapack(monkeypatch, xp):
    def reached(*arguments, **options):
        raise AssertionError("LAPACK was reached")

    for name in ("qr", "svd"):
        for library in (np, xp.namespace):
            monkeypatch.setattr(library.linalg, name, reached)
    for name in factorize.DRIVERS:
        monkeypatch.setitem(factorize.DRIVERS, name, reached)


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())
def test_non_finite_never_reaches_lapack(verb, monkeypatch, cases, xp):
    """1,000 placements; the message names the first.

    A device is not asked before: its QR gives NaN, its SVD fails.
    """
    if xp.device is None:
        forbid_lapack(monkeypatch, xp)
    else:  # the device of array-api-strict is LAPACK in disguise, which may not return
        monkeypatch.setattr(xp.namespace.linalg, "svd", failing)
    rng = np.random.default_rng(26)
    for _ in range(cases):
        shape = tuple(int(n) for n in rng.integers(1, 9, 2))
        matrix = normal(rng, shape, DTYPES[rng.integers(4)])
        flat = rng.choice(matrix.size, min(matrix.size, int(rng.integers(1, 4))), False)
        bad = [np.nan, np.inf, -np.inf][rng.integers(3)]
        if matrix.dtype.kind == "c" and rng.random() < 0.5:
            bad = complex(0, bad)
        matrix.reshape(-1)[flat] = bad
        if xp.device is not None and verb is not svd:
            found = host(verb(here(matrix)))
            assert not all(np.isfinite(part).all() for part in found)
            continue
        first = tuple(int(i) for i in np.unravel_index(flat.min(), shape))
        with pytest.raises(NonFiniteError, match=re.escape(f"index {first}")) as caught:
            verb(here(matrix))
        assert f"{len(flat)} of {matrix.size}" in str(caught.value)


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())
def test_size_limit_of_lapack(verb, monkeypatch, xp):
    monkeypatch.setattr(factorize, "LAPACK_LIMIT", 12)
    verb(xp.asarray(np.ones((3, 4))))
    forbid_lapack(monkeypatch, xp)
    with pytest.raises(TooLargeError, match=r"13 x 1.*12"):
        verb(xp.asarray(np.ones((13, 1))))
    with pytest.raises(TooLargeError):
        verb(xp.asarray(np.ones((4, 4))))


def test_size_limit_guards_every_door(monkeypatch):
    import ttalgebra as tt

    x = here(tt.random_tensor((4, 4, 4), 4, rng=0))
    monkeypatch.setattr(factorize, "LAPACK_LIMIT", 3)
    for door in (x.norm, x.round, x.orthogonalize, x.log_norm):
        with pytest.raises(TooLargeError):
            door()
    with pytest.raises(TooLargeError):
        tt.TTTensor.from_dense(here(np.ones((4, 4))))


@pytest.mark.host("a number")
def test_the_limit_is_that_of_32_bit_lapack():
    assert factorize.LAPACK_LIMIT == 2**31 - 1
