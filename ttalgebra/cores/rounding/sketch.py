"""Rounding by random sketches: find the range first, orthogonalise only what is kept.

Source: Al Daas, Ballard, Cazeaux, Hallman, Miedlar, Pasha, Reid, Saibaba (2023),
Randomized algorithms for rounding in the tensor-train format, SISC 45,
"randomize-then-orthogonalize", for any network: a chain, a sum, a product. Where they
trust the expected error, the error here is verified.
"""

from collections.abc import Iterator

import numpy as np

from ttalgebra.arrays.contract import matmul
from ttalgebra.arrays.factorize import qr
from ttalgebra.arrays.namespace import adjoint, eps_of, from_numpy, is_complex
from ttalgebra.arrays.random import generator, normal
from ttalgebra.arrays.scaling import unit_scaled
from ttalgebra.arrays.typing import RNG, Array, Cores, Generator
from ttalgebra.cores import chain, ranged
from ttalgebra.cores.chain import left_fold, left_unfold, right_unfold
from ttalgebra.cores.rounding.certify import (
    SHARE,
    Certificate,
    Exact,
    Rounded,
    examined,
    fall_back,
    report,
)
from ttalgebra.cores.rounding.networks import Network, plain
from ttalgebra.cores.rounding.svd import by_svd, cut

Bounds = tuple[int | None, ...]
OVERSAMPLING = 8  # columns beyond the rank: Halko, Martinsson, Tropp (2011), 4.2
NARROWEST = 16  # the first sketch; each that fails is followed by one twice as wide


def by_sketch(
    cores: Cores, *, tol: float | None = None, max_rank: Bounds, rng: RNG = None
) -> Rounded:
    """Round by a random sketch of every right interface, and verify the error.

    ``norm(x - rounded) <= info.error * norm(x)``, with ``info.error <= tol`` unless
    ``max_rank`` cuts deeper. Falls back to `by_svd` where ``tol`` is below the floor
    of the check, where the check fails, and where there is neither ``tol`` nor
    ``max_rank``. Cost ``O(d n r^2 l)`` for sketches of ``l`` columns.
    """

    def exact() -> Rounded:
        return by_svd(cores, tol=tol, max_rank=max_rank)

    network = plain(cores)
    found = examined(network, network, tol, None, max_rank)
    if isinstance(found, str):
        return fall_back(exact, "random", found)
    return sketched(network, exact, *found, max_rank, rng)


def sketched(
    network: Network,
    exact: Exact,
    certificate: Certificate,
    tol: float | None,
    max_rank: Bounds,
    rng: RNG,
) -> Rounded:
    """A chain for the ``network``, through ever wider sketches; else ``exact()``.

    It is verified by the ``certificate`` of the network before any rounding of its
    entries.
    """
    seed = seed_of(rng)
    reason = "no sketch is narrower than the ranks"
    for widths in _widths(network, tol, max_rank):
        y, account = _projected(network, widths, seed, tol=tol, max_rank=max_rank)
        info = report(certificate, y, account, method="random", tol=tol, seed=seed)
        if info.tol_met:
            return y, info
        reason = f"verified error {info.error:.2g} exceeds tol"
    return fall_back(exact, "random", reason)


def _projected(
    network: Network,
    widths: tuple[int, ...],
    seed: int,
    *,
    tol: float | None,
    max_rank: Bounds,
) -> Rounded:
    """One attempt: sketch, project, cut."""
    sketches = _sketches(network, widths, np.random.default_rng(seed))
    orthogonal, exponent = _orthogonalized(network, sketches)
    share = tol and SHARE * tol
    cores, growth, budget = cut(orthogonal, tol=share, max_rank=max_rank)
    account = budget.report(chain.ranks(cores), exponent)
    return ranged.held(cores, exponent + growth, "rounding"), account


def seed_of(rng: RNG) -> int:
    """The seed that repeats what is drawn next: ``rng`` itself where it is one."""
    if isinstance(rng, (int, np.integer)) and not isinstance(rng, bool):
        return int(rng)
    return int(generator(rng).integers(2**63))


def _widths(
    network: Network, tol: float | None, max_rank: Bounds
) -> Iterator[tuple[int, ...]]:
    """Columns for each bond: the bound and a margin, doubling where only tol says."""
    ranks = network.ranks[1:-1]
    full = tuple(
        min(r, r if bound is None else bound + OVERSAMPLING)
        for r, bound in zip(ranks, max_rank, strict=True)
    )
    width = max(full) if tol is None else min(NARROWEST, (max(full) + 1) // 2)
    while width < max(full):
        yield tuple(min(w, width) for w in full)
        width *= 2
    if tol is None or full != ranks:
        yield full


def _sketches(network: Network, widths: tuple[int, ...], rng: Generator) -> list[Array]:
    """``X_k Omega`` ``(r_k, l_k)`` for each right interface ``X_k`` but the first.

    ``Omega`` is a random chain of Gaussian cores (their TT-Gaussian), so each
    sketch is one step from the next. Known up to a power of two.
    """
    sketch, found = network.corner(), []
    for site, width in zip(network.sites[:0:-1], widths[::-1], strict=True):
        met = right_unfold(site.absorb_right(sketch))
        omega = _gaussian(met.shape[1], width, like=met, rng=rng)
        sketch, _ = unit_scaled(matmul(met, omega))
        found.append(sketch)
    return found[::-1]


def _orthogonalized(network: Network, sketches: list[Array]) -> tuple[Cores, Array]:
    """Cores ``Q_k`` spanning the sketched ranges, and the network projected on them.

    ``y = P x`` for an orthogonal projector ``P``; ``(cores, exponent)``.
    """
    carried, exponent, done = network.corner(), network.exponent, []
    for site, sketch in zip(network.sites[:-1], sketches, strict=True):
        core = site.absorb_left(carried)
        q, _ = qr(matmul(left_unfold(core), sketch))
        done.append(left_fold(q, like=core))
        carried = matmul(adjoint(q), left_unfold(core))
        carried, growth = unit_scaled(carried)
        exponent = exponent + growth
    center, growth = unit_scaled(network.sites[-1].absorb_left(carried))
    return (*done, center), exponent + growth


def _gaussian(rows: int, columns: int, *, like: Array, rng: Generator) -> Array:
    kind = "c" if is_complex(like) else "f"
    size = (8 if eps_of(like) < 1e-10 else 4) * (2 if kind == "c" else 1)
    drawn = normal((rows, columns), dtype=np.dtype(f"{kind}{size}"), rng=rng)
    return from_numpy(drawn, like=like)
