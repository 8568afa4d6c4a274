"""Orthogonal chains and the norm that they make accurate.

A core is left-orthonormal when its left unfolding has orthonormal columns. In a
chain that is left-orthonormal but for its last core, that core's norm is the norm
of the whole; likewise from the right. Every sweep returns ``(cores, exponent)``,
meaning ``2**exponent`` times the chain.
"""

import math
from collections.abc import Callable
from math import prod

from ttalgebra.arrays.factorize import qr
from ttalgebra.arrays.namespace import eps_of, namespace_of, to_numpy
from ttalgebra.arrays.roots import root
from ttalgebra.arrays.scaling import (
    calmed,
    require_in_range,
    scalar_times_power,
    times_power,
    unit_scaled,
)
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores.chain import (
    absorb_left,
    absorb_right,
    left_fold,
    left_unfold,
    right_fold,
    right_unfold,
)

LARGEST = 1e300  # of a relative error: of a norm that is next to nothing all may go


def left_orthogonalize(cores: Cores) -> tuple[Cores, Array]:
    """Move the non-orthogonal part to the last core by a QR sweep.

    ``norm(Q^H Q - 1) <= c eps (r modes)`` in each core. Cost ``O(d n r^3)``.
    Source: Oseledets (2011), Algorithm 2, first half.
    """
    done = []
    core, exponent = calmed(cores[0])
    for following in cores[1:]:
        q, r = qr(left_unfold(core))
        done.append(left_fold(q, like=core))
        following, shift = calmed(following)
        core, growth = calmed(absorb_left(r, following))
        exponent = exponent + shift + growth
    return (*done, core), exponent


def right_orthogonalize(cores: Cores) -> tuple[Cores, Array]:
    """The mirror image: the non-orthogonal part ends in the first core."""
    done: list[Array] = []
    core, exponent = calmed(cores[-1])
    for preceding in reversed(cores[:-1]):
        xp = namespace_of(core)
        q, r = qr(xp.matrix_transpose(right_unfold(core)))
        done.append(right_fold(xp.matrix_transpose(q), like=core))
        preceding, shift = calmed(preceding)
        core, growth = calmed(absorb_right(preceding, xp.matrix_transpose(r)))
        exponent = exponent + shift + growth
    return (core, *reversed(done)), exponent


def at_site(cores: Cores, site: int) -> Cores:
    """The same chain, left-orthonormal before ``site`` and right-orthonormal after.

    The core at ``site`` holds the norm; NonFiniteError where it cannot.
    """
    left, shift = left_orthogonalize(cores[: site + 1])
    right, growth = right_orthogonalize((left[-1], *cores[site + 1 :]))
    center = times_power(right[0], shift + growth)
    require_in_range(center, right[0], f"orthogonalize: the core at site {site}")
    return (*left[:-1], center, *right[1:])


def norm_parts(cores: Cores) -> tuple[float, int]:
    """``(value, exponent)`` with Frobenius norm ``2**exponent * value``.

    By the triangles of a QR sweep, error at most ``c eps W Gamma``: the square root
    of ``dot(x, x)`` would lose half the digits of a small difference.
    """
    core, exponent = calmed(cores[0])
    for following in cores[1:]:
        following, shift = calmed(following)
        core, growth = calmed(absorb_left(root(left_unfold(core)), following))
        exponent = exponent + shift + growth
    value = to_numpy(namespace_of(core).linalg.vector_norm(core))
    return float(value), int(exponent)


def norm(cores: Cores) -> float:
    """The Frobenius norm; inf or 0.0 only where the true value is out of range."""
    return scalar_times_power(*norm_parts(cores))


def log_norm(cores: Cores) -> float:
    """The natural logarithm of the norm, in range for any chain; -inf for zero."""
    value, exponent = norm_parts(cores)
    return math.log(value) + exponent * math.log(2) if value else -math.inf


def tolerance(
    tol: float | None, atol: float | None, size: Callable[[], tuple[float, int]]
) -> float | None:
    """``tol``, or ``atol`` over the norm, ``2**exponent * value``, if that is larger.

    The norm is asked for only where there is an ``atol``; it may be out of range.
    """
    if atol is None:
        return tol
    value, exponent = size()
    share = scalar_times_power(atol / value, -exponent) if value else 0.0
    return max(tol or 0.0, min(share, LARGEST))


def width(cores: Cores) -> int:
    """``W = sum_k max(r_{k-1} modes_k, r_k)``: how long the sums of a sweep are."""
    return sum(max(prod(G.shape[:-1]), G.shape[-1]) for G in cores)


def unit_parts(cores: Cores) -> tuple[float, int]:
    """``(value, exponent)`` of ``u = eps W Gamma``, the unit of roundoff of a chain.

    ``Gamma`` is the norm of the chain of absolute values: what its entries would be
    if nothing cancelled.
    """
    units = [unit_scaled(G) for G in cores]  # of which no absolute value overflows
    growth, exponent = norm_parts(tuple(namespace_of(G).abs(G) for G, _ in units))
    exponent += sum(int(shift) for _, shift in units)
    return eps_of(cores[0]) * width(cores) * growth, exponent
