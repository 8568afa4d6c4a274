"""Relabelled nodes: a convolution does not mind, a full edge-varying filter does."""

import numpy as np
import pytest

from tests.backends import here, host
from tests.layers.graph_filter.dense import pattern
from ttalgebra.layers import EdgeVarying, GraphAttention, GraphConvolution, NodeVarying

N, F = 20, 2


@pytest.fixture
def S(rng):
    A = np.triu(rng.random((N, N)) < 0.3, 1).astype("f8")
    return (A + A.T) / np.linalg.eigvalsh(A + A.T)[-1]


def difference(make, S, rng):
    """The largest entry of ``f(P S P^T, P x) - P f(S, x)``, and that of ``f``."""
    order, x = rng.permutation(N), rng.standard_normal((3, N, F))
    there = S[np.ix_(order, order)]
    assert np.abs(there - S).max() > 0.1
    y, z = (
        host(make(shift)(here(signal.reshape(3, -1)))[0])
        for shift, signal in ((S, x), (there, x[:, order]))
    )
    y, z = y.reshape(3, N, -1), z.reshape(3, N, -1)
    return np.abs(z - y[:, order]).max(), np.abs(y).max()


def made(layer):
    return layer.with_arrays({n: here(a) for n, a in layer.arrays.items()})


def test_convolution_is_equivariant(S, rng):
    def make(shift):
        return made(GraphConvolution.random(shift, F, 3, 4, rng=0, dtype="f8"))

    error, size = difference(make, S, rng)
    assert error < 1e-13 * size


def test_attention_is_equivariant(S, rng):
    def make(shift):
        return made(GraphAttention.random(shift, F, 3, 2, heads=2, rng=0, dtype="f8"))

    error, size = difference(make, S, rng)
    assert error < 1e-13 * size


@pytest.mark.parametrize("kind", [EdgeVarying, NodeVarying])
def test_free_nodes_and_edges_are_not(S, rng, kind):
    def make(shift):
        return made(kind.random(shift, F, 3, 2, rng=0, dtype="f8"))

    error, size = difference(make, S, rng)
    assert error > 0.1 * size


def test_free_edges_that_move_with_the_nodes_are(S, rng):
    """What breaks is the tie to one order, not the recursion."""
    order, x = rng.permutation(N), rng.standard_normal((3, N, F))
    layer = EdgeVarying.random(S, F, 3, 2, rng=0, dtype="f8")
    Phi = np.zeros((*layer.edges.shape[:3], N, N))
    Phi[..., pattern(S)] = layer.edges
    there = S[np.ix_(order, order)]
    edges = Phi[..., order[:, None], order][..., pattern(there)]
    moved = EdgeVarying(
        there, here(layer.nodes[..., order]), here(edges), here(layer.bias)
    )
    y = layer(x.reshape(3, -1))[0].reshape(3, N, 3)
    z = host(moved(here(x[:, order].reshape(3, -1)))[0]).reshape(3, N, 3)
    np.testing.assert_allclose(z, y[:, order], rtol=1e-12, atol=1e-13)
