"""Plans: from which end a TT-matrix meets a batch, which cores are merged, what blocks.

The cheapest of both directions and of all ways of merging neighbours, by what `step`
predicts. Planned once for each shape and batch.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import prod
from operator import mul

from ttalgebra.arrays.checks import spelled
from ttalgebra.arrays.typing import Cores
from ttalgebra.cores.sweep.step import (
    LINE,
    MULTIPLY,
    STEP,
    STREAM,
    Samples,
    Shape,
    Step,
    step,
)

# Bytes of two neighbouring states of a block: 100 samples of 1024 -> 1024 at rank 8
# take 1.2 ms in blocks of 32, and 4.3 at once.
CACHE = 2**20
LONGEST = 6  # cores that are merged
LARGE = 50e6  # picoseconds of a step: below, two threads wait for each other
WORTH = 1e10  # picoseconds of all: below, starting threads takes what they save


@dataclass(frozen=True, repr=False, eq=False)
class Plan:
    """How a TT-matrix meets dense samples, and what that should cost.

    ``from_last`` says at which end the sweep begins, ``groups`` which cores meet the
    samples together, ``block`` how many samples go through all steps before the next
    ones (NumPy only: other libraries take all at once).
    """

    shape: tuple[int, int]
    samples: Samples
    from_last: bool
    steps: tuple[Step, ...]

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The cores that meet the samples together, in the order of the sweep."""
        return tuple(tuple(range(step.first, step.last)) for step in self.steps)

    @property
    def block(self) -> int:
        """Samples whose neighbouring states are in cache together."""
        n, itemsize, rows, _ = self.samples
        pair = max(sum(step.numbers) for step in self.steps) * itemsize
        line = 1 if rows else LINE // itemsize
        parts = -(-n // max(line, CACHE // pair))
        return min(n, line * -(-n // (line * parts)))

    @property
    def has_large_steps(self) -> bool:
        """Whether blocks are quicker side by side, in threads, than one by one."""
        steps = len(self.steps) * -(-self.samples.n // self.block)
        return self.picoseconds > max(WORTH, LARGE * steps)

    @property
    def largest(self) -> int:
        """Numbers in the largest state of one sample."""
        return max(max(step.numbers) for step in self.steps)

    @property
    def flops(self) -> int:
        """Multiplications and additions, a complex one counted as one.

        Gradients take twice forward, and more where blocks make their states again.
        """
        forward = [self.samples.n * step.multiply_adds for step in self.steps]
        work = sum(forward) + sum(step.merging for step in self.steps)
        if self.samples.gradients:
            again = forward[:-1] if self.samples.n > self.block else []
            work = 3 * work + sum(again)
        return 2 * work

    @property
    def nbytes(self) -> int:
        """What forward reads and writes of samples, states and result."""
        numbers = sum(sum(step.numbers) for step in self.steps)
        return self.samples.n * numbers * self.samples.itemsize

    @property
    def seconds(self) -> float:
        """Predicted, for one core of a machine of 2026."""
        return _float(self.picoseconds) / 1e12

    @property
    def picoseconds(self) -> int:
        """The same in exact integers, of any size."""
        return sum(step.picoseconds(self.samples) for step in self.steps)

    @property
    def dense_seconds(self) -> float:
        """Predicted alike, for the product with the dense matrix and its gradients."""
        (M, N), n = self.shape, self.samples.n
        moved = STREAM * (M * N + n * (M + N))
        work = STEP + self.samples.itemsize * max(MULTIPLY * n * M * N, moved)
        return _float(3 * work if self.samples.gradients else work) / 1e12

    def __repr__(self) -> str:
        M, N = (spelled(n) for n in self.shape)
        end = "last" if self.from_last else "first"
        what = ", with gradients" if self.samples.gradients else ""
        head = f"Plan: {N} -> {M}, batch {self.samples.n} in blocks of {self.block}"
        work = f"{_float(self.flops):.3g} flops, {_float(self.nbytes):.3g} bytes"
        return "\n  ".join(
            [
                f"{head}, from the {end} core{what}",
                *(_line(step, self.samples.n) for step in self.steps),
                f"{work}, {self.seconds:.2g} s; dense {self.dense_seconds:.2g} s",
            ]
        )


def _line(step: Step, batch: int) -> str:
    last = f"-{step.last - 1}" if step.last - step.first > 1 else ""
    flops = 2 * (step.merging + batch * step.multiply_adds)
    state = "x".join(spelled(n) for n in (step.left, step.summed, step.right))
    made = f"{step.summed} -> {step.made} in states {state}"
    return f"cores {step.first}{last}: {made}, {_float(flops):.3g} flops"


def planned(
    A: Cores, n: int, itemsize: int, *, rows: bool, gradients: bool = False
) -> Plan:
    """How ``A`` meets ``n`` samples, numbers of ``itemsize`` bytes, rows or columns."""
    shapes = tuple(tuple(core.shape) for core in A)
    return plan(shapes, Samples(max(1, n), itemsize, rows, gradients))


@lru_cache(maxsize=4096)
def plan(shapes: tuple[Shape, ...], samples: Samples) -> Plan:
    """The plan of least predicted time for cores of these ``shapes``.

    ``O(d)`` trials in exact integers, whatever the sizes.
    """
    sizes = prod(shape[1] for shape in shapes), prod(shape[2] for shape in shapes)
    plans = [
        Plan(sizes, samples, from_last, _cheapest(shapes, samples, from_last))
        for from_last in (True, False)
    ]
    return min(plans, key=lambda plan: plan.picoseconds)


def _cheapest(
    shapes: Sequence[Shape], samples: Samples, from_last: bool
) -> tuple[Step, ...]:
    """The steps, in the order of the sweep; ``best[k]`` ends with core ``k - 1``."""
    done, to_come = _outside(shapes, from_last)
    size = max(done[-1], to_come[0])
    longest = LONGEST if size < 2**64 else 1  # what nobody can run is not searched
    best: list[tuple[int, Step | None]] = [(0, None)]
    for last in range(1, len(shapes) + 1):
        found: list[tuple[int, Step]] = []
        for first in range(last - 1, max(-1, last - 1 - longest), -1):
            outside = done[first], to_come[last]
            tried = step(shapes, first, last, outside, from_last, samples.rows)
            if found and tried.entries * samples.itemsize > CACHE:
                break  # nothing longer would stay in cache either
            found.append((best[first][0] + tried.picoseconds(samples), tried))
        best.append(min(found, key=lambda pair: pair[0]))
    steps, k = [], len(shapes)
    while (chosen := best[k][1]) is not None:
        steps.append(chosen)
        k = chosen.first
    return tuple(steps if from_last else reversed(steps))


def _outside(shapes: Sequence[Shape], from_last: bool) -> tuple[list[int], list[int]]:
    """What is left of core ``k`` and right of core ``k - 1``, for each ``k``."""
    left, right = (2, 1) if from_last else (1, 2)
    before = accumulate((shape[left] for shape in shapes), mul, initial=1)
    after = accumulate((s[right] for s in reversed(shapes)), mul, initial=1)
    return list(before), list(after)[::-1]


def _float(n: int) -> float:
    return float(n) if n.bit_length() < 1000 else math.inf
