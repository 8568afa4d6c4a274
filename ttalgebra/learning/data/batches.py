"""Minibatches: every sample once an epoch, in an order that two integers fix."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np


def stream(seed: int, epoch: int, batch: int) -> np.random.Generator:
    """The random numbers of one batch: a function of its place, not of its past.

    So a run may go on from any epoch as if it had never been interrupted. Batch 0
    draws the order of the epoch, batch ``k >= 1`` what its layers need.
    """
    return np.random.default_rng((seed, epoch, batch))


def minibatches(n: int, batch_size: int, seed: int, epoch: int) -> Iterator[np.ndarray]:
    """The indices of each batch; the last one holds what is left.

    A single one that is left joins the batch before: nothing can be normalised over a
    batch of one sample.

    >>> from ttalgebra.learning import minibatches
    >>> [len(batch) for batch in minibatches(10, 4, seed=0, epoch=1)]
    [4, 4, 2]
    >>> [len(batch) for batch in minibatches(9, 4, seed=0, epoch=1)]
    [4, 5]
    """
    order = stream(seed, epoch, 0).permutation(n)
    starts = range(0, n, batch_size)[: batch_count(n, batch_size)]
    for start, end in pairwise([*starts, n]):
        yield order[start:end]


def batch_count(n: int, batch_size: int) -> int:
    """How many batches `minibatches` makes of ``n`` samples."""
    whole, left = divmod(n, batch_size)
    return max(whole + (left > 1), min(n, 1))
