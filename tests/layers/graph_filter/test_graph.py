"""Graphs: every form that SciPy has, and what is refused."""

import numpy as np
import pytest
from scipy import sparse

from tests.layers.graph_filter.dense import SHIFT
from ttalgebra.arrays.errors import NonFiniteError, ShapeError
from ttalgebra.layers import (
    EdgeVarying,
    GraphAttention,
    GraphConvolution,
    HybridEdgeVarying,
    NodeVarying,
)
from ttalgebra.layers.graph_filter import Graph

pytestmark = pytest.mark.host("graphs are SciPy's and live on the host")
S = SHIFT.astype("f8")


@pytest.mark.parametrize(
    "form",
    [
        *(getattr(sparse, f"{kind}_array") for kind in ("csr", "csc", "coo", "lil")),
        sparse.csr_matrix,
        sparse.dia_array,
        np.asarray,
        np.asfortranarray,
        Graph.of,
    ],
    ids=lambda form: form.__name__,
)
def test_every_form_is_the_same_graph(form):
    graph = Graph.of(form(S))
    assert (graph.to_scipy().toarray() == S).all()
    assert (graph.nodes, graph.n_edges) == (4, 6)
    assert all(not x.flags.writeable for x in graph.arrays.values())


def test_duplicates_add_up_and_zeros_are_no_edges():
    rows, columns, data = [0, 0, 1, 1, 2], [1, 1, 0, 0, 2], [1, 2, 5, -5, 0]
    given = sparse.coo_array((data, (rows, columns)), shape=(3, 3))
    graph = Graph.of(given)
    assert graph.to_scipy().toarray().tolist() == [[0, 3, 0], [0, 0, 0], [0, 0, 0]]
    assert given.nnz == 5
    assert graph.looped[1].tolist() == [0, 3, 0, 0]


def test_later_edits_do_not_reach_it():
    given = sparse.csr_array(S)
    graph = Graph.of(given)
    given.data[:] = 77
    assert (graph.to_scipy().toarray() == S).all()
    graph.to_scipy().data[:] = 77
    assert (graph.to_scipy().toarray() == S).all()


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        (np.ones((2, 3)), ShapeError, r"shape \(2, 3\), expected \(nodes, nodes\)"),
        (sparse.csr_array((2, 3)), ShapeError, "expected"),
        (np.ones(3), ShapeError, "expected"),
        (np.ones((0, 0)), ShapeError, "expected"),
        (1j * np.eye(2), TypeError, "complex128; a real array is needed"),
        (sparse.csr_array(1j * np.eye(2)), TypeError, "a real array is needed"),
        (np.full((2, 2), np.nan), NonFiniteError, "not finite"),
        (np.array([["a", "b"], ["c", "d"]]), TypeError, "dtype"),
        (None, ShapeError, "expected"),
        ([[1], [1, 2]], ShapeError, "rows of different lengths"),
    ],
)
def test_other_matrices_are_refused(given, error, says):
    with pytest.raises(error, match=says):
        Graph.of(given)


@pytest.mark.parametrize(
    ("indptr", "indices", "data", "says"),
    [
        ([0, 1], [1], [1.0], "reach from 0 to 1; of 1 nodes"),
        ([0, 1, 2], [0, -1], [1.0, 1.0], "reach from -1"),
        ([0, 2, 2], [1, 0], [1.0, 1.0], "not sorted"),
        ([0, 2, 2], [1, 1], [1.0, 1.0], "given twice"),
        ([0, 2, 1], [0, 1], [1.0, 1.0], "no compressed rows"),
        ([1, 2], [0, 0], [1.0, 1.0], "no compressed rows"),
        ([0, 1], [0], [1.0, 1.0], "no compressed rows"),
        ([0], [], [], "no compressed rows"),
        ([0, 1], [0], [0.0], "a zero is stored"),
        ([[0, 1]], [0], [1.0], "expected one axis"),
    ],
)
def test_damaged_rows_are_refused(indptr, indices, data, says):
    with pytest.raises(ShapeError, match=says):
        Graph(np.array(indptr, int), np.array(indices, int), np.array(data))


def test_rows_must_be_integers():
    with pytest.raises(TypeError, match="indptr has dtype float64; integers"):
        Graph(np.array([0.0, 1.0]), np.array([0]), np.array([1.0]))


ONE = np.zeros(1)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (
            lambda: EdgeVarying(S, np.ones((1, 1, 3)), np.ones((1, 1, 1, 10)), ONE),
            ShapeError,
            r"nodes has shape \(1, 1, 3\), expected \(1, 1, 4\)",
        ),
        (
            lambda: EdgeVarying(S, np.ones((1, 1, 4)), np.ones((1, 1, 1, 9)), ONE),
            ShapeError,
            r"expected \(1, 1, 1, 10\), the sizes of \(K, F_out, F_in, M \+ N\)",
        ),
        (
            lambda: EdgeVarying(S, np.ones((2, 1, 4)), np.ones((1, 2, 1, 10)), ONE),
            ShapeError,
            r"bias has shape \(1,\), expected \(2,\)",
        ),
        (lambda: EdgeVarying.random(S, 1, 1, 0), ShapeError, "order must be at least"),
        (lambda: GraphConvolution.random(S, 0, 1, 1), ShapeError, "n_in must be at"),
        (
            lambda: GraphConvolution.random(S, 1, 1, 1, first=2),
            ShapeError,
            r"order \+ 1 - first must be at least 1, got 0",
        ),
        (
            lambda: GraphConvolution(S, np.ones((1, 1, 1)), ONE, first=-1),
            ShapeError,
            "first must be at least 0",
        ),
        (
            lambda: GraphAttention.random(S, 1, 1, 2, first=2),
            ShapeError,
            "power 1, which makes Phi",
        ),
        (
            lambda: GraphAttention(
                S, np.ones((1, 1, 1, 1)), np.ones((1, 2, 1)), ONE, first=0
            ),
            ShapeError,
            "first is 0 with 1 taps",
        ),
        (
            lambda: GraphAttention(S, np.ones((1, 1, 1, 1)), np.ones((1, 1, 1)), ONE),
            ShapeError,
            r"attention has shape \(1, 1, 1\), expected \(1, 2, 1\)",
        ),
        (
            lambda: NodeVarying.random(S, 1, 1, 1, blocks=[0, 1]),
            ShapeError,
            r"blocks have shape \(2,\), expected \(4,\)",
        ),
        (
            lambda: NodeVarying.random(S, 1, 1, 1, blocks=[0, 2, 2, 0]),
            ShapeError,
            "reach from 0 to 2; number them from 0 and leave none empty",
        ),
        (
            lambda: NodeVarying.random(S, 1, 1, 1, blocks=[0.0, 1, 1, 0]),
            TypeError,
            "ints are needed",
        ),
        (
            lambda: NodeVarying(S, np.ones((1, 3, 1, 1)), ONE),
            ShapeError,
            r"expected \(1, 4, 1, 1\)",
        ),
        (
            lambda: HybridEdgeVarying.random(S, 1, 1, 1, selected=[]),
            ShapeError,
            "selected is empty",
        ),
        (
            lambda: HybridEdgeVarying.random(S, 1, 1, 1, selected=[4]),
            ShapeError,
            "selected is 4, not one of 0 to 3",
        ),
        (
            lambda: HybridEdgeVarying.random(S, 1, 1, 1, selected=[1, 1]),
            ShapeError,
            "given twice",
        ),
    ],
)
def test_layers_that_do_not_fit_are_refused(make, error, says):
    with pytest.raises(error, match=says):
        make()
