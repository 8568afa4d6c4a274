"""An operation that is interrupted at any factorisation leaves its operands whole."""

import numpy as np
import pytest

import ttalgebra as tt
from tests import made
from tests.backends import here, host
from ttalgebra.arrays import factorize

OPERATIONS = {
    "round": lambda A, _W: A.round(tol=1e-8),
    "norm": lambda A, _W: A.norm(),
    "log_norm": lambda A, _W: A.log_norm(),
    "orthogonalize": lambda A, _W: A.orthogonalize(1),
    "from_dense": lambda _A, W: tt.TTMatrix.from_dense(
        W, (2, 2, 2), (2, 2, 2), tol=1e-8
    ),
}


@pytest.fixture
def linalg(xp):
    """Where the library of this run keeps its factorisations."""
    return np.linalg if xp.is_numpy else xp.namespace.linalg


class Bomb:
    """Calls a factorisation through until the n-th call, which raises."""

    def __init__(self, n, error):
        self.left, self.error = n, error

    def arm(self, monkeypatch, linalg):
        for name in ("qr", "svd"):
            original = getattr(linalg, name)

            def guarded(*arguments, original=original, **options):
                self.left -= 1
                if self.left == 0:
                    raise self.error
                return original(*arguments, **options)

            monkeypatch.setattr(linalg, name, guarded)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), MemoryError("no room")], ids=repr
)
def test_operands_survive_every_interruption(
    operation, error, monkeypatch, rng, linalg
):
    A = made.random_matrix((2, 2, 2), (2, 2, 2), 3, rng=rng)
    W = here(dense := rng.standard_normal((8, 8)))
    kept = [G.copy() for G in host(A.cores)]
    interrupted = 0
    for n in range(1, 100):
        with monkeypatch.context() as patch:
            Bomb(n, error).arm(patch, linalg)
            try:
                operation(A, W)
                break
            except type(error):
                interrupted += 1
        assert np.array_equal(host(W), dense)
        pairs = zip(host(A.cores), kept, strict=True)
        assert all(np.array_equal(G, H) for G, H in pairs)
    assert interrupted >= 2
    operation(A, W)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
@pytest.mark.filterwarnings("ignore:svd. the device failed")
def test_one_failed_svd_changes_no_value(operation, monkeypatch, rng, linalg):
    """It fails at the n-th call: the answer comes by another driver, or the host."""
    A = made.random_matrix((2, 2, 2), (2, 2, 2), 3, rng=rng)
    W = here(rng.standard_normal((8, 8)))
    original, wanted = linalg.svd, operation(A, W)
    for n in range(1, 5):
        calls = iter(range(1, 100))

        def failing(*arguments, calls=calls, n=n, **options):
            if next(calls) == n:
                raise np.linalg.LinAlgError("SVD did not converge")
            return original(*arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(linalg, "svd", failing)
            found = operation(A, W)
        if isinstance(wanted, float):
            assert found == wanted
        else:
            assert found.ranks == wanted.ranks
            assert (found - wanted).norm() <= 1e-13 * wanted.norm()


@pytest.mark.host("of LAPACK's drivers in NumPy")
def test_drivers_are_reported(monkeypatch, rng):
    A = tt.random_tensor((3, 3, 3), 3, rng=rng)
    A = A + A  # of what is kept whole there is no SVD
    calls = iter(range(1, 100))
    original = factorize.DRIVERS["gesdd"]

    def failing(matrix):
        if next(calls) == 1:
            raise np.linalg.LinAlgError("SVD did not converge")
        return original(matrix)

    monkeypatch.setitem(factorize.DRIVERS, "gesdd", failing)
    _, info = A.round(tol=1e-8, return_info=True)
    assert info.drivers == ("qr", "gesvd")


@pytest.mark.parametrize("verb", ["round", "from_dense"])
@pytest.mark.filterwarnings("ignore:svd. the device failed")
def test_no_driver_converges(verb, monkeypatch, rng, linalg):
    def failing(matrix, **options):
        raise np.linalg.LinAlgError("SVD did not converge")

    array = here(rng.standard_normal((3, 4, 2)))
    x = tt.TTTensor.from_dense(array)
    monkeypatch.setattr(linalg, "svd", failing)
    for driver in factorize.DRIVERS:
        monkeypatch.setitem(factorize.DRIVERS, driver, failing)
    with pytest.raises(tt.errors.ConvergenceError, match=r"\(\d+, \d+\)"):
        (x + x).round(tol=0.1) if verb == "round" else tt.TTTensor.from_dense(array)
