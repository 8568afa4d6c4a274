"""The command line: files in, files out, one line for whatever is wrong.

A command is a file or a folder in this room and a name in ``COMMANDS``. It has
``add(commands)``, which declares its arguments and sets the defaults ``run`` and
``text``; ``run(args)`` does the work and returns plain JSON values, ``text(result)``
says them to people.
Exit codes: 0 done, 1 the data are at fault, 2 the command line is, 130 interrupted,
143 terminated after saving.
"""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

from ttalgebra.arrays.errors import TTError
from ttalgebra.cli.wording import one_line, reason

COMMANDS = ("demo", "compare", "train", "compress", "convert", "info", "bench")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that ``argv`` says, ``sys.argv`` by default; the exit code."""
    args = _parser().parse_args(argv)
    try:
        _show(args.run(args), args)
    except KeyboardInterrupt as error:
        code = getattr(error, "exit_code", 130)  # 143 where SIGTERM stopped a run
        return _failed(args.command, str(error) or "interrupted", code)
    except BrokenPipeError:  # whoever read our output has seen enough
        _abandon_stdout()
        return 1
    except (TTError, OSError, TypeError, MemoryError, ImportError) as error:
        return _failed(args.command, reason(error), 1)
    return 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a command line in one line."""

    def error(self, message: str) -> NoReturn:
        help_ = f"see {self.prog} --help"
        self.exit(2, f"{self.prog}: {one_line(message)}; {help_}\n")


def _parser() -> argparse.ArgumentParser:
    from ttalgebra import __version__

    about = "Tensor trains from the command line."
    parser = _Parser(prog="ttalgebra", description=about, allow_abbrev=False)
    version = f"%(prog)s {__version__}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        importlib.import_module(f"ttalgebra.cli.{name}").add(commands)
    for command in commands.choices.values():
        command.allow_abbrev = False
        text = "print the result as JSON, in one line"
        command.add_argument("--json", action="store_true", help=text)
    return parser


def _show(result: Any, args: argparse.Namespace) -> None:
    text = json.dumps(result, allow_nan=False) if args.json else args.text(result)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    printable = text.encode(encoding, "backslashreplace").decode(encoding)
    try:
        print(printable, flush=True)
    except OSError:
        _abandon_stdout()
        raise


def _failed(command: str, message: str, code: int) -> int:
    with suppress(OSError):
        print(f"ttalgebra {command}: {one_line(message)}", file=sys.stderr)
    return code


def _abandon_stdout() -> None:
    """Let what is left in its buffer go nowhere, or Python complains when it exits."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
