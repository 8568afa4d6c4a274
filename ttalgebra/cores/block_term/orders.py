"""In which order a block meets a batch: each factor before, inside or after the core.

*Before*: the factor meets the data, a column digit leaves, a row digit and a rank
come. *Inside*: it is multiplied into the core first, whatever the batch. *After*: the
core has turned the other ranks into this one, which leaves with the column digit. All
before is the order of Ye et al. (2018), two inside and the rest after that of their
programs. `cheapest` takes the best by the multiply-adds and the memory of its steps.

Digits stay where they are while the batch goes last, so only the core moves memory::

    data     ... j_k ...  ->  ... (i_k, a_k) ...    before
             ... j_k ...  ->  ... (a_k, j_k) ...    after, when the core was met
    kernel   ... a_k ...  ->  ... (i_k, j_k) ...    inside
"""

from functools import lru_cache
from itertools import product
from math import prod
from typing import NamedTuple, TypeAlias

from ttalgebra.cores.block_term.blocks import Sizes

BEFORE, INSIDE, AFTER = "before", "inside", "after"
WAYS = (BEFORE, INSIDE, AFTER)
Ways: TypeAlias = tuple[str, ...]
KERNEL = -1  # stands for the core, with the factors inside, among the operands
TRAFFIC = 8  # multiply-adds in the time that one element takes from or to memory


class Step(NamedTuple):
    """``contract(letters, operand, state)``, both reshaped to what the letters say."""

    operand: int
    letters: str
    operand_shape: tuple[int, ...]
    state_shape: tuple[int, ...]
    elements: int  # of the result
    multiply_adds: int

    @property
    def cost(self) -> int:
        """Multiply-adds, and those that fit into the time the memory takes."""
        return self.multiply_adds + TRAFFIC * (prod(self.state_shape) + self.elements)


class Order(NamedTuple):
    """What makes the kernel of the core, and what the data then meet, step by step."""

    kernel: tuple[Step, ...]
    data: tuple[Step, ...]

    @property
    def cost(self) -> int:
        """That of all steps, in the time of one multiply-add."""
        return sum(step.cost for step in self.kernel + self.data)

    @property
    def multiply_adds(self) -> int:
        """Those of all steps, an exact Python int."""
        return sum(step.multiply_adds for step in self.kernel + self.data)

    @property
    def largest(self) -> int:
        """The elements of the largest array on the way."""
        return max(step.elements for step in self.kernel + self.data)


@lru_cache(maxsize=1024)
def cheapest(sizes: Sizes, batch: int) -> Order:
    """The order of least cost that is reached by changing one way at a time."""
    found = [_descended((way,) * len(sizes), sizes, batch) for way in WAYS]
    return min(found, key=lambda order: order.cost)


def _descended(ways: Ways, sizes: Sizes, batch: int) -> Order:
    best, improved = order_of(ways, sizes, batch), True
    while improved:
        improved = False
        for k, way in product(range(len(ways)), WAYS):
            changed = (*ways[:k], way, *ways[k + 1 :])
            order = order_of(changed, sizes, batch)
            if order.cost < best.cost:
                ways, best, improved = changed, order, True
    return best


def order_of(ways: Ways, sizes: Sizes, batch: int) -> Order:
    """The steps for these ``ways``, one for each mode.

    Factors before the core come in descending ``1 / (m r) - 1 / n``, those after it in
    descending ``1 / m - 1 / (n r)``: exchanging two neighbours shows that no other
    sequence needs fewer multiply-adds.
    """
    before, inside, after = (
        [k for k, found in enumerate(ways) if found == way] for way in WAYS
    )
    m, n, r = zip(*sizes, strict=True)
    before.sort(key=lambda k: 1 / n[k] - 1 / (m[k] * r[k]))
    after.sort(key=lambda k: 1 / (n[k] * r[k]) - 1 / m[k])
    state, kernel = list(n), list(r)
    making = tuple(_inside(k, sizes[k], kernel) for k in inside)
    steps = [_before(k, sizes[k], state, batch) for k in before]
    steps.append(_core(ways, sizes, state, batch))
    steps += [_after(k, sizes[k], state, batch) for k in after]
    return Order(making, tuple(steps))


def _inside(k: int, size: tuple[int, int, int], kernel: list[int]) -> Step:
    m, n, r = size
    p, t = prod(kernel[:k]), prod(kernel[k + 1 :])
    kernel[k] = m * n
    made = prod(kernel)
    return Step(k, "ija,pat->pijt", size, (p, r, t), made, made * r)


def _before(k: int, size: tuple[int, int, int], state: list[int], batch: int) -> Step:
    m, n, r = size
    p, t = prod(state[:k]), prod(state[k + 1 :]) * batch
    state[k] = m * r
    made = prod(state) * batch
    return Step(k, "ija,pjt->piat", size, (p, n, t), made, made * n)


def _after(k: int, size: tuple[int, int, int], state: list[int], batch: int) -> Step:
    m, n, r = size
    p, t = prod(state[:k]), prod(state[k + 1 :]) * batch
    state[k] = m
    made = prod(state) * batch
    return Step(k, "ija,pajt->pit", size, (p, r, n, t), made, made * n * r)


def _core(ways: Ways, sizes: Sizes, state: list[int], batch: int) -> Step:
    """The kernel meets the data; a letter for each digit and rank."""
    kernel, data, result, summed = "", "", "", 1
    length: dict[str, int] = {"n": batch}
    for k, (way, (m, n, r)) in enumerate(zip(ways, sizes, strict=True)):
        i, j, a = (chr(0x100 + 3 * k + place) for place in range(3))
        length |= {i: m, j: n, a: r}
        kernel += i + j if way == INSIDE else a
        data += i + a if way == BEFORE else j
        result += a + j if way == AFTER else i
        summed *= {BEFORE: r, INSIDE: n, AFTER: 1}[way]
        state[k] = r * n if way == AFTER else m
    shapes = [tuple(length[x] for x in word) for word in (kernel, data + "n")]
    letters, made = f"{kernel},{data}n->{result}n", prod(state) * batch
    return Step(KERNEL, letters, shapes[0], shapes[1], made, made * summed)
