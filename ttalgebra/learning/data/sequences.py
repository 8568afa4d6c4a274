"""Sequences that only a long memory can tell apart, drawn from a seed.

Source: Hochreiter & Schmidhuber (1997), as in Arjovsky, Shah & Bengio (2016), whose
program names the symbols as here.
"""

from math import log

import numpy as np

from ttalgebra.arrays.checks import as_count, as_positive
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG
from ttalgebra.learning.data.datasets import Dataset

SYMBOLS, COPIED = 8, 10
BLANK, DELIMITER = 0, SYMBOLS + 1


def copying(n: int, delay: int, *, rng: RNG = None) -> tuple[np.ndarray, np.ndarray]:
    """``n`` sequences to be remembered over ``delay`` steps, and what to answer.

    Ten of eight symbols, ``delay - 1`` blanks, a delimiter, ten blanks: float32
    one-hot vectors ``(n, delay + 20, 10)``. The answer, labels ``(n, delay + 20)``, is
    blank 0 but for the last ten steps, which repeat the symbols 1 to 8.

    >>> from ttalgebra.learning import copying
    >>> x, labels = copying(2, 5, rng=0)
    >>> x.shape, bool((x[:, :10].argmax(axis=2) == labels[:, -10:]).all())
    ((2, 25, 10), True)
    """
    n, delay = as_count(n, "copying: n"), as_positive(delay, "copying: delay")
    symbols = generator(rng).integers(1, SYMBOLS + 1, (n, COPIED))
    given = np.full((n, delay + 2 * COPIED), BLANK)
    given[:, :COPIED] = symbols
    given[:, COPIED + delay - 1] = DELIMITER
    labels = np.full(given.shape, BLANK)
    labels[:, -COPIED:] = symbols
    return np.eye(SYMBOLS + 2, dtype=np.float32)[given], labels


def copying_baseline(delay: int) -> float:
    """The mean cross-entropy of an answer without memory, ``10 log 8 / (delay + 20)``.

    >>> round(copying_baseline(100), 8)
    0.1732868
    """
    delay = as_positive(delay, "copying_baseline: delay")
    return COPIED * log(SYMBOLS) / (delay + 2 * COPIED)


def adding(n: int, steps: int, *, rng: RNG = None) -> tuple[np.ndarray, np.ndarray]:
    """``n`` sequences of numbers, two of them marked, and the sum of the two.

    float32 pairs ``(n, steps, 2)``: uniform in ``[0, 1)``, and a mark that is 1 once
    in each half, else 0. Sums ``(n, 1)`` of mean 1; always answering 1 has the mean
    squared error 1/6.

    >>> from ttalgebra.learning import adding
    >>> x, total = adding(3, 50, rng=0)
    >>> x[:, :, 1].sum(axis=1), bool((x.prod(axis=2).sum(axis=1) == total[:, 0]).all())
    (array([2., 2., 2.], dtype=float32), True)
    """
    n, steps = as_count(n, "adding: n"), as_positive(steps, "adding: steps")
    if steps < 2:
        raise ShapeError("adding: steps must be at least 2, got 1; two are marked")
    draw, half = generator(rng), steps // 2
    x = np.zeros((n, steps, 2), np.float32)
    x[:, :, 0] = draw.random((n, steps), dtype=np.float32)
    rows = np.arange(n)
    total = np.zeros(n, np.float32)
    for low, high in ((0, half), (half, steps)):
        marked = draw.integers(low, high, n)
        x[rows, marked, 1] = 1
        total += x[rows, marked, 0]
    return x, total[:, None]


def pixel_by_pixel(
    data: Dataset, *, permuted: bool = False, rng: RNG = None
) -> Dataset:
    """Images as sequences of one pixel a step, ``(n, pixels, 1)``, row by row.

    ``permuted``: in an order that ``rng`` draws, the same for every image. What was
    near is then far, and a memory must reach over the whole sequence.

    >>> from ttalgebra.learning import digits, pixel_by_pixel
    >>> pixel_by_pixel(digits(), permuted=True, rng=0).x_test.shape
    (360, 64, 1)
    """
    pixels = data.x.shape[1]
    order = generator(rng).permutation(pixels) if permuted else np.arange(pixels)
    x, x_test = (np.ascontiguousarray(a[:, order, None]) for a in (data.x, data.x_test))
    return data._replace(x=x, x_test=x_test)
