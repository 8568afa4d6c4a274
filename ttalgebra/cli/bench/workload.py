"""One piece of work, everyone who does it, and how long each takes."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, NamedTuple

from ttalgebra.cli.bench.machine import Machine

OURS = "ttalgebra"
ENOUGH = 0.5  # seconds for a contestant; who takes longer runs three times at least
FEWEST, MOST = 3, 200
PATIENCE = 1.0  # seconds: a slower peer is not asked for a larger size
SHORTEST = 2e-3  # seconds: what takes less is repeated within a measurement


@dataclass(frozen=True)
class Workload:
    """Contestants who compute the same thing from inputs that lie ready.

    ``contestants`` are calls without arguments that return a result, ours first and
    named ``ttalgebra``. ``error`` is the relative error of anybody's result; above
    ``allowed`` the answer is wrong and its time does not count. ``flops`` and ``bytes``
    (read and written) are the least that the work needs, ``dtype`` (f4 or f8) says at
    which rate. ``best`` and ``limit`` are the bars: our time over that of the best
    peer and over the limit, at most. Workloads of one ``series`` differ in ``size``, a
    number of ``unit``, against which they are drawn.
    """

    name: str
    contestants: Mapping[str, Callable[[], Any]]
    error: Callable[[Any], float]
    allowed: float
    flops: float
    bytes: float
    dtype: str = "f8"
    best: float | None = None
    limit: float | None = None
    series: str = ""
    size: float = 0.0
    unit: str = ""

    def along(self, series: str, size: float, unit: str) -> "Workload":
        """The same as a point of a series, without bars."""
        return replace(self, series=series, size=size, unit=unit, best=None, limit=None)


class Time(NamedTuple):
    """The best time of a contestant, and the error of what came out."""

    seconds: float
    error: float


@dataclass(frozen=True)
class Result:
    """A workload with the times of its contestants and the limit of the machine."""

    workload: Workload
    times: Mapping[str, Time]
    least: float

    @property
    def is_right(self) -> bool:
        """Whether our own answer is as close as it has to be."""
        return self.times[OURS].error <= self.workload.allowed

    @property
    def right(self) -> dict[str, float]:
        """Seconds of the peers whose answers are right."""
        allowed = self.workload.allowed
        return {
            name: time.seconds
            for name, time in self.times.items()
            if name != OURS and time.error <= allowed
        }

    @property
    def to_best(self) -> float:
        """Our time over that of the best peer; NaN where no peer is right, or we."""
        if not (self.right and self.is_right):
            return math.nan
        return self.times[OURS].seconds / min(self.right.values())

    @property
    def to_limit(self) -> float:
        """Our time over the limit."""
        return self.times[OURS].seconds / self.least


def growing(workloads: Iterable[Workload], machine: Machine) -> Iterator[Result]:
    """`results` of series, each of which goes from small to large.

    A peer that took longer than `PATIENCE` is left out of the rest of its series.
    """
    slow: set[tuple[str, str]] = set()
    for work in workloads:
        calls, series = work.contestants, work.series
        asked = {name: calls[name] for name in calls if (series, name) not in slow}
        for result in results([replace(work, contestants=asked)], machine):
            yield result
            took = {n: t.seconds for n, t in result.times.items() if n != OURS}
            slow |= {(series, name) for name in took if took[name] > PATIENCE}


def results(workloads: Iterable[Workload], machine: Machine) -> Iterator[Result]:
    """Measure one workload after another; the contestants of each take turns.

    The best of their runs counts: whatever else the machine does only adds to a time.
    """
    for work in workloads:
        least = machine.limit(work.flops, work.bytes, work.dtype)
        yield Result(work, _times(work), least)


def _times(work: Workload) -> dict[str, Time]:
    first = {name: _first(call, work.error) for name, call in work.contestants.items()}
    inner = {name: max(1, round(SHORTEST / t.seconds)) for name, t in first.items()}
    best = {name: time.seconds for name, time in first.items()}
    for turn in range(MOST):
        again = [name for name in best if turn < _runs(first[name].seconds)]
        if not again:
            break
        for name in again:
            found = _seconds(work.contestants[name], inner[name])
            best[name] = min(best[name], found)
    return {name: Time(best[name], first[name].error) for name in best}


def _runs(seconds: float) -> int:
    """How often who takes ``seconds`` runs again after its first two runs."""
    if seconds > 10 * ENOUGH:  # nothing else on the machine takes that long
        return 1
    return min(MOST, max(FEWEST, round(ENOUGH / max(seconds, SHORTEST))))


def _first(call: Callable[[], Any], error: Callable[[Any], float]) -> Time:
    """The error of a first result, which also warms up; the time of a second."""
    wrong = float(error(call()))
    return Time(_seconds(call, 1), math.inf if math.isnan(wrong) else wrong)


def _seconds(call: Callable[[], Any], times: int) -> float:
    began = perf_counter()
    for _ in range(times):
        call()
    return (perf_counter() - began) / times
