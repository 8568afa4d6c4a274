"""The command line that the files in ``benchmarks/`` share."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable

from ttalgebra.cli.arguments import positive
from ttalgebra.cli.bench.machine import measured
from ttalgebra.cli.bench.report import THREADS, picture, plain, setting, table
from ttalgebra.cli.bench.workload import Result, Workload, growing, results

Works = Callable[[bool], Iterable[Workload]]


def main(about: str, workloads: Works, growth: Works) -> int:
    """Measure ``workloads(quick)`` as the command line says; the exit code.

    With ``--draw`` also the series of ``growth(quick)``, and only they are drawn:
    a peer where it was right, up to the first size that took it longer than
    `workload.PATIENCE`. The code is 1 where one of our answers is wrong.
    """
    asked = _arguments(about)
    if asked.threads:
        _with_threads(str(asked.threads))
    machine = measured()
    found = _measured(results(workloads(asked.quick), machine), shown=not asked.json)
    if asked.draw:
        larger = growing(growth(asked.quick), machine)
        drawn = _measured(larger, shown=not asked.json)
        picture(drawn, asked.draw)
        found += drawn
    print(json.dumps(plain(found, machine)) if asked.json else setting(machine))
    return 0 if all(result.is_right for result in found) else 1


def _measured(results: Iterable[Result], *, shown: bool) -> list[Result]:
    found = []
    for result in results:
        found.append(result)
        if shown:
            print(table([result]), end="\n\n", flush=True)
    return found


def _arguments(about: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, seconds")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--draw", metavar="FILE.png", help="how time grows with size")
    parser.add_argument("--threads", type=positive, metavar="N", help="threads of BLAS")
    return parser.parse_args()


def _with_threads(count: str) -> None:
    """Begin again unless BLAS started with ``count`` threads: it asks only once."""
    if any(os.environ.get(name) != count for name in THREADS):
        os.environ.update(dict.fromkeys(THREADS, count))
        os.execv(sys.executable, [sys.executable, *sys.argv])
