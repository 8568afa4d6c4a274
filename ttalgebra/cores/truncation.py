"""How much of a bond to keep: the error budget, its report, the sweep that spends it.

The parts that successive cuts discard are mutually orthogonal, so their squares add
up to the square of the error of the whole. What one cut leaves of the budget
``tol * norm``, the next may use.
"""

import math
import warnings
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ttalgebra.arrays.errors import ConvergenceError, ToleranceWarning
from ttalgebra.arrays.factorize import svd
from ttalgebra.arrays.namespace import eps_of, namespace_of
from ttalgebra.arrays.scaling import scalar_times_power, times_power
from ttalgebra.arrays.typing import Array


@dataclass(frozen=True)
class Truncation:
    """What an approximation did, as ``return_info=True`` reports it.

    ``error`` is the relative Frobenius error, ``norm`` the norm of what was
    approximated, so the absolute error is ``error * norm``. ``singular_values``
    holds those of each bond before it was cut, ``drivers`` the LAPACK routine
    that each of its SVDs needed.

    ``method`` is the route that made the result and ``fallback`` says why, where
    that is not the one asked for. The error of ``svd`` and ``exact`` is the error
    itself; that of the other routes is verified, and a bound. ``seed`` repeats
    what was random.
    """

    error: float
    tol: float | None
    tol_met: bool
    ranks: tuple[int, ...]
    norm: float
    method: str
    singular_values: tuple[np.ndarray, ...] = field(repr=False)
    drivers: tuple[str, ...] = field(repr=False)
    fallback: str | None = None
    seed: int | None = None


class Cut(NamedTuple):
    """The kept part ``2**exponent * left @ right`` of a bond.

    ``right`` has orthonormal rows, and the norm of ``left`` is near one: after cuts
    that leave next to nothing, as those to rank 1 of a long chain, it still is.
    """

    left: Array
    right: Array
    exponent: int


class Budget:
    """The error that a sweep over the bonds may make, and the account of what it made.

    ``norm`` is that of the whole, in the scale of the matrices that are cut; the
    bounds on the ranks stand in the order of the bonds, the last of which is cut
    first. Tails of the singular values are summed from the small end by hypot.
    """

    def __init__(self, norm: float, tol: float | None, bounds: tuple[int | None, ...]):
        self.norm, self.tol, self.bounds = norm, tol, bounds
        whole = 1.0 + len(bounds)  # all that there is may go: a larger tol buys nothing
        self.rest = (min(tol or 0.0, whole) * norm) ** 2
        self.bound_bit = False
        self.spent: list[float] = []
        self.spectra: list[np.ndarray] = []
        self.drivers: list[str] = []

    def cut(self, matrix: Array, exponent: int = 0) -> Cut:
        """Split ``2**exponent * matrix`` at the smallest rank that the budget allows.

        Or at a lower one, where the bound of this bond says so; what is kept is that
        of ``matrix`` alone. Where the matrix has no values yet, as inside ``jax.jit``,
        the rank is the bound; TypeError where there is none.
        """
        cuts_left = len(self.bounds) - len(self.spent)
        bound = self.bounds[cuts_left - 1]
        u, s, vh, driver, values = svd(matrix)
        if values is None:
            return self._blind(u, s, vh, bound)
        growth = math.frexp(values[0])[1]
        values = np.ldexp(values, exponent)
        tails = np.append(np.hypot.accumulate(values[::-1])[::-1], 0.0)
        allowed = self._share(cuts_left) if self.tol else self._roundoff(matrix)
        needed = max(1, int(np.count_nonzero(tails > allowed)))
        rank = needed if bound is None else min(needed, bound)
        self.bound_bit |= rank < needed
        self.spent.append(float(tails[rank]))
        self.rest -= self.spent[-1] ** 2
        self.spectra.append(values)
        self.drivers.append(driver)
        return _kept(u, times_power(s, -growth), vh, rank, growth)

    def _blind(self, u: Array, s: Array, vh: Array, bound: int | None) -> Cut:
        """The cut at a rank that no value decides; what it costs stays unknown."""
        if bound is None or self.tol:
            message = "ranks would depend on values that are not there yet, in jax.jit"
            raise TypeError(f"{message}; give max_rank for each bond and no tol")
        self.spent.append(math.nan)
        return _kept(u, s, vh, min(bound, s.shape[0]), 0)

    def _roundoff(self, matrix: Array) -> float:
        """What a tail of nothing but noise may have as its norm."""
        return 4 * eps_of(matrix) * math.sqrt(min(matrix.shape)) * self.norm

    def _share(self, cuts_left: int) -> float:
        """An equal part of what is left: the squares of all cuts add up."""
        return math.sqrt(max(self.rest, 0.0) / cuts_left)

    def report(self, ranks: tuple[int, ...], exponent: Array) -> Truncation:
        """The account, in the true scale, which is ``2**exponent`` times that here.

        Error and norm are NaN where there were no values to measure.
        """
        exponent = 0 if math.isnan(self.norm) else int(exponent)
        error = math.hypot(*self.spent) / self.norm if self.norm else 0.0
        met = not self.bound_bit or self.tol is None or error <= self.tol
        norm = scalar_times_power(self.norm, exponent)
        with np.errstate(over="ignore"):  # inf where the true value is out of range
            spectra = tuple(np.ldexp(s, exponent) for s in reversed(self.spectra))
        drivers = tuple(reversed(self.drivers))
        return Truncation(error, self.tol, met, ranks, norm, "svd", spectra, drivers)


def _kept(u: Array, s: Array, vh: Array, rank: int, exponent: int) -> Cut:
    weights = namespace_of(u).astype(s[:rank], u.dtype)
    return Cut(u[:, :rank] * weights, vh[:rank, :], exponent)


def announce(info: Truncation, verb: str, *, strict: bool) -> None:
    """Say that ``max_rank`` left no room for ``tol``: warn, or raise if ``strict``."""
    if info.tol_met:
        return
    found = f"a relative error of {info.error:.3g} > tol={info.tol:.3g}"
    message = f"{verb}: max_rank leaves {found}"
    if strict:
        raise ConvergenceError(f"{message}; raise max_rank or tol")
    warnings.warn(f"{message}; see info.tol_met", ToleranceWarning, stacklevel=3)
