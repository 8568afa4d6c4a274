"""How much of a bond to keep: the error budget, its report, the sweep that spends it.

The parts that successive cuts discard are mutually orthogonal, so their squares add
up to the square of the error of the whole. What one cut leaves of the budget
``tol * norm``, the next may use.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ttalgebra.arrays.contract import matmul
from ttalgebra.arrays.errors import ConvergenceError, ToleranceWarning
from ttalgebra.arrays.factorize import least, qr, svd
from ttalgebra.arrays.namespace import adjoint, eps_of, is_numpy, namespace_of
from ttalgebra.arrays.scaling import scalar_times_power, times_power
from ttalgebra.arrays.typing import Array


@dataclass(frozen=True)
class Truncation:
    """What an approximation did, as ``return_info=True`` reports it.

    ``error`` is the relative Frobenius error, ``norm`` the norm of what was
    approximated, so the absolute error is ``error * norm``. ``singular_values``
    holds those of each bond before it was cut (of a large dense array to about
    ``1e-8 norm``, smaller ones may be left out), ``drivers`` the LAPACK routine
    that each of its SVDs needed, or "qr" where a bound on the least of them was enough.

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
    singular_values: Sequence[np.ndarray] = field(repr=False)
    drivers: tuple[str, ...] = field(repr=False)
    fallback: str | None = None
    seed: int | None = None


class Unread(NamedTuple):
    """The spectrum of ``2**exponent * matrix``, all of which is kept."""

    matrix: np.ndarray
    exponent: int


class Spectra(Sequence[np.ndarray]):
    """``2**exponent`` times the singular values of each bond, read when asked for."""

    def __init__(self, parts: Sequence[np.ndarray | Unread], exponent: int):
        self._parts, self._exponent = parts, exponent

    def __len__(self) -> int:
        return len(self._parts)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return Spectra(self._parts[place], self._exponent)
        part = self._parts[place]
        values = part if isinstance(part, np.ndarray) else svd(*part).known
        with np.errstate(over="ignore"):  # inf where the true value is out of range
            return np.ldexp(values, self._exponent)


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
        self.spectra: list[np.ndarray | Unread] = []
        self.drivers: list[str] = []

    def cut(self, matrix: Array, exponent: int = 0) -> Cut:
        """Split ``2**exponent * matrix`` at the smallest rank that the budget allows.

        Or at a lower one, where the bound of this bond says so; what is kept is that
        of ``matrix`` alone. Where the matrix has no values yet, as inside ``jax.jit``,
        the rank is the bound; TypeError where there is none.
        """
        u, s, vh, driver, values = svd(matrix)
        growth = 0 if values is None else math.frexp(values[0])[1]
        values = None if values is None else np.ldexp(values, exponent)
        rank = self._rank(values, driver, matrix)
        weights = namespace_of(u).astype(times_power(s[:rank], -growth), u.dtype)
        return Cut(u[:, :rank] * weights, vh[:rank, :], growth)

    def rows(self, matrix: Array, exponent: Array = 0) -> Array:
        """Orthonormal rows that span those of ``right`` in `cut`.

        In NumPy by QR first, 2.0 instead of 2.9 ms at 50 x 1000. Where that shows that
        all are kept there is no SVD, which takes half of the time of small cores.
        """
        if matrix.shape[0] > matrix.shape[1] or not is_numpy(matrix):
            _, _, vh, driver, values = svd(matrix, exponent)
            return vh[: self._rank(values, driver, matrix), :]
        q, r = qr(adjoint(matrix))
        if self._keeps_all(r, exponent):
            return adjoint(q)
        _, _, vh, driver, values = svd(adjoint(r), exponent)
        kept = vh[: self._rank(values, driver, matrix), :]
        return matmul(kept, adjoint(q))

    def _keeps_all(self, r: np.ndarray, exponent: int) -> bool:
        """Whether no singular value of ``r`` can go; if so, booked, its SVD put off."""
        bound = self._bound()
        if bound is not None and bound < len(r):
            return False
        if not math.ldexp(least(r), exponent) > 2 * self._allowed(r):
            return False
        self._book(0.0, Unread(r, exponent), "qr")
        return True

    def _rank(self, values: np.ndarray | None, driver: str, matrix: Array) -> int:
        """The rank to keep, booked: the least that the budget allows, or the bound."""
        bound = self._bound()
        if values is None:
            return self._blind(min(matrix.shape), bound)
        tails = np.append(np.hypot.accumulate(values[::-1])[::-1], 0.0)
        needed = max(1, int(np.count_nonzero(tails > self._allowed(matrix))))
        rank = needed if bound is None else min(needed, bound)
        self.bound_bit |= rank < needed
        self._book(float(tails[rank]), values, driver)
        return rank

    def _book(self, tail: float, spectrum: "np.ndarray | Unread", driver: str) -> None:
        self.spent.append(tail)
        self.rest -= tail**2
        self.spectra.append(spectrum)
        self.drivers.append(driver)

    def _blind(self, full: int, bound: int | None) -> int:
        """The rank that no value decides; what it costs stays unknown."""
        if bound is None or self.tol:
            message = "ranks would depend on values that are not there yet, in jax.jit"
            raise TypeError(f"{message}; give max_rank for each bond and no tol")
        self.spent.append(math.nan)
        return min(bound, full)

    def _bound(self) -> int | None:
        """That of the bond which is cut next."""
        return self.bounds[len(self.bounds) - len(self.spent) - 1]

    def _allowed(self, matrix: Array) -> float:
        """An equal part of what is left, as the squares of all cuts add up.

        Without ``tol`` what a tail of nothing but noise may have as its norm.
        """
        if self.tol:
            return math.sqrt(max(self.rest, 0.0) / (len(self.bounds) - len(self.spent)))
        return 4 * eps_of(matrix) * math.sqrt(min(matrix.shape)) * self.norm

    def report(self, ranks: tuple[int, ...], exponent: Array) -> Truncation:
        """The account, in the true scale, which is ``2**exponent`` times that here.

        Error and norm are NaN where there were no values to measure.
        """
        exponent = 0 if math.isnan(self.norm) else int(exponent)
        error = math.hypot(*self.spent) / self.norm if self.norm else 0.0
        met = not self.bound_bit or self.tol is None or error <= self.tol
        norm = scalar_times_power(self.norm, exponent)
        spectra = Spectra(tuple(reversed(self.spectra)), exponent)
        drivers = tuple(reversed(self.drivers))
        return Truncation(error, self.tol, met, ranks, norm, "svd", spectra, drivers)


def announce(info: Truncation, verb: str, *, strict: bool) -> None:
    """Say that ``max_rank`` left no room for ``tol``: warn, or raise if ``strict``."""
    if info.tol_met:
        return
    found = f"a relative error of {info.error:.3g} > tol={info.tol:.3g}"
    message = f"{verb}: max_rank leaves {found}"
    if strict:
        raise ConvergenceError(f"{message}; raise max_rank or tol")
    warnings.warn(f"{message}; see info.tol_met", ToleranceWarning, stacklevel=3)
