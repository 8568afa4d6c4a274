"""The graph convolution: a polynomial in ``S``, the same at every node."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np

from ttalgebra.arrays.checks import as_count, as_positive
from ttalgebra.arrays.contract import contract
from ttalgebra.arrays.namespace import conj, namespace_of
from ttalgebra.arrays.typing import RNG, Array
from ttalgebra.cores.chain import reshape
from ttalgebra.layers.graph_filter.graph import Graph
from ttalgebra.layers.graph_filter.layer import GraphFilter, Pullback, loops, uniform
from ttalgebra.layers.graph_filter.recursion import Step, folded, unfolded

Steps: TypeAlias = tuple[Step, Step]
Pulled: TypeAlias = tuple[Array, Array]
Polynomial: TypeAlias = tuple[Array, Callable[[Array], tuple[Array, list[Array]]]]


@dataclass(frozen=True, eq=False)
class GraphConvolution(GraphFilter):
    """``A^{fg} = sum_k h_k^{fg} S^k`` for ``k = first .. K``.

    As an edge-varying filter: ``Phi^(0) = h_0 I``, ``Phi^(k) = (h_k / h_{k-1}) S``.
    Relabelling the nodes of graph and signal relabels the output. Cost
    ``2 n (K M min(F_in, F_out) + (K + 1) N F_in F_out)`` flops forward: the powers act
    on the inputs, or by Horner's rule on the outputs, whichever are fewer.

    Source: Isufi, Gama & Ribeiro (2022), graph convolutional networks.

    Parameters
    ----------
    graph
        ``S``: a SciPy sparse array, a NumPy array, or a `Graph`. Normalise it, or
        powers of it explode.
    taps
        ``h_first`` to ``h_K``, ``(K + 1 - first, F_in, F_out)``.
    bias
        ``(F_out,)``.
    first
        The lowest power; with ``first=1`` and one tap the layer is ``S x H``.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import GraphConvolution
    >>> S = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> layer = GraphConvolution(S, np.array([2.0, 1.0])[:, None, None], np.zeros(1))
    >>> layer([[1.0, 10.0, 100.0]])[0]
    array([[ 12., 121., 210.]])
    """

    taps: Array
    bias: Array
    first: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "graph", Graph.of(self.graph))
        first = as_count(self.first, "GraphConvolution: first")
        object.__setattr__(self, "first", first)
        self._own(taps=3, bias=1)
        self._require("bias", {"F_out": self.taps.shape[2]})

    @classmethod
    def random(
        cls,
        graph: Any,
        n_in: int,
        n_out: int,
        order: int,
        *,
        first: int = 0,
        rng: RNG = None,
        dtype: Any = np.float32,
    ) -> Self:
        """All numbers uniform within ``1 / sqrt(F_in T)``, ``T`` the number of taps.

        Source: the initialisation of the authors' code.
        """
        g = as_positive(n_in, "GraphConvolution: n_in")
        f = as_positive(n_out, "GraphConvolution: n_out")
        first = as_count(first, "GraphConvolution: first")
        K = as_count(order, "GraphConvolution: order")
        T = as_positive(K + 1 - first, "GraphConvolution: order + 1 - first")
        drawn = uniform((g * T) ** -0.5, rng, dtype, taps=(T, g, f), bias=(f,))
        return cls(Graph.of(graph), **drawn, first=first)

    @property
    def inputs(self) -> tuple[int, ...]:
        """``(N, F_in)``."""
        return self.graph.nodes, int(self.taps.shape[1])

    @property
    def parameters(self) -> dict[str, Array]:
        """Taps and the bias."""
        return {"taps": self.taps, "bias": self.bias}

    @property
    def config(self) -> dict[str, Any]:
        """The lowest power."""
        return {"first": self.first}

    def signals(self, x: Array) -> tuple[Array, Pullback]:
        """The polynomial of a matrix, for all features at once."""
        y, pull = convolution(self.graph, self.taps, x, self.first)

        def pullback(dy: Array) -> tuple[Array, dict[str, Array]]:
            dx, dtaps = pull(dy)
            return dx, {"taps": dtaps}

        return y, pullback


def convolution(
    graph: Graph, taps: Array, x: Array, first: int = 0
) -> tuple[Array, Callable[[Array], Pulled]]:
    """``sum_k S^k x h_k``, and ``dy -> (dx, dtaps)``; taps ``(T, F_in, F_out)``."""
    xp = namespace_of(taps, x)
    x = xp.astype(x, xp.result_type(x.dtype, taps.dtype), copy=False)
    h = [taps[t, ...] for t in range(taps.shape[0])]
    few_inputs = taps.shape[1] <= taps.shape[2]
    polynomial = _powers_first if few_inputs else _powers_last
    y, pull = polynomial(shifts(graph, x), h, xp.permute_dims(x, (1, 0, 2)), first)

    def pulled(dy: Array) -> Pulled:
        dx, dtaps = pull(xp.permute_dims(dy, (1, 0, 2)))
        return xp.permute_dims(dx, (1, 0, 2)), xp.stack(dtaps)

    return xp.permute_dims(y, (1, 0, 2)), pulled


def shifts(graph: Graph, like: Array) -> tuple[Step, Step]:
    """``x -> S x`` and ``x -> S^H x`` for ``x`` of shape ``(N, n, F)``."""
    xp = namespace_of(like)
    pattern, values = loops(graph, like)
    values = xp.astype(values, like.dtype)[None, :]

    def by(product: Callable[[Array, Array], Array]) -> Step:
        def step(_: int, x: Array) -> Array:
            N, n, F = x.shape
            return reshape(product(values, reshape(x, 1, N, n * F)), *x.shape)

        return step

    return by(pattern.product), by(pattern.adjoint)


def _powers_first(steps: Steps, h: list[Array], x: Array, first: int) -> Polynomial:
    """``sum_k (S^k x) h_k``: the recursion acts on the inputs."""
    step, adjoint = steps
    z = unfolded(step, x, first + len(h) - 1)[first:]

    def pull(dy: Array) -> tuple[Array, list[Array]]:
        g = [0.0] * first + [_mixed(dy, conj(tap).T) for tap in h]
        return folded(adjoint, g)[0], [_outer(each, dy) for each in z]

    return _added(z, h), pull


def _powers_last(steps: Steps, h: list[Array], x: Array, first: int) -> Polynomial:
    """``sum_k S^k (x h_k)`` by Horner's rule: the recursion acts on the outputs."""
    step, adjoint = steps
    u = folded(step, [0.0] * first + [_mixed(x, tap) for tap in h])

    def pull(dy: Array) -> tuple[Array, list[Array]]:
        z = unfolded(adjoint, dy, first + len(h) - 1)[first:]
        return _added(z, [conj(tap).T for tap in h]), [_outer(x, each) for each in z]

    return u[0], pull


def _mixed(x: Array, tap: Array) -> Array:
    return contract("ing,gf->inf", x, tap)


def _outer(x: Array, dy: Array) -> Array:
    return contract("ing,inf->gf", conj(x), dy)


def _added(z: list[Array], h: list[Array]) -> Array:
    terms = [_mixed(each, tap) for each, tap in zip(z, h, strict=True)]
    return sum(terms[1:], terms[0])
