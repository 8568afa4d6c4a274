"""Two sweeps that find a chain for a network: zip-up, and alternating least squares.

Neither knows its error; what they find is cut and verified afterwards.
"""

import math

from ttalgebra.arrays.contract import matmul
from ttalgebra.arrays.factorize import qr
from ttalgebra.arrays.namespace import conj, namespace_of
from ttalgebra.arrays.scaling import norm_of, unit_scaled
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import ranged
from ttalgebra.cores.chain import left_fold, left_unfold, right_fold, right_unfold
from ttalgebra.cores.orthogonalize import left_orthogonalize
from ttalgebra.cores.rounding.networks import Network
from ttalgebra.cores.rounding.sites import Plain
from ttalgebra.cores.truncation import Budget

Bounds = tuple[int | None, ...]
SLACK = 2  # a sweep that is not the last keeps twice the ranks, half the error asked
SWEEPS = 2


def zip_up(network: Network, *, tol: float | None, max_rank: Bounds) -> Cores:
    """A chain near the network, cut bond by bond as the sites are met, from the last.

    The error is controlled only as far as the left interfaces are orthonormal, which
    in a product of orthogonal chains they nearly are. Cost
    ``O(d n r s l (r + s + l))``.
    Source: Stoudenmire and White (2010), "zip-up", mirrored.
    """
    share = (tol or 0.0) / (SLACK * math.sqrt(max(1, len(max_rank))))
    carried, exponent, done = network.corner(), network.exponent, []
    for site, bound in zip(network.sites[:0:-1], max_rank[::-1], strict=True):
        core = site.absorb_right(carried)
        budget = Budget(norm_of(core), share, (bound and SLACK * bound,))
        carried, right, growth = budget.cut(right_unfold(core))
        done.append(right_fold(right, like=core))
        exponent = exponent + growth
    first = network.sites[0].absorb_right(carried)
    return ranged.held((first, *reversed(done)), exponent, "product")


def fit(network: Network, y: Cores, sweeps: int = SWEEPS) -> Cores:
    """The chain of the ranks of ``y`` nearest to the network, one core after another.

    With orthonormal interfaces the best core is the network's, projected on them:
    each sweep can only lower ``norm(x - y)``. Cost as of zip-up, per sweep.
    Source: Verstraete and Cirac (2004); Schollwoeck (2011).
    """
    for _ in range(sweeps):
        y = _improved(network, y)
    return y


def _improved(network: Network, y: Cores) -> Cores:
    """One sweep to the left, the left interfaces being those of ``y``."""
    interfaces = _left_interfaces(network, left_orthogonalize(y)[0])
    after, exponent, done = network.corner(), network.exponent, []
    for site, before in zip(network.sites[:0:-1], interfaces[:0:-1], strict=True):
        xp = namespace_of(after)
        met = site.absorb_left(before)
        best = left_fold(matmul(left_unfold(met), after), like=met)
        q, _ = qr(xp.matrix_transpose(right_unfold(best)))
        done.append(right_fold(xp.matrix_transpose(q), like=best))
        rest = right_unfold(site.absorb_right(after))
        after, growth = unit_scaled(matmul(rest, conj(q)))
        exponent = exponent + growth
    first = network.sites[0].absorb_right(after)
    return ranged.held((first, *reversed(done)), exponent, "product")


def _left_interfaces(network: Network, orthogonal: Cores) -> list[Array]:
    """``(s, r)`` at the left of each site: ``orthogonal`` against the network.

    Known up to a power of two, which no best core feels.
    """
    state, found = network.corner(), []
    for core, site in zip(orthogonal, network.sites, strict=True):
        found.append(state)
        state, _ = unit_scaled(Plain(core).overlap_left(site.absorb_left(state)))
    return found
