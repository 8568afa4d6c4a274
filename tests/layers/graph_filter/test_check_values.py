"""The numbers of the paper's notes: N = 5, six undirected edges, K = 2."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests.backends import here, host
from tests.layers.graph_filter.dense import pattern
from ttalgebra.layers import EdgeVarying, GraphConvolution, NodeVarying
from ttalgebra.learning import graphs

EDGES = ((0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (0, 2))
A = np.zeros((5, 5))
for i, j in EDGES:
    A[i, j] = A[j, i] = 1
S = A / np.linalg.eigvalsh(A)[-1]
X = np.sin(np.arange(5.0) + 1)[None, :]
TAPS = np.array([0.5, -0.3, 0.8])[:, None, None]


def free(k):
    return np.cos(0.7 * np.arange(25) + k).reshape(5, 5)


@pytest.fixture
def layer():
    nodes = np.cos(0.7 * np.arange(5))[None, None, :]
    edges = np.stack([free(k)[pattern(S)] for k in (1, 2)])[:, None, None, :]
    return EdgeVarying(csr_array(S), here(nodes), here(edges), here(np.zeros(1)))


@pytest.mark.host("its subject is SciPy's eigenvalues")
def test_the_shift():
    assert graphs.spectral_radius(A) == pytest.approx(2.481194304092016, rel=1e-14)
    np.testing.assert_allclose(graphs.spectral(A).toarray(), S, rtol=1e-14)


def test_the_edge_varying_filter(layer):
    y = host(layer(here(X))[0])
    wanted = [1.3834327178, -0.0114254892, -0.2219477808, 0.4311182620, 0.7935106909]
    np.testing.assert_allclose(y[0], wanted, rtol=0, atol=5e-11)
    assert y.sum() == pytest.approx(2.374688400733425, rel=1e-14)


def test_its_gradients(layer):
    y, backward = layer(here(X))  # the loss is half of the squared norm
    gradients = host(backward(y)[1])
    assert gradients["nodes"].sum() == pytest.approx(-1.018734627095385, rel=1e-13)
    sums = gradients["edges"].sum(axis=(1, 2, 3))
    wanted = (0.16457386567899923, -2.6429758011847833)
    np.testing.assert_allclose(sums, wanted, rtol=1e-13)
    entry = np.flatnonzero((np.argwhere(pattern(S)) == (2, 1)).all(axis=1))
    value = gradients["edges"][0, 0, 0, entry]
    assert value == pytest.approx(-0.9339924626517262, rel=1e-14)


def test_the_convolution():
    layer = GraphConvolution(S, here(TAPS), here(np.zeros(1)))
    y = host(layer(here(X))[0])
    wanted = [0.6775244991, 0.4768969711, -0.0163169634, -0.1393549222, -0.5840817861]
    np.testing.assert_allclose(y[0], wanted, rtol=0, atol=5e-11)


@pytest.mark.host("counts")
def test_the_parameters():
    """Without the bias: 39, 3 and 15."""
    drawn = (
        EdgeVarying.random(S, 1, 1, 2, rng=0),
        GraphConvolution.random(S, 1, 1, 2, rng=0),
        NodeVarying.random(S, 1, 1, 2, rng=0),
    )
    assert [layer.n_parameters - 1 for layer in drawn] == [39, 3, 15]
    assert drawn[0].graph.n_edges == 12
