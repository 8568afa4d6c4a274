"""Steps: one core, or neighbours merged, and the state of each sample that it meets.

The state is met as it lies in memory, ``(left, summed, right) -> (left, made, right)``,
whichever end the sweep starts from::

                            left               summed   made     right
    from the last core      columns to come    (j, b)   (a, i)   rows done
    from the first core     rows done          (a, j)   (i, b)   columns to come

Samples come before ``left`` where they are rows, after ``right`` where they are
columns: nothing is transposed. Where ``right`` is 1 and samples are rows, the step is
one product of two matrices, otherwise a small product for each ``left``.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import NamedTuple

Shape = tuple[int, ...]

# Picoseconds, fitted to the times of 80 groupings of three layers in float32, on one
# core with AVX-512: right within 20 %. What is chosen depends on their ratios only.
MULTIPLY = 5  # a multiply-add, for each byte of a number
STREAM = 38  # a byte that one large product reads or writes
TOUCH = 5  # a byte that a small one does, in cache
OUTER = 110  # a byte of the many small gradients of an operand that are added up
CALL = 60_000  # a small product among many
STEP = 3_500_000  # Python and the array library around a step
MERGE = 5_000_000  # and around the merging of two cores
LINE = 64  # bytes: fewer columns than fill it share it with their neighbours


class Samples(NamedTuple):
    """What is known of a batch beforehand."""

    n: int
    itemsize: int
    rows: bool  # samples are rows, or else columns
    gradients: bool  # of the cores and the samples are wanted too


class Step(NamedTuple):
    """Cores ``first`` to ``last - 1``, merged, meet the state."""

    first: int
    last: int
    left: int
    summed: int
    made: int
    right: int
    closes: bool  # the sweep
    one_product: bool  # the operand is ``(summed, made)``, right of one product
    met: Shape  # what the state is reshaped to; -1 is the place of the samples
    gives: Shape  # the same, made
    digits: Shape  # of the merged core: left rank, digits of each core, right rank
    axes: Shape | None  # make the operand of it; None where it is one already
    operand: tuple[int, int]
    merging: int  # multiply-adds

    @property
    def multiply_adds(self) -> int:
        """For one sample."""
        return self.left * self.summed * self.made * self.right

    @property
    def numbers(self) -> tuple[int, int]:
        """In the states of one sample before and after."""
        rest = self.left * self.right
        return rest * self.summed, rest * self.made

    @property
    def entries(self) -> int:
        """Of the operand."""
        return self.summed * self.made

    def picoseconds(self, samples: Samples) -> int:
        """What the step is predicted to take for all samples, with gradients or not."""
        once, itemsize = self._product(samples), samples.itemsize
        merges = self.last - self.first - 1
        merging = MULTIPLY * self.merging + STREAM * self.entries
        merging = merges * MERGE + itemsize * merging if merges else 0
        if not samples.gradients:
            return merging + once
        if not self.one_product:
            once += self._calls(samples) * itemsize * OUTER * self.entries // 3
        return 3 * merging + 3 * once + (0 if self.closes else self._product(samples))

    def _product(self, samples: Samples) -> int:
        rest = samples.n * self.left * self.right  # huge for trains of huge order: once
        multiplied, moved = rest * self.entries, rest * (self.summed + self.made)
        work = STEP + samples.itemsize * MULTIPLY * multiplied
        if self.one_product:
            return work + samples.itemsize * STREAM * moved
        calls = self._calls(samples)
        moved += calls * self.entries
        return work + calls * CALL + samples.itemsize * TOUCH * moved

    def _calls(self, samples: Samples) -> int:
        together = 1 if samples.rows else max(1, LINE // samples.itemsize)
        return self.left * -(-samples.n // together)


def step(
    shapes: Sequence[Shape],
    first: int,
    last: int,
    outside: tuple[int, int],
    from_last: bool,
    rows: bool,
) -> Step:
    """The step of ``shapes[first:last]``; ``outside`` are ``left`` and ``right``."""
    group, (left, right) = shapes[first:last], outside
    a, b = group[0][0], group[-1][3]
    i, j = (prod(shape[k] for shape in group) for k in (1, 2))
    summed, made = (j * b, a * i) if from_last else (a * j, i * b)
    one_product = rows and right == 1

    def shape(middle: int) -> Shape:
        if not rows:
            return left, middle, -1
        return (-1, middle) if one_product else (-1, middle, right)

    return Step(
        first,
        last,
        left,
        summed,
        made,
        right,
        first == 0 if from_last else last == len(shapes),
        one_product,
        shape(summed),
        shape(made),
        (a, *(n for shape in group for n in shape[1:3]), b),
        _axes(len(group), from_last, one_product),
        (summed, made) if one_product else (made, summed),
        _merging(group),
    )


def _axes(cores: int, from_last: bool, one_product: bool) -> Shape | None:
    """How ``(a, i_1, j_1, i_2, j_2, ..., b)`` becomes the operand."""
    rows, columns, b = range(1, 2 * cores, 2), range(2, 2 * cores + 1, 2), 2 * cores + 1
    made, summed = (0, *rows), (*columns, b)
    if not from_last:
        made, summed = (*rows, b), (0, *columns)
    axes = summed + made if one_product else made + summed
    return None if axes == tuple(range(b + 1)) else axes


def _merging(group: Sequence[Shape]) -> int:
    work, size = 0, prod(group[0][:3])
    for (*_, k), (_, i, j, b) in pairwise(group):
        work += size * k * i * j * b
        size *= i * j
    return work
