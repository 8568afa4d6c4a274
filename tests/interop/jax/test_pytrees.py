"""Trains as pytrees: whatever the leaves are, they go in and come out."""

import numpy as np
import pytest

import ttalgebra as tt

jax = pytest.importorskip("jax", reason="JAX is not installed: pytrees are its own")
jnp = jax.numpy
neighbour = pytest.importorskip("ttalgebra.interop.jax")
KINDS = [
    tt.random_tensor((2, 3, 2), 2, rng=1, dtype="f4"),
    tt.random_matrix((2, 3), (3, 2), 2, rng=1, dtype="f4"),
]
trains = pytest.mark.parametrize("A", KINDS, ids=["tensor", "matrix"])


@trains
def test_leaves_are_the_cores(A):
    leaves, structure = jax.tree.flatten(A)
    assert len(leaves) == A.order
    assert all(leaf is core for leaf, core in zip(leaves, A.cores, strict=True))
    again = jax.tree.unflatten(structure, leaves)
    assert type(again) is type(A)
    assert all(leaf is core for leaf, core in zip(again.cores, A.cores, strict=True))
    assert jax.tree.structure(again) == structure


@trains
def test_paths_are_the_names_in_files(A):
    paths = [path for path, _ in jax.tree_util.tree_leaves_with_path({"A": A})]
    named = [jax.tree_util.keystr(path) for path in paths]
    assert named == [f"['A'].cores.{k}" for k in range(A.order)]


@trains
def test_leaves_may_be_anything(A):
    nothing = jax.tree.map(lambda _: None, A)
    assert type(nothing) is type(A)
    assert nothing.cores == (None,) * A.order
    assert jax.tree.leaves(nothing) == []
    marks = jax.tree.map(lambda _: object(), A)
    assert all(type(mark) is object for mark in marks.cores)
    shapes = jax.tree.leaves(jax.tree.map(np.shape, A), is_leaf=lambda x: x == ())
    assert shapes == [size for core in A.cores for size in core.shape]
    outline = jax.eval_shape(lambda A: A, A)
    assert [core.shape for core in outline.cores] == [core.shape for core in A.cores]


@trains
def test_in_and_out_of_jit(A):
    doubled = jax.jit(lambda A: jax.tree.map(lambda core: 2 * core, A))(A)
    assert type(doubled) is type(A)
    for found, core in zip(doubled.cores, A.cores, strict=True):
        assert isinstance(found, jax.Array)
        assert np.array_equal(found, 2 * core)


def test_two_trains_of_one_structure_are_traced_once():
    traced = []

    @jax.jit
    def rows(A):
        traced.append(A)
        return A.cores[0].sum()

    A, B = (tt.random_matrix((2, 3), (3, 2), 2, rng=k) for k in (1, 2))
    rows(A), rows(B)
    assert len(traced) == 1
    rows(A.T)  # other modes
    assert len(traced) == 2


def test_a_train_in_a_loop():
    """A train is carried by ``lax.scan``, and never touched on the host."""
    A = jax.tree.map(jnp.asarray, KINDS[1])

    def halve(A, x):
        return jax.tree.map(lambda core: core / 2, A), neighbour.apply(A, x)

    last, Y = jax.jit(lambda A, X: jax.lax.scan(halve, A, X))(A, jnp.ones((3, 6)))
    assert np.array_equal(Y[1], Y[0] / 4)  # two cores, each halved
    assert np.array_equal(last.cores[0], A.cores[0] / 8)


def test_unflatten_takes_arrays_as_they_are():
    """As ``copy=False``: NumPy arrays become read-only, and are not copied."""
    structure, core = jax.tree.structure(tt.ones((3,))), np.ones((1, 3, 1))
    x = jax.tree.unflatten(structure, [core])
    assert x.cores[0] is core
    assert not core.flags.writeable


def test_trains_of_anything_are_printed():
    """``jax.tree.map`` puts what it likes where cores were; the prompt shows it."""
    A = tt.random_matrix((2, 3), (3, 2), 2, rng=0)
    shapes = jax.tree.map(lambda core: core.ndim, A)
    assert repr(shapes) == "TTMatrix([4, 4])"
