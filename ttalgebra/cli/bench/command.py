"""``ttalgebra bench``: a minute of measurements, against textbooks and the machine."""

import argparse
from typing import Any

from ttalgebra.cli.bench.machine import measured
from ttalgebra.cli.bench.quick import workloads
from ttalgebra.cli.bench.report import plain, setting, table
from ttalgebra.cli.bench.workload import results

_ABOUT = "Time the main operations against NumPy's textbook forms and the machine."


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = commands.add_parser("bench", help=_ABOUT, description=_ABOUT)
    parser.set_defaults(run=run, text=text_of)


def run(_: argparse.Namespace) -> dict[str, Any]:
    """Measure everything, with the threads that BLAS has."""
    machine = measured()
    found = list(results(workloads(), machine))
    shown = f"{table(found)}\n\n{setting(machine)}"
    return plain(found, machine) | {"table": shown}


def text_of(result: dict[str, Any]) -> str:
    """The table."""
    return str(result["table"])
