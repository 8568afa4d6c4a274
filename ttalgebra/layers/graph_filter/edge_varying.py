"""The full edge-varying filter: every entry of every ``Phi^(k)`` is free."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np

from ttalgebra.arrays.checks import as_positive
from ttalgebra.arrays.namespace import conj, namespace_of
from ttalgebra.arrays.typing import RNG, Array
from ttalgebra.cores.chain import reshape
from ttalgebra.layers.graph_filter.graph import Graph
from ttalgebra.layers.graph_filter.layer import GraphFilter, Pullback, loops, uniform
from ttalgebra.layers.graph_filter.pattern import Pattern
from ttalgebra.layers.graph_filter.recursion import folded, unfolded

Pulled: TypeAlias = tuple[Array, Array, Array]


@dataclass(frozen=True, eq=False)
class EdgeVarying(GraphFilter):
    """``A^{fg} = sum_{k=0..K} Phi^(k) ... Phi^(0)``, ``Phi^(0)`` diagonal.

    ``Phi^(1)`` to ``Phi^(K)`` have the pattern of ``S + I``, and ``S`` itself plays no
    part. Cost ``2 n F_in F_out (N + K (M + N))`` flops forward, twice that backward;
    every ``z^(k)`` is kept between the two. The layer is tied to one graph and one
    order of its nodes: other node orders give other functions.

    Source: Isufi, Gama & Ribeiro (2022), definition of the EdgeNet.

    Parameters
    ----------
    graph
        ``S``: a SciPy sparse array, a NumPy array, or a `Graph`.
    nodes
        The diagonals ``Phi^(0)``, ``(F_out, F_in, N)``.
    edges
        The entries of ``Phi^(1)`` to ``Phi^(K)``, ``(K, F_out, F_in, M + N)``, in the
        order of the rows of ``S + I``.
    bias
        ``(F_out,)``.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import EdgeVarying
    >>> S = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> layer = EdgeVarying.random(S, 1, 2, order=2, rng=0)
    >>> layer.edges.shape, layer.n_parameters == 2 * (3 + 2 * (4 + 3)) + 2
    ((2, 2, 1, 7), True)
    >>> layer(np.ones((5, 3)))[0].shape
    (5, 6)
    """

    nodes: Array
    edges: Array
    bias: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "graph", Graph.of(self.graph))
        self._own(nodes=3, edges=4, bias=1)
        f, g, _ = self.nodes.shape
        self._require("nodes", {"F_out": f, "F_in": g, "N": self.graph.nodes})
        size = self.graph.looped[1].size
        K = self.edges.shape[0]
        self._require("edges", {"K": K, "F_out": f, "F_in": g, "M + N": size})
        self._require("bias", {"F_out": f})

    @classmethod
    def random(
        cls,
        graph: Any,
        n_in: int,
        n_out: int,
        order: int,
        *,
        rng: RNG = None,
        dtype: Any = np.float32,
    ) -> Self:
        """All numbers uniform within ``1 / sqrt(F_in (K + 1) N)``.

        Source: the initialisation of the authors' code, where K counts the taps.
        """
        graph, K = Graph.of(graph), as_positive(order, "EdgeVarying: order")
        g = as_positive(n_in, "EdgeVarying: n_in")
        f = as_positive(n_out, "EdgeVarying: n_out")
        N, E = graph.nodes, graph.looped[1].size
        bound = (g * (K + 1) * N) ** -0.5
        shapes = {"nodes": (f, g, N), "edges": (K, f, g, E), "bias": (f,)}
        return cls(graph, **uniform(bound, rng, dtype, **shapes))

    @property
    def inputs(self) -> tuple[int, ...]:
        """``(N, F_in)``."""
        return self.graph.nodes, int(self.nodes.shape[1])

    @property
    def parameters(self) -> dict[str, Array]:
        """Nodes, edges and the bias."""
        return {"nodes": self.nodes, "edges": self.edges, "bias": self.bias}

    def signals(self, x: Array) -> tuple[Array, Pullback]:
        """The recursion, one channel for each pair of features."""
        pattern, _ = loops(self.graph, x)
        y, pull = edge_varying(pattern, self.nodes, self.edges, x)

        def pullback(dy: Array) -> tuple[Array, dict[str, Array]]:
            dx, dnodes, dedges = pull(dy)
            return dx, {"nodes": dnodes, "edges": dedges}

        return y, pullback


def edge_varying(
    pattern: Pattern, nodes: Array, edges: Array, x: Array
) -> tuple[Array, Callable[[Array], Pulled]]:
    """``sum_k Phi^(k) ... Phi^(0) x``, and ``dy -> (dx, dnodes, dedges)``.

    ``nodes`` are ``(f, g, N)``, ``edges`` ``(K, f, g, E)``, ``x`` is ``(n, N, g)``.
    """
    xp = namespace_of(nodes, edges, x)
    f, g, N = nodes.shape
    K, n, E = edges.shape[0], x.shape[0], edges.shape[3]
    x = xp.permute_dims(x, (2, 1, 0))
    values = [reshape(edges[k, ...], f * g, E) for k in range(K)]
    first = reshape(nodes[..., None] * x[None, ...], f * g, N, n)
    z = unfolded(lambda k, z: pattern.product(values[k - 1], z), first, K)
    y = xp.sum(reshape(sum(z[1:], z[0]), f, g, N, n), axis=1)

    def pull(dy: Array) -> Pulled:
        dy = xp.permute_dims(dy, (2, 1, 0))[:, None, ...]
        dy = reshape(xp.broadcast_to(dy, (f, g, N, n)), f * g, N, n)
        back = folded(lambda k, u: pattern.adjoint(values[k - 1], u), [dy] * (K + 1))
        outer = [pattern.outer(back[k], z[k - 1]) for k in range(1, K + 1)]
        dedges = reshape(xp.stack(outer), K, f, g, E)
        last = reshape(back[0], f, g, N, n)
        dnodes = xp.sum(last * conj(x)[None, ...], axis=3)
        dx = xp.sum(last * conj(nodes)[..., None], axis=0)
        return xp.permute_dims(dx, (2, 1, 0)), dnodes, dedges

    return xp.permute_dims(y, (2, 1, 0)), pull
