"""Attention: the entries of ``Phi`` are computed from the features at their ends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_count, as_dtype, as_positive
from ttalgebra.arrays.contract import contract
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import conj, is_complex, namespace_of
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG, Array
from ttalgebra.cores.chain import reshape
from ttalgebra.layers.graph_filter.graph import Graph
from ttalgebra.layers.graph_filter.layer import GraphFilter, Pullback, loops, uniform
from ttalgebra.layers.graph_filter.pattern import Pattern
from ttalgebra.layers.graph_filter.recursion import folded, unfolded

SLOPE = 0.2  # of the leaky ReLU, for negative scores


@dataclass(frozen=True, eq=False)
class GraphAttention(GraphFilter):
    """``y_p = sum_k Phi_p^k x A_kp`` for ``k = first .. K``, heads ``p`` side by side.

    ``Phi_ij`` is the softmax over ``j``, among the neighbours of ``i`` and ``i``
    itself, of ``leaky(e . [h_i; h_j])`` with ``h = x A_1p``; the values of ``S`` play
    no part. One tap with ``first=1`` is the graph attention network, ``y = Phi x A``;
    more of them are the convolutional one. Cost
    ``2 n P (N F_in F T + K (M + N) F)`` flops forward, ``T`` taps.

    Source: Veličković et al. (2018), equations 1 to 5; Isufi, Gama & Ribeiro (2022),
    graph convolutional attention.

    Parameters
    ----------
    graph
        ``S``: a SciPy sparse array, a NumPy array, or a `Graph`.
    taps
        ``(T, P, F_in, F)``, ``A_first`` to ``A_K``.
    attention
        ``e``, ``(P, 2, F)``: the half that meets ``h_i``, then that for ``h_j``.
    bias
        ``(P F,)``.
    first
        The lowest power, 0 or 1.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import GraphAttention
    >>> S = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> layer = GraphAttention.random(S, 4, 3, heads=2, rng=0)
    >>> layer.n_parameters == 2 * (4 * 3 + 2 * 3) + 6
    True
    >>> layer(np.ones((5, 12)))[0].shape
    (5, 18)
    """

    taps: Array
    attention: Array
    bias: Array
    first: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "graph", Graph.of(self.graph))
        object.__setattr__(self, "first", as_count(self.first, "GraphAttention: first"))
        self._own(taps=4, attention=3, bias=1)
        T, P, _, f = self.taps.shape
        if self.first > 1 or self.first + T < 2:
            message = f"GraphAttention: first is {self.first} with {T} taps"
            raise ShapeError(f"{message}; power 1, which makes Phi, must be among them")
        self._require("attention", {"P": P, "2": 2, "F": f})
        self._require("bias", {"P F": P * f})

    @classmethod
    def random(
        cls,
        graph: Any,
        n_in: int,
        n_out: int,
        order: int = 1,
        *,
        heads: int = 1,
        first: int = 1,
        rng: RNG = None,
        dtype: Any = np.float32,
    ) -> Self:
        """Uniform of variance ``2 / (F_in + F)``, ``2 / (F + 1)`` in ``e``; zero bias.

        ``n_out`` is ``F``, of each head. Source: Glorot & Bengio (2010), equation 16.
        """
        g = as_positive(n_in, "GraphAttention: n_in")
        f = as_positive(n_out, "GraphAttention: n_out")
        P = as_positive(heads, "GraphAttention: heads")
        first = as_count(first, "GraphAttention: first")
        K = as_positive(order, "GraphAttention: order")
        T = as_positive(K + 1 - first, "GraphAttention: order + 1 - first")
        drawn, shape = generator(rng), (T, P, g, f)
        taps = uniform((6 / (g + f)) ** 0.5, drawn, dtype, taps=shape)
        e = uniform((6 / (f + 1)) ** 0.5, drawn, dtype, attention=(P, 2, f))
        bias = np.zeros(P * f, as_dtype(dtype))
        return cls(Graph.of(graph), **taps, **e, bias=bias, first=first)

    @property
    def inputs(self) -> tuple[int, ...]:
        """``(N, F_in)``."""
        return self.graph.nodes, int(self.taps.shape[2])

    @property
    def parameters(self) -> dict[str, Array]:
        """Taps, attention and the bias."""
        return {"taps": self.taps, "attention": self.attention, "bias": self.bias}

    @property
    def config(self) -> dict[str, Any]:
        """The lowest power."""
        return {"first": self.first}

    def signals(self, x: Array) -> tuple[Array, Pullback]:
        """Horner's rule on ``h_k = x A_k``, a channel for each head and sample."""
        xp = namespace_of(x, self.taps)
        _, P, _, f = self.taps.shape
        n, N, _ = x.shape
        A = [self.taps[t, ...] for t in range(self.taps.shape[0])]
        pattern, _ = loops(self.graph, x)
        h = [reshape(contract("nig,pgf->pnif", x, a), P * n, N, f) for a in A]
        values, pull = attention(pattern, h[1 - self.first], self.attention)
        u = folded(lambda _, u: pattern.product(values, u), [0.0] * self.first + h)
        y = xp.permute_dims(reshape(u[0], P, n, N, f), (1, 2, 0, 3))

        def pullback(dy: Array) -> tuple[Array, dict[str, Array]]:
            dy = xp.permute_dims(reshape(dy, n, N, P, f), (2, 0, 1, 3))
            dy = reshape(dy, P * n, N, f)
            v = unfolded(lambda _, v: pattern.adjoint(values, v), dy, len(u) - 1)
            dvalues = [pattern.outer(a, b) for a, b in zip(v[:-1], u[1:], strict=True)]
            dh = v[self.first :]
            also, de = pull(sum(dvalues[1:], dvalues[0]))
            dh[1 - self.first] = dh[1 - self.first] + also
            dx, dtaps = _unmixed(x, A, [reshape(d, P, n, N, f) for d in dh])
            return dx, {"taps": dtaps, "attention": de}

        return reshape(y, n, N, P * f), pullback


def _unmixed(x: Array, A: list[Array], dh: list[Array]) -> tuple[Array, Array]:
    """``dx`` and the gradient of the taps from those of ``h_k = x A_k``."""
    pairs = zip(dh, A, strict=True)
    dx = [contract("pnif,pgf->nig", d, conj(a)) for d, a in pairs]
    dtaps = [contract("nig,pnif->pgf", conj(x), d) for d in dh]
    return sum(dx[1:], dx[0]), namespace_of(x).stack(dtaps)


def attention(
    pattern: Pattern, h: Array, e: Array
) -> tuple[Array, Callable[[Array], tuple[Array, Array]]]:
    """The entries of ``Phi``, ``(P n, E)``, and ``dvalues -> (dh, de)``.

    ``h`` is ``(P n, N, F)`` and ``e`` ``(P, 2, F)``. The largest score of each row is
    taken off before exponentials, so that none overflows and none of the sums is 0.
    """
    xp = namespace_of(h, e)
    P, (C, N, f) = e.shape[0], h.shape
    heads = reshape(h, P, C // P, N, f)
    ends = reshape(contract("pnif,psf->spni", heads, e), 2, C, N)
    scores = xp.take(ends[0, ...], pattern.rows, axis=1)
    scores = scores + xp.take(ends[1, ...], pattern.columns, axis=1)
    positive = (xp.real(scores) if is_complex(scores) else scores) > 0
    one = xp.ones_like(scores)
    slope = xp.where(positive, one, SLOPE * one)
    values = _softmax(pattern, slope * scores)

    def pull(dvalues: Array) -> tuple[Array, Array]:
        dvalues = dvalues * conj(values)
        total = xp.take(pattern.across.sums(dvalues), pattern.rows, axis=1)
        dscores = (dvalues - conj(values) * total) * slope
        sums = [way.sums(dscores) for way in (pattern.across, pattern.down)]
        dends = reshape(xp.stack(sums), 2, P, C // P, N)
        dh = contract("spni,psf->pnif", dends, conj(e))
        return reshape(dh, *h.shape), contract("spni,pnif->psf", dends, conj(heads))

    return values, pull


def _softmax(pattern: Pattern, scores: Array) -> Array:
    xp, rows = namespace_of(scores), pattern.rows
    largest = xp.take(pattern.across.largest(scores), rows, axis=1)
    powers = xp.exp(scores - largest)
    return powers / xp.take(pattern.across.sums(powers), rows, axis=1)
