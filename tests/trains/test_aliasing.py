"""Values never change: inputs stay whole, results own their memory."""

import contextlib
import copy
import pickle

import numpy as np
import pytest

import ttalgebra as tt
from tests import made
from tests.backends import here, host
from tests.trains.families import gaussian_cores

SIZES = ((2, 3), (3, 2), (2, 2))
BONDS = (1, 2, 3, 1)


class Subclass(np.ndarray):
    """What astronomers and tape readers hand over."""


def zero_stride(x):
    """Equal values along the last axis, all in one place of memory."""
    return np.broadcast_to(x[..., :1], x.shape)


def strided(x):
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


LAYOUTS = {
    "read-only": read_only,
    "fortran": np.asfortranarray,
    "reversed": lambda x: np.flip(np.flip(x).copy()),
    "strided": strided,
    "zero-stride": zero_stride,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "little-endian": lambda x: x.astype(x.dtype.newbyteorder("<")),
    "list": lambda x: x.tolist(),
    "nested tuple": lambda x: tuple(x.tolist()),
    "subclass": lambda x: x.copy().view(Subclass),
    "integers": lambda x: x.astype(np.int8),
}


@pytest.fixture(params=LAYOUTS.values(), ids=LAYOUTS.keys())
def layout(request):
    return request.param


layouts = pytest.mark.host("of the layouts that NumPy's memory has")


def values_of(layout, x):
    """The plain array with the values that ``layout(x)`` has."""
    return np.array(layout(x), dtype=np.float64, subok=False, order="C")


def same(a, b):
    return np.array_equal(a, b) and a.dtype == b.dtype and type(a) is np.ndarray


@layouts
def test_layout_of_cores(layout, rng):
    cores = gaussian_cores(rng, SIZES, BONDS, False)
    A = tt.TTMatrix([layout(core) for core in cores])
    B = tt.TTMatrix([values_of(layout, core) for core in cores])
    for G, H in zip(A.cores, B.cores, strict=True):
        assert same(G, H)
    X = rng.standard_normal((4, 12))
    assert same(A.apply(X), B.apply(X))
    assert same(A.to_dense(), B.to_dense())
    assert same(A.T.to_dense(), B.T.to_dense())
    assert A.norm() == B.norm()
    assert tt.dot(A, B) == tt.dot(B, B)
    for G, H in zip((A + B).round().cores, (B + B).round().cores, strict=True):
        assert same(G, H)
    for G, H in zip(A.core_gradients(X, X), B.core_gradients(X, X), strict=True):
        assert same(G, H)


@layouts
def test_layout_of_dense_inputs(layout, rng):
    array = rng.integers(-3, 4, (12, 12)).astype(float)
    given, plain = layout(array), values_of(layout, array)
    one = tt.TTTensor.from_dense(given)
    other = tt.TTTensor.from_dense(plain)
    assert all(same(G, H) for G, H in zip(one.cores, other.cores, strict=True))
    one = tt.TTMatrix.from_dense(given, (4, 3), (3, 4))
    other = tt.TTMatrix.from_dense(plain, (4, 3), (3, 4))
    assert all(same(G, H) for G, H in zip(one.cores, other.cores, strict=True))


@layouts
def test_layout_of_samples(layout, rng):
    A = tt.TTMatrix(gaussian_cores(rng, SIZES, BONDS, False))
    X = rng.integers(-3, 4, (12, 12)).astype(float)
    given, plain = layout(X), values_of(layout, X)
    assert same(A @ given, A @ plain)
    assert same(A.apply(given), A.apply(plain))
    assert same(A.matmat(given), A.matmat(plain))
    assert same(A.rmatmat(given), A.rmatmat(plain))
    assert same(A.rmatvec(given[0]), A.rmatvec(plain[0]))
    y, pullback = A.vjp(given)
    z, pull = A.vjp(plain)
    assert same(y, z)
    found, wanted = pullback(given), pull(plain)
    assert same(found[1], wanted[1])
    assert all(same(a, b) for a, b in zip(found[0], wanted[0], strict=True))


def arrays_in(x):
    """Every array of a result: trains, tuples, arrays, pullbacks' outputs."""
    if isinstance(x, (tt.TTTensor, tt.TTMatrix)):
        return list(host(x.cores))
    if isinstance(x, (tuple, list)):
        return [array for part in x for array in arrays_in(part)]
    return [host(x)] if isinstance(host(x), np.ndarray) else []


def edit(array):
    """What its owner may do, where the library lets him."""
    with contextlib.suppress(ValueError, TypeError):  # read-only NumPy, JAX
        array[...] = 7


OPERATIONS = {
    "TTMatrix": lambda A, _X: tt.TTMatrix(A.cores),
    "to_dense": lambda A, _X: A.to_dense(),
    "+": lambda A, _X: A + A,
    "-": lambda A, _X: A - A,
    "neg": lambda A, _X: -A,
    "*": lambda A, _X: 2 * A,
    "* 1": lambda A, _X: 1.0 * A,
    "/": lambda A, _X: A / 2,
    "T": lambda A, _X: A.T,
    "H": lambda A, _X: A.H,
    "conj": lambda A, _X: A.conj(),
    "@ train": lambda A, _X: A @ A.T,
    "@ dense": lambda A, X: A @ X.T,
    "@ vector": lambda A, X: A @ X[0, :],
    "dense @": lambda A, X: A.T.__rmatmul__(X),
    "apply": lambda A, X: A.apply(X),
    "apply one": lambda A, X: A.apply(X[0, :]),
    "matmat": lambda A, X: A.matmat(X.T),
    "rmatmat": lambda A, X: A.T.rmatmat(X.T),
    "round": lambda A, _X: A.round(tol=1e-3, return_info=True),
    "round losslessly": lambda A, _X: A.round(),
    "orthogonalize": lambda A, _X: A.orthogonalize(0),
    "vjp": lambda A, X: (lambda y, pull: (y, *pull(y)))(*A.vjp(X)),
    "core_gradients": lambda A, X: A.core_gradients(X, A.apply(X)),
    "norm": lambda A, _X: A.norm(),
    "dot": lambda A, _X: tt.dot(A, A),
    "to": lambda A, _X: A.to(A.backend),
    "identity @": lambda A, _X: made.identity(A.row_modes) @ A,
}


@pytest.fixture(params=[1, 3], ids=["d=1", "d=3"])
def train(request, rng, xp):
    """Entries in [1/2, 1), where scaling by a power of two is a no-op."""
    d = request.param
    cores = gaussian_cores(rng, SIZES[:d], (*BONDS[:d], 1), False)
    return tt.TTMatrix(here([(core + 3) / 8 + 0.25 for core in cores]))


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_operands_are_untouched(operation, train, rng):
    X = here(kept := rng.uniform(0.5, 1, (3, train.shape[1])))
    before = [G.copy() for G in host(train.cores)]
    operation(train, X)
    assert np.array_equal(host(X), kept)
    pairs = zip(host(train.cores), before, strict=True)
    assert all(np.array_equal(G, H) for G, H in pairs)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_results_share_no_writable_memory(operation, train, rng, xp):
    """A result may be a read-only view of a read-only core, never of the caller's."""
    X = here(rng.uniform(0.5, 1, (3, train.shape[1])))
    result = operation(train, X)
    cores, samples = host(train.cores), host(X)
    first = result[0] if isinstance(result, tuple) else result
    for array in arrays_in(result):
        assert not np.shares_memory(array, samples)
        if not isinstance(first, tt.TTMatrix):
            assert not any(np.shares_memory(array, G) for G in cores)
            assert array.flags.writeable or not xp.is_numpy


@pytest.mark.parametrize("shape", [(4,), (2, 3), (1,), (2, 1, 3)], ids=str)
def test_caller_may_edit_the_array_afterwards(shape, rng):
    kept = rng.uniform(0.5, 1, shape)
    array, row = here((kept, kept.reshape(1, -1)))
    x = tt.TTTensor.from_dense(array)
    y = tt.TTMatrix.from_dense(row, (1,), (kept.size,))
    edit(array)
    edit(row)
    assert np.allclose(host(x.to_dense()), kept, rtol=1e-14)
    assert np.array_equal(host(y.to_dense()), kept.reshape(1, -1))


def test_caller_may_edit_the_cores_afterwards(rng):
    cores = here(gaussian_cores(rng, SIZES, BONDS, False))
    A = tt.TTMatrix(cores)
    kept = host(A.to_dense())
    for core in cores:
        edit(core)
    cores.clear()
    assert np.array_equal(host(A.to_dense()), kept)


@pytest.mark.parametrize("d", [1, 3])
def test_caller_may_edit_the_dense_array(d, rng):
    """It is his, though one core is all its memory."""
    A = tt.TTMatrix(here(gaussian_cores(rng, SIZES[:d], (*BONDS[:d], 1), False)))
    kept, array = np.array(host(A.to_dense())), A.to_dense()
    edit(array)
    assert np.array_equal(host(A.to_dense()), kept)


@pytest.mark.parametrize("batch", [(), (1,), (3,), (2, 2)], ids=str)
def test_caller_may_edit_the_samples_before_the_pullback(batch, rng):
    """The pullback belongs to the samples that vjp saw."""
    A = tt.TTMatrix(here(gaussian_cores(rng, SIZES, BONDS, False)))
    kept = rng.standard_normal((*batch, 12))
    X, dy = here(kept), here(rng.standard_normal((*batch, 12)))
    y, pullback = A.vjp(X)
    wanted = host(A.vjp(here(kept))[1](dy))
    edit(X)
    edit(y)
    found = host(pullback(dy))
    assert np.array_equal(found[1], wanted[1])
    for a, b in zip(found[0], wanted[0], strict=True):
        assert np.array_equal(a, b)


def test_samples_that_are_columns_in_memory(rng):
    """``X.T`` of a C-ordered array needs no copy, and is kept from edits too."""
    A = tt.TTMatrix(here(gaussian_cores(rng, SIZES, BONDS, False)))
    kept = rng.standard_normal((12, 5))
    columns, dy = here(kept), here(rng.standard_normal((5, 12)))
    _, pullback = A.vjp(columns.T)
    wanted = host(A.core_gradients(here(kept.T), dy))
    edit(columns)
    for a, b in zip(host(pullback(dy)[0]), wanted, strict=True):
        assert np.allclose(a, b, rtol=1e-13, atol=1e-13)


def test_cores_are_read_only_and_fixed(train, xp):
    assert type(train.cores) is tuple
    for core in train.cores if xp.is_numpy else ():
        with pytest.raises(ValueError, match="read-only"):
            core[...] = 0
    for name in ("cores", "dtype", "anything"):
        with pytest.raises(AttributeError):
            setattr(train, name, ())
    with pytest.raises(AttributeError):
        del train.cores


def test_copy_false_takes_the_arrays(rng):
    cores = here(gaussian_cores(rng, SIZES, BONDS, False))
    A = tt.TTMatrix(cores, copy=False)
    assert all(G is H for G, H in zip(A.cores, cores, strict=True))
    assert not any(G.flags.writeable for G in cores if isinstance(G, np.ndarray))


def test_augmented_assignment_makes_new_values(train):
    other = before = train
    before += train
    assert before is not train
    assert np.array_equal(*host((before.to_dense(), 2 * other.to_dense())))


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_are_equal_values(again, train):
    twin = again(train)
    assert type(twin) is type(train)
    assert (twin.backend, twin.device) == (train.backend, train.device)
    assert np.array_equal(*host((twin.to_dense(), train.to_dense())))
    assert not any(G.flags.writeable for G in twin.cores if isinstance(G, np.ndarray))


@pytest.mark.host("of NumPy's global state")
def test_no_global_random_state_is_touched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    A = tt.random_matrix((2, 3), (3, 2), 3)
    A.round(tol=0.1)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_same_bits_each_time(rng):
    A = made.random_matrix((4, 5, 6), (6, 5, 4), 8, rng=rng)
    one, other = (host(A.round(tol=0.1).cores) for _ in range(2))
    assert all(np.array_equal(G, H) for G, H in zip(one, other, strict=True))
