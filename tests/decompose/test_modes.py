"""Suggested modes: exact products, balanced as claimed, and found at once."""

import itertools
import math
import time

import pytest

from ttalgebra.arrays.errors import ShapeError, TooLargeError
from ttalgebra.decompose.modes import suggest_modes
from ttalgebra.decompose.modes.primes import (
    divisors,
    is_prime,
    prime_factors,
    smooth_from,
)

pytestmark = pytest.mark.host("sizes and modes are Python ints")

SIZES = (1, 2, 3, 7, 12, 72, 97, 100, 784, 997, 1024, 4096, 25088, 30030, 10**6, 999983)
FAR = (10**18, 10**18 - 11, 2**59, 3**37, 999999999989 * 999983, 897612484786617600)


@pytest.mark.parametrize("M", SIZES)
def test_products_are_exact_and_pairs_are_balanced(M):
    for N, order in itertools.product(SIZES, (None, 1, 2, 3, 7)):
        rows, columns = suggest_modes(M, N, order=order)
        assert len(rows) == len(columns) == (order or len(rows))
        for size, modes in ((M, rows), (N, columns)):
            assert math.prod(modes) == size
            assert list(modes) == sorted(modes, reverse=True)
            for a, b in itertools.combinations(modes, 2):
                best = max(n for n in divisors(prime_factors(a * b)) if n * n <= a * b)
                assert min(a, b) == best
            largest = max(prime_factors(size), default=1)
            assert modes[0] <= largest * modes[-1]


def test_default_order():
    """The fewest modes whose geometric mean is at most 8 on the larger side."""
    for M, N in itertools.product(SIZES, SIZES):
        d = len(suggest_modes(M, N)[0])
        assert 8**d >= max(M, N)
        assert d == 1 or 8 ** (d - 1) < max(M, N)


def test_the_paper_and_the_square():
    assert suggest_modes(25088, 4096) == ((8, 8, 8, 7, 7), (8, 8, 4, 4, 4))
    assert suggest_modes(1024, 1024) == ((8, 8, 4, 4), (8, 8, 4, 4))
    assert suggest_modes(72, 30030, order=3) == ((6, 4, 3), (35, 33, 26))


@pytest.mark.parametrize("size", [11, 97, 127, 997, 10007, 999983, 10**18 - 11])
def test_padding_reaches_good_sizes(size):
    rows, columns = suggest_modes(size, size, pad=True)
    total = math.prod(rows)
    assert rows == columns
    assert size <= total <= 1.1 * size
    assert max(prime_factors(total)) <= 7
    nearer = itertools.takewhile(lambda n: n < total, smooth_from(size, 7))
    assert list(nearer) == []
    assert suggest_modes(total, total, pad=True)[0] == rows  # good sizes stay


@pytest.mark.parametrize("max_mode", [2, 3, 4, 7, 10, 11, 32])
@pytest.mark.parametrize("pad", [False, True])
def test_largest_mode(max_mode, pad):
    for M, N in itertools.product(SIZES, SIZES[:8]):
        try:
            rows, columns = suggest_modes(M, N, max_mode=max_mode, pad=pad)
        except ShapeError:
            assert not pad
            assert max(prime_factors(M) + prime_factors(N)) > max_mode
            continue
        assert max(rows + columns) <= max_mode
        assert M <= math.prod(rows) <= (4 * M if pad else M)


def test_refusals():
    with pytest.raises(ShapeError, match=r"1024 x 8 has no 2 modes up to 4"):
        suggest_modes(1024, 8, order=2, max_mode=4, pad=True)
    with pytest.raises(ShapeError, match="pad=True"):
        suggest_modes(11, 8, max_mode=4)
    with pytest.raises(ShapeError, match="M must be at least 1, got 0"):
        suggest_modes(0, 5)
    for bad in (True, 2.0, "8", None):
        with pytest.raises(TypeError):
            suggest_modes(bad, 5)
    with pytest.raises(ShapeError, match="order"):
        suggest_modes(4, 4, order=0)
    with pytest.raises(ShapeError, match="above"):
        suggest_modes((2**89 - 1) * (2**107 - 1), 4)


def test_one_is_the_only_mode_up_to_one():
    assert suggest_modes(1, 1, max_mode=1) == ((1,), (1,))
    with pytest.raises(ShapeError):
        suggest_modes(2, 1, max_mode=1, pad=True)


def test_far_sizes_are_quick():
    start = time.perf_counter()
    for size in FAR:
        for pad in (False, True):
            rows, _ = suggest_modes(size, 6, pad=pad)
            assert math.prod(rows) >= size
    assert time.perf_counter() - start < 5


HARD = [
    ((2**60, 2**60), {"order": 2000}),
    ((2**60, 7), {"order": 10**6}),
    ((2**200, 2**200), {"max_mode": 1}),
    ((2**200, 2**200), {"max_mode": 1, "pad": True}),
    ((2**200, 3**100), {"max_mode": 3}),
    ((2**2000, 2**2000), {}),
    ((2**2000, 2**2000), {"max_mode": 7}),
    ((6**500, 2), {"order": 2}),
    ((math.prod((2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)) ** 10, 2), {}),
    ((2**200 + 1, 5), {"max_mode": 7, "pad": True}),
    ((10**5000, 3), {"max_mode": 4}),
]


@pytest.mark.parametrize(("sizes", "options"), HARD, ids=range(len(HARD)))
def test_every_answer_is_quick(sizes, options):
    """Once 13 s, 24 s and more; what has no answer is known to have none at once."""
    start = time.perf_counter()
    try:
        modes = suggest_modes(*sizes, **options)
    except ShapeError as error:
        refusal = str(error)
        assert options.get("max_mode", 8) < 5
        assert len(refusal) < 300
    else:
        for size, found in zip(sizes, modes, strict=True):
            total = math.prod(found)
            assert total >= size if options.get("pad") else total == size
            assert len(found) == options.get("order", len(found))
    assert time.perf_counter() - start < 5


def test_more_divisors_than_can_be_compared_are_refused():
    size = math.prod((2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)) ** 13
    with pytest.raises(ShapeError, match="too many"):
        suggest_modes(size, 1, order=2)
    with pytest.raises(TooLargeError, match="order"):
        suggest_modes(8, 8, order=10**12)


def test_padding_needs_no_primes_of_what_it_replaces():
    """Two factors that nobody finds: the message said pad=True, which said the same."""
    size = (2**89 - 1) * (2**107 - 1)
    rows, _ = suggest_modes(size, 4, pad=True)
    assert size <= math.prod(rows) <= 1.1 * size


def test_primes_against_trial_division():
    sieve = [all(n % k for k in range(2, math.isqrt(n) + 1)) for n in range(2, 5000)]
    assert [is_prime(n) for n in range(2, 5000)] == sieve
    assert not is_prime(1)
    assert not is_prime(3215031751)  # the least strong pseudoprime to 2, 3, 5 and 7
    for n in range(1, 5000):
        primes = prime_factors(n)
        assert math.prod(primes) == n
        assert all(is_prime(p) for p in primes)
        assert divisors(primes) == tuple(k for k in range(1, n + 1) if n % k == 0)
    for p, q in ((1000003, 1000003), (1000000007, 998244353), (43, 43)):
        assert prime_factors(p * q) == tuple(sorted((p, q)))


def test_smooth_numbers_are_all_there():
    found = list(itertools.takewhile(lambda n: n < 5000, smooth_from(1, 7)))
    expected = [n for n in range(1, 5000) if max(prime_factors(n), default=1) <= 7]
    assert found == expected
