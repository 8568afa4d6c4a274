"""Other modes for the same numbers: split a site, merge two, put them in another order.

With several modes to a core (row and column) each of them is split and merged alike.
"""

from collections.abc import Sequence
from itertools import chain as flatten
from math import prod

from ttalgebra.arrays.checks import require_room
from ttalgebra.arrays.factorize import qr
from ttalgebra.arrays.namespace import namespace_of, nbytes_of, to_numpy
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores.chain import left_unfold, reshape, right_unfold, spread
from ttalgebra.cores.orthogonalize import left_orthogonalize, right_orthogonalize
from ttalgebra.cores.truncation import Budget

Digits = Sequence[tuple[int, ...]]  # the modes of each of the new cores


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
    product = xp.matmul(left_unfold(first), right_unfold(second))
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


def permute(cores: Cores, order: Sequence[int]) -> Cores:
    """Site ``k`` of the result is site ``order[k]`` of ``cores``, by exchanges.

    The chain is orthogonal around each exchange, so what is cut there, roundoff
    alone, is relative to the whole. Ranks may grow. Cost ``O(r^3 n^3)`` for each
    inversion of ``order``.
    """
    orthogonal, exponent = right_orthogonalize(cores)
    done, sites = list(orthogonal), list(range(len(cores)))
    for target, site in enumerate(order):
        place, start = sites.index(site), max(target - 1, 0)
        moved, shift = left_orthogonalize(tuple(done[start : place + 1]))
        done[start : place + 1], exponent = moved, exponent + shift
        for k in range(place, target, -1):
            done[k - 1], done[k] = _exchanged(done[k - 1], done[k])
        sites.insert(target, sites.pop(place))
    return spread(tuple(done), exponent)


def _exchanged(first: Array, second: Array) -> tuple[Array, Array]:
    """Neighbours in the other order, the norm left in the one that is now first."""
    xp = namespace_of(first, second)
    r, *left, _ = first.shape
    _, *right, t = second.shape
    itemsize = nbytes_of(first[(slice(1),) * first.ndim])
    advice = "round first; ranks grow with the distance that sites are moved"
    pair = (r * prod(left), prod(right) * t)
    require_room(pair, itemsize, "permute_modes: a pair of sites", advice)
    product = xp.matmul(left_unfold(first), right_unfold(second))
    opened = reshape(product, r, prod(left), prod(right), t)
    swapped = xp.permute_dims(opened, (0, 2, 1, 3))
    matrix = reshape(swapped, r * prod(right), prod(left) * t)
    budget = Budget(float(to_numpy(xp.linalg.vector_norm(matrix))), None, (None,))
    kept = budget.cut(matrix)
    rank = kept.right.shape[0]
    return reshape(kept.left, r, *right, rank), reshape(kept.right, rank, *left, t)
