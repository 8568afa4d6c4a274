"""Trains and batches, drawn by NumPy; a loss that every entry of ``Y`` bends."""

import jax
import jax.numpy as jnp
import numpy as np

import ttalgebra as tt

SHAPES = (  # row modes, column modes, ranks, samples
    ((3,), (4,), 1, 3),
    ((1, 1), (1, 1), 1, 1),
    ((5, 1), (1, 4), 3, 2),
    ((2, 3, 2), (3, 1, 2), 3, 4),
    ((2, 2, 3), (2, 2, 3), (7, 9), 1),  # more than the modes can use
)


def draw(rng, shape, dtype="f8"):
    """A TTMatrix and a batch, samples first, of ``dtype``."""
    rows, columns, ranks, n = shape
    A = tt.random_matrix(rows, columns, ranks, rng=rng, dtype=dtype).to("jax")
    X = rng.standard_normal((2, n, A.shape[1]))
    X = X[0] + 1j * X[1] if A.dtype.kind == "c" else X[0]
    return A, jnp.asarray(X, A.dtype)


def plain(A, X):
    """``apply`` as JAX differentiates it: one core at a time, by its own einsum."""
    state = X.reshape(X.shape[0], 1, 1, -1)  # samples, rows done, rank, columns to come
    for core in A.cores:
        n, p, a, rest = state.shape
        state = state.reshape(n, p, a, core.shape[2], rest // core.shape[2])
        state = jnp.einsum("npajt,aijb->npibt", state, core)
        state = state.reshape(n, p * core.shape[1], core.shape[3], -1)
    return state.reshape(X.shape[0], -1)


def loss(apply):
    """``Re sum(w Y) + sum |Y|^2``: real, not analytic in ``Y``."""

    def value(A, X, w):
        Y = apply(A, X)
        return jnp.sum(jnp.real(w * Y)) + jnp.sum(jnp.abs(Y) ** 2)

    return value


def apart(found, expected):
    """The largest difference over the largest entry, of two pytrees alike."""
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    worst = 0.0
    for leaves in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        one, two = map(np.asarray, leaves)
        assert one.shape == two.shape
        assert one.dtype == two.dtype
        worst = max(worst, float(abs(one - two).max() / abs(two).max()))
    return worst
