"""Randomised TT-SVD: each unfolding is projected on the rows that a sketch finds.

Source: Halko, Martinsson, Tropp (2011), section 5.1, for each unfolding of Oseledets
(2011), Algorithm 1. Projections of a sweep discard orthogonal parts, whoever chose
them, so the error is known as in `tt_svd`.
"""

import math
from dataclasses import replace

import numpy as np

from ttalgebra.arrays.checks import require_finite, require_values
from ttalgebra.arrays.contract import matmul
from ttalgebra.arrays.namespace import adjoint, eps_of
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.scaling import norm_of, unit_scaled
from ttalgebra.arrays.typing import RNG, Array, Cores
from ttalgebra.cores import chain
from ttalgebra.cores.truncation import Budget, Truncation
from ttalgebra.decompose.range_finder import RangeFinder
from ttalgebra.decompose.svd import tt_svd
from ttalgebra.decompose.sweep import Modes, as_first, halves, opened, sweep

OVERSAMPLE = 10
FIRST = 16  # rows of the first sketch where no rank is given
SKETCH_SHARE = 0.1  # of tol squared: what the sketches may miss; the cuts get the rest


def tt_svd_random(
    x: Array,
    modes: Modes,
    *,
    tol: float | None = None,
    max_rank: tuple[int | None, ...],
    rng: RNG = None,
    oversample: int = OVERSAMPLE,
    power: int = 1,
) -> tuple[Cores, Truncation]:
    """The chain of ``x``, as in `tt_svd`, by random sketches of the unfoldings.

    Given ``max_rank`` alone, ``max_rank + oversample`` rows are drawn and ``power``
    iterations sharpen them; otherwise as many as the measured residual asks for.
    Unfoldings too narrow or too flat for a sketch are cut exactly, and where bounded
    ranks break ``tol``, `tt_svd` does all again; ``info.fallback`` says so.
    ``info.error`` is the error itself up to roundoff, ``info.seed`` repeats the result.
    Cost ``O((3 + 2 power) size l)`` for ``l`` rows of the first sketch, less after it.
    """
    require_values(x, "from_dense by sketches")
    seed = _seed(rng)
    require_finite(x, "from_dense")
    rest, exponent = unit_scaled(opened(x, modes))
    finder = RangeFinder(np.random.default_rng(seed), power)
    sketches = _Sketches(norm_of(rest), tol, max_rank, finder, oversample)
    rest, done = sweep(rest, modes[1:], sketches.halves)
    cores = (as_first(rest, modes[0]), *done)
    info = sketches.report(chain.ranks(cores), int(exponent))
    if info.tol_met:
        return chain.spread(cores, exponent), replace(info, seed=seed)
    cores, info = tt_svd(x, modes, tol=tol, max_rank=max_rank)
    reason = "sketches of bounded rank left an error above tol"
    return cores, replace(info, fallback=reason, seed=seed)


def _seed(rng: RNG) -> int:
    """A seed as it is; otherwise one that ``rng``, or the system, draws."""
    drawn = int(generator(rng).integers(2**63))
    return int(rng) if isinstance(rng, (int, np.integer)) else drawn


class _Sketches:
    """The sketches of one sweep: what each bond may miss, and what it did miss."""

    def __init__(
        self,
        norm: float,
        tol: float | None,
        max_rank: tuple[int | None, ...],
        finder: RangeFinder,
        oversample: int,
    ):
        of_cuts = None if tol is None else math.sqrt(1 - SKETCH_SHARE) * tol
        self.budget = Budget(norm, of_cuts, max_rank)
        self.tol, self.finder, self.oversample = tol, finder, oversample
        self.missed: list[float] = []

    def halves(self, matrix: Array) -> tuple[Array, Array]:
        """As `svd.halves`, on rows that a sketch has found where it can."""
        found = self._range(matrix)
        if found is None:
            return halves(matrix, self.budget)
        basis, missed = found
        self.missed.append(missed)
        left, right = halves(matmul(matrix, adjoint(basis)), self.budget)
        return left, matmul(right, basis)

    def _range(self, matrix: Array) -> tuple[Array, float] | None:
        """A basis that misses no more than it may; None where it is no gain."""
        bounds, norm = self.budget.bounds, self.budget.norm
        bound = bounds[len(bounds) - len(self.budget.spent) - 1]
        most = min(matrix.shape) // 2  # beyond it a triangle is as cheap
        wanted = most if bound is None else bound + self.oversample
        if self.tol is None and bound is not None:
            fits = wanted <= most
            return self.finder.find(matrix, wanted, wanted, math.inf) if fits else None
        share = (self.tol or 0.0) * math.sqrt(SKETCH_SHARE / len(bounds))
        roundoff = 4 * eps_of(matrix) * min(matrix.shape)
        most = min(most, wanted)
        goal = max(share, roundoff) * norm
        return self.finder.find(matrix, min(FIRST, most), most, goal)

    def report(self, ranks: tuple[int, ...], exponent: int) -> Truncation:
        """The account of the cuts, and of what the sketches missed before them."""
        info = self.budget.report(ranks, exponent)
        missed = math.hypot(*self.missed) / (self.budget.norm or 1.0)
        error = math.hypot(info.error, missed)
        met = not self.budget.bound_bit or self.tol is None or error <= self.tol
        method, fallback = self._route()
        found = replace(info, error=error, tol=self.tol, tol_met=met)
        return replace(found, method=method, fallback=fallback)

    def _route(self) -> tuple[str, str | None]:
        """The method that the report names, and why it is not all random."""
        bonds = len(self.budget.bounds)
        exact = bonds - len(self.missed)
        if exact == 0:
            return "random", None
        reason = f"{exact} of {bonds} unfoldings too narrow or flat for a sketch"
        return ("random" if self.missed else "svd"), f"{reason}; cut exactly"
