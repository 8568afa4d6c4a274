"""Measurements as a table, as JSON values and as a picture."""

import math
import os
import platform
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from ttalgebra.cli.bench.machine import Machine
from ttalgebra.cli.bench.workload import OURS, Result
from ttalgebra.cli.table import columns

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
HEADS = ("workload", "ms", "error", "/ best peer", "at most", "/ limit", "at most")
NOTE = """\
ms of the best run; the limit is max(flops / GEMM rate, bytes / copy bandwidth).
A peer in brackets gave a wrong answer: its time does not count."""


def table(found: Sequence[Result]) -> str:
    """For each workload a row of ours, with ratios and bars, and one for each peer."""
    return columns(HEADS, [row for result in found for row in _rows(result)])


def _rows(result: Result) -> list[tuple[str, ...]]:
    work, ours = result.workload, result.times[OURS]
    wrong = "" if result.is_right else " (wrong)"
    head = (
        work.name + wrong, _ms(ours.seconds), f"{ours.error:.1e}",
        _ratio(result.to_best), _bar(work.best),
        _ratio(result.to_limit), _bar(work.limit),
    )  # fmt: skip
    peers = sorted((t.seconds, n) for n, t in result.times.items() if n != OURS)
    return [
        head,
        *(_peer(name, seconds, result) for seconds, name in peers),
        ("  limit", _ms(result.least), "", "", "", "", ""),
    ]


def _peer(name: str, seconds: float, result: Result) -> tuple[str, ...]:
    shown = f"  {name}" if name in result.right else f"  [{name}]"
    ratio = _ratio(seconds / result.least)
    error = result.times[name].error
    return (shown, _ms(seconds), f"{error:.1e}", "", "", ratio, "")


def _ms(seconds: float) -> str:
    digits = max(0, 2 - math.floor(math.log10(seconds * 1e3)))
    return f"{seconds * 1e3:,.{min(digits, 4)}f}"


def _ratio(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3g}"


def _bar(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def setting(machine: Machine) -> str:
    """What the table means, and on what it was measured."""
    threads = os.environ.get(THREADS[0], "as many")
    double, single = machine.f8 / 1e9, machine.f4 / 1e9
    return (
        f"{NOTE}\n{platform.machine()}, NumPy {np.__version__}, {threads} thread(s); "
        f"GEMM {double:.0f} GFlop/s in double, {single:.0f} in single precision; "
        f"copy {machine.copied / 1e9:.1f} GB/s; {date.today()}"
    )


def picture(found: Sequence[Result], path: str) -> None:
    """Time against size, a panel for each series, and the limit; a PNG file."""
    from ttalgebra import draw

    panels: dict[tuple[str, str], dict[str, list[tuple[float, float]]]] = {}
    for result in found:
        work = result.workload
        curves = panels.setdefault((work.series, work.unit), {})
        seconds = {name: result.times[name].seconds for name in (OURS, *result.right)}
        for name, time in (seconds | {"limit": result.least}).items():
            curves.setdefault(name, []).append((work.size, time))
    draw.save(draw.growth(panels), path)


def plain(found: Sequence[Result], machine: Machine) -> dict[str, Any]:
    """The same as values that JSON knows; None for a ratio or error that is none."""
    return {
        "gemm_f4": machine.f4,
        "gemm_f8": machine.f8,
        "copy": machine.copied,
        "workloads": [
            {
                "name": r.workload.name,
                "series": r.workload.series,
                "size": r.workload.size,
                "unit": r.workload.unit,
                "seconds": {name: t.seconds for name, t in r.times.items()},
                "errors": {name: _finite(t.error) for name, t in r.times.items()},
                "allowed": r.workload.allowed,
                "limit": r.least,
                "to_best": _finite(r.to_best),
                "to_limit": r.to_limit,
                "bars": [r.workload.best, r.workload.limit],
            }
            for r in found
        ],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
