"""The node-varying filter: a polynomial in ``S`` whose taps differ between nodes."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_count, as_positive
from ttalgebra.arrays.contract import contract
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import conj, from_numpy, namespace_of
from ttalgebra.arrays.typing import RNG, Array
from ttalgebra.cores.chain import reshape
from ttalgebra.layers.graph_filter.convolution import shifts
from ttalgebra.layers.graph_filter.graph import Graph
from ttalgebra.layers.graph_filter.layer import GraphFilter, Pullback, uniform
from ttalgebra.layers.graph_filter.pattern import Rows
from ttalgebra.layers.graph_filter.recursion import folded, unfolded


@dataclass(frozen=True, eq=False)
class NodeVarying(GraphFilter):
    """``A^{fg} = sum_{k=0..K} diag(C_B h_k^{fg}) S^k``: taps for each block of nodes.

    ``C_B`` says which block a node is in. With a block for each node this is the
    node-varying filter, with one block for all the graph convolution, and between them
    the block node-varying one. As an edge-varying filter: ``Phi^(0) = diag(h^(0))``,
    ``Phi^(k) = diag(h^(k)) S diag(h^(k-1))^-1``. Cost
    ``2 n (K M F_in + (K + 1) N F_in F_out)`` flops forward.

    Source: Isufi, Gama & Ribeiro (2022), node and block varying filters.

    Parameters
    ----------
    graph
        ``S``: a SciPy sparse array, a NumPy array, or a `Graph`.
    taps
        ``(K + 1, B, F_in, F_out)``.
    bias
        ``(F_out,)``.
    blocks
        The block of each node, ``(N,)``, ints from 0 to ``B - 1``; by default every
        node is its own.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import NodeVarying
    >>> S = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> NodeVarying.random(S, 1, 1, order=2, rng=0).taps.shape
    (3, 3, 1, 1)
    >>> NodeVarying.random(S, 1, 1, order=2, blocks=[0, 1, 0], rng=0).taps.shape
    (3, 2, 1, 1)
    """

    taps: Array
    bias: Array
    blocks: Any = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "graph", Graph.of(self.graph))
        blocks = _as_blocks(self.blocks, self.graph.nodes)
        object.__setattr__(self, "blocks", blocks)
        self._own(taps=4, bias=1)
        T, _, g, f = self.taps.shape
        wanted = {"K + 1": T, "B": int(blocks.max()) + 1, "F_in": g, "F_out": f}
        self._require("taps", wanted)
        self._require("bias", {"F_out": f})

    @classmethod
    def random(
        cls,
        graph: Any,
        n_in: int,
        n_out: int,
        order: int,
        *,
        blocks: Any = None,
        rng: RNG = None,
        dtype: Any = np.float32,
    ) -> Self:
        """All numbers uniform within ``1 / sqrt(F_in (K + 1) B)``.

        Source: the initialisation of the authors' code, where K counts the taps and
        the blocks belong to selected nodes.
        """
        graph, T = Graph.of(graph), as_count(order, "NodeVarying: order") + 1
        g = as_positive(n_in, "NodeVarying: n_in")
        f = as_positive(n_out, "NodeVarying: n_out")
        blocks = _as_blocks(blocks, graph.nodes)
        B = int(blocks.max()) + 1
        bound = (g * T * B) ** -0.5
        drawn = uniform(bound, rng, dtype, taps=(T, B, g, f), bias=(f,))
        return cls(graph, **drawn, blocks=blocks)

    @property
    def inputs(self) -> tuple[int, ...]:
        """``(N, F_in)``."""
        return self.graph.nodes, int(self.taps.shape[2])

    @property
    def parameters(self) -> dict[str, Array]:
        """Taps and the bias."""
        return {"taps": self.taps, "bias": self.bias}

    @property
    def constants(self) -> dict[str, np.ndarray]:
        """The graph and the blocks."""
        return self.graph.arrays | {"blocks": self.blocks}

    def signals(self, x: Array) -> tuple[Array, Pullback]:
        """Powers of ``S`` on the inputs, then the taps of each node."""
        xp = namespace_of(x, self.taps)
        x = xp.astype(x, xp.result_type(x.dtype, self.taps.dtype), copy=False)
        K, blocks = self.taps.shape[0] - 1, from_numpy(self.blocks, x)
        h = xp.take(self.taps, blocks, axis=1)
        step, adjoint = shifts(self.graph, x)
        z = unfolded(step, xp.permute_dims(x, (1, 0, 2)), K)
        mixed = [contract("ing,igf->inf", z[k], h[k, ...]) for k in range(K + 1)]

        def pullback(dy: Array) -> tuple[Array, dict[str, Array]]:
            dy = xp.permute_dims(dy, (1, 0, 2))
            g = [contract("inf,igf->ing", dy, conj(h[k, ...])) for k in range(K + 1)]
            dh = [contract("ing,inf->igf", conj(each), dy) for each in z]
            dx = xp.permute_dims(folded(adjoint, g)[0], (1, 0, 2))
            return dx, {"taps": self._by_block(xp.stack(dh))}

        return xp.permute_dims(sum(mixed[1:], mixed[0]), (1, 0, 2)), pullback

    def _by_block(self, dh: Array) -> Array:
        """``C_B^T dh``: ``(K + 1, N, F_in, F_out) -> (K + 1, B, F_in, F_out)``."""
        xp, (T, N, g, f) = namespace_of(dh), dh.shape
        B = self.taps.shape[1]
        members = Rows.of(self.blocks, np.arange(N), B).near(dh)
        ones = xp.ones_like(dh[:, :, 0, 0])
        total = members.product(ones, reshape(dh, T, N, g * f))
        return reshape(total, T, B, g, f)


def _as_blocks(blocks: Any, nodes: int) -> np.ndarray:
    """One int for each node, all from 0 to the largest among them."""
    found = np.arange(nodes) if blocks is None else np.asarray(blocks)
    if found.dtype.kind not in "iu":
        raise TypeError(f"NodeVarying: blocks are {found.dtype}; ints are needed")
    if found.shape != (nodes,):
        message = f"NodeVarying: blocks have shape {found.shape}"
        raise ShapeError(f"{message}, expected ({nodes},), one for each node")
    if found.min() != 0 or np.unique(found).size != int(found.max()) + 1:
        message = f"NodeVarying: blocks reach from {found.min()} to {found.max()}"
        raise ShapeError(f"{message}; number them from 0 and leave none empty")
    found = found.astype(np.int64)
    found.flags.writeable = False
    return found
