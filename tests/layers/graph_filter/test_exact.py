"""Integers: forward and backward are the definitions, to the last bit."""

import tracemalloc

import numpy as np
import pytest
from scipy.sparse import diags_array

from tests.backends import here, host
from tests.layers.graph_filter import dense
from tests.layers.graph_filter.dense import SHIFT
from ttalgebra.layers import (
    EdgeVarying,
    GraphConvolution,
    HybridEdgeVarying,
    NodeVarying,
)

N, F_IN, F_OUT, K = 4, 2, 3, 2
E = int(dense.pattern(SHIFT).sum())
BLOCKS = np.array([1, 0, 1, 1])


def whole(rng, *shape):
    return rng.integers(-3, 4, shape).astype("f8")


def edge_varying(rng):
    nodes, edges = whole(rng, F_OUT, F_IN, N), whole(rng, K, F_OUT, F_IN, E)
    return {"nodes": nodes, "edges": edges}, EdgeVarying, dense_edges, {}


def dense_edges(arrays, x):
    return dense.edge_varying(SHIFT, arrays["nodes"], arrays["edges"], x)


def node_varying(rng):
    taps = {"taps": whole(rng, K + 1, N, F_IN, F_OUT)}
    return taps, NodeVarying, dense_nodes, {}


def dense_nodes(arrays, x):
    return dense.node_varying(SHIFT, arrays["taps"], x)


def block_varying(rng):
    taps = {"taps": whole(rng, K + 1, 2, F_IN, F_OUT)}
    return taps, NodeVarying, dense_blocks, {"blocks": BLOCKS}


def dense_blocks(arrays, x):
    return dense.node_varying(SHIFT, arrays["taps"][:, BLOCKS], x)


def convolution(rng):
    taps = {"taps": whole(rng, K + 1, F_IN, F_OUT)}
    return taps, GraphConvolution, dense_taps, {}


def dense_taps(arrays, x):
    taps = np.repeat(arrays["taps"][:, None], N, axis=1)
    return dense.node_varying(SHIFT, taps, x)


def hybrid(rng):
    kept = int(dense.pattern(SHIFT)[[0, 2]].sum())
    arrays = {
        "nodes": whole(rng, F_OUT, F_IN, 2),
        "edges": whole(rng, K, F_OUT, F_IN, kept),
        "taps": whole(rng, K + 1, F_IN, F_OUT),
    }
    return arrays, HybridEdgeVarying, dense_hybrid, {"selected": [0, 2]}


def dense_hybrid(arrays, x):
    nodes = np.zeros((F_OUT, F_IN, N), arrays["nodes"].dtype)
    nodes[..., [0, 2]] = arrays["nodes"]
    edges = np.zeros((K, F_OUT, F_IN, E), arrays["edges"].dtype)
    rows = np.argwhere(dense.pattern(SHIFT))[:, 0]
    edges[..., np.isin(rows, [0, 2])] = arrays["edges"]
    free = dense.edge_varying(SHIFT, nodes, edges, x)
    return free + dense_taps(arrays, x)


CASES = (edge_varying, node_varying, block_varying, convolution, hybrid)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_integers(case, rng):
    """The output, and each gradient as exact differences along every unit vector.

    The filters are linear in ``x`` and in each single number, so ``f(p + 1) - f(p)``
    is the derivative by it.
    """
    arrays, kind, formula, constants = case(rng)
    bias, x = whole(rng, F_OUT), whole(rng, 3, N, F_IN)
    layer = kind(SHIFT, **here(arrays), bias=here(bias), **constants)
    y, backward = layer(here(x.reshape(3, -1)))
    before = formula(arrays, x) + bias
    assert (host(y) == before.reshape(3, -1)).all()
    dy = whole(rng, *before.shape)
    dx, gradients = host(backward(here(dy.reshape(3, -1))))
    assert (gradients.pop("bias") == dy.sum(axis=(0, 1))).all()
    for name, array in arrays.items():
        for index in np.ndindex(array.shape):
            moved = array.copy()
            moved[index] += 1
            by_one = formula(arrays | {name: moved}, x) + bias - before
            assert gradients[name][index] == (dy * by_one).sum(), (name, index)
    for index in np.ndindex(x.shape):
        moved = x.copy()
        moved[index] += 1
        by_one = formula(arrays, moved) + bias - before
        assert dx.reshape(x.shape)[index] == (dy * by_one).sum()


@pytest.mark.host("measures NumPy's memory")
def test_only_stored_entries_are_formed():
    """A ring of 20,000 nodes: the dense outer product would take 3 GB."""
    n = 20_000
    ring = diags_array([1.0, 1.0], offsets=(1, 1 - n), shape=(n, n))
    layer = EdgeVarying.random(ring, 1, 1, 2, rng=0)
    x = np.ones((2, n), np.float32)
    tracemalloc.start()
    y, backward = layer(x)
    gradients = backward(y)[1]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert gradients["edges"].shape == (2, 1, 1, 2 * n)
    assert peak < 32 * 2**20
