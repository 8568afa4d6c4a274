"""The verified error of an approximation, and the fall back to SVD where it fails.

``norm(x - y)**2 = norm(x)**2 - 2 Re <y, x> + norm(y)**2``, each term by Gram matrices
of networks, so nothing is formed. The price is a floor: roundoff in the squares
leaves about ``sqrt(eps)`` in the error. The floor is computed and added, so that what
is reported bounds the truth; all of it runs in double precision.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any, TypeAlias

from ttalgebra.arrays.checks import require_values
from ttalgebra.arrays.namespace import eps_of, is_complex, namespace_of, to_numpy
from ttalgebra.arrays.scaling import norm_of, scalar_times_power, unit_scaled
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain
from ttalgebra.cores.orthogonalize import tolerance
from ttalgebra.cores.rounding.networks import Network, plain
from ttalgebra.cores.truncation import Truncation

Rounded: TypeAlias = tuple[Cores, Truncation]
Exact: TypeAlias = Callable[[], Rounded]

# Below these a Gram matrix, eps in its entries, knows nothing: sqrt(eps) and a margin.
FLOORS = {"double": 1e-6, "single": 1e-2}
SAFETY = 4.0  # deviations; the largest error seen in 6,000 squares is in the tests
SHARE = 0.9  # of tol goes to the cuts; the rest is for the floor and the projection


@dataclass(frozen=True)
class Square:
    """``2**exponent * value``, within ``2**exponent * floor`` of the truth."""

    value: float
    floor: float
    exponent: int


@dataclass(frozen=True)
class Certificate:
    """A network in double precision and the square of its norm: what to verify against.

    Source of the floor: Higham and Mary (2019): roundings act like
    independent errors, so ``sqrt`` of their count enters, not the count.
    """

    network: Network
    square: Square

    @staticmethod
    def of(network: Network) -> "Certificate":
        """Two sweeps of Gram matrices, ``O(d n r^3)`` for a plain chain."""
        require_values(network.sites[0].like, "an error that is verified")
        double = network.cast(double_of(network.sites[0].like))
        return Certificate(double, squared_norm(double))

    @property
    def floor(self) -> float:
        """The least relative error that can be verified."""
        return self._relative(0.0, self.square.floor)

    @property
    def norm(self) -> float:
        """The norm of the network; inf or 0.0 only where out of range."""
        value = max(self.square.value, 0.0)
        return scalar_times_power(*_root(value, self.square.exponent))

    def error_of(self, y: Cores) -> float:
        """A bound on ``norm(x - y) / norm(x)``; inf where the norm is all roundoff.

        It exceeds the error by no more than the floor, ``sqrt(a) + sqrt(b)`` for the
        floors ``a`` and ``b`` of both squares, since that of ``<y, x>`` is below
        ``sqrt(a b)``. Cost ``O(d n r^2 s)`` for ranks ``s`` of ``y``.
        """
        other = plain(y).cast(double_of(y[0]))
        own, squared = self.square, squared_norm(other)
        cross, exponent = inner(other, self.network)
        cross = scalar_times_power(cross, exponent - own.exponent)
        shift = squared.exponent - own.exponent
        found = own.value - 2 * cross + scalar_times_power(squared.value, shift)
        floor = scalar_times_power(squared.floor, shift)
        return self._relative(found, (math.sqrt(own.floor) + math.sqrt(floor)) ** 2)

    def tolerance(self, tol: float | None, atol: float | None) -> float | None:
        """``tol``, or what ``atol`` is of the largest norm within the floor."""
        square = max(self.square.value, 0.0) + self.square.floor
        return tolerance(tol, atol, lambda: _root(square, self.square.exponent))

    def refusal(self, tol: float | None) -> str | None:
        """Why this network cannot be verified to ``tol``, or None where it can."""
        if self.floor < (1.0 if tol is None else tol):
            return None
        return f"the floor of the check is {self.floor:.1e} here"

    def _relative(self, square: float, floor: float) -> float:
        least = self.square.value - self.square.floor
        bound = max(square, 0.0) + floor
        return math.sqrt(bound / least) if least > 0 and bound < math.inf else math.inf


def _root(square: float, exponent: int) -> tuple[float, int]:
    """``(value, exponent)``: the root of ``2**exponent * square``."""
    odd = exponent % 2
    return math.sqrt(square * 2**odd), (exponent - odd) // 2


def examined(
    truth: Network,
    network: Network,
    tol: float | None,
    atol: float | None,
    max_rank: tuple[int | None, ...],
) -> tuple[Certificate, float | None] | str:
    """What verifies a result, and to which relative error; or why that is no use."""
    if atol is None and (reason := unsuited(network, tol, max_rank)):
        return reason
    certificate = Certificate.of(truth)
    tol = certificate.tolerance(tol, atol)
    reason = unsuited(network, tol, max_rank) or certificate.refusal(tol)
    return reason or (certificate, tol)


def squared_norm(network: Network) -> Square:
    """``norm(x)**2`` by the Gram matrices of the right interfaces, and its floor.

    The error that a step makes in the Gram matrix ``R`` of its bond reaches the result
    through the left Gram matrix ``L``: ``|<dR, L>| <= norm(dR) norm(L)``.
    """
    gram, exponent, steps = _right_grams(network)
    weights = _left_norms(network)
    reached = [step + weight for step, weight in zip(steps, weights, strict=True)]
    top = max(reached)
    spread = (
        math.fsum(4.0 ** (size - top) for size in reached) if top > -math.inf else 0
    )
    unit = SAFETY * eps_of(network.sites[0].like)
    floor = _power(top - exponent) * unit * math.sqrt(spread)
    value = float(to_numpy(gram)[0, 0].real)
    return Square(value, floor, exponent + 2 * int(network.exponent))


def _right_grams(network: Network) -> tuple[Array, int, list[float]]:
    """The last Gram matrix, its exponent, and log2 of the local error of each step.

    In units of eps: ``sqrt(n s) m (m norm(R) + norm(X R))``, where ``m`` bounds the
    columns of the unfolded core ``X``.
    """
    gram, exponent, steps = network.corner(), 0, []
    for site in reversed(network.sites):
        met = site.absorb_right(gram)
        m = site.stretch()
        size = math.sqrt(prod(site.shape[1:])) * m * (m * norm_of(gram) + norm_of(met))
        steps.append(_log2(size) + exponent)
        gram, growth = unit_scaled(site.overlap_right(met))
        exponent += int(growth)
    return gram, exponent, steps[::-1]


def _left_norms(network: Network) -> list[float]:
    """log2 of the norm of the Gram matrix of each left interface."""
    gram, exponent, norms = network.corner(), 0, []
    for site in network.sites:
        norms.append(_log2(norm_of(gram)) + exponent)
        gram, growth = unit_scaled(site.overlap_left(site.absorb_left(gram)))
        exponent += int(growth)
    return norms


def inner(y: Network, x: Network) -> tuple[float, int]:
    """``(value, exponent)`` with ``Re <y, x> = 2**exponent * value``."""
    state, exponent = x.corner(), int(x.exponent) + int(y.exponent)
    for own, site in zip(y.sites, x.sites, strict=True):
        state, growth = unit_scaled(own.overlap_left(site.absorb_left(state)))
        exponent += int(growth)
    return float(to_numpy(state)[0, 0].real), exponent


def unsuited(
    network: Network, tol: float | None, max_rank: tuple[int | None, ...]
) -> str | None:
    """Why a verified route is of no use here, or None where it may be."""
    if max(network.ranks) == 1:
        return "ranks are 1 already"
    if tol is None:
        return "there is neither tol nor max_rank" if None in max_rank else None
    floor = FLOORS["double" if eps_of(network.sites[0].like) < 1e-10 else "single"]
    return f"tol {tol:.3g} is below its floor {floor:.0e}" if tol < floor else None


def report(
    certificate: Certificate,
    y: Cores,
    account: Truncation,
    *,
    method: str,
    tol: float | None,
    seed: int | None = None,
) -> Truncation:
    """The ``account`` of what was cut, its error replaced by the verified one."""
    error = certificate.error_of(y)
    return replace(
        account,
        error=error,
        tol=tol,
        tol_met=tol is None or error <= tol,
        ranks=chain.ranks(y),
        norm=certificate.norm,
        method=method,
        seed=seed,
    )


def fall_back(exact: Exact, method: str, reason: str) -> Rounded:
    """What the exact route finds, with the reason for taking it in the report."""
    cores, info = exact()
    return cores, replace(info, fallback=f"{method}: {reason}")


def double_of(x: Array) -> Any:
    """The double precision dtype, real or complex, of the library of ``x``."""
    xp = namespace_of(x)
    return xp.complex128 if is_complex(x) else xp.float64


def _log2(size: float) -> float:
    return math.log2(size) if size else -math.inf


def _power(exponent: float) -> float:
    return 2.0**exponent if exponent < 1000 else math.inf
