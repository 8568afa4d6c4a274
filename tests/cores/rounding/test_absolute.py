"""`atol`: an absolute error, for where all that sums and products leave is noise.

Relative to the little that is left, noise is all there is, and it has every rank.
"""

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import here, host
from tests.reference import dense, norm

NOISE = 1e-12
METHODS = {
    "sum": ("svd", "random"),
    "matvec": ("exact", "zipup", "random", "fit"),
    "matmat": ("exact", "zipup", "random", "fit"),
    "hadamard": ("exact", "zipup", "random", "fit"),
}
CASES = [(kind, method) for kind, methods in METHODS.items() for method in methods]


def tensor(rng, rank=3):
    return tt.random_tensor((4,) * 6, rank, rng=rng)


def matrix(rng, rank=2):
    return tt.random_matrix((2,) * 6, (4,) * 6, rank, rng=rng)


def made(x):
    """The train in the library of this run."""
    return type(x)(here(host(x.cores)))


def cancelling(kind, rng):
    """A function of ``options``, the dense result; all but ``NOISE`` of it cancels."""
    if kind == "sum":
        x, z = tensor(rng), tensor(rng)
        chains = [made(x), made(z), made(x + z + NOISE * tensor(rng))]
        wanted = dense(chains[0].cores) + dense(chains[1].cores)
        wanted = wanted - dense(chains[2].cores)
        return lambda **o: tt.linear_combination([1, 1, -1], chains, **o), wanted
    A = tensor(rng, 2) if kind == "hadamard" else matrix(rng)
    B = A.round() + NOISE * (tensor(rng) if kind == "hadamard" else matrix(rng))
    A = made(A - B)
    if kind == "hadamard":
        x = made(tensor(rng))
        return lambda **o: A.hadamard(x, **o), dense(A.cores) * dense(x.cores)
    x = made(tensor(rng) if kind == "matvec" else matrix(rng).T)
    wanted = dense(A.cores) @ (
        dense(x.cores).ravel() if kind == "matvec" else dense(x.cores)
    )
    return lambda **o: getattr(A, kind)(x, **o), wanted


@pytest.mark.parametrize(("kind", "method"), CASES)
def test_noise_vanishes(kind, method, rng):
    """Nothing is above ``atol``: rank 1 is left, and what it misses is below."""
    compute, wanted = cancelling(kind, rng)
    size = float(norm(wanted))
    noisy = compute(tol=1e-3, method=method)
    assert noisy.max_rank >= 3  # a sum may cancel exactly, but for the noise
    for atol in (2 * size, 1e3 * size):
        y, info = compute(atol=atol, method=method, return_info=True)
        assert y.max_rank == 1
        assert info.tol_met
        assert norm(dense(y.cores).reshape(wanted.shape) - wanted) <= atol


@pytest.mark.parametrize(("kind", "method"), CASES)
def test_the_larger_of_both_errors_counts(kind, method, rng):
    """``norm(x - y) <= max(tol * norm(x), atol)`` where nothing cancels, too."""
    x, A = tensor(rng), matrix(rng)
    operands = {
        "sum": lambda: (tt.linear_combination, [1.0, 1e-4], [x, tensor(rng)]),
        "matvec": lambda: (made(A).matvec, made(x)),
        "matmat": lambda: (made(A).matmat, made(matrix(rng).T)),
        "hadamard": lambda: (made(x).hadamard, made(tensor(rng))),
    }
    call, *given = operands[kind]()
    if kind == "sum":
        given = [given[0], [made(train) for train in given[1]]]
    exact = dense(call(*given, tol=1e-14).cores)
    size = float(norm(exact))
    ranks = []
    for tol, share in ((None, 1e-4), (1e-4, 1e-9), (1e-9, 1e-4), (1e-4, None)):
        atol = None if share is None else share * size
        options = {"tol": tol, "atol": atol, "method": method, "rng": 0}
        y, info = call(*given, **options, return_info=True)
        error = norm(dense(y.cores) - exact)
        assert error <= max((tol or 0) * size, atol or 0) * (1 + 1e-9)
        assert info.tol == pytest.approx(1e-4, rel=1e-6)
        ranks.append(y.ranks)
    assert len(set(ranks)) == 1 or method != "exact"


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_norms_out_of_range(size, rng):
    """The relative error that ``atol`` makes may itself be out of range."""
    x = made(tt.TTTensor([size * core for core in tensor(rng).cores]))
    for atol in (1e300, 1e-300):
        y = tt.linear_combination([1.0, 1.0], [x, x], atol=atol)
        assert (y.max_rank == 1) == (size < 1)
        z = x.hadamard(made(tensor(rng)), atol=atol)
        assert (z.max_rank == 1) == (size < 1)


def test_nothing_at_all_has_no_relative_error(rng):
    x = made(tensor(rng))
    for atol in (0, 1e-3, None):
        assert tt.linear_combination([0.0, 0.0], [x, x], atol=atol).norm() == 0
        assert (0 * x).hadamard(x, atol=atol, method="zipup").norm() == 0


@pytest.mark.parametrize("atol", [-1, np.nan, np.inf, "1", 1j, [1], True, 10**400])
def test_what_is_no_error_is_refused(atol, rng):
    x, A = made(tensor(rng)), made(matrix(rng))
    for call in (
        lambda: tt.linear_combination([1.0], [x], atol=atol),
        lambda: x.hadamard(x, atol=atol),
        lambda: A.matvec(x, atol=atol),
        lambda: A.matmat(A.T, atol=atol),
        lambda: x.round(atol=atol),
    ):
        with pytest.raises((tt.errors.ShapeError, TypeError), match="atol"):
            call()
