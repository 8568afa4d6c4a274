"""Other modes for the same numbers: split a site, merge two, put them in another order.

With several modes to a core (row and column) each of them is split and merged alike.
"""

from bisect import bisect, insort
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain as flatten
from math import prod

from ttalgebra.arrays.checks import require_room
from ttalgebra.arrays.contract import matmul
from ttalgebra.arrays.factorize import qr
from ttalgebra.arrays.namespace import namespace_of, nbytes_of
from ttalgebra.arrays.scaling import norm_of, scalar_times_power, times_power
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores.chain import left_unfold, reshape, right_unfold
from ttalgebra.cores.orthogonalize import left_orthogonalize, right_orthogonalize
from ttalgebra.cores.ranged import held
from ttalgebra.cores.rounding.svd import by_svd
from ttalgebra.cores.truncation import Budget, Cut, Truncation

Digits = Sequence[tuple[int, ...]]  # the modes of each of the new cores
SLACK = 2  # on the way twice the ranks are kept, as in a zip-up


def split(core: Array, digits: Digits) -> Cores:
    """One core becomes a chain with the modes ``digits``, the first the slowest.

    ``(r, *modes, s)`` with ``modes = prod(digits)``, mode by mode. Exact, by QR, the
    new ranks as large as the unfoldings allow. Cost ``O(r s modes q)`` for each new
    bond, ``q`` its rank.
    """
    done: list[Array] = []
    for k, head in enumerate(digits[:-1]):
        tail = tuple(map(prod, zip(*digits[k + 1 :], strict=True)))
        r, s = core.shape[0], core.shape[-1]
        left, right = qr(_opened(core, head, tail))
        done.append(reshape(left, r, *head, left.shape[1]))
        core = reshape(right, left.shape[1], *tail, s)
    return (*done, reshape(core, core.shape[0], *digits[-1], core.shape[-1]))


def _opened(core: Array, head: tuple[int, ...], tail: tuple[int, ...]) -> Array:
    """``(r, h t, ..., s) -> (r h ..., t ... s)``."""
    r, *_, s = core.shape
    q = len(head)
    pairs = flatten.from_iterable(zip(head, tail, strict=True))
    heads, tails = range(1, 2 * q, 2), range(2, 2 * q + 1, 2)
    order = (0, *heads, *tails, 2 * q + 1)
    opened = namespace_of(core).permute_dims(reshape(core, r, *pairs, s), order)
    return reshape(opened, r * prod(head), prod(tail) * s)


def merge(first: Array, second: Array) -> Array:
    """``(r, *modes, s), (s, *modes', t) -> (r, *(modes modes'), t)``, exact.

    Cost ``O(r s t modes modes')``.
    """
    xp = namespace_of(first, second)
    product = matmul(left_unfold(first), right_unfold(second))
    r, *left, _ = first.shape
    _, *right, t = second.shape
    q = len(left)
    pairs = flatten.from_iterable(
        zip(range(1, q + 1), range(q + 1, 2 * q + 1), strict=True)
    )
    digits = xp.permute_dims(
        reshape(product, r, *left, *right, t), (0, *pairs, 2 * q + 1)
    )
    sizes = (m * n for m, n in zip(left, right, strict=True))
    return reshape(digits, r, *sizes, t)


def permute(
    cores: Cores,
    order: Sequence[int],
    *,
    tol: float | None = None,
    max_rank: tuple[int | None, ...],
) -> tuple[Cores, Truncation]:
    """Site ``k`` of the result is site ``order[k]`` of ``cores``, by exchanges.

    The chain is orthogonal around each exchange, so what is cut there is relative to
    the whole: half of ``tol`` in all, roundoff where there is none, and no more than
    keeps ``SLACK * max_rank``. The other half and ``max_rank`` itself are for a last
    `by_svd`. ``info.error`` is the sum of what all cuts discard, a bound. Ranks may
    grow. Cost ``O(r^3 n^3)`` for each inversion of ``order``.
    """
    orthogonal, exponent = right_orthogonalize(cores)
    norm = scalar_times_power(norm_of(orthogonal[0]), int(exponent))
    exchanges = _Exchanges(tol and tol / 2, max_rank, _inversions(order))
    done, sites = list(orthogonal), list(range(len(cores)))
    for target, site in enumerate(order):
        place, start = sites.index(site), max(target - 1, 0)
        moved, shift = left_orthogonalize(tuple(done[start : place + 1]))
        done[start : place + 1], exponent = moved, exponent + shift
        for k in range(place, target, -1):
            done[k - 1], done[k] = exchanges.made(done[k - 1], done[k], bond=k - 1)
        sites.insert(target, sites.pop(place))
    moved = held(tuple(done), exponent, "permute_modes")
    y, info = by_svd(moved, tol=tol and tol - exchanges.spent, max_rank=max_rank)
    error = exchanges.spent + info.error
    met = (info.tol_met and not exchanges.bound_bit) or tol is None or error <= tol
    found = replace(info, error=error, tol=tol, tol_met=met, norm=norm)
    return y, replace(found, method="exchanges")


def _inversions(order: Sequence[int]) -> int:
    """How many pairs of sites change places."""
    seen: list[int] = []
    count = 0
    for site in order:
        count += len(seen) - bisect(seen, site)
        insort(seen, site)
    return count


class _Exchanges:
    """Exchanges of neighbours, each of which may discard its share of ``tol``.

    What they discard is not orthogonal, so norms add up where `Budget` adds squares.
    """

    def __init__(self, tol: float | None, bounds: tuple[int | None, ...], count: int):
        self.tol, self.bounds, self.left = tol, bounds, count
        self.spent, self.bound_bit = 0.0, False

    def made(self, first: Array, second: Array, bond: int) -> tuple[Array, Array]:
        """Both in the other order, the norm left in the one that is now first."""
        r, *left, _ = first.shape
        _, *right, t = second.shape
        kept = self._cut(_swapped(first, second), self.bounds[bond])
        rank, first = kept.right.shape[0], times_power(kept.left, kept.exponent)
        return reshape(first, r, *right, rank), reshape(kept.right, rank, *left, t)

    def _cut(self, matrix: Array, bound: int | None) -> Cut:
        share = self.tol and max(self.tol - self.spent, 0.0) / self.left
        budget = Budget(norm_of(matrix), share, (bound and SLACK * bound,))
        kept = budget.cut(matrix)
        self.spent += budget.spent[0] / budget.norm if budget.norm else 0.0
        self.bound_bit |= budget.bound_bit
        self.left -= 1
        return kept


def _swapped(first: Array, second: Array) -> Array:
    """``(r, *left, s), (s, *right, t) -> (r * right, left * t)``."""
    xp = namespace_of(first, second)
    r, *left, _ = first.shape
    _, *right, t = second.shape
    itemsize = nbytes_of(first[(slice(1),) * first.ndim])
    advice = "give tol, or round first; ranks grow with the distance sites are moved"
    pair = (r * prod(left), prod(right) * t)
    require_room(pair, itemsize, "permute_modes: a pair of sites", advice)
    product = matmul(left_unfold(first), right_unfold(second))
    opened = reshape(product, r, prod(left), prod(right), t)
    swapped = xp.permute_dims(opened, (0, 2, 1, 3))
    return reshape(swapped, r * prod(right), prod(left) * t)
