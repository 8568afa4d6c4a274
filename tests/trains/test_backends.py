"""Trains on every array library: the same values, on their own device, never mixed."""

import array_api_strict as strict
import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import here, host
from tests.reference import dense, norm, unit
from tests.trains.families import DTYPES, random_cores

ROWS, COLS, BONDS = (2, 3, 2), (3, 1, 2), (1, 3, 4, 1)
LIBRARIES = {"read-only": "numpy", "strict": "array_api_strict"}
LIBRARIES["strict-on-device1"] = "array_api_strict"


@pytest.fixture(params=DTYPES, ids=str)
def dtype(request):
    return request.param


def host_cores(rng, dtype, n_modes=2):
    modes = [pair[:n_modes] for pair in zip(ROWS, COLS, strict=True)]
    return random_cores(rng, modes, BONDS, dtype, scales=False)


def matrix(cores):
    return tt.TTMatrix(here(cores))


def close(xp, found, wanted, dtype):
    wanted = np.asarray(wanted)
    found = xp.numpy(found)
    assert found.shape == wanted.shape
    assert found.dtype == dtype
    error = norm(found - wanted)
    return error <= 1e3 * np.finfo(dtype).eps * (norm(wanted) + np.finfo(dtype).tiny)


def test_algebra(xp, dtype, rng):
    one, two = host_cores(rng, dtype), host_cores(rng, dtype)
    A, B = matrix(one), matrix(two)
    a, b = dense(one), dense(two)
    assert A.backend == LIBRARIES.get(xp.name, xp.name)
    for found, wanted in (
        (A, a),
        (A + B, a + b),
        (A - B, a - b),
        (-A, -a),
        (2.5 * A, 2.5 * a),
        (A / 2, a / 2),
        (A.T, a.T),
        (A.H, a.conj().T),
        (A.conj(), a.conj()),
        (A @ B.H, a @ b.conj().T),
        (A.orthogonalize(1), a),
        (A.round(), a),
    ):
        error = norm(xp.numpy(found.to_dense()) - wanted)
        assert error <= 30 * unit(found.cores)
        assert {xp.numpy(core).dtype for core in found.cores} == {dtype}
        assert found.device == A.device
    assert A.nbytes == sum(core.nbytes for core in one)


def test_numbers(dtype, rng):
    one, two = host_cores(rng, dtype), host_cores(rng, dtype)
    A, B = matrix(one), matrix(two)
    a, b = dense(one), dense(two)
    rel = 1e-4 if np.finfo(dtype).eps > 1e-10 else 1e-11
    assert A.norm() == pytest.approx(float(norm(a)), rel=rel)
    assert A.log_norm() == pytest.approx(float(np.log(norm(a))), abs=rel)
    inner, size = complex((a.conj() * b).sum()), float(norm(a) * norm(b))
    assert abs(complex(tt.dot(A, B)) - inner) <= 1e3 * np.finfo(dtype).eps * size
    assert type(tt.dot(A, B)) is (complex if dtype.kind == "c" else float)


def test_dense_products_and_gradients(xp, dtype, rng):
    cores = host_cores(rng, dtype)
    A, plain = matrix(cores), tt.TTMatrix(cores)
    X, dy = (rng.standard_normal((2, 3, 12)).astype(dtype)[..., :n] for n in (6, 12))
    y, pullback = A.vjp(here(X))
    dcores, dX = pullback(here(dy))
    z, pull = plain.vjp(X)
    host_dcores, host_dX = pull(dy)
    assert close(xp, y, z, dtype)
    assert close(xp, A.apply(here(X)), z, dtype)
    assert close(xp, dX, host_dX, dtype)
    for found, wanted in zip(dcores, host_dcores, strict=True):
        assert close(xp, found, wanted, dtype)
    assert close(xp, A @ here(X[0].T), plain @ X[0].T, dtype)
    assert close(xp, A.matvec(here(X[0, 0])), plain @ X[0, 0], dtype)
    assert close(xp, A.rmatmat(here(dy[0].T)), plain.H @ dy[0].T, dtype)
    assert close(xp, A.apply(here(X[:0])), np.zeros((0, 3, 12), dtype), dtype)


@pytest.mark.parametrize("tol", [None, 1e-2, 0.5])
def test_truncation(dtype, tol, rng):
    cores = host_cores(rng, dtype)
    B, info = matrix(cores).round(tol=tol, return_info=True)
    C, plain = tt.TTMatrix(cores).round(tol=tol, return_info=True)
    assert B.ranks == C.ranks == info.ranks
    assert info.error == pytest.approx(plain.error, rel=1e-2, abs=1e-5)
    assert all(type(s) is np.ndarray for s in info.singular_values)
    exact = dense(cores)
    error = norm(dense(B.cores) - exact)
    assert error <= (tol or 0) * norm(exact) * (1 + 1e-9) + 30 * unit(cores)
    array = exact.astype(dtype)
    D = tt.TTMatrix.from_dense(here(array), ROWS, COLS, tol=tol)
    assert D.device == B.device
    bound = (tol or 0) * norm(array) * (1 + 1e-9) + 30 * unit(cores)
    assert norm(dense(D.cores) - array) <= bound
    x = tt.TTTensor.from_dense(here(array.reshape(2, 3, 2, 6)), max_rank=2)
    assert x.max_rank <= 2
    assert x.dtype == B.dtype


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_range(scale, rng):
    cores = [core * scale for core in host_cores(rng, np.dtype("f8"))]
    A = matrix(cores)
    assert A.norm() in (0.0, np.inf)
    assert A.log_norm() == pytest.approx(tt.TTMatrix(cores).log_norm(), rel=1e-13)
    rounded = A.round(tol=1e-8)
    assert rounded.log_norm() == pytest.approx(A.log_norm(), rel=1e-10)
    assert (1e200 * A / 1e200).log_norm() == pytest.approx(A.log_norm(), rel=1e-13)


def test_zeros(dtype):
    Z = matrix([np.zeros((1, 2, 3, 2), dtype), np.zeros((2, 3, 2, 1), dtype)])
    assert Z.norm() == 0.0
    assert Z.log_norm() == -np.inf
    assert Z.round(tol=0.1).ranks == (1, 1, 1)
    assert tt.dot(Z, Z) == 0


def test_non_finite_is_refused():
    bad = np.ones((2, 3))
    bad[1, 2] = np.nan
    with pytest.raises(tt.errors.NonFiniteError, match=r"\(1, 2\)"):
        tt.TTTensor.from_dense(here(bad))
    with pytest.raises(tt.errors.NonFiniteError, match=r"core 0.*\(0, 1, 2\)"):
        tt.TTTensor(here([bad[None], np.ones((3, 2, 1))]))


def test_integers_become_float64(xp):
    x = tt.TTTensor.from_dense(here(np.arange(6, dtype=np.int32).reshape(2, 3)))
    assert np.finfo(xp.numpy(x.cores[0]).dtype).bits == 64


def test_libraries_do_not_mix(xp):
    """TypeError that names both, and the way out."""
    A, B = here(tt.identity((2, 3))), tt.identity((2, 3))
    B = B.to("array_api_strict") if xp.is_numpy else B
    X, Z = here(np.ones(6)), B.to_dense()[0, :]
    names = f"(?=.*{A.backend})(?=.*{B.backend})"
    for mixed in (
        lambda: A + B,
        lambda: A - B,
        lambda: A @ B,
        lambda: tt.dot(A, B),
        lambda: B @ X,
        lambda: B.apply(X),
        lambda: A.apply(Z),
        lambda: A.vjp(X)[1](Z),
        lambda: tt.TTMatrix([A.cores[0], B.cores[1]]),
    ):
        with pytest.raises(TypeError, match=rf"(?s){names}"):
            mixed()


@pytest.mark.host("of devices that this machine has, whatever the run is on")
@pytest.mark.parametrize(
    "devices", [("array_api_strict", "device1"), ("torch", "meta")]
)
def test_devices_do_not_mix(devices):
    """TypeError that names both."""
    library, name = devices
    pytest.importorskip(library, reason=f"{library} is not installed")
    device = strict.Device(name) if library == "array_api_strict" else name
    A = tt.identity((2, 3)).to(library)
    B = A.to(library, device)
    X, Z = (C.to_dense()[0, :] for C in (A, B))
    for mixed in (
        lambda: tt.TTMatrix([A.cores[0], B.cores[1]]),
        lambda: A + B,
        lambda: A @ B,
        lambda: tt.dot(A, B),
        lambda: A.apply(Z),
        lambda: B @ X,
        lambda: A.vjp(X)[1](Z),
    ):
        with pytest.raises(TypeError, match=name):
            mixed()


@pytest.mark.host("moves by itself, whatever the run is on")
@pytest.mark.parametrize("device", [None, strict.Device("device1")], ids=str)
def test_there_and_back(dtype, device, rng):
    A = tt.TTMatrix(host_cores(rng, dtype))
    there = A.to("array_api_strict", device)
    assert there.backend == "array_api_strict"
    assert there.device == device or device is None
    back = there.to("numpy")
    assert back.backend == "numpy"
    for G, H in zip(A.cores, back.cores, strict=True):
        assert np.array_equal(G, H)
        assert G.dtype == H.dtype
        assert not np.shares_memory(G, H)
        assert not H.flags.writeable


def test_to_itself_is_a_copy(xp, rng):
    A = matrix(host_cores(rng, np.dtype("f8")))
    B = A.to(A.backend, A.device)
    assert (A.backend, A.device) == (B.backend, B.device)
    pairs = list(zip(host(A.cores), host(B.cores), strict=True))
    assert all(np.array_equal(G, H) for G, H in pairs)
    if xp.name != "jax":  # whose arrays nobody can change
        assert not any(np.shares_memory(G, H) for G, H in pairs)
