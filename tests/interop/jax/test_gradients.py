"""Our pullback against JAX's own derivatives, and against exact integers."""

import numpy as np
import pytest

import ttalgebra as tt
from tests import reference

jax = pytest.importorskip("jax", reason="JAX is not installed: its own gradients")
jnp = jax.numpy
neighbour = pytest.importorskip("ttalgebra.interop.jax")
cases_of = pytest.importorskip("tests.interop.jax.cases")

SHAPES, apart, draw = cases_of.SHAPES, cases_of.apart, cases_of.draw
loss, plain = cases_of.loss, cases_of.plain
apply, matmat = neighbour.apply, neighbour.matmat
DRAWS = 10  # times 5 shapes, times real and complex: 100 cases
pytestmark = pytest.mark.usefixtures("x64")


@pytest.mark.parametrize("dtype", ["f8", "c16"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_100_cases_agree_with_jax(shape, dtype, rng, cases):
    """Values and gradients by cores and batch, to 1e-12 of the largest entry."""

    @jax.jit
    def both(*operands):
        routes = (loss(apply), loss(plain))
        return [jax.value_and_grad(f, argnums=(0, 1))(*operands) for f in routes]

    for _ in range(max(DRAWS, DRAWS * cases // 1000)):
        A, X = draw(rng, shape, dtype)
        w = jnp.asarray(rng.standard_normal((X.shape[0], A.shape[0])), A.dtype)
        found, expected = both(A, X, w)
        assert apart(found, expected) <= 1e-12
        assert isinstance(found[1][0], tt.TTMatrix)


@pytest.mark.parametrize("complex_", [False, True])
def test_exact_on_integers(complex_, rng):
    """JAX's pullback of ``dy`` is the conjugate of ours of ``conj(dy)``."""

    def integers(*shape):
        parts = rng.integers(-3, 4, (2, *shape))
        return parts[0] + 1j * parts[1] if complex_ else parts[0].astype(float)

    shapes = ((1, 2, 3, 2), (2, 3, 1, 3), (3, 2, 2, 1))
    cores = [integers(*shape) for shape in shapes]
    X, dy = integers(4, 6), integers(4, 12)

    @jax.jit
    def values_and_pulled(cores, X, dy):
        y, pullback = jax.vjp(apply, cores, X)
        return y, pullback(dy)

    y, (dcores, dX) = values_and_pulled(cores, X, dy.conj())
    W = reference.dense(cores, reference.exact)
    assert np.array_equal(y, reference.exact(X) @ W.T)
    assert np.array_equal(np.conj(dX), reference.exact(dy) @ np.conj(W))
    expected = reference.core_gradients(cores, X, dy)
    for found, wanted in zip(dcores, expected, strict=True):
        assert np.array_equal(np.conj(found), wanted)


def test_conjugates_of_the_gradients_of_the_library(rng):
    """``g`` of ``A.vjp`` is the direction of steepest ascent, JAX's its conjugate."""
    A = tt.random_matrix((2, 3), (3, 2), 2, rng=rng, dtype="c16")
    X, dy = (rng.standard_normal((4, 6)) + 1j * rng.standard_normal((4, 6)),) * 2
    ours = A.core_gradients(X, dy)

    def value(A):
        return jnp.sum(jnp.real(jnp.conj(dy) * apply(A, jnp.asarray(X))))

    found = jax.jit(jax.grad(value))(A)
    for g, dG in zip(ours, found.cores, strict=True):
        assert np.abs(g.conj() - dG).max() <= 1e-13 * np.abs(g).max()


@pytest.mark.parametrize("kinds", [("f4", "f8"), ("f8", "c16"), ("c8", "f8")])
def test_gradients_take_the_dtype_of_their_array(kinds, rng):
    """Where cores and batch differ, JAX's own promotion is differentiated with it."""
    shape = ((2, 3), (3, 2), 2, 4)
    A, X = draw(rng, shape, kinds[0])[0], draw(rng, shape, kinds[1])[1]
    w = jnp.ones((4, 6))
    found, expected = (
        jax.jit(jax.grad(loss(f), argnums=(0, 1)))(A, X, w) for f in (apply, plain)
    )
    assert found[0].dtype == kinds[0]
    assert found[1].dtype == kinds[1]
    assert apart(found, expected) <= 1e-5


@pytest.fixture
def small(rng):
    return draw(rng, ((2, 3), (3, 2), 2, 4))


def test_vmap_over_trains_and_over_samples(small, rng):
    A, X = small
    B, _ = draw(rng, ((2, 3), (3, 2), 2, 1))
    both = jax.tree.map(lambda *cores: jnp.stack(cores), A, B)
    found = jax.jit(jax.vmap(apply, in_axes=(0, None)))(both, X)
    expected = jax.jit(lambda *trains: jnp.stack([plain(A, X) for A in trains]))(A, B)
    assert apart(found, expected) <= 1e-14

    @jax.jit
    def gradients(A, X):
        def square(A, x):
            return jnp.sum(apply(A, x) ** 2)

        each = jax.vmap(jax.grad(square), (None, 0))(A, X)
        whole = jax.grad(lambda A: jnp.sum(plain(A, X) ** 2))(A)
        return jax.tree.map(lambda g: g.sum(axis=0), each), whole

    assert apart(*gradients(A, X)) <= 1e-13


def test_jacrev_is_the_matrix(small):
    A, X = small
    J = jax.jit(jax.jacrev(lambda x: apply(A, x)))(X[0])
    assert np.allclose(
        J, reference.dense(A.cores).astype(float), rtol=1e-13, atol=1e-13
    )
    by_train, expected = (
        jax.tree.leaves(jax.jit(jax.jacrev(f))(A, X)) for f in (apply, plain)
    )
    assert apart(by_train, expected) <= 1e-13


def test_second_derivatives(small):
    """Reverse over reverse, and forward over reverse."""
    A, X = small
    w = jnp.ones((4, 6))

    @jax.jit
    def second(A):
        def by(apply):
            def gradient(A):
                return jax.grad(loss(apply))(A, X, w)

            def steepness(A):
                return sum(jnp.sum(dG**2) for dG in gradient(A).cores)

            return jax.grad(steepness)(A), jax.jvp(gradient, (A,), (A,))[1]

        return by(apply), by(plain)

    assert apart(*second(A)) <= 1e-12


def test_forward_mode_is_refused_and_the_plain_contraction_has_it(small):
    A, X = small
    with pytest.raises(TypeError, match="custom_vjp"):
        jax.jvp(apply, (A, X), (A, X))
    with pytest.raises(TypeError, match="custom_vjp"):
        jax.jacfwd(lambda x: apply(A, x))(X[0])

    @jax.jit
    def tangents(A, X):
        routes = (tt.TTMatrix.apply, plain)
        return [jax.jvp(f, (A, X), (A, X)) for f in routes]

    assert apart(*tangents(A, X)) <= 1e-13


def test_under_jit_backward_costs_twice_forward(rng):
    """The states that the pullback asks for again are not computed again."""
    A, X = draw(rng, ((8, 8, 8), (8, 8, 8), 8, 64))

    def flops(function):
        found = jax.jit(function).lower(A, X).compile().cost_analysis()
        return (found[0] if isinstance(found, list) else found)["flops"]

    both = jax.value_and_grad(lambda A, X: jnp.sum(apply(A, X) ** 2), argnums=(0, 1))
    assert 2.5 <= flops(both) / flops(apply) <= 3.05


def test_cores_out_of_range_of_each_other(rng):
    """A state on the way would be 2^1100; powers of two change no bit."""
    A, X = draw(rng, ((2,) * 4, (2,) * 4, 2, 3))
    powers = 550, 550, -500, -500
    pairs = zip(A.cores, powers, strict=True)
    far = tt.TTMatrix([core * 2.0**power for core, power in pairs])

    @jax.jit
    def both(A):
        Y, pullback = jax.vjp(lambda A: apply(A, X), A)
        return Y, pullback(jnp.ones_like(Y))[0]

    (Y, g), (found, dfar) = both(A), both(far)
    assert np.array_equal(found, np.ldexp(Y, sum(powers)))
    for dF, dG, power in zip(dfar.cores, g.cores, powers, strict=True):
        assert np.array_equal(dF, np.ldexp(dG, sum(powers) - power))


def test_matmat_is_apply_with_samples_in_columns(small):
    A, X = small
    assert apart(matmat(A, X.T), apply(A, X).T) == 0.0
    assert apply(A, X.reshape(2, 2, 6)).shape == (2, 2, 6)
    assert apply(A, X[0]).shape == (6,)
    assert apply(A, X[:0]).shape == (0, 6)


def test_refusals(small):
    A, X = small
    with pytest.raises(TypeError, match=r"X is ndarray, not an array of JAX"):
        apply(A, np.asarray(X))
    with pytest.raises(TypeError, match=r"core 0 is ndarray"):
        apply([np.asarray(core) for core in A.cores], X)
    with pytest.raises(tt.errors.ShapeError, match=r"X has shape \(4, 5\), expected"):
        apply(A, X[:, :5])
    with pytest.raises(tt.errors.ShapeError, match=r"expected \(\.\.\., 6\)"):
        apply(A, X[0, 0])
    with pytest.raises(tt.errors.ShapeError, match=r"expected \(6, n\)"):
        matmat(A, X)
    with pytest.raises(tt.errors.ShapeError, match="do not connect"):
        jax.jit(apply)(A.cores[:1] * 2, X)
    with pytest.raises(TypeError, match="bfloat16"):
        apply(A, X.astype("bfloat16"))
