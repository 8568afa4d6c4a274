"""What sweeps of factorisations cost: QR to one side, SVD back, exchanges of sites."""

from collections.abc import Sequence
from math import prod

from ttalgebra.arrays.namespace import is_complex
from ttalgebra.arrays.typing import Cores
from ttalgebra.cores.reshaping import SLACK
from ttalgebra.trains.doors.cost.prediction import (
    Bounds,
    Cost,
    Layout,
    layout_of,
    qr,
    svd,
)

Digits = Sequence[Sequence[tuple[int, ...]]]  # the new modes for each core


def dot(x: Cores, y: Cores) -> Cost:
    """``<x, y>``: an ``r x r`` matrix from left to right.

    At a site stand both cores brought near one, the first conjugated, and their
    product with the matrix before it.
    """
    mine, theirs, work, peak = layout_of(x, y), layout_of(y, x), 0, 0
    copies = 2 if is_complex(x[0]) else 1
    for (a, n, b), (c, _, d) in zip(mine.sites, theirs.sites, strict=True):
        work += 2 * n * c * b * (a + d)
        between = max(b * n * c, a * n * d)
        peak = max(peak, copies * a * n * b + c * n * d + between + 2 * b * d)
    return Cost(work, peak * mine.itemsize, mine.itemsize)


def orthogonalize(x: Cores) -> Cost:
    """A QR sweep, of whose results two are in memory beside the cores near one."""
    own = layout_of(x)
    return Cost(_qr_sweep(own), 3 * own.nbytes, own.nbytes, own.ranks)


def rounding(x: Cores, bounds: Bounds | None = None) -> Cost:
    """`round`, to ranks of at most ``bounds`` where there are any."""
    return rounded(layout_of(x), bounds)


def rounded(own: Layout, bounds: Bounds | None = None) -> Cost:
    """A QR sweep, an SVD sweep back; the ranks are those that fit, at most."""
    made, feasible = own.bounded(bounds), own.bounded()
    work = _qr_sweep(own)
    for (r, n, _), (_, _, s) in zip(feasible.sites, made.sites, strict=True):
        work += svd(r, n * s) + 2 * r * n * s * min(r, n * s)
    peak = 4 * orthogonal(own).nbytes + 2 * own.largest
    return Cost(work, peak, made.nbytes, made.ranks)


def _qr_sweep(own: Layout) -> int:
    """``q`` and ``r`` of each unfolding, and ``r`` times the core that follows."""
    pairs = zip(own.sites, orthogonal(own).ranks, strict=False)
    return sum(2 * q * r * n * s + qr(q * n, s) for (r, n, s), q in pairs)


def orthogonal(own: Layout) -> Layout:
    """With the ranks that a QR sweep leaves: no more than there are rows."""
    ranks = [1]
    for _, n, s in own.sites:
        ranks.append(min(ranks[-1] * n, s))
    return own._replace(ranks=tuple(ranks))


def canonical(x: Cores) -> Cost:
    """As rounding: the sweeps are the same, the signs are fixed on the way."""
    return rounding(x)


def split(x: Cores, digits: Digits) -> Cost:
    """A QR sweep, a QR factorisation for each new bond, and a rounding of the whole."""
    own = layout_of(x)
    work, ranks = _qr_sweep(own), [1]
    modes: list[tuple[int, ...]] = []
    for (_, _, s), new in zip(own.sites, digits, strict=True):
        for k, head in enumerate(new[:-1]):
            rows = ranks[-1] * prod(head)
            columns = s * prod(map(prod, new[k + 1 :]))
            work += qr(rows, columns)
            ranks.append(min(rows, columns))
        ranks.append(s)
        modes += new
    whole = Layout(tuple(ranks), modes, own.itemsize)
    cut = rounded(whole)
    peak = 2 * own.nbytes + whole.nbytes + cut.peak_bytes
    return Cost(work + cut.flops, peak, cut.result_bytes, cut.ranks)


def permute(x: Cores, order: Sequence[int], bounds: Bounds) -> Cost:
    """A QR sweep, an SVD of a pair of sites for each exchange, and a rounding."""
    own = layout_of(x)
    work, pair = _qr_sweep(own), 0
    ranks, sites = list(own.bounded().ranks), list(range(len(x)))
    sizes = [prod(n) for n in own.modes]
    for target, site in enumerate(order):
        place = sites.index(site)
        for k in range(place, target, -1):
            (r, s, t), left, right = ranks[k - 1 : k + 2], sizes[k - 1], sizes[k]
            rows, columns = r * right, left * t
            work += 2 * r * left * s * right * t + svd(rows, columns)
            pair = max(pair, rows * columns)
            ranks[k] = min(rows, columns, SLACK * (bounds[k - 1] or rows))
            sizes[k - 1], sizes[k] = right, left
        sites.insert(target, sites.pop(place))
    modes = [own.modes[site] for site in order]
    moved = Layout(tuple(ranks), modes, own.itemsize)
    cut = rounded(moved, bounds)
    peak = own.nbytes + cut.peak_bytes + 6 * pair * own.itemsize
    return Cost(work + cut.flops, peak, cut.result_bytes, cut.ranks)
