"""Bad input, function by function: TTError or TypeError, nothing else ever."""

import operator
import re

import numpy as np
import pytest

import ttalgebra as tt
from tests import made
from tests.backends import here, host

NAN, INF = float("nan"), float("inf")
x = tt.ones((2, 3))
A = tt.identity((2, 3))
T = np.ones((2, 3))
W = np.eye(6)
DOORS = {
    "round": lambda **o: x.round(**o),
    "TTTensor.from_dense": lambda **o: tt.TTTensor.from_dense(T, **o),
    "TTMatrix.from_dense": lambda **o: tt.TTMatrix.from_dense(W, (2, 3), (2, 3), **o),
}
BAD_TOLS = [
    NAN,
    INF,
    -INF,
    -1,
    -1e-300,
    1j,
    1 + 0j,
    True,
    np.True_,
    "1e-3",
    b"1",
    [0.1],
]
BAD_TOLS += [(1e-3,), np.array([0.1, 0.2]), np.complex128(1), np.float64("nan"), {}]
BAD_TOLS += [10**400, lambda: 0]
BAD_RANKS = [
    0,
    -1,
    1.5,
    2.0,
    NAN,
    1j,
    True,
    "3",
    b"3",
    [0],
    [2, 2],
    [1, 2, 2, 1],
    [[2]],
]
BAD_RANKS += [[None], [2.0], [True], ["2"], {2}, {1: 2}, np.array([2, 2]), np.ones(1)]
BAD_RANKS += [[-1], (), np.True_, [1, 0, 1], [2, 2, 2], x, object(), lambda: 2]
BAD_MODES = [None, 3, "23", b"23", (), [], [0], (2, 0), (-2, 3), (2.0, 3), ("2", "3")]
BAD_MODES += [(True, 3), [[2, 3]], {2, 3}, {2: 3}, NAN, (NAN, 2), (None,), (1j, 2)]
BAD_MODES += [np.array(6), np.array([[2, 3]]), np.array([2.0, 3.0]), iter((2, 3)), x]
BAD_DENSE = [None, "text", b"1", {}, {1}, object(), x, A, iter(T), lambda: 0, 1j, True]
BAD_DENSE += [3.0, np.float64(3), [], [[]], [[1], [1, 2]], np.zeros((0, 3)), [[None]]]
BAD_SAMPLES = [*BAD_DENSE, np.ones(5), np.ones(7), np.ones((6, 5)), np.ones((2, 0))]
BAD_SAMPLES += [np.ones((1, 7)), np.array(1.0), np.array("a"), T]
BAD_DTYPES = ["float16", "longdouble", "O", "S3", "M8[s]", "f8,(", "(2,", "1(", "", 3]
BAD_DTYPES += ["no such type", object, str, [("a", "f8")], {"names": 1}, (1, 2), "c32"]
BAD_DTYPES += [lambda: 0, b"f8\0", NAN]
BAD_SIZES = [None, "1", 1j, [1]]


def label(value):
    """A test's name: short, and the same in every run (no addresses)."""
    return f"{type(value).__name__} {re.sub(' at 0x.*', '', repr(value))[:30]}"


@pytest.fixture(autouse=True)
def in_this_library(xp):
    global x, A, T, W
    x, A, T, W = here(host((x, A, T, W)))


def there(value):
    """Arrays and trains among strange values, in the library of this run."""
    if isinstance(value, list):
        return [there(item) for item in value]
    numbers = type(value) is np.ndarray and value.dtype.char in "?ldD"
    train = isinstance(value, (tt.TTTensor, tt.TTMatrix))
    return here(value) if numbers or train else value


def refused(function, *arguments, **options):
    """The call raises, and what it raises is one of the two documented kinds."""
    arguments = [there(argument) for argument in arguments]
    with pytest.raises((tt.errors.TTError, TypeError)) as caught:
        function(*arguments, **options)
    assert str(caught.value), "an error without a message helps nobody"
    return caught


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())
@pytest.mark.parametrize("tol", BAD_TOLS, ids=label)
def test_tol(door, tol):
    refused(door, tol=tol)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())
@pytest.mark.parametrize("max_rank", BAD_RANKS, ids=label)
def test_max_rank(door, max_rank):
    refused(door, max_rank=max_rank)


@pytest.mark.parametrize("modes", BAD_MODES, ids=label)
def test_modes(modes):
    refused(tt.identity, modes)
    refused(tt.zeros, modes)
    refused(tt.ones, modes)
    refused(tt.random_tensor, modes, 2)
    refused(tt.random_matrix, modes, (2, 3), 2)
    refused(tt.random_matrix, (2, 3), modes, 2)
    refused(tt.TTMatrix.from_dense, W, modes, (2, 3))
    refused(tt.TTMatrix.from_dense, W, (2, 3), modes)
    if modes is not None:
        refused(tt.zeros, (2, 3), modes)
        refused(tt.ones, (2, 3), modes)


@pytest.mark.host("random trains are made in NumPy")
@pytest.mark.parametrize("ranks", [*BAD_RANKS, None], ids=label)
def test_ranks(ranks):
    refused(tt.random_tensor, (2, 3), ranks)
    refused(tt.random_matrix, (2, 3), (3, 2), ranks)


@pytest.mark.parametrize("array", BAD_DENSE, ids=label)
def test_dense_arrays(array):
    if (array is not True and not isinstance(array, (list, complex))) or array == []:
        refused(tt.TTTensor.from_dense, array)
    refused(tt.TTMatrix.from_dense, array, (2, 3), (2, 3))


@pytest.mark.parametrize("array", BAD_SAMPLES, ids=label)
def test_samples(array):
    refused(A.apply, array)
    refused(A.vjp, array)
    refused(A.core_gradients, array, np.ones(6))
    refused(A.core_gradients, np.ones(6), array)
    refused(A.vjp(here(np.ones(6)))[1], array)
    if not (isinstance(array, np.ndarray) and array.shape[:1] == (6,)):
        if not isinstance(array, tt.TTMatrix):
            refused(A.matmat, array)
            refused(A.rmatmat, array)
        if not isinstance(array, tt.TTTensor):
            refused(A.matvec, array)
            refused(A.rmatvec, array)
        if not isinstance(array, (tt.TTTensor, tt.TTMatrix)):
            refused(operator.matmul, A, array)


def test_products_want_their_own_number_of_axes():
    refused(A.matvec, np.ones((6, 2)))
    refused(A.rmatvec, np.ones((6, 0)))
    refused(A.matmat, np.ones(6))
    refused(A.rmatmat, np.ones((1, 6, 1)))
    refused(operator.matmul, A, np.ones((1, 6, 1)))
    refused(A.matvec, np.ones((1, 1, 6)))


@pytest.mark.host("trains from nothing are made in NumPy")
@pytest.mark.parametrize("dtype", BAD_DTYPES, ids=label)
def test_dtypes(dtype):
    refused(tt.zeros, (2,), dtype=dtype)
    refused(tt.identity, (2,), dtype=dtype)
    refused(tt.random_tensor, (2, 3), 2, dtype=dtype)


@pytest.mark.host("random trains are made in NumPy")
@pytest.mark.parametrize("rng", ["0", -1, 1.5, NAN, True, [-1], {}, b"1"], ids=label)
def test_rng(rng):
    refused(tt.random_tensor, (2, 3), 2, rng=rng)


@pytest.mark.parametrize("rng", ["0", -1, 1.5, NAN, True, [-1], {}, b"1"], ids=label)
@pytest.mark.parametrize("method", ["svd", "exact", "random"])
def test_rng_is_looked_at_where_nothing_is_drawn_too(method, rng):
    options = {"tol": 0.1, "method": method, "rng": rng}
    for call in (
        lambda: x.round(**options),
        lambda: tt.TTTensor.from_dense(T, **options),
    ):
        refused(call)
    refused(tt.linear_combination, [1, 1], [x, x], **options)
    refused(A.matvec, x, **options)
    refused(A.matmat, A, **options)
    refused(A.rmatvec, x, **options)
    refused(x.hadamard, x, **options)


@pytest.mark.host("random trains are made in NumPy")
def test_old_random_states_are_refused():
    refused(tt.random_matrix, (2,), (2,), 1, rng=np.random.RandomState(0))


@pytest.mark.parametrize(
    "cores",
    [
        None,
        3,
        "text",
        np.ones((1, 2, 1)),
        [],
        (),
        iter([]),
        {},
        [None],
        ["a"],
        [3.0],
        x,
        [np.ones((1, 2))],
        [np.ones((1, 2, 2, 2, 1))],
        [np.ones((1, 0, 1))],
        [np.ones((0, 2, 1))],
        [np.ones((2, 2, 1))],
        [np.ones((1, 2, 2))],
        [[[[]]]],
        [np.ones((1, 2, 3)), np.ones((4, 2, 1))],
        [np.ones((1, 2, 1))] * 2 + [None],
        [np.full((1, 2, 1), NAN)],
        [np.full((1, 2, 1), INF)],
        [[[[1], [2, 3]]]],
        [np.full((1, 2, 1), complex(0, INF))],
        [np.ones((1, 2, 1), object)],
    ],
    ids=label,
)
def test_cores(cores):
    refused(tt.TTTensor, cores)
    refused(tt.TTMatrix, cores)


def test_trains_want_trains_of_the_same_modes():
    for other in (*map(made.ones, ((3, 2), (2, 3, 1), (6,), (2, 1))), A):
        refused(lambda other=other: x + other)
        refused(lambda other=other: x - other)
        refused(tt.dot, x, other)
    refused(lambda: A @ made.ones((3, 2)))
    refused(lambda: A @ made.ones((2, 3, 1)))
    refused(lambda: A @ made.identity((6,)))
    refused(lambda: A @ made.identity((3, 2)))
    refused(lambda: x @ A)
    refused(lambda: x @ x)


@pytest.mark.parametrize(
    "other", [0, 1.0, None, "a", T, [[1]], object(), True], ids=label
)
def test_trains_meet_no_strangers(other):
    other = there(other)
    refused(lambda: x + other)
    refused(lambda: other + x)
    refused(lambda: x - other)
    refused(lambda: other - x)
    refused(tt.dot, x, other)
    refused(tt.dot, other, x)
    refused(lambda: 1 / x)
    refused(lambda: x**2)


@pytest.mark.parametrize(
    "site", [2, -3, 10**30, NAN, 0.5, None, "0", 1j, [0], True, ()]
)
def test_sites(site):
    refused(x.orthogonalize, site)


@pytest.mark.parametrize(
    "backend", [None, 3, "", ".numpy", "os", "no_such", b"numpy", x]
)
def test_backends(backend):
    refused(x.to, backend)


def test_devices_that_are_not_there():
    refused(x.to, "numpy", "gpu")
    refused(x.to, "numpy", device=3)


def test_modules_with_asarray_that_are_no_array_library():
    refused(x.to, "numpy.ma")


@pytest.mark.parametrize("max_bytes", BAD_SIZES, ids=label)
def test_max_bytes(max_bytes):
    refused(made.ones((2,) * 60).to_dense, max_bytes=max_bytes)
    column = made.ones((2**20, 2**20), (1, 1))
    refused(column.apply, np.ones(1), max_bytes=max_bytes)
    refused(column.vjp, np.ones(1), max_bytes=max_bytes)


@pytest.mark.parametrize(
    "max_bytes", [0, 1, 47, 47.0, -5, True, np.int64(3)], ids=label
)
def test_small_limits(max_bytes):
    refused(x.to_dense, max_bytes=max_bytes)
    assert x.to_dense(max_bytes=48).shape == (2, 3)
