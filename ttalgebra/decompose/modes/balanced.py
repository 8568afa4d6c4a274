"""Factorisations of sizes into modes: as balanced as the prime factors allow.

The rule, in full: a size is factorised, its primes from the largest to the smallest
go each to the smallest mode so far, and then any two modes whose product has a more
balanced split are split so, until no two have. Modes are returned in falling order.
"""

from collections.abc import Iterator, Sequence
from heapq import heapreplace
from itertools import accumulate, combinations, repeat
from math import isqrt, prod
from operator import mul

from ttalgebra.arrays.checks import as_positive, require_room, spelled
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.decompose.modes.primes import divisors, prime_factors, smooth_from

Modes = tuple[int, ...]

TARGET = 8  # the geometric mean of the modes, at most, where nothing else is said
LARGEST_PRIME = 7  # of padded sizes: they grow by 9.1 % at most, by 2.1 % from 10**4 on


def suggest_modes(
    M: int,
    N: int,
    *,
    order: int | None = None,
    max_mode: int | None = None,
    pad: bool = False,
) -> tuple[Modes, Modes]:
    """``(row_modes, col_modes)`` of equal length for an ``M x N`` matrix.

    Parameters
    ----------
    order
        How many modes. By default the fewest whose geometric mean is at most 8 on
        the larger side or, given ``max_mode``, none of which is above that.
    max_mode
        The largest mode allowed; ShapeError where it cannot be kept.
    pad
        Whether a size whose modes would be above ``max_mode``, or that has a prime
        above 7 where none is given, grows to the next one of primes up to 7 that
        fits: ``M <= prod(row_modes)``, without ``max_mode`` at most ``1.1 M``.

    Notes
    -----
    No two modes of a side have a product that splits more evenly, and the largest is
    at most ``P`` times the smallest, ``P`` the largest prime of the size.

    Examples
    --------
    >>> from ttalgebra.decompose.modes import suggest_modes
    >>> suggest_modes(25088, 4096)
    ((8, 8, 8, 7, 7), (8, 8, 4, 4, 4))
    >>> suggest_modes(997, 10, order=3, pad=True)
    ((10, 10, 10), (5, 2, 1))
    """
    sizes = as_positive(M, "M"), as_positive(N, "N")
    bound = None if max_mode is None else as_positive(max_mode, "max_mode")
    primes = [_primes(size, pad) for size in sizes]
    orders: Iterator[int] = _orders(sizes, primes, bound, pad)
    if order is not None:
        orders = iter([as_positive(order, "order")])
        require_room((order,), 16, "suggest_modes: the modes", "lower order")
    for d in orders:
        pairs = zip(sizes, primes, strict=True)
        found = [_modes_of(size, own, d, bound, pad) for size, own in pairs]
        if found[0] is not None and found[1] is not None:
            return found[0], found[1]
    raise ShapeError(_refusal(sizes, order, bound, pad))


def _primes(size: int, pad: bool) -> Modes | None:
    """The primes of ``size``; None where they are too large to find, and not needed."""
    try:
        return prime_factors(size)
    except ShapeError:
        if pad:
            return None
        raise


def _orders(
    sizes: tuple[int, int], primes: Sequence[Modes | None], bound: int | None, pad: bool
) -> Iterator[int]:
    """The numbers of modes to try, the fewest first; none where no number helps."""
    largest, prime = max(sizes), max(max(own or (1,)) for own in primes)
    if bound is not None and (largest > bound == 1 if pad else prime > bound):
        return
    powers = accumulate(repeat(bound or TARGET), mul)
    fewest = next(d for d, power in enumerate(powers, 1) if power >= largest)
    yield from range(fewest, fewest + 1 if bound is None else largest.bit_length() + 1)


def _modes_of(
    size: int, primes: Modes | None, order: int, max_mode: int | None, pad: bool
) -> Modes | None:
    """The modes of ``size``, or of the next size that has good ones; None if none."""
    if primes is not None:
        modes = balanced(primes, order)
        good = max_mode is None or modes[0] <= max_mode
        if max_mode is None and pad and order > 1:
            good = max(primes, default=1) <= LARGEST_PRIME
        if good or not pad:
            return modes if good else None
    prime = min(LARGEST_PRIME, max_mode or LARGEST_PRIME)
    for larger in smooth_from(size, prime):
        if max_mode is not None and larger > max_mode**order:
            return None
        modes = balanced(prime_factors(larger), order)
        if max_mode is None or modes[0] <= max_mode:
            return modes
    return None


def balanced(primes: Sequence[int], order: int) -> Modes:
    """``primes`` multiplied into ``order`` modes by the rule above, largest first."""
    falling = sorted(primes, reverse=True)
    if len(primes) <= order:
        return (*falling, *(1,) * (order - len(primes)))
    smallest = [(1, place) for place in range(order)]  # a heap as it is
    parts: list[list[int]] = [[] for _ in range(order)]
    for p in falling:
        size, place = smallest[0]
        parts[place].append(p)
        heapreplace(smallest, (size * p, place))
    while _split_one_pair(parts):
        pass
    return tuple(sorted(map(prod, parts), reverse=True))


def _split_one_pair(parts: list[list[int]]) -> bool:
    """Split the first pair that can be more balanced; whether there was one.

    Parts of equal size are equal: one of each stands for all.
    """
    sizes: dict[int, list[int]] = {}
    for part in parts:
        sizes.setdefault(prod(part), part)
    for (a, one), (b, two) in combinations(sizes.items(), 2):
        best = _nearest_below_root(one + two)
        if best > min(a, b):
            one[:], two[:] = prime_factors(best), prime_factors(a * b // best)
            return True
    return False


def _nearest_below_root(primes: Sequence[int]) -> int:
    """The largest divisor of a product that is no larger than its square root.

    A divisor is one of a half of the primes times one of the other half.
    """
    root, best = isqrt(prod(primes)), 1
    others = list(divisors(primes[1::2]))
    for n in divisors(primes[::2]):
        while n * others[-1] > root:
            others.pop()
            if not others:
                return best
        best = max(best, n * others[-1])
    return best


def _refusal(
    sizes: tuple[int, int], order: int | None, max_mode: int | None, pad: bool
) -> str:
    modes = "modes" if order is None else f"{order} modes"
    shape = " x ".join(map(spelled, sizes))
    message = f"suggest_modes: {shape} has no {modes} up to {max_mode}"
    if pad:
        return f"{message}, padded or not; raise order or max_mode"
    return f"{message}; allow pad=True, or raise order or max_mode"
