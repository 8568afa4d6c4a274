"""Graphs: drawn and normalised; signals on them; labels at some of their nodes."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from tests.backends import here, host
from ttalgebra.arrays.errors import ConvergenceError, ShapeError
from ttalgebra.layers import Dense, EdgeVarying, GraphConvolution, ReLU, Sequential
from ttalgebra.learning import Adam, CrossEntropy, fit, graphs
from ttalgebra.learning.data.graphs import shifts
from ttalgebra.testing import check_pullback

on_host = pytest.mark.host("graphs are SciPy's and live on the host")


@on_host
def test_a_block_model_is_one():
    """50 nodes: 380 edges expected, 180 within communities and 200 between them."""
    within, between, draws = 0, 0, 100
    for seed in range(draws):
        A, communities = graphs.stochastic_block([10] * 5, 0.8, 0.2, rng=seed)
        assert (A != A.T).nnz == 0
        assert not A.diagonal().any()
        assert set(A.data) == {1.0}
        assert connected_components(A)[0] == 1
        rows, columns = A.nonzero()
        same = np.count_nonzero(communities[rows] == communities[columns]) // 2
        within, between = within + same, between + A.nnz // 2 - same
    # five standard deviations of the means of 225 and 1,000 draws of an edge
    assert abs(within / draws - 180) < 5 * (225 * 0.16 / draws) ** 0.5
    assert abs(between / draws - 200) < 5 * (1000 * 0.16 / draws) ** 0.5


@on_host
def test_a_block_model_repeats_and_ends():
    first, second = (graphs.stochastic_block([3, 4], 0.9, 0.3, rng=1) for _ in "ab")
    assert (first[0] != second[0]).nnz == 0
    assert first[1].tolist() == [0, 0, 0, 1, 1, 1, 1]
    with pytest.raises(ConvergenceError, match="none of 100 graphs of 6 nodes is conn"):
        graphs.stochastic_block([3, 3], 1.0, 0.0, rng=0)
    with pytest.raises(ShapeError, match=r"p_intra must be from 0 to 1, got 1\.5"):
        graphs.stochastic_block([3], 1.5, 0.0)
    with pytest.raises(ValueError, match=r"100000 nodes needs .* draw a smaller graph"):
        graphs.stochastic_block([100_000], 0.5, 0.5)


@on_host
def test_hubs_have_the_most_edges():
    A = csr_array(np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]]))
    assert graphs.hubs(A, np.array([0, 0, 1, 1])).tolist() == [1, 2]
    assert graphs.hubs(A, np.array([0, 1, 1, 0])).tolist() == [0, 1]
    with pytest.raises(ShapeError, match=r"communities have shape \(3,\), expected"):
        graphs.hubs(A, np.array([0, 0, 1]))


@on_host
def test_signals_have_diffused_from_their_source():
    A, communities = graphs.stochastic_block([4, 5], 0.9, 0.4, rng=0)
    S, own = graphs.spectral(A).toarray(), graphs.hubs(A, communities)
    wanted = {"steps": 3, "samples": (40, 5, 6), "rng": 0, "dtype": "f8"}
    data = graphs.source_localisation(csr_array(S), own, **wanted)
    assert [len(part) for part in data] == [40, 40, 5, 5, 6, 6]
    powers = [np.linalg.matrix_power(S, t)[:, own].T for t in range(3)]
    for x, label in zip(data.x, data.labels, strict=True):
        nearest = min(np.abs(x - P[label]).max() for P in powers)
        assert nearest < 1e-15
    assert len(np.unique(data.x, axis=0)) == 6
    again = graphs.source_localisation(csr_array(S), own, **wanted)
    assert all((a == b).all() for a, b in zip(data, again, strict=True))
    with pytest.raises(ShapeError, match="given twice"):
        graphs.source_localisation(csr_array(S), [1, 1], **wanted)


@on_host
def test_spectral_radius(rng):
    ring = np.roll(np.eye(600), 1, axis=1)
    for A in (ring + ring.T, ring[:20, :20] + ring[:20, :20].T, -np.eye(3)):
        exact = {600: 2.0, 20: 2 * np.cos(np.pi / 21), 3: 1.0}[len(A)]
        assert graphs.spectral_radius(A) == pytest.approx(exact, rel=1e-12)
    upper = np.triu(rng.random((5, 5)))
    assert graphs.spectral_radius(upper) == pytest.approx(upper.diagonal().max())
    assert shifts._iterated(csr_array(upper), False) == pytest.approx(
        upper.diagonal().max()
    )
    with pytest.raises(ShapeError, match="every eigenvalue is 0"):
        graphs.spectral(np.triu(np.ones((3, 3)), 1))
    with pytest.raises(ShapeError, match="must be square"):
        graphs.spectral(np.ones((2, 3)))


@on_host
def test_iterations_that_do_not_converge_are_an_error(monkeypatch):
    from scipy.sparse import linalg

    def fails(*args, **options):
        raise linalg.ArpackError(-9999)

    monkeypatch.setattr(linalg, "eigsh", fails)
    with pytest.raises(ConvergenceError, match="scale by a norm of A"):
        graphs.spectral_radius(np.eye(600))


@on_host
def test_renormalised():
    A = np.array([[0, 1, 0], [1, 0, 2], [0, 2, 0]])
    d = np.array([2, 4, 3])
    wanted = (A + np.eye(3)) / np.sqrt(np.outer(d, d))
    np.testing.assert_allclose(graphs.renormalised(A).toarray(), wanted, rtol=1e-15)
    with pytest.raises(ShapeError, match="no weight below 0"):
        graphs.renormalised(-A)


def test_node_loss_is_the_loss_of_the_labelled_nodes(rng):
    y = here(rng.standard_normal((2, 12)))
    target = np.array([[2, -1, 0, -1], [-1, -1, 1, 1]])
    value, dy = graphs.NodeLoss()(y, target)
    rows = host(y).reshape(8, 3)
    asked = [0, 2, 6, 7]
    alone, d = CrossEntropy()(rows[asked], np.array([2, 0, 1, 1]))
    assert value == pytest.approx(alone, rel=1e-14)
    wanted = np.zeros((8, 3))
    wanted[asked] = d
    np.testing.assert_allclose(host(dy).reshape(8, 3), wanted, rtol=1e-14)


@on_host
def test_its_gradient(rng):
    target = np.array([[2, -1, 0, -1]])

    def loss(y):
        value, dy = graphs.NodeLoss(CrossEntropy(mean=False))(y, target)
        return np.array(value), lambda w: w * dy

    check_pullback(loss, rng.standard_normal((1, 12)), rng=rng)


@on_host
def test_what_node_losses_refuse(rng):
    y = rng.standard_normal((2, 12))
    with pytest.raises(ShapeError, match=r"y has shape \(2, 12\), the target \(2, 5\)"):
        graphs.NodeLoss()(y, np.zeros((2, 5), int))
    with pytest.raises(ShapeError, match=r"\(n, nodes \* classes\) and \(n, nodes\)"):
        graphs.NodeLoss()(y, np.zeros(4, int))
    with pytest.raises(TypeError, match="labels must be integers, got dtype float64"):
        graphs.NodeLoss()(y, np.zeros((2, 4)))
    with pytest.raises(ShapeError, match="labels reach from 0 to 3"):
        graphs.NodeLoss()(y, np.full((2, 4), [0, 1, 2, 3]))
    with pytest.raises(ShapeError, match="no node is labelled"):
        graphs.node_accuracy(y, np.full((2, 4), -1))
    nothing, dy = graphs.NodeLoss()(y, np.full((2, 4), -1))
    assert nothing == 0
    assert not dy.any()


def test_accuracy_counts_the_labelled_nodes():
    y = here(np.array([[0.0, 1, 1, 0, 3, 3]]))
    assert graphs.node_accuracy(y, np.array([[1, 1, -1]])) == 0.5
    assert graphs.node_accuracy(y, np.array([[-1, 0, 0]])) == 1.0


@on_host
def test_a_network_fits_labels_at_some_nodes():
    """Two cliques and one label in each: diffusion tells all others."""
    A, communities = graphs.stochastic_block([6, 6], 1.0, 0.1, rng=0)
    x, own = np.eye(12).reshape(1, -1), np.array([0, 6])
    model = Sequential([GraphConvolution.random(graphs.spectral(A), 12, 2, 2, rng=0)])
    model, history = fit(
        model,
        x,
        graphs.only(communities, own),
        loss=graphs.NodeLoss(),
        optimizer=Adam(0.1),
        epochs=40,
        rng=0,
        validation=(x, graphs.only(communities, np.arange(12))),
    )
    assert history["loss"][-1] < 0.01
    assert graphs.node_accuracy(model(x)[0], communities[None, :]) == 1.0


@on_host
def test_edge_varying_fits_sources_better_than_a_convolution():
    """As it should, having more numbers of which the others are special cases."""
    A, communities = graphs.stochastic_block([5, 5], 0.8, 0.4, rng=0)
    S = graphs.spectral(A)
    data = graphs.source_localisation(
        S, graphs.hubs(A, communities), steps=20, samples=(500, 10, 10), rng=0
    )
    losses = []
    for kind in (EdgeVarying, GraphConvolution):
        layer = kind.random(S, 1, 2, 2, rng=0)
        model = Sequential([layer, ReLU(), Dense.random(20, 2, rng=0)])
        _, history = fit(
            model,
            data.x,
            data.labels,
            loss=CrossEntropy(),
            optimizer=Adam(0.02),
            epochs=12,
            rng=0,
        )
        losses.append(history["loss"][-1])
    assert losses[0] < losses[1] < np.log(2)
