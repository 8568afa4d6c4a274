"""The filters by dense matrices and loops, straight from their definitions."""

import numpy as np

# directed, weighted, a loop at node 0, and no edge into node 3
SHIFT = np.array([[2, 3, 0, 1], [0, 0, -2, 0], [1, -1, 0, 2], [0, 0, 0, 0]])


def pattern(S):
    """``S + I`` as a mask."""
    return (np.asarray(S) != 0) | np.eye(len(S), dtype=bool)


def filled(S, values):
    """The matrix with these values at the entries of ``S + I``, by rows."""
    Phi = np.zeros(np.shape(S), np.asarray(values).dtype)
    Phi[pattern(S)] = values
    return Phi


def cascade(Phis, x):
    """``sum_k Phi^(k) ... Phi^(0) x``, each factor a dense matrix."""
    z = Phis[0] @ x
    total = z
    for Phi in Phis[1:]:
        z = Phi @ z
        total = total + z
    return total


def by_pairs(one, x, n_out):
    """``y^f = sum_g one(f, g, x^g)`` for ``x`` of shape ``(n, N, F_in)``."""
    y = np.zeros((*x.shape[:2], n_out), x.dtype)
    for n, f, g in np.ndindex(x.shape[0], n_out, x.shape[2]):
        y[n, :, f] += one(f, g, x[n, :, g])
    return y


def edge_varying(S, nodes, edges, x):
    def one(f, g, signal):
        Phis = [np.diag(nodes[f, g]), *(filled(S, e[f, g]) for e in edges)]
        return cascade(Phis, signal)

    return by_pairs(one, x, nodes.shape[0])


def node_varying(S, taps, x):
    """``sum_k diag(h^(k)) S^k``, taps ``(K + 1, N, F_in, F_out)``."""

    def one(f, g, signal):
        powers = (np.linalg.matrix_power(S, k) for k in range(len(taps)))
        return sum(h[:, g, f] * (P @ signal) for h, P in zip(taps, powers, strict=True))

    return by_pairs(one, x, taps.shape[3])


def attention(S, h, e):
    """``Phi`` for features ``h`` of one head and sample, ``(N, F)``."""
    scores = (h @ e[0])[:, None] + (h @ e[1])[None, :]
    scores = np.where(scores > 0, scores, 0.2 * scores)
    powers = np.where(pattern(S), np.exp(scores - scores.max()), 0)
    return powers / powers.sum(axis=1, keepdims=True)
