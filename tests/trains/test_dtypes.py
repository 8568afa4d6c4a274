"""dtypes: those of the arrays, promoted as NumPy does; Python numbers never promote."""

import fractions

import numpy as np
import pytest

import ttalgebra as tt
from tests import made
from tests.backends import dtype_of, here, host
from tests.trains.test_refusals import there

SUPPORTED = ("f4", "f8", "c8", "c16")
HUGE = fractions.Fraction(10**400, 3)


def ones(dtype):
    return made.ones((2, 3), (3, 2), dtype=dtype)


@pytest.mark.parametrize("left", SUPPORTED)
@pytest.mark.parametrize("right", SUPPORTED)
def test_pairs_promote_as_arrays_do(left, right):
    A, B, X = ones(left), ones(right), here(np.ones((6, 6), right))
    wanted = np.result_type(np.dtype(left), np.dtype(right))
    x = made.ones(A.col_modes, dtype=right)
    dense = (A @ X, A.apply(X), A.__rmatmul__(X), A.matmat(X), A.vjp(X)[0])
    for result in (A + B, A - B, A @ B.T, A @ x, *dense):
        assert dtype_of(result) == wanted
    assert dtype_of(tt.TTMatrix([A.cores[0], B.cores[1]])) == wanted
    inner = tt.dot(A, B)
    assert type(inner) is (complex if wanted.kind == "c" else float)


@pytest.mark.parametrize("dtype", SUPPORTED)
@pytest.mark.parametrize(
    "number",
    [2, 0.1, 10**15, True + 1, np.float64(0.1), np.int64(2), np.int8(3), np.float32(2)],
    ids=repr,
)
def test_numbers_never_promote(dtype, number):
    """NumPy's own scalars too: a train times a number is a train of its dtype."""
    for result in (ones(dtype) * number, number * ones(dtype), ones(dtype) / number):
        assert type(result) is tt.TTMatrix
        assert dtype_of(result) == dtype


@pytest.mark.parametrize("number", [1j, 1 + 0j, np.complex64(2j), np.complex128(1)])
def test_complex_numbers_make_complex_trains(number):
    assert dtype_of(ones("f4") * number) == np.complex64
    assert dtype_of(number * ones("f8")) == np.complex128
    assert dtype_of(ones("c8") / number) == np.complex64


MIXED = {
    "1j * x": lambda x, z: 1j * x,
    "x / 1j": lambda x, z: x / 1j,
    "far": lambda x, z: (1e300j * x) * 1e-300,
    "x + z": lambda x, z: x + z,
    "x * z": lambda x, z: x * z,
    "kron": lambda x, z: tt.kron(x, z),
    "concatenate": lambda x, z: tt.concatenate([x, z]),
    "linear_combination": lambda x, z: tt.linear_combination([1j, 2], [x, x], 0.1),
    "a sum of both": lambda x, z: tt.linear_combination([1, 2], [x, z], 1e-3),
    "compressed": lambda x, z: x.hadamard(z, tol=1e-3),
    "slice": lambda x, z: (1j * x)[0, :, None],
    "sum over one": lambda x, z: (1j * x).sum(0),
    "permute_modes": lambda x, z: (1j * x).permute_modes((2, 0, 1)),
    "normalize": lambda x, z: (1j * x).normalize(),
    "from_diagonal": lambda x, z: tt.TTMatrix.from_diagonal(1j * x),
    "matvec": lambda x, z: tt.TTMatrix.from_diagonal(x) @ z,
    "constructor": lambda x, z: tt.TTTensor([x.cores[0], *z.cores[1:]]),
}


@pytest.mark.parametrize("name", MIXED)
def test_all_cores_of_a_result_have_one_dtype(name, tmp_path):
    """Of mixed cores a file is damaged, and sizes are those of another train."""
    x = made.random_tensor((3, 4, 5), 3, rng=0)
    z = here(1j * x)
    y = MIXED[name](x, z)
    assert {dtype_of(core) for core in y.cores} == {np.dtype(np.complex128)}
    assert y.nbytes == 16 * y.n_parameters
    y.save(tmp_path / "y.npz")
    loaded = tt.load(tmp_path / "y.npz")
    assert np.array_equal(loaded.to_dense(), host(y.to("numpy").to_dense()))


@pytest.mark.parametrize("dtype", SUPPORTED)
def test_every_operation_keeps_its_dtype(dtype, rng):
    A = made.random_matrix((2, 3), (3, 2), 3, rng=rng, dtype=dtype)
    trains = [-A, A.T, A.H, A.conj(), A.round(), A.round(tol=0.1), A.orthogonalize(1)]
    trains += [A.round(max_rank=1), A.to(A.backend), A + A, 0 * A, A / 3]
    assert {dtype_of(B) for B in trains} == {np.dtype(dtype)}
    assert dtype_of(A.to_dense()) == dtype
    assert all(type(size) is float for size in (A.norm(), A.log_norm()))
    X = here(np.ones((2, 6), dtype))
    for array in (*A.core_gradients(X, X), A.vjp(X)[1](X)[1]):
        assert dtype_of(array) == dtype


@pytest.mark.parametrize("dtype", ["i1", "u1", "i4", "i8", "u8", "?"])
def test_integers_and_bools_become_float64(dtype):
    values = np.array([[1, 0], [1, 1]], dtype)
    x = tt.TTTensor.from_dense(here(values))
    assert dtype_of(x) == np.float64
    assert np.allclose(host(x.to_dense()), values, atol=1e-15)
    assert dtype_of(tt.TTMatrix(here([values[None, :, :, None]]))) == np.float64
    assert dtype_of(made.ones((2,), (2,), dtype="f4") @ here(values)) == np.float64
    assert tt.zeros((2,), dtype=dtype).dtype == np.float64


def test_int8_is_never_cut_to_integers_or_float32():
    values = np.arange(-60, 60, dtype=np.int8).reshape(8, 15)
    x = tt.TTTensor.from_dense(here(values), tol=1e-13)
    assert abs(host(x.to_dense()) - values).max() < 1e-11
    assert np.array_equal(host((x / 3).to_dense()) * 0 + 1, np.ones((8, 15)))


def test_half_precision_is_refused(xp):
    found = [xp.namespace.__dict__.get(name) for name in ("float16", "bfloat16")]
    if not any(found):
        pytest.skip("this library has none")
    for kind in filter(None, found):
        x = xp.namespace.asarray(np.ones((2, 2)).tolist(), dtype=kind)
        with pytest.raises(TypeError, match="convert it to float32"):
            tt.TTTensor.from_dense(x)
        with pytest.raises(TypeError, match="convert it to float32"):
            made.identity((2,)).apply(x)


REFUSED = {
    "masked": np.ma.array(np.ones((2, 2)), mask=np.eye(2)),
    "float16": np.ones((2, 2), np.float16),
    "longdouble": np.ones((2, 2), np.longdouble),
    "clongdouble": np.ones((2, 2), np.clongdouble),
    "object": np.ones((2, 2), object),
    "fractions": np.full((2, 2), fractions.Fraction(1, 3)),
    "text": np.full((2, 2), "1"),
    "datetimes": np.zeros((2, 2), "M8[s]"),
    "records": np.zeros((2, 2), [("a", "f8")]),
    "list of masked rows": [np.ma.array([1.0, 2.0], mask=[0, 1])] * 2,
    "list of halves": [[np.float16(1)] * 2] * 2,
    "list of big ints": [[10**30] * 2] * 2,
    "list of text": [["1", "2"]] * 2,
    "list of None": [[None, None]] * 2,
}


@pytest.mark.host("kinds that only NumPy has")
@pytest.mark.parametrize("x", REFUSED.values(), ids=REFUSED.keys())
def test_other_kinds_are_refused_everywhere(x):
    """Each with what to convert to, and never silently."""
    A = tt.identity((2,))
    doors = [
        lambda: tt.TTTensor.from_dense(x),
        lambda: tt.TTMatrix.from_dense(x, (2,), (2,)),
        lambda: A.apply(x),
        lambda: A @ x,
        lambda: x @ A,
        lambda: A.matmat(x),
        lambda: A.rmatmat(x),
        lambda: A.vjp(x),
        lambda: A.vjp(np.ones((2, 2)))[1](x),
    ]
    if isinstance(x, np.ndarray):
        doors.append(lambda: tt.TTMatrix([x[None, :, :, None]]))
    for k, door in enumerate(doors):
        with pytest.raises(TypeError):
            print(k, door())  # noqa: T201, the number shows which door let it in


@pytest.mark.host("of a class of NumPy")
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_matrix_class_is_an_array(rng):
    values = rng.standard_normal((2, 3))
    x = tt.TTTensor.from_dense(np.matrix(values))
    assert type(x.cores[0]) is np.ndarray
    assert np.allclose(x.to_dense(), values)
    A = tt.random_matrix((2,), (3,), 1, rng=rng)
    assert type(A @ np.matrix(values).T) is np.ndarray
    assert (A @ np.matrix(values).T).shape == (2, 2)


@pytest.mark.parametrize(
    "scalar",
    [
        True,
        False,
        np.True_,
        "2",
        b"2",
        None,
        [2],
        {},
        object(),
        np.array(True),
        np.array("2.0"),
        np.array("abc"),
        np.array(None),
        np.array([2.0]),
        [[1], [1, 2]],
        np.ones(3),
        np.clongdouble(1j),
        np.datetime64(0, "s"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_number_scales_nothing(scalar):
    """TypeError: text is not parsed, truth is not one, a list is not a number."""
    x, scalar = made.ones((2, 2)), there(scalar)
    for scaled in (lambda: x * scalar, lambda: scalar * x, lambda: x / scalar):
        with pytest.raises(TypeError):
            scaled()


@pytest.mark.parametrize(
    "scalar",
    [np.nan, np.inf, -np.inf, complex("nan"), 10**400, -(10**400), HUGE, -HUGE],
    ids=lambda value: str(value)[:9],
)
def test_numbers_beyond_floats_are_refused(scalar):
    x = made.ones((2, 2))
    for scaled in (lambda: x * scalar, lambda: scalar * x, lambda: x / scalar):
        with pytest.raises(tt.errors.TTError):
            scaled()


def test_zero_dimensional_arrays_are_numbers():
    x = made.ones((2, 2), dtype="f4")
    for three in (np.array(3.0), here(np.array(3.0))):
        assert np.array_equal(host((x * three).to_dense()), 3 * np.ones((2, 2)))
    assert dtype_of(x * here(np.array(3))) == np.float32


@pytest.mark.host("of NumPy's ufuncs")
def test_numpy_defers_to_trains():
    x = tt.ones((2, 2))
    for product in (np.float64(2) * x, np.int8(2) * x, np.array(2.0) * x):
        assert type(product) is tt.TTTensor
    with pytest.raises(TypeError):
        np.ones((2, 2)) + x
    with pytest.raises(TypeError):
        np.ones(3) * x


def test_division_by_zero():
    for zero in (0, 0.0, 0j, np.float64(0)):
        with pytest.raises(ZeroDivisionError, match="zero"):
            made.ones((2,)) / zero
