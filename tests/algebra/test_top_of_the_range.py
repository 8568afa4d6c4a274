"""The ends of the range: a result is there, or refused by name; never inf unsaid."""

import math

import numpy as np
import pytest
import scipy.sparse as sp

import ttalgebra as tt
from tests.backends import here

DTYPES = ("f4", "f8", "c8", "c16")


def far(dtype, shape=(1, 2, 1), share=1.0):
    """A core whose square, entry by entry, is out of range; complex in both parts."""
    value = np.finfo(dtype).max / 10 * share * (1 + 1j if dtype[0] == "c" else 1)
    return np.full(shape, value, dtype)


def tensor(*cores):
    return tt.TTTensor(here(list(cores)))


def matrix(*cores):
    return tt.TTMatrix(here(list(cores)))


METHODS = ("exact", "zipup", "random", "fit")
PRODUCTS = {
    "x * x": lambda x, A: [("hadamard", lambda: x * x)],
    "A @ x": lambda x, A: [("@", lambda: A @ x)],
    "A @ A": lambda x, A: [("@", lambda: A @ A)],
    "hadamard": lambda x, A: [
        ("hadamard", lambda m=m: x.hadamard(x, tol=0.1, method=m)) for m in METHODS
    ],
    "matvec": lambda x, A: [
        ("matvec", lambda m=m: A.matvec(x, tol=0.1, method=m)) for m in METHODS
    ],
    "matmat": lambda x, A: [
        ("matmat", lambda m=m: A.matmat(A, tol=0.1, method=m)) for m in METHODS
    ],
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("name", PRODUCTS)
def test_products_that_no_core_holds_are_refused_by_name(name, order, dtype):
    """Once inf with error 0 for one core; for two, a message about ``qr``."""
    x = tensor(*[far(dtype)] * order)
    A = matrix(*[far(dtype, (1, 2, 2, 1))] * order)
    for verb, call in PRODUCTS[name](x, A):
        with pytest.raises(tt.errors.NonFiniteError, match="too large") as caught:
            call()
        assert str(caught.value).startswith(verb)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", METHODS)
def test_products_with_ranks_that_no_core_holds(method, dtype, rng):
    """The sweeps that never form the product carry its size to the end, and say so."""
    x = tt.random_tensor((4,) * 4, 3, rng=rng, dtype=dtype)
    size = float(np.finfo(dtype).max) ** 0.75
    y = tensor(*[core * size for core in x.cores])
    with pytest.raises(tt.errors.NonFiniteError, match="too large"):
        y.hadamard(y, tol=0.1, method=method)
    z = y.hadamard(tensor(*x.cores), tol=0.1, method=method)
    assert math.isfinite(z.log_norm())


@pytest.mark.parametrize("dtype", DTYPES)
def test_too_small_is_zero_as_everywhere(dtype):
    tiny = float(np.finfo(dtype).tiny) * 4
    x = tensor(np.full((1, 2, 1), tiny, dtype))
    for y in (x * x, x.hadamard(x, tol=0.1)):
        assert y.norm() == 0.0


@pytest.mark.host("of SciPy's arrays")
@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_of_duplicates_in_sparse_arrays(dtype):
    """Two entries at one place, whose sum one core cannot hold and two can."""
    top = np.array([np.finfo(dtype).max * 0.8] * 2, dtype)
    alone = sp.coo_array((top, ([0, 0],)), shape=(3,))
    with pytest.raises(tt.errors.NonFiniteError, match="from_sparse"):
        tt.TTTensor.from_sparse(alone)
    one = sp.coo_array((top, ([0, 0], [0, 0])), shape=(1, 1))
    with pytest.raises(tt.errors.NonFiniteError, match="from_sparse"):
        tt.TTMatrix.from_sparse(one, (1,), (1,))
    pair = tt.TTTensor.from_sparse(sp.coo_array((top, ([0, 0], [0, 0])), shape=(3, 3)))
    wanted = math.log(top.real[0]) + math.log(2)
    assert pair.log_norm() == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_same_at_the_top_of_the_range(order, dtype):
    """Absolute values of complex numbers, and differences, that are out of range."""
    top = far(dtype, (1, 4, 1), 9.99)
    x = tensor(top, *[np.ones((1, 4, 1), dtype)] * (order - 1))
    y = tensor(-top, *[np.ones((1, 4, 1), dtype)] * (order - 1))
    found = tt.same(x, x)
    assert found.equal
    assert math.isfinite(found.roundoff)
    found = tt.same(x, y)
    assert not found
    assert found.certified
    assert found.distance == pytest.approx(2, rel=1e-5)
    assert tt.same(x, y, tol=2.5)
    nearly = tensor(top * np.asarray(0.75, dtype), *x.cores[1:])
    assert tt.same(x, nearly).distance == pytest.approx(0.25, rel=1e-5)
    assert not tt.same(x, x / 2.0**200)


@pytest.mark.parametrize("dtype", DTYPES)
def test_same_at_the_bottom_of_the_range(xp, dtype):
    """Numbers of few digits are compared as they are."""
    xp.need_subnormals()
    tiny = np.finfo(dtype).smallest_subnormal
    one, two = (tensor(np.full((1, 4, 1), k * tiny, dtype)) for k in (1, 2))
    assert tt.same(one, one) == (True, True, 0.0, 0.0)
    assert tt.same(one, two).distance == pytest.approx(0.5)
    assert not tt.same(one, tensor(np.zeros((1, 4, 1), dtype)))


LEFT = {
    "sum": lambda x, A: x.sum(0),
    "partial_trace": lambda x, A: A.partial_trace(0),
    "indexing": lambda x, A: x[0],
    "merge_modes": lambda x, A: x.merge_modes(0, 1),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LEFT)
def test_what_the_cores_that_are_left_cannot_hold(name, dtype):
    """What to do is what helps: there are no other cores to share with."""
    x = tensor(far(dtype), far(dtype))
    A = matrix(*[far(dtype, (1, 2, 2, 1))] * 2)
    with pytest.raises(tt.errors.NonFiniteError) as caught:
        LEFT[name](x, A)
    message = str(caught.value)
    assert message.startswith(f"{name}: the result is too large for one core")
    assert "scale the operands" in message
    half = 2.0**600 if dtype in ("f8", "c16") else 2.0**70
    kept = LEFT[name](x / half / half, A / half / half)
    assert math.isfinite(kept.log_norm())
