"""What crosses from a device to the host, counted: one small vector per rank decision.

The device is array-api-strict's second one, whose every crossing is a method call.
"""

import array_api_strict as strict
import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import Backend

pytestmark = pytest.mark.host("counts on a device of its own, whatever the run is on")
CROSSINGS = ("__bool__", "__int__", "__float__", "__complex__", "__index__")
ROWS, COLS = (2, 3, 2, 2), (3, 2, 2, 2)
BONDS = len(ROWS) - 1


def here(x):
    device = Backend("strict-on-device1")
    if hasattr(x, "cores"):
        return type(x)([device.asarray(core) for core in x.cores])
    return device.asarray(x)


@pytest.fixture
def crossed(monkeypatch):
    """How many numbers each crossing took along, in order."""
    sizes, kind = [], type(strict.empty(0))

    def counted(crossing):
        def count(self, *args, **options):
            sizes.append(self.size)
            return crossing(self, *args, **options)

        return count

    for name in (*CROSSINGS, "to_device"):
        monkeypatch.setattr(kind, name, counted(getattr(kind, name)))
    return sizes


@pytest.fixture
def A():
    return here(tt.random_matrix(ROWS, COLS, 3, rng=0))


PRODUCTS = {
    "apply": lambda A, X: A.apply(X),
    "vjp": lambda A, X: A.vjp(X)[1](A.apply(X)),
    "matmat": lambda A, X: A @ X.T,
    "add": lambda A, X: A + A,
    "subtract": lambda A, X: A - A,
    "transpose": lambda A, X: A.H,
    "kron": lambda A, X: tt.kron(A, A),
    "dense": lambda A, X: A.to_dense(),
}


@pytest.mark.parametrize("work", PRODUCTS.values(), ids=PRODUCTS.keys())
def test_products_cross_nothing(A, crossed, work):
    X = here(np.ones((5, 24)))
    work(A, X)
    assert crossed == []


@pytest.mark.parametrize("how", [{"max_rank": 2}, {"tol": 1e-2}, {}], ids=str)
def test_rounding_crosses_one_vector_per_bond(A, crossed, how):
    """And three numbers: the norm, the exponent of the report, that of the result."""
    A.round(**how)
    assert len(crossed) == BONDS + 3
    assert max(crossed) <= 12


@pytest.mark.parametrize("how", [{"max_rank": 2}, {"tol": 1e-2}, {}], ids=str)
def test_decomposition_crosses_one_vector_per_bond(crossed, how):
    """And three numbers: all finite, the norm, the exponent."""
    W = here(np.random.default_rng(0).standard_normal((24, 24)))
    tt.TTMatrix.from_dense(W, ROWS, COLS, **how)
    assert len(crossed) == BONDS + 3
    assert max(crossed) <= 36


def test_the_door_asks_each_core_once_whether_it_is_finite(A, crossed):
    tt.TTMatrix(A.cores)
    assert crossed == [1] * A.order


def test_numbers_cross_as_numbers(A, crossed):
    A.norm()
    tt.dot(A, A)
    assert crossed == [1] * 4
