"""Every operation on every library: the host's values, on the operands' device."""

import numpy as np
import pytest

import ttalgebra as tt
from tests.algebra.operations import OPERATIONS, operands
from tests.backends import dtype_of, here
from tests.reference import eps, norm


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_same_values_on_the_same_device(name, dtype, xp, rng):
    trains = operands(rng, dtype)
    there = here(trains)
    found, wanted = OPERATIONS[name](*there), OPERATIONS[name](*trains)
    if isinstance(wanted, (tt.TTTensor, tt.TTMatrix)):
        assert type(found) is type(wanted)
        assert found.device == there[0].device
        assert found.backend == there[0].backend
        assert found.ranks == wanted.ranks
        assert {dtype_of(core) for core in found.cores} == {np.dtype(dtype)}
        found, wanted = found.to_dense(), wanted.to_dense()
    if isinstance(wanted, np.ndarray):
        found = xp.numpy(found)
        assert found.dtype == wanted.dtype
        assert found.shape == wanted.shape
    assert type(found) is type(wanted)
    if name.startswith("same"):
        assert (found.equal, found.certified) == (wanted.equal, wanted.certified)
    elif name == "cost":
        assert found == wanted
    else:
        assert norm(found - wanted) <= 100 * eps(dtype) * norm(wanted)


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_range_is_carried_on_every_library(xp, size):
    x = tt.TTTensor(here([np.full((1, 2, 1), size)] * 5))
    A = tt.TTMatrix(here([np.full((1, 2, 2, 1), size)] * 5))
    value = np.inf if size > 1 else 0.0
    assert x.sum() == x[0, 1, 0, 1, 0] == A.trace() == A[3, 4] == value
    assert xp.numpy(x.entries([0, 31])).tolist() == [value] * 2
    assert xp.numpy(A.entries([0, 31], [5, 6])).tolist() == [value] * 2
    one = x.log_norm()
    for y in (x.permute_modes((4, 3, 2, 1, 0)), x.split_modes(0, (2, 1)), x[...]):
        assert y.log_norm() == pytest.approx(one, rel=1e-13)
    assert tt.kron(x, x).log_norm() == pytest.approx(2 * one, rel=1e-13)
    assert tt.same(x, x.round())


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_too_few_cores_for_the_norm(size):
    """``10^1000`` fits five cores, not three: refused, never inf or 0 in silence."""
    x = tt.TTTensor(here([np.full((1, 2, 1), size)] * 5))
    A = tt.TTMatrix(here([np.full((1, 2, 2, 1), size)] * 5))
    for shortened in (
        lambda: x.sum((0, 2)),
        lambda: A.partial_trace((0, 2)),
        lambda: x[0, :, 1],
        lambda: x.merge_modes(0, 2),
    ):
        try:
            y = shortened()
        except tt.errors.NonFiniteError:
            continue
        assert np.isfinite(y.log_norm())
        assert y.log_norm() == pytest.approx(x.log_norm(), rel=0.1)


@pytest.mark.parametrize(
    "key", [np.s_[0:100], np.s_[-100:2], np.s_[3:-100:-1], np.s_[1:100:2], np.s_[::-2]]
)
def test_slices_may_reach_beyond_the_ends(xp, key):
    """As in NumPy, on libraries that refuse such bounds too."""
    values = np.arange(10.0).reshape(5, 2)
    x = tt.TTTensor.from_dense(here(values))
    assert np.allclose(xp.numpy(x[key].to_dense()), values[key], atol=1e-13)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_asarray_of_a_train_is_on_the_host(dtype, xp, rng):
    """In the dtype of the train unless another is asked for; once a TypeError."""
    x, _, A, _ = operands(rng, dtype)
    for train in (x, A):
        there = type(train)([xp.asarray(core) for core in train.cores])
        found = np.asarray(there)
        assert type(found) is np.ndarray
        assert found.dtype == dtype
        close = {"rtol": 100 * eps(dtype), "atol": 0}
        assert np.allclose(found, train.to_dense(), **close)
        wider = np.asarray(there, dtype="c16")
        assert wider.dtype == np.complex128
        assert np.allclose(wider, found, **close)


def test_indices_of_the_same_library(xp):
    x = tt.TTTensor.from_dense(here(np.arange(12.0).reshape(4, 3)))
    flat = here(np.array([0, 5, -1]))
    assert np.allclose(xp.numpy(x.entries(flat)), [0, 5, 11], atol=1e-13)
    A = tt.TTMatrix.from_diagonal(x)
    assert np.allclose(xp.numpy(A.entries(flat, flat)), [0, 5, 11], atol=1e-13)


@pytest.mark.host("arrays of other libraries may refuse before they ask the train")
def test_dense_on_the_left(rng):
    _, _, A, _ = operands(rng)
    X = rng.standard_normal((3, 16))
    for left in (X, X[0], X.reshape(1, 3, 16), X.tolist(), X + 1j):
        assert np.allclose(left @ A, np.asarray(left) @ A.to_dense(), atol=1e-12)
    B = A.to("array_api_strict")
    with pytest.raises(TypeError):
        B.cores[0][0, 0, :, :] @ B
    found = B.__rmatmul__(B.to_dense())
    assert np.allclose(np.asarray(found), A.to_dense() @ A.to_dense(), atol=1e-11)
