"""What the singular values of all bonds tell: the ranks for a budget, a normal form."""

import math
from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import pairwise

import numpy as np

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.factorize import svd
from ttalgebra.arrays.namespace import conj, namespace_of
from ttalgebra.arrays.scaling import times_power
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain, ranged
from ttalgebra.cores.chain import absorb_right, right_fold, right_unfold
from ttalgebra.cores.orthogonalize import left_orthogonalize
from ttalgebra.cores.rounding.svd import by_svd, cut
from ttalgebra.cores.truncation import Truncation

LEADING = 0.618  # of the largest entry: an entry that roundoff does not make to lead
ONE_CORE = {"double": 500, "single": 60}  # exponents that a single core can hold
SECANTS = 60  # at most; the hull of 10,000 bonds takes less than twenty


def singular_values(cores: Cores) -> tuple[tuple[np.ndarray, ...], int]:
    """``(values, exponent)``: each bond's unfolding has ``2**exponent * values``.

    Error ``c eps W Gamma``: by QR and SVD, no Gram matrix, nothing cut. Cost
    ``O(d n r^3)``.
    """
    orthogonal, exponent = left_orthogonalize(cores)
    center, found = orthogonal[-1], []
    for preceding in reversed(orthogonal[:-1]):
        parts = svd(right_unfold(center))
        found.append(parts.known)
        weighted = parts.u * namespace_of(parts.u).astype(parts.s, parts.u.dtype)
        center = absorb_right(preceding, weighted)
    return tuple(reversed(found)), int(exponent)


def effective_rank(cores: Cores) -> float:
    """The ``r`` such that a chain of ranks ``r`` has as many parameters as this one.

    The positive root of ``a r^2 + b r = n_parameters``, with ``a`` the sizes of the
    inner cores and ``b`` those of the outer two. Source: ttpy, ``erank``.
    """
    sizes = [math.prod(modes) for modes in chain.modes(cores)]
    count = parameters(sizes, chain.ranks(cores)[1:-1])
    if len(sizes) == 1:
        return 1.0
    a, b = sum(sizes[1:-1]), sizes[0] + sizes[-1]
    return 2 * count / (b + math.sqrt(b * b + 4 * a * count))


def canonical(cores: Cores) -> Cores:
    """The normal form of a chain: equal tensors with distinct singular values agree.

    All cores but the first are right-orthonormal, their rows the right singular vectors
    of their bonds in falling order, with roundoff cut. In each row the first entry that
    reaches 0.618 of the largest is real and positive. The first core carries the norm,
    or, where it cannot, all share a power of two. Cost ``O(d n r^3)``.
    """
    orthogonal, exponent = left_orthogonalize(cores)
    unbounded = (None,) * (len(cores) - 1)
    rounded, growth, _ = cut(orthogonal, tol=None, max_rank=unbounded)
    exponent = exponent + growth
    xp = namespace_of(*rounded)
    following, done = None, []
    for core in reversed(rounded[1:]):
        core = core if following is None else core * following
        rows = right_unfold(core)
        phases = _phases(rows)
        done.append(right_fold(conj(phases)[:, None] * rows, like=core))
        following = phases
    first = rounded[0] if following is None else rounded[0] * following
    limit = ONE_CORE["double" if xp.finfo(first.dtype).bits == 64 else "single"]
    if abs(int(exponent)) <= limit:
        return (times_power(first, exponent), *reversed(done))
    return ranged.held((first, *reversed(done)), exponent, "canonical")


def _phases(rows: Array) -> Array:
    """The phase of the leading entry of each row, 1 where the row is zero."""
    xp = namespace_of(rows)
    sizes = xp.abs(rows)
    leads = sizes >= LEADING * xp.max(sizes, axis=1, keepdims=True)
    at = xp.argmax(xp.astype(leads, xp.int64), axis=1)
    picked = xp.take_along_axis(rows, at[:, None], axis=1)[:, 0]
    size = xp.abs(picked)
    one = xp.ones_like(picked)
    safe = xp.where(size > 0, size, xp.ones_like(size))
    return xp.where(size > 0, picked / xp.astype(safe, picked.dtype), one)


def by_parameters(cores: Cores, n_parameters: int) -> tuple[Cores, Truncation]:
    """Round to at most ``n_parameters`` entries in all cores, as accurately as it can.

    The ranks minimise ``sum_k sum_{j > r_k} s_{k,j}^2``, which bounds the squared error
    from above, and from below by one ``(d - 1)``-th. Cost ``O(d n r^3)``, searches of
    ``O(d r^2)`` each, a climb of ``O(d r log d)``. Raises ShapeError where not even
    rank 1 fits.
    """
    sizes = [math.prod(modes) for modes in chain.modes(cores)]
    if n_parameters < sum(sizes):
        message = f"round: n_parameters must be at least {sum(sizes)}"
        raise ShapeError(
            f"{message}, the count of a train of rank 1, got {n_parameters}; "
            "give more, or split the modes"
        )
    values, _ = singular_values(cores)
    ranks = ranks_for(values, sizes, n_parameters)
    return by_svd(cores, max_rank=ranks)


def parameters(sizes: Sequence[int], ranks: Sequence[int]) -> int:
    """``sum_k r_{k-1} n_k r_k``, for the ranks of the bonds."""
    pairs = pairwise((1, *ranks, 1))
    return sum(n * r * s for n, (r, s) in zip(sizes, pairs, strict=True))


def ranks_for(
    values: Sequence[np.ndarray], sizes: Sequence[int], n_parameters: int
) -> tuple[int, ...]:
    """The ranks of least summed tails among those of at most ``n_parameters``.

    Optimal for some Lagrange multiplier (each time exactly, by dynamic programming
    along the chain); what that leaves is filled greedily. The greedy climb from rank 1
    competes.
    """
    tails = [_squared_tails(s) for s in values]
    ones = (1,) * len(tails)
    largest = tuple(len(t) for t in tails)
    if parameters(sizes, largest) <= n_parameters:
        return largest
    best = _on_the_hull(tails, sizes, n_parameters, largest, ones)
    climbs = [_climbed(tails, sizes, n_parameters, start) for start in (best, ones)]
    return min(climbs, key=lambda ranks: _bound(tails, ranks))


def _on_the_hull(
    tails: Sequence[np.ndarray],
    sizes: Sequence[int],
    n_parameters: int,
    above: tuple[int, ...],
    below: tuple[int, ...],
) -> tuple[int, ...]:
    """The ranks nearest below ``n_parameters`` that some price per parameter chooses.

    At the price at which ``above`` and ``below`` cost the same, either something is
    cheaper, and takes the place of one of them, or there is nothing between them on
    the lower convex hull of errors over parameters.
    """
    for _ in range(SECANTS):
        (high, few), (low, many) = (
            (_bound(tails, ranks), parameters(sizes, ranks)) for ranks in (below, above)
        )
        price = (high - low) / (many - few) * sum(sizes)
        found = _least(tails, sizes, price)
        count = parameters(sizes, found)
        if not few < count < many:
            break
        above, below = (above, found) if count <= n_parameters else (found, below)
    return below


def _squared_tails(values: np.ndarray) -> np.ndarray:
    """``t[r - 1]`` is the squared tail beyond rank ``r``, relative to the whole."""
    squares = (values / max(float(values[0]), np.finfo(float).tiny)) ** 2
    tails = np.append(np.cumsum(squares[::-1])[::-1], 0.0)
    kept = max(1, int(np.count_nonzero(values)))
    relative: np.ndarray = tails[1 : kept + 1] / max(tails[0], 1.0)
    return relative


def _bound(tails: Sequence[np.ndarray], ranks: Sequence[int]) -> float:
    return math.fsum(float(t[r - 1]) for t, r in zip(tails, ranks, strict=True))


def _least(
    tails: Sequence[np.ndarray], sizes: Sequence[int], price: float
) -> tuple[int, ...]:
    """The ranks that minimise summed tails plus ``price`` times parameters.

    Costs are in units of a chain of rank 1. ``least[r]`` is the least cost of the chain
    up to a bond of rank ``r``, and ``choices`` the rank before it in that chain.
    """
    unit = price / sum(sizes)
    least, before = np.zeros(1), np.ones(1)
    choices = []
    for tail, size in zip((*tails, np.zeros(1)), sizes, strict=True):
        after = np.arange(1.0, len(tail) + 1)
        costs = least[:, None] + unit * size * before[:, None] * after + tail
        choices.append(np.argmin(costs, axis=0))
        least, before = np.min(costs, axis=0), after
    rank, ranks = 0, []
    for choice in reversed(choices[1:]):
        rank = int(choice[rank])
        ranks.append(rank + 1)
    return tuple(reversed(ranks))


def _climbed(
    tails: Sequence[np.ndarray],
    sizes: Sequence[int],
    n_parameters: int,
    start: Sequence[int],
) -> tuple[int, ...]:
    """Ranks raised by one where the tail falls most per parameter, while that fits.

    A heap holds what each bond offers. Prices only rise: an offer that does not fit
    never will, and one whose price has changed was made again.
    """
    around, count = [1, *start, 1], parameters(sizes, start)
    offers: list[tuple[float, int, int, int]] = []

    def price(k: int) -> int:
        return sizes[k] * around[k] + sizes[k + 1] * around[k + 2]

    def offer(k: int) -> None:
        r = around[k + 1]
        if r < len(tails[k]):
            gain = float(tails[k][r - 1] - tails[k][r]) / price(k)
            heappush(offers, (-gain, -k, r, price(k)))

    for k in range(len(start)):
        offer(k)
    while offers:
        _, minus_k, r, paid = heappop(offers)
        k = -minus_k
        if (r, paid) != (around[k + 1], price(k)) or count + paid > n_parameters:
            continue
        around[k + 1], count = r + 1, count + paid
        for j in range(max(k - 1, 0), min(k + 2, len(start))):
            offer(j)
    return tuple(around[1:-1])
