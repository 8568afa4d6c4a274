"""Prime factors of sizes, their divisors, and the sizes that have small primes only."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from math import gcd, prod

from ttalgebra.arrays.checks import spelled
from ttalgebra.arrays.errors import ShapeError

SMALL = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)
MANY = 2**22  # divisors that are listed in a second or two
PROVED = 3_317_044_064_679_887_385_961_981  # Sorenson, Webster (2015): SMALL decides


def prime_factors(size: int) -> tuple[int, ...]:
    """The primes of ``size`` in rising order, each as often as it divides.

    Small ones by division, the others by Pollard's rho in ``O(size^(1/4))`` steps.
    Raises ShapeError where a factor beyond 3.3e24 is left, which nothing here proves.
    """
    found = []
    for p in SMALL:
        while size % p == 0:
            found.append(p)
            size //= p
    pending = [size] if size > 1 else []
    while pending:
        n = pending.pop()
        if n >= PROVED:
            message = f"prime_factors: the factor {spelled(n)} is above {PROVED}"
            raise ShapeError(f"{message}; give modes of your own, or pad=True")
        if is_prime(n):
            found.append(n)
        else:
            factor = _proper_factor(n)
            pending += [factor, n // factor]
    return tuple(sorted(found))


def is_prime(n: int) -> bool:
    """Whether ``n`` is prime, by Miller and Rabin; a proof below 3.3e24."""
    if n < 2 or any(n % p == 0 for p in SMALL):
        return n in SMALL
    twos = ((n - 1) & (1 - n)).bit_length() - 1
    return all(_passes(n, base, twos) for base in SMALL)


def _passes(n: int, base: int, twos: int) -> bool:
    x = pow(base, (n - 1) >> twos, n)
    if x in (1, n - 1):
        return True
    for _ in range(twos - 1):
        x = x * x % n
        if x == n - 1:
            return True
    return False


def _proper_factor(n: int) -> int:
    """A factor of a composite ``n``, by Pollard's rho with gcds in bunches.

    Source: Brent (1980). The constants 1, 2, ... are tried in turn, so the
    answer is always the same.
    """
    for constant in count(1):
        factor = _rho(n, constant)
        if factor != n:
            return factor
    raise AssertionError("unreachable: count never ends")


def _rho(n: int, constant: int, bunch: int = 128) -> int:
    """A factor of ``n``, ``n`` itself where this constant separates none."""
    y, power, factor = 2, 1, 1
    x = start = y
    while factor == 1:
        x = y
        for _ in range(power):
            y = (y * y + constant) % n
        done = 0
        while done < power and factor == 1:
            start, product = y, 1
            for _ in range(min(bunch, power - done)):
                y = (y * y + constant) % n
                product = product * abs(x - y) % n
            factor, done = gcd(product, n), done + bunch
        power *= 2
    while factor in (1, n):  # several factors met in one bunch: now one by one
        start = (start * start + constant) % n
        factor = gcd(abs(x - start), n)
        if factor == n:
            break
    return factor


def divisors(primes: Sequence[int]) -> tuple[int, ...]:
    """All divisors of the product of ``primes``, in rising order.

    Raises ShapeError, before listing them, where there are more than four million.
    """
    many = prod(n + 1 for n in Counter(primes).values())
    if many > MANY:
        message = f"divisors: a product of {len(primes)} primes has {spelled(many)}"
        raise ShapeError(f"{message}, too many to compare; give modes of your own")
    found = {1}
    for p in primes:
        found |= {p * n for n in found}
    return tuple(sorted(found))


def smooth_from(size: int, largest_prime: int) -> Iterator[int]:
    """Numbers from ``size`` on, in rising order, without a prime above the given one.

    They are listed octave by octave; a power of two stands in every one.
    """
    low = size
    while True:
        yield from sorted(_smooth_between(low, 2 * low, largest_prime))
        low *= 2


def _smooth_between(low: int, high: int, largest_prime: int) -> set[int]:
    found = {1}
    for p in (p for p in SMALL if 2 < p <= largest_prime):
        found |= {
            n * p**k
            for n in found
            for k in range(1, high.bit_length())
            if n * p**k < high
        }
    lifted = (n << max(0, -(-low // n) - 1).bit_length() for n in found)
    return {n for n in lifted if low <= n < high}
