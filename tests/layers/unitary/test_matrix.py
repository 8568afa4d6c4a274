"""``W``: its factors, its unitarity, its gradients, its cost."""

import time
import tracemalloc

import numpy as np
import pytest

from tests.backends import here, host
from tests.layers.unitary import real_form
from ttalgebra.arrays.errors import NonFiniteError, ShapeError
from ttalgebra.arrays.namespace import move
from ttalgebra.layers.unitary import UnitaryMatrix
from ttalgebra.testing import check_pullback

SIZES = (1, 2, 7, 8, 64, 100, 512)
EPS = 2.0**-52


def random(n, rng):
    W = UnitaryMatrix.random(n, rng=rng, dtype="c16")
    return UnitaryMatrix(here(W.phases), here(W.reflections), W.permutation)


def vector(n, rng, *leading):
    drawn = rng.standard_normal((2, *leading, n))
    return drawn[0] + 1j * drawn[1]


@pytest.mark.parametrize("n", SIZES[:-1])
def test_is_the_product_of_its_factors(n, rng):
    W = random(n, rng)
    v = host(W.reflections)
    wanted = real_form.matrix(host(W.phases), v.real, v.imag, W.permutation)
    dense = host(W.to_dense())
    np.testing.assert_allclose(
        real_form.doubled(dense.real, dense.imag), wanted, rtol=0, atol=64 * n * EPS
    )


@pytest.mark.parametrize("n", SIZES)
def test_is_unitary(n, rng):
    dense = host(random(n, rng).to_dense())
    assert abs(dense.conj().T @ dense - np.eye(n)).max() < 1e-14


@pytest.mark.parametrize("n", SIZES)
def test_norms_are_kept_over_a_thousand_steps(n, rng):
    W, x = random(n, rng), vector(n, rng)
    z = here(x)
    for _ in range(1000):
        z = W.matvec(z)
    kept = np.sqrt((abs(host(z)) ** 2).sum() / (abs(x) ** 2).sum())
    assert abs(kept - 1) < 1e-12


@pytest.mark.parametrize("n", SIZES)
def test_the_inverse_is_the_adjoint(n, rng):
    W, x, y = random(n, rng), vector(n, rng, 3, 2), vector(n, rng, 3, 2)
    Wx, Wy = host(W.matvec(here(x))), host(W.inverse(here(y)))
    np.testing.assert_allclose(host(W.inverse(here(Wx))), x, rtol=0, atol=1e-13)
    left, right = (y.conj() * Wx).sum(), (Wy.conj() * x).sum()
    assert abs(left - right) < 64 * n * EPS * abs(x).max() * abs(y).max() * 6


def test_of_one_dimension_is_a_phase(rng):
    """Two reflections of a line cancel; each angle turns alike."""
    W, x, dy = random(1, rng), vector(1, rng, 5), vector(1, rng, 5)
    turn = np.exp(1j * host(W.phases).sum())
    y, pullback = W.vjp(here(x))
    gradients, dx = pullback(here(dy))
    np.testing.assert_allclose(host(y), turn * x, rtol=1e-14)
    np.testing.assert_allclose(host(dx), turn.conj() * dy, rtol=1e-14)
    slope = (dy.conj() * 1j * turn * x).sum().real
    np.testing.assert_allclose(host(gradients["phases"])[:, 0], slope, rtol=1e-13)
    assert abs(host(gradients["reflections"])).max() < 1e-13


def test_exact_on_gaussian_integers():
    """Angles 0, mirrors along axes, n = 4: every factor is exact, and so is ``W``."""
    W = UnitaryMatrix(here(np.zeros((3, 4))), here(np.eye(4)[[1, 2]]), [2, 3, 1, 0])
    x = np.array([4, 8j, -12, 4 + 16j])
    F = np.array([[(-1j) ** (j * k) for k in range(4)] for j in range(4)])
    c = (F @ x) * [1, -1, 1, 1]
    y = (F.conj() @ c[[2, 3, 1, 0]]) * [1, 1, -1, 1] / 4
    np.testing.assert_array_equal(host(W.matvec(here(x))), y)
    np.testing.assert_array_equal(host(W.inverse(here(y))), x)


@pytest.mark.parametrize("n", [2, 7, 8])
def test_pullback(n, rng):
    W = random(n, rng)

    def function(x, phases, reflections):
        y, pullback = UnitaryMatrix(phases, reflections, W.permutation).vjp(x)

        def pulled(dy):
            gradients, dx = pullback(dy)
            return dx, gradients["phases"], gradients["reflections"]

        return y, pulled

    for x in (vector(n, rng), vector(n, rng, 3, 2), vector(n, rng, 0)):
        check_pullback(function, here(x), W.phases, W.reflections, rng=rng)


@pytest.mark.parametrize("n", [2, 7, 8])
def test_gradients_by_complex_steps(n, rng):
    """Each entry of the gradients, against the real form."""
    W, x, dy = random(n, rng), vector(n, rng, 3), vector(n, rng, 3)
    _, pullback = W.vjp(here(x))
    found = host(pullback(here(dy))[0])
    v = host(W.reflections)
    arrays = {"phases": host(W.phases), "real": v.real, "imaginary": v.imag}
    pulled = found["reflections"]
    pulled = {"phases": found["phases"], "real": pulled.real, "imaginary": pulled.imag}
    double, weight = (np.concatenate([a.real, a.imag], axis=1) for a in (x, dy))
    for name, gradient in pulled.items():
        for place in np.ndindex(gradient.shape):
            moved = arrays[name].astype(complex)
            moved[place] += 1e-30j
            A = real_form.matrix(**(arrays | {name: moved}), permutation=W.permutation)
            derivative = ((double @ A.T) * weight).sum().imag / 1e-30
            assert abs(derivative - gradient[place]) < 1e-12 * abs(dy).sum() * n


def test_gradients_keep_what_does_not_move_w(rng):
    """A phase common to all moves each ``D`` alike; along ``v`` nothing moves ``R``."""
    W = random(16, rng)
    _, pullback = W.vjp(here(vector(16, rng, 4)))
    gradients, _ = pullback(here(vector(16, rng, 4)))
    sums = host(gradients["phases"]).sum(axis=1)
    np.testing.assert_allclose(sums, sums[0], rtol=1e-12)
    along = (host(W.reflections).conj() * host(gradients["reflections"])).sum(axis=1)
    assert abs(along).max() < 1e-12


@pytest.mark.parametrize("size", [1e-300, 1e-170, 1e200])
def test_the_length_of_a_mirror_is_nothing_to_it(size, rng):
    W, x = random(8, rng), here(vector(8, rng, 2))
    other = UnitaryMatrix(W.phases, size * W.reflections, W.permutation)
    y, pullback = W.vjp(x)
    z, again = other.vjp(x)
    np.testing.assert_allclose(host(z), host(y), rtol=0, atol=1e-14)
    dv, dw = (host(pull(y + 1)[0]["reflections"]) for pull in (pullback, again))
    np.testing.assert_allclose(dw * size, dv, rtol=1e-12, atol=1e-13)


def test_single_precision_stays(rng):
    drawn = UnitaryMatrix.random(64, rng=rng)
    W = UnitaryMatrix(here(drawn.phases), here(drawn.reflections), drawn.permutation)
    x = vector(64, rng).astype("c8")
    y, pullback = W.vjp(here(x))
    gradients, dx = pullback(y)
    assert host(y).dtype == host(dx).dtype == np.complex64
    assert host(gradients["phases"]).dtype == np.float32
    double = UnitaryMatrix(
        drawn.phases.astype("f8"), drawn.reflections.astype("c16"), drawn.permutation
    )
    np.testing.assert_allclose(host(y), double.matvec(x), rtol=0, atol=2e-6)
    assert host(W.to_dense()).dtype == np.complex64


@pytest.mark.host("measures NumPy's memory and time")
def test_costs_n_log_n():
    """Sixteen times the size: 18 times the time, where a dense product takes 256."""

    def measured(n):
        W, x = UnitaryMatrix.random(n, rng=0, dtype="c16"), np.ones(n, "c16")
        W.matvec(x)
        tracemalloc.start()
        W.matvec(x)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 * x.nbytes
        times = []
        for _ in range(5):
            began = time.process_time()
            W.matvec(x)
            times.append(time.process_time() - began)
        return min(times)

    assert measured(2**18) < 64 * measured(2**14)


ONES, ORDER = np.ones((3, 4)), [0, 1, 2, 3]
VECTORS = np.ones((2, 4)) + 0j


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: UnitaryMatrix(ONES * 1j, VECTORS, ORDER), TypeError, "phases is comp"),
        (
            lambda: UnitaryMatrix(ONES[:2], VECTORS, ORDER),
            ShapeError,
            r"phases have shape \(2, 4\), expected \(3, 4\)",
        ),
        (
            lambda: UnitaryMatrix(ONES, VECTORS[:, :3], ORDER),
            ShapeError,
            r"reflections have shape \(2, 3\), expected \(2, 4\)",
        ),
        (
            lambda: UnitaryMatrix(ONES, VECTORS * [[1], [0]], ORDER),
            ShapeError,
            "reflection 1 is zero; a vector to reflect along is needed",
        ),
        (
            lambda: UnitaryMatrix(ONES, VECTORS * np.nan, ORDER),
            NonFiniteError,
            r"reflections: the value at index \(0, 0\)",
        ),
        (lambda: UnitaryMatrix(ONES, VECTORS, 4), TypeError, "must be a list, got int"),
        (lambda: UnitaryMatrix(ONES, VECTORS, [0.0] * 4), TypeError, "not ints"),
        (
            lambda: UnitaryMatrix(ONES, VECTORS, [0, 1, 2, 2]),
            ShapeError,
            "must hold each of 0 to 3 once",
        ),
        (lambda: UnitaryMatrix(ONES, VECTORS, ORDER[1:]), ShapeError, r"shape \(3,\)"),
        (lambda: UnitaryMatrix.random(0), ShapeError, "n must be at least 1, got 0"),
        (lambda: UnitaryMatrix.random(4, dtype="f8"), TypeError, "float64 is real"),
        (
            lambda: UnitaryMatrix.random(4, rng=0).matvec(np.ones(5)),
            ShapeError,
            r"x has shape \(5,\), its last axis must have 4 entries",
        ),
        (
            lambda: UnitaryMatrix.random(4, rng=0).inverse(1.0),
            ShapeError,
            r"y has shape \(\)",
        ),
    ],
)
@pytest.mark.host("refusals come before any array library is met")
def test_refuses(call, error, says):
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize("shape", [(3, 2), (1, 2), (4, 1), (2,)], ids=str)
def test_a_cotangent_has_the_shape_of_the_result(shape):
    W = UnitaryMatrix(here(np.zeros((3, 2))), here(np.eye(2)), [1, 0])
    _, pullback = W.vjp(here(np.ones((4, 2))))
    with pytest.raises(ShapeError, match="vjp: dy has shape"):
        pullback(here(np.ones(shape)))


@pytest.mark.host("numbers of NumPy meet those of another library")
def test_a_cotangent_is_an_array_of_the_same_library():
    _, pullback = UnitaryMatrix.random(2, rng=0).vjp(np.ones((4, 2)))
    with pytest.raises(TypeError, match="vjp: dy must be an array, got str"):
        pullback("dy")
    pytest.importorskip("array_api_strict")
    foreign = move(np.ones((4, 2)), "array_api_strict")
    with pytest.raises(TypeError, match="arrays of one library are needed"):
        pullback(foreign)
