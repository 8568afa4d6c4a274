"""One filter: each restriction equals the full filter with tied parameters."""

import numpy as np
import pytest

from tests.backends import here, host
from tests.layers.graph_filter import dense
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.layers import (
    EdgeVarying,
    GraphAttention,
    GraphConvolution,
    HybridEdgeVarying,
    NodeVarying,
)

K, N, F_IN, F_OUT = 3, 12, 2, 3
CLOSE = {"rtol": 1e-12, "atol": 1e-12}


@pytest.fixture
def S(rng):
    """Directed, weighted, its powers bounded."""
    A = rng.standard_normal((N, N)) * (rng.random((N, N)) < 0.3)
    return A / np.abs(np.linalg.eigvals(A)).max()


def edges_of(S, Phis):
    """``(K, F_out, F_in, E)`` from dense ``(K, F_out, F_in, N, N)``."""
    return Phis[..., dense.pattern(S)]


def tied(S, h, bias):
    """The edge-varying form of ``sum_k diag(h^(k)) S^k``, ``h`` ``(K+1, N, g, f)``."""
    h = np.transpose(h, (0, 3, 2, 1))
    Phis = h[1:, ..., :, None] * S / h[:-1, ..., None, :]
    nodes, edges = here(h[0]), here(edges_of(S, Phis))
    return EdgeVarying(S, nodes, edges, here(bias))


def same(first, second, rng):
    """Outputs and gradients by ``x`` of two layers agree to 1e-12."""
    x = here(rng.standard_normal((4, N * F_IN)))
    (y, backward), (z, other) = first(x), second(x)
    np.testing.assert_allclose(host(y), host(z), **CLOSE)
    dy = here(rng.standard_normal(y.shape))
    np.testing.assert_allclose(host(backward(dy)[0]), host(other(dy)[0]), **CLOSE)


def drawn(rng, *shape):
    return 0.5 + rng.random(shape)


def test_the_convolution_is_edge_varying(S, rng):
    taps, bias = drawn(rng, K + 1, F_IN, F_OUT), drawn(rng, F_OUT)
    layer = GraphConvolution(S, here(taps), here(bias))
    at_each = np.repeat(taps[:, None], N, axis=1)
    same(layer, tied(S, at_each, bias), rng)
    same(layer, NodeVarying(S, here(at_each), here(bias)), rng)
    one_block = NodeVarying(S, here(taps[:, None]), here(bias), np.zeros(N, int))
    same(layer, one_block, rng)


def test_the_node_varying_filter_is_edge_varying(S, rng):
    taps, bias = drawn(rng, K + 1, N, F_IN, F_OUT), drawn(rng, F_OUT)
    same(NodeVarying(S, here(taps), here(bias)), tied(S, taps, bias), rng)


def test_blocks_share_their_taps(S, rng):
    taps, bias = drawn(rng, K + 1, 3, F_IN, F_OUT), drawn(rng, F_OUT)
    blocks = np.arange(N) % 3
    layer = NodeVarying(S, here(taps), here(bias), blocks)
    whole = NodeVarying(S, here(taps[:, blocks]), here(bias))
    same(layer, whole, rng)
    x = here(rng.standard_normal((4, N * F_IN)))
    (y, backward), (_, other) = layer(x), whole(x)
    each, shared = host(other(y)[1]["taps"]), host(backward(y)[1]["taps"])
    total = np.stack([each[:, blocks == b].sum(axis=1) for b in range(3)], axis=1)
    np.testing.assert_allclose(shared, total, rtol=1e-11, atol=1e-11)


def test_a_tap_of_zero_needs_no_quotient(S, rng):
    """The polynomial form goes where ``h_k / h_{k-1}`` does not exist."""
    taps = np.array([0.0, 1.0, 0.0, 2.0])[:, None, None]
    x = rng.standard_normal((2, N))
    y, _ = GraphConvolution(S, here(taps), here(np.zeros(1)))(here(x))
    wanted = x @ S.T + 2 * x @ np.linalg.matrix_power(S, 3).T
    np.testing.assert_allclose(host(y), wanted, **CLOSE)


def test_both_orders_of_the_convolution_agree(S, rng):
    """Powers on the inputs, ``F_in <= F_out``, or on the outputs: same numbers."""
    taps, x = rng.standard_normal((2, 3, 2)), rng.standard_normal((4, N * 3))
    few = GraphConvolution(S, here(taps), here(np.zeros(2)), first=2)
    padded = np.concatenate([taps, np.zeros((2, 3, 2))], axis=2)
    many = GraphConvolution(S, here(padded), here(np.zeros(4)), first=2)
    y, z = host(few(here(x))[0]), host(many(here(x))[0])
    np.testing.assert_allclose(y, z.reshape(4, N, 4)[..., :2].reshape(4, -1), **CLOSE)


def test_the_hybrid_filter_between_its_ends(S, rng):
    free = EdgeVarying.random(S, F_IN, F_OUT, K, rng=rng, dtype="f8")
    shared = GraphConvolution.random(S, F_IN, F_OUT, K, rng=rng, dtype="f8")
    none = np.zeros(F_OUT)
    arrays = [here(a) for a in (free.nodes, free.edges, shared.taps, none)]
    layer = HybridEdgeVarying(S, *arrays, selected=range(N))
    x = here(rng.standard_normal((4, N * F_IN)))
    parts = [p.with_arrays({"bias": none}) for p in (free, shared)]
    y = sum(p(host(x))[0] for p in parts)
    np.testing.assert_allclose(host(layer(x)[0]), y, **CLOSE)
    small = HybridEdgeVarying.random(S, F_IN, F_OUT, K, selected=[3, 7], rng=rng)
    wide = {n: np.asarray(a, "f8") for n, a in small.arrays.items()}
    wide |= {"edges": 0 * wide["edges"], "nodes": 0 * wide["nodes"]}
    bare = small.with_arrays({n: here(a) for n, a in wide.items()})
    same(bare, GraphConvolution(S, here(wide["taps"]), here(wide["bias"])), rng)


def test_the_hybrid_filter_keeps_rows(S, rng):
    """``Phi_I`` has the rows of its nodes, whole, and no others."""
    layer = HybridEdgeVarying.random(S, 1, 1, 2, selected=[3, 7], rng=rng, dtype="f8")
    row = np.isin(np.arange(N), [3, 7])
    kept = dense.pattern(S) & row[:, None]
    assert layer.edges.shape == (2, 1, 1, np.count_nonzero(kept))
    Phis = np.zeros((3, N, N))
    Phis[0][row, row] = layer.nodes[0, 0]
    Phis[1:, kept] = layer.edges[:, 0, 0]
    powers = [np.linalg.matrix_power(S, k) for k in range(3)]
    A = dense.cascade(Phis, np.eye(N))
    A = A + sum(h * P for h, P in zip(layer.taps[:, 0, 0], powers, strict=True))
    x = rng.standard_normal((4, N))
    moved = layer.with_arrays({n: here(a) for n, a in layer.arrays.items()})
    wanted = x @ A.T + layer.bias
    np.testing.assert_allclose(host(moved(here(x))[0]), wanted, **CLOSE)


@pytest.mark.parametrize(("order", "first"), [(1, 1), (1, 0), (3, 0), (3, 1)])
def test_attention_by_its_definition(S, rng, order, first):
    """Heads side by side, each ``sum_k Phi^k x A_k`` with a dense softmax."""
    P, f = 2, 3
    layer = GraphAttention.random(
        S, F_IN, f, order, heads=P, first=first, rng=rng, dtype="f8"
    )
    layer = layer.with_arrays({"bias": drawn(rng, P * f)})
    x = rng.standard_normal((4, N, F_IN))
    y = np.zeros((4, N, P, f))
    for n, p in np.ndindex(4, P):
        A = layer.taps[:, p]
        Phi = dense.attention(S, x[n] @ A[1 - first], layer.attention[p])
        np.testing.assert_allclose(Phi.sum(axis=1), 1, rtol=1e-14)
        for k in range(first, order + 1):
            y[n, :, p] += np.linalg.matrix_power(Phi, k) @ x[n] @ A[k - first]
    moved = layer.with_arrays({m: here(a) for m, a in layer.arrays.items()})
    found = host(moved(here(x.reshape(4, -1)))[0])
    wanted = y.reshape(4, N, -1) + layer.bias
    np.testing.assert_allclose(found, wanted.reshape(4, -1), **CLOSE)


def test_attention_without_a_preference_is_a_convolution(S, rng):
    """With ``e = 0`` all neighbours weigh the same: ``Phi = D^-1 (pattern)``."""
    taps, e = rng.standard_normal((2, 1, F_IN, F_OUT)), np.zeros((1, 2, F_OUT))
    bias = drawn(rng, F_OUT)
    layer = GraphAttention(S, here(taps), here(e), here(bias), first=0)
    even = dense.pattern(S) / dense.pattern(S).sum(axis=1, keepdims=True)
    same(layer, GraphConvolution(even, here(taps[:, 0]), here(bias)), rng)


def test_attention_does_not_overflow(S, rng):
    """Scores of 1e4 and more: the largest neighbour takes all."""
    layer = GraphAttention.random(S, F_IN, F_OUT, rng=rng, dtype="f8")
    x = here(1e6 * rng.standard_normal((1, N * F_IN)))
    moved = layer.with_arrays({n: here(a) for n, a in layer.arrays.items()})
    y, backward = moved(x)
    dx, gradients = backward(y)
    assert all(np.isfinite(host(a)).all() for a in (y, dx, *gradients.values()))


def test_selected_nodes_ascend_as_their_arrays_do():
    path = np.diag([1.0, 0.5, 2.0], 1) + np.diag([1.0, 0.5, 2.0], -1)
    nodes, zeros = np.array([[[10.0, 1.0]]]), [(1, 1, 1, 4), (2, 1, 1), (1,)]
    arrays = here([nodes, *map(np.zeros, zeros)])
    layer = HybridEdgeVarying(path, *arrays, selected=[0, 3])
    assert np.array_equal(host(layer(here(np.ones((1, 4))))[0]), [[10, 0, 0, 1]])
    with pytest.raises(ShapeError, match="ascending"):
        HybridEdgeVarying(path, *arrays, selected=[3, 0])


@pytest.mark.parametrize(
    ("selected", "nodes"),
    [(299, [299]), (None, range(300)), ([0, -1], [0, 299]), (np.uint8([0, 9]), [0, 9])],
    ids=["int", "None", "negative", "uint8"],
)
def test_every_way_to_select_nodes(selected, nodes):
    """300 nodes are more than an uint8 counts."""
    drawn = HybridEdgeVarying.random(np.eye(300), 1, 1, 1, selected=selected, rng=0)
    arrays = here(list(drawn.parameters.values()))
    layer = HybridEdgeVarying(drawn.graph, *arrays, selected=selected)
    assert layer.selected.tolist() == drawn.selected.tolist() == list(nodes)


@pytest.mark.parametrize("make", [GraphConvolution, NodeVarying])
def test_narrow_signals_meet_wide_filters(make, rng):
    """The graph has the digits of the filter, not those of the signal."""
    path = (np.diag([1.0, 1.0], 1) + np.diag([1.0, 1.0], -1)) / 3
    drawn = make.random(path, 1, 1, order=2, rng=rng, dtype="f8")
    layer = drawn.with_arrays(here(drawn.arrays))
    narrow, wide = (
        host(layer(here(np.ones((2, 3), dtype)))[0]) for dtype in ("f4", "f8")
    )
    assert np.array_equal(narrow, wide)
