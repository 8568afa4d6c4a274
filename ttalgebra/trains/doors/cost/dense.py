"""What it costs to meet dense arrays, entries among them."""

from typing import NamedTuple

from ttalgebra.arrays.typing import Cores
from ttalgebra.cores.sweep.plan import Plan, planned
from ttalgebra.cores.sweep.threads import side_by_side
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
    """``A @ X`` for dense ``X``, by its plan: two neighbouring states of a block."""
    return _forward(planned(A, X.n, X.itemsize, rows=X.n == 1))


def apply(A: Cores, X: Dense) -> Cost:
    """``A.apply(X)``, by its plan."""
    return _forward(planned(A, X.n, X.itemsize, rows=True))


def _forward(way: Plan) -> Cost:
    n, itemsize, *_ = way.samples
    result = way.shape[0] * n
    pair = max(sum(step.numbers) for step in way.steps)
    peak = _at_once(way) * way.block * pair + result
    peak += 2 * sum(step.entries for step in way.steps)
    return Cost(way.flops, peak * itemsize, result * itemsize)


def vjp(A: Cores, X: Dense) -> Cost:
    """``A.apply(X)`` and its pullback: one block's states are kept, or made again.

    Of blocks in threads there are as many, and sums that wait.
    """
    way = planned(A, X.n, X.itemsize, rows=True, gradients=True)
    met, at_once = sum(step.numbers[0] for step in way.steps), _at_once(way)
    pair = max(sum(step.numbers) for step in way.steps)
    peak = at_once * way.block * (met + 3 * pair)
    peak += X.n * (way.shape[0] + 2 * way.shape[1])
    peak += (4 + 2 * at_once) * sum(step.entries for step in way.steps)
    kept = X.n * sum(way.shape)
    return Cost(way.flops, peak * X.itemsize, kept * X.itemsize)


def _at_once(way: Plan) -> int:
    """The blocks that are in memory together."""
    blocks = -(-way.samples.n // way.block)
    return min(blocks, side_by_side()) if way.has_large_steps and blocks > 1 else 1


def entries(x: Cores, n: int) -> Cost:
    """``n`` entries at once: a slice of a core for each of them."""
    own = layout_of(x)
    work = sum(2 * n * r * s for r, _, s in own.sites)
    peak = 2 * n * max(r * s for r, _, s in own.sites) * own.itemsize
    return Cost(work, peak, peak)
