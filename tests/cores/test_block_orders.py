"""Orders of contraction: all agree, and the cheapest is as cheap as can be."""

from itertools import product
from math import prod

import numpy as np
import opt_einsum
import pytest

from tests.backends import here, host
from tests.blocks import MODES, dense, integer_blocks, integers
from tests.reference import exact
from ttalgebra.cores.block_term import gradients, orders, products
from ttalgebra.cores.block_term.blocks import Block, sizes
from ttalgebra.cores.block_term.orders import AFTER, BEFORE, INSIDE, WAYS

UCF11 = ((16, 4, 4, 4), (8, 20, 20, 18))
SHAPES = {
    "ucf d=2": ((64, 16), (320, 180), 4),
    "ucf d=3": ((32, 4, 8), (36, 40, 40), 4),
    "ucf R=1": (*UCF11, 1),
    "ucf R=2": (*UCF11, 2),
    "ucf R=4": (*UCF11, 4),
    "ucf d=5": ((16, 2, 2, 4, 4), (8, 10, 10, 9, 8), 4),
    "cifar": ((4, 4, 4, 6), (6, 6, 6, 6), 3),
    "mnist": ((5, 5, 5, 5), (4, 8, 8, 4), 3),
    "rows": ((16, 8), (4, 7), 3),
}


@pytest.mark.parametrize("ways", list(product(WAYS, repeat=3)), ids="-".join)
def test_every_order_is_the_same_product(ways, rng):
    """27 orders, integers, equality; and so is the pullback of each."""
    ((core, factors),) = integer_blocks(rng, MODES, (2, 3, 2))
    X, dy = integers(rng, (12, 5)), integers(rng, (6, 5))
    W = dense([(core, factors)])
    block = Block(here(core), tuple(here(factors)))
    order = orders.order_of(ways, sizes(block), 5)
    kernel, pull_kernel = gradients.run(order.kernel, block.factors, block.core)
    met = (*block.factors, kernel)
    y, pull = gradients.run(order.data, met, here(X))
    again = products.run(order.data, met, here(X))
    assert np.array_equal(host(y).reshape(6, 5), W @ exact(X))
    assert np.array_equal(host(again), host(y))
    dfactors, dX = pull(here(dy))
    others, dcore = pull_kernel(dfactors.pop(orders.KERNEL))
    assert np.array_equal(host(dX).reshape(12, 5), W.T @ exact(dy))
    assert sorted(dfactors | others) == [0, 1, 2]
    # Euler: W is linear in each array, so <gradient, array> = <dy, y>
    wanted = (exact(dy) * (W @ exact(X))).sum()
    for gradient, array in (
        (dcore, core),
        *((g, factors[k]) for k, g in (dfactors | others).items()),
    ):
        assert (exact(gradient).reshape(array.shape) * exact(array)).sum() == wanted


def formula(n, m, r, d):
    """Multiply-adds per sample and block of the notes, all modes alike."""
    chain = sum((m * r) ** k * n * m * r * n ** (d - 1 - k) for k in range(d))
    return chain + m**d * r**d


@pytest.mark.host("counts alone")
@pytest.mark.parametrize(
    ("n", "m", "r", "d"), [(4, 3, 2, 2), (5, 2, 3, 3), (2, 2, 2, 5)]
)
def test_all_before_is_the_forward_pass_of_the_paper(n, m, r, d):
    order = orders.order_of((BEFORE,) * d, ((m, n, r),) * d, 7)
    assert order.multiply_adds == 7 * formula(n, m, r, d)
    assert order.kernel == ()


@pytest.mark.host("counts alone")
def test_the_order_of_the_programs_of_the_authors():
    """Two factors inside the core, applied at once, then the other two."""
    m, n, r, batch = 3, 4, 2, 5
    ways = (INSIDE, INSIDE, AFTER, AFTER)
    order = orders.order_of(ways, ((m, n, r),) * 4, batch)
    making = r**4 * m * n + m * n * r**3 * m * n
    applied = (m * m * r * r) * (n * n) * (n * n)
    rest = (m * m * r) * (r * n) * n * m + m**3 * (r * n) * m
    assert sum(step.multiply_adds for step in order.kernel) == making
    assert order.multiply_adds == making + batch * (applied + rest)


def best_of_all(sizes, batch):
    """The multiply-adds of opt_einsum's best pairwise order of the whole network."""
    d = len(sizes)
    letters = [opt_einsum.get_symbol(k) for k in range(3 * d + 1)]
    i, j, a, n = letters[:d], letters[d : 2 * d], letters[2 * d : -1], letters[-1]
    factors = ["".join(three) for three in zip(i, j, a, strict=True)]
    inputs = ["".join(a), *factors, "".join(j) + n]
    shapes = [tuple(r for *_, r in sizes), *sizes, (*(n for _, n, _ in sizes), batch)]
    spelled = f"{','.join(inputs)}->{''.join(i)}{n}"
    found = opt_einsum.contract_path(spelled, *shapes, shapes=True, optimize="optimal")
    return int(found[1].opt_cost) // 2


@pytest.mark.host("counts alone")
@pytest.mark.parametrize("batch", [1, 96])
@pytest.mark.parametrize("case", list(SHAPES))
def test_no_pairwise_order_needs_much_less(case, batch):
    """None needs fewer than a choice of ways; with memory, up to 1.3 times as many."""
    rows, columns, r = SHAPES[case]
    three = tuple((m, n, r) for m, n in zip(rows, columns, strict=True))
    found, best = orders.cheapest(three, batch), best_of_all(three, batch)
    choices = product(WAYS, repeat=len(three))
    everything = [orders.order_of(ways, three, batch) for ways in choices]
    assert min(order.multiply_adds for order in everything) <= best
    assert found.multiply_adds <= 1.3 * best
    assert found.cost == min(order.cost for order in everything)
    dense_cost = prod(rows) * prod(columns) * batch
    assert case == "rows" or found.multiply_adds < dense_cost / 3


@pytest.mark.host("counts alone")
def test_some_orders_reach_the_fewest_multiply_adds(rng):
    """Each factor before, inside or after: nothing is lost against all pairwise orders.

    One mode alone may save by forming core times factor, at most 8 to 7.
    """
    for _ in range(60):
        d = int(rng.integers(2, 5))
        three = tuple(tuple(int(x) for x in rng.integers(1, 10, 3)) for _ in range(d))
        three = tuple((m, n, min(r, 4)) for m, n, r in three)
        batch = int(rng.choice([1, 10, 100]))
        found = min(
            orders.order_of(ways, three, batch).multiply_adds
            for ways in product(WAYS, repeat=d)
        )
        assert found <= 8 / 7 * best_of_all(three, batch)


def test_thirty_modes_of_one(rng):
    """As many modes as a block may have; the states then have 61 axes."""
    factors = [integers(rng, (1, 1, 1), bound=1) + 2 for _ in range(30)]
    block = Block(here(np.ones((1,) * 30)), tuple(here(factors)))
    y, pullback = gradients.matmat((block,), here(np.array([[1.0, 2.0]])))
    assert host(y).tolist() == [
        [*(prod(f.item() for f in factors) * x for x in (1, 2))]
    ]
    assert len(pullback(y)[0][0].factors) == 30
