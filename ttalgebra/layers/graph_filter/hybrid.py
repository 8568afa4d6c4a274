"""The hybrid filter: free entries at a few nodes, a convolution at all of them."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_positive, as_sites
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import from_numpy, namespace_of
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG, Array
from ttalgebra.layers.graph_filter.convolution import convolution
from ttalgebra.layers.graph_filter.edge_varying import edge_varying
from ttalgebra.layers.graph_filter.graph import Graph
from ttalgebra.layers.graph_filter.layer import GraphFilter, Pullback, uniform
from ttalgebra.layers.graph_filter.pattern import Pattern


@dataclass(frozen=True, eq=False)
class HybridEdgeVarying(GraphFilter):
    """``A^{fg} = sum_k (Phi_I^(k) ... Phi_I^(0) + h_k^{fg} S^k)`` for ``k = 0..K``.

    ``Phi_I^(k)`` has the rows of ``S + I`` that belong to the selected nodes ``I``, and
    no others. (In the authors' code both rows and columns of ``I`` are kept.) Cost:
    that of the convolution, and ``2 n F_in F_out K`` flops for each entry of ``I``.

    Source: Isufi, Gama & Ribeiro (2022), hybrid edge varying filters.

    Parameters
    ----------
    graph
        ``S``: a SciPy sparse array, a NumPy array, or a `Graph`.
    nodes
        The diagonal of ``Phi_I^(0)`` at ``I``, ``(F_out, F_in, |I|)``.
    edges
        ``(K, F_out, F_in, E_I)``, by rows.
    taps
        ``h_0`` to ``h_K``, ``(K + 1, F_in, F_out)``.
    bias
        ``(F_out,)``.
    selected
        The nodes of ``I``, ascending ints, as ``nodes`` and ``edges`` have them, or an
        int; None for all nodes. ShapeError for another order.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import HybridEdgeVarying
    >>> S = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> layer = HybridEdgeVarying.random(S, 1, 1, order=2, selected=[1], rng=0)
    >>> layer.edges.shape, layer.n_parameters == (1 + 2 * 3) + 3 + 1
    ((2, 1, 1, 3), True)
    """

    nodes: Array
    edges: Array
    taps: Array
    bias: Array
    selected: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "graph", Graph.of(self.graph))
        selected = _as_nodes(self.selected, self.graph)
        _require_ascending(self.selected, selected, self.graph.nodes)
        object.__setattr__(self, "selected", selected)
        self._own(nodes=3, edges=4, taps=3, bias=1)
        f, g, _ = self.nodes.shape
        K, size = self.edges.shape[0], _entries(self.graph, selected).size
        self._require("nodes", {"F_out": f, "F_in": g, "|I|": selected.size})
        self._require("edges", {"K": K, "F_out": f, "F_in": g, "E_I": size})
        self._require("taps", {"K + 1": K + 1, "F_in": g, "F_out": f})
        self._require("bias", {"F_out": f})

    @classmethod
    def random(
        cls,
        graph: Any,
        n_in: int,
        n_out: int,
        order: int,
        *,
        selected: Any,
        rng: RNG = None,
        dtype: Any = np.float32,
    ) -> Self:
        """Uniform: entries within ``1 / sqrt(F_in (K + 1) N)``, taps and bias wider.

        Those are within ``1 / sqrt(F_in (K + 1))``, as in `GraphConvolution`.
        """
        graph, K = Graph.of(graph), as_positive(order, "HybridEdgeVarying: order")
        g = as_positive(n_in, "HybridEdgeVarying: n_in")
        f = as_positive(n_out, "HybridEdgeVarying: n_out")
        own, drawn = _as_nodes(selected, graph), generator(rng)
        E, bound = _entries(graph, own).size, (g * (K + 1)) ** -0.5
        narrow = {"nodes": (f, g, own.size), "edges": (K, f, g, E)}
        wide = {"taps": (K + 1, g, f), "bias": (f,)}
        free = uniform(bound * graph.nodes**-0.5, drawn, dtype, **narrow)
        shared = uniform(bound, drawn, dtype, **wide)
        return cls(graph, **free, **shared, selected=own)

    @property
    def inputs(self) -> tuple[int, ...]:
        """``(N, F_in)``."""
        return self.graph.nodes, int(self.nodes.shape[1])

    @property
    def parameters(self) -> dict[str, Array]:
        """Nodes, edges, taps and the bias."""
        return {
            name: getattr(self, name) for name in ("nodes", "edges", "taps", "bias")
        }

    @property
    def constants(self) -> dict[str, np.ndarray]:
        """The graph and the selected nodes."""
        return self.graph.arrays | {"selected": self.selected}

    def signals(self, x: Array) -> tuple[Array, Pullback]:
        """The sum of the two filters."""
        xp = namespace_of(x, self.nodes)
        pattern, place = self._rows(), np.full(self.graph.nodes, self.selected.size)
        place[self.selected] = np.arange(self.selected.size)
        padded = xp.concat([self.nodes, xp.zeros_like(self.nodes[..., :1])], axis=2)
        nodes = xp.take(padded, from_numpy(place, x), axis=2)
        y, pull = edge_varying(pattern.near(x), nodes, self.edges, x)
        z, pull_shared = convolution(self.graph, self.taps, x)

        def pullback(dy: Array) -> tuple[Array, dict[str, Array]]:
            dx, dnodes, dedges = pull(dy)
            also, dtaps = pull_shared(dy)
            dnodes = xp.take(dnodes, from_numpy(self.selected, x), axis=2)
            return dx + also, {"nodes": dnodes, "edges": dedges, "taps": dtaps}

        return y + z, pullback

    def _rows(self) -> Pattern:
        """The pattern of ``S + I`` at the selected rows."""
        whole, own = self.graph.looped[0], _entries(self.graph, self.selected)
        return Pattern.of(whole.rows[own], whole.columns[own], self.graph.nodes)


def _as_nodes(selected: Any, graph: Graph) -> np.ndarray:
    wanted = as_sites(selected, graph.nodes, "HybridEdgeVarying: selected")
    nodes = np.array(wanted, np.int64)
    if nodes.size == 0:
        raise ShapeError(
            "HybridEdgeVarying: selected is empty; select one node or more"
        )
    nodes.flags.writeable = False
    return nodes


def _require_ascending(given: Any, nodes: np.ndarray, N: int) -> None:
    if given is None:
        return
    order = np.array(given, np.int64, ndmin=1)  # wide: N may not fit a given uint8
    if not np.array_equal(order % N, nodes):
        message = "HybridEdgeVarying: selected must be ascending"
        raise ShapeError(f"{message}, as nodes and edges are; sort all of them")


def _entries(graph: Graph, selected: np.ndarray) -> np.ndarray:
    """Which entries of ``S + I`` are in the selected rows."""
    return np.flatnonzero(np.isin(graph.looped[0].rows, selected))
