"""What it costs to meet dense arrays, entries among them."""

from itertools import pairwise
from math import prod
from typing import NamedTuple

from ttalgebra.arrays.typing import Cores
from ttalgebra.trains.doors.cost.prediction import Cost, layout_of


class Dense(NamedTuple):
    """A dense operand: its columns or samples, and the bytes of a number."""

    n: int
    itemsize: int


def to_dense(x: Cores) -> Cost:
    """The last product dominates, and its axes in order."""
    own, done, work, peak = layout_of(x), 1, 0, 0
    for r, n, s in own.sites:
        before, done = done * r, done * n
        work += 2 * before * n * s
        peak = max(peak, (before + 2 * done * s) * own.itemsize)
    return Cost(work, peak, done * own.itemsize)


def matmat(A: Cores, X: Dense) -> Cost:
    """``A @ X`` for dense ``X``: two neighbouring states at the peak."""
    (n, item), work = X, 0
    to_come = prod(core.shape[2] for core in A) * n
    states, done = [to_come], 1
    for a, i, j, b in (core.shape for core in A):
        to_come, done = to_come // j, done * i
        work += 2 * (done // i) * a * i * j * b * to_come
        states.append(done * b * to_come)
    peak = max(before + after for before, after in pairwise(states))
    peak += max(prod(core.shape) for core in A) + states[0]
    return Cost(work, peak * item, states[-1] * item)


def vjp(A: Cores, X: Dense) -> Cost:
    """``A @ X`` and its pullback: three times the work, and every state is kept."""
    forward, (n, item) = matmat(A, X), X
    shapes, done, to_come = [], 1, prod(core.shape[2] for core in A) * n
    for a, i, j, _ in (core.shape for core in A):
        shapes.append(done * a * to_come)
        done, to_come = done * i, to_come // j
    kept = sum(shapes) * item + sum(prod(core.shape) for core in A) * item
    return Cost(3 * forward.flops, kept + 2 * forward.peak_bytes, kept)


def entries(x: Cores, n: int) -> Cost:
    """``n`` entries at once: a slice of a core for each of them."""
    own = layout_of(x)
    work = sum(2 * n * r * s for r, _, s in own.sites)
    peak = 2 * n * max(r * s for r, _, s in own.sites) * own.itemsize
    return Cost(work, peak, peak)
