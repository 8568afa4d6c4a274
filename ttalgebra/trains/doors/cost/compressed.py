"""What products and sums cost that are rounded without being formed.

Predicted is the route itself for results of ``max_rank``, its sweeps and its check; not
a fall back to the exact route, whose cost is that of ``method`` "exact" or "svd".
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod
from typing import NamedTuple

from ttalgebra.arrays.typing import Cores
from ttalgebra.cores import chain
from ttalgebra.cores.rounding.sketch import OVERSAMPLING
from ttalgebra.cores.rounding.sweeps import SLACK, SWEEPS
from ttalgebra.cores.rounding.unformed import SMALL
from ttalgebra.trains.doors.cost import exact
from ttalgebra.trains.doors.cost.prediction import (
    Bounds,
    Cost,
    Layout,
    layout_of,
    qr,
    svd,
)
from ttalgebra.trains.doors.cost.sweeps import orthogonal, orthogonalize, rounded


class Site(NamedTuple):
    """The site of a product or a sum: ``(r, n, s)`` as if formed, and how it meets.

    A matrix of ``q`` rows or columns meets it in ``flops q`` operations, and ``numbers
    q`` of them stand between its parts.
    """

    r: int
    n: int
    s: int
    flops: int
    numbers: int


def product(
    A: Cores, x: Cores, kind: str, bounds: Bounds, method: str = "exact"
) -> Cost:
    """``A x``, ``A B`` or an entrywise product by one of the methods of `matvec`."""
    formed = (exact.hadamard if kind == "hadamard" else exact.matmul)(A, x)
    sites = list(_pairs(A, x, kind))
    whole = Layout(
        formed.ranks, [(site.n,) for site in sites], layout_of(A, x).itemsize
    )
    operands = layout_of(A, x).nbytes + layout_of(x, A).nbytes
    if method == "exact":
        return _exact(sites, whole, bounds, operands)
    work = orthogonalize(A).flops + orthogonalize(x).flops
    return _unformed(sites, whole, bounds, method, operands, work)


def _pairs(A: Cores, x: Cores, kind: str) -> Iterator[Site]:
    """One core meets the matrix, then the other: ``cjd``, then ``aijb``."""
    for G, H in zip(A, x, strict=True):
        (a, *_, b), (c, *_, d) = G.shape, H.shape
        own, theirs = prod(G.shape[1:-1]), prod(H.shape[1:-1])
        free = H.shape[2] if kind == "matmat" else 1
        n = theirs if kind == "hadamard" else own // G.shape[2] * theirs // H.shape[1]
        flops = 2 * c * theirs * d * b + 2 * a * own * b * c * free
        yield Site(a * c, n, b * d, flops, max(c * theirs * b, a * own * d))


def combination(chains: Sequence[Cores], bounds: Bounds, method: str = "svd") -> Cost:
    """``sum_i c_i x_i``: triangles of each term, then the sweeps, or a sketch."""
    layouts = [layout_of(cores, *chains) for cores in chains]
    work = sum(orthogonalize(cores).flops for cores in chains)
    sites = [
        Site(
            1 if k == 0 else sum(r for r, _, _ in parts),
            parts[0][1],
            1 if k == len(chains[0]) - 1 else sum(s for _, _, s in parts),
            2 * sum(r * n * s for r, n, s in parts),
            0,
        )
        for k, parts in enumerate(zip(*(own.sites for own in layouts), strict=True))
    ]
    ranks = (1, *(site.s for site in sites))
    whole = Layout(ranks, chain.modes(chains[0]), layouts[0].itemsize)
    operands = sum(own.nbytes for own in layouts)
    if method == "svd" or len(chains) == 1:
        found = _exact(sites, whole, bounds, operands)
        return replace(found, flops=work + found.flops)
    return _unformed(sites, whole, bounds, method, operands, work)


def _exact(sites: Sequence[Site], whole: Layout, bounds: Bounds, operands: int) -> Cost:
    """Triangles of all left interfaces, then cuts from the last bond.

    Small sites of products, between whose parts ``numbers`` would stand, are formed.
    """
    made, left = whole.bounded(bounds), orthogonal(whole)
    work = kept = largest = 0
    triples = zip(sites, left.sites, made.sites, strict=True)
    for (r, n, s, flops, numbers), (q, _, t), (a, _, m) in triples:
        work += (q + m) * flops + qr(q * n, s) // 2
        work += 2 * q * r * n * m + 2 * r * n * m * a + qr(q, n * m)
        kept += t * s + (r * n * s if numbers and r * n * s <= SMALL else 0)
        largest = max(largest, q * (n * s + numbers), m * (2 * r * n + numbers))
    peak = 2 * operands + (kept + largest) * whole.itemsize + 2 * made.nbytes
    return Cost(work, peak, made.nbytes, made.ranks)


def _unformed(
    sites: Sequence[Site],
    whole: Layout,
    bounds: Bounds,
    method: str,
    operands: int,
    work: int,
) -> Cost:
    """Sweeps that find a chain somewhat wider than ``bounds``, its cut, the check."""
    factor, more = (1, OVERSAMPLING) if method == "random" else (SLACK, 0)
    found = whole.bounded([bound and factor * bound + more for bound in bounds])
    for site, (q, _, m) in zip(sites, found.sites, strict=True):
        work += _finding(site, q, m, method) + _checking(site, q, m)
    cut = rounded(found, bounds)
    peak = _peak(sites, whole, found, operands)
    return Cost(work + cut.flops, peak, cut.result_bytes, cut.ranks)


def _finding(site: Site, q: int, m: int, method: str) -> int:
    """The core ``(q, n, m)`` of what is found: a cut, or projections and a QR."""
    meeting = site.flops * max(q, m)
    projecting = 2 * q * site.n * site.s * m
    if method == "random":
        return 2 * (meeting + projecting) + qr(q * site.n, m)
    zip_up = meeting + svd(site.r, site.n * m)
    if method == "zipup":
        return zip_up
    return zip_up + 3 * SWEEPS * (meeting + projecting) + SWEEPS * qr(q * site.n, m)


def _checking(site: Site, q: int, m: int) -> int:
    """Gram matrices from both sides, the result's own, and the product of both."""
    return 2 * site.flops * (site.r + site.s + q) + 8 * q * site.n * m * q


def _peak(sites: Sequence[Site], whole: Layout, found: Layout, operands: int) -> int:
    """Of the check: a Gram matrix meets a site, in double precision."""
    width = max(found.ranks)
    double = max(whole.itemsize, 8 if whole.itemsize < 16 else 16)
    gram = max(
        q * (2 * q + 2 * site.numbers + 2 * max(site.r, site.s) * site.n)
        for site in sites
        for q in (site.r, site.s, width)
    )
    kept = sum(site.s for site in sites) * width  # sketches, or interfaces
    copies = 3 * operands * double // whole.itemsize
    return copies + (gram + kept) * double + 3 * found.nbytes * double // whole.itemsize
