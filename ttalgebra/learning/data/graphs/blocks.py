"""Stochastic block models: random graphs with communities."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ttalgebra.arrays.checks import as_modes, as_scalar, require_room
from ttalgebra.arrays.errors import ConvergenceError, ShapeError
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TRIES = 100


def stochastic_block(
    sizes: Sequence[int], p_intra: float, p_inter: float, *, rng: RNG = None
) -> "tuple[csr_array, np.ndarray]":
    """An undirected connected graph, and the community of each node.

    Two nodes of one community are joined with probability ``p_intra``, others with
    ``p_inter``; no node is joined to itself. A graph that is not connected is drawn
    again, at most 100 times; then ConvergenceError. ``O(N^2)`` numbers are drawn.

    >>> from ttalgebra.learning import graphs
    >>> A, communities = graphs.stochastic_block([10] * 5, 0.8, 0.2, rng=0)
    >>> A.shape, A.nnz, communities[:12]
    ((50, 50), 750, array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]))
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    counts = as_modes(sizes, "stochastic_block: sizes")
    inside = _probability(p_intra, "p_intra")
    across = _probability(p_inter, "p_inter")
    N, draw = sum(counts), generator(rng)
    advice = "draw a smaller graph"
    require_room((N, N), 8, f"stochastic_block: {N} nodes", advice)
    communities = np.repeat(np.arange(len(counts)), counts)
    chance = np.where(communities[:, None] == communities, inside, across)
    for _ in range(TRIES):
        upper = np.triu(draw.random((N, N)) < chance, 1)
        A = csr_array((upper | upper.T).astype(np.float64))
        parts, _ = connected_components(A, directed=False)
        if parts == 1:
            return A, communities
    message = f"stochastic_block: none of {TRIES} graphs of {N} nodes is connected"
    raise ConvergenceError(f"{message}; raise p_inter, got {across}")


def hubs(A: "csr_array", communities: np.ndarray) -> np.ndarray:
    """The node of most edges in each community, the first one where several have.

    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> from ttalgebra.learning import graphs
    >>> star = csr_array([[0, 1, 1], [1, 0, 0], [1, 0, 0]])
    >>> graphs.hubs(star, np.array([0, 0, 1]))
    array([0, 2])
    """
    degrees = np.diff(A.tocsr().indptr)
    if np.shape(communities) != degrees.shape:
        message = f"hubs: communities have shape {np.shape(communities)}"
        raise ShapeError(f"{message}, expected {degrees.shape}, one for each node")
    members = (np.flatnonzero(communities == c) for c in np.unique(communities))
    return np.array([own[np.argmax(degrees[own])] for own in members])


def _probability(p: float, name: str) -> float:
    number = as_scalar(p, f"stochastic_block: {name}")
    if isinstance(number, complex) or not 0 <= number <= 1:
        message = f"stochastic_block: {name} must be from 0 to 1, got {number}"
        raise ShapeError(f"{message}; it is a probability")
    return number
