"""The command line of ``ttalgebra compress``: a matrix or a network is meant."""

import argparse
import math
from os.path import realpath
from typing import Any

from ttalgebra.cli.arguments import positive
from ttalgebra.cli.compress import matrix, network

_ABOUT = "Compress a matrix (.npy), a network or a checkpoint (.safetensors) by TT-SVD."
_LEAST = 4096
_ONE = "exactly one of --budget, --tol, --max-rank is needed for a network"


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = commands.add_parser("compress", help=_ABOUT, description=_ABOUT)
    text = f"a matrix in a .npy, or a network: {', '.join(network.SUFFIXES)}"
    parser.add_argument("input", metavar="IN", help=text)
    parser.add_argument("output", metavar="OUT", help="written whole or not at all")
    modes = "for a matrix: digits of the {} index, such as 4,8,8,4"
    for name, index in (("rows", "row"), ("cols", "column")):
        parser.add_argument(f"--{name}", type=_modes, help=modes.format(index))
    text = "relative Frobenius error of the result, of each matrix in a network"
    parser.add_argument("--tol", type=_tolerance, help=text)
    text = "bound on the ranks; for a matrix it wins over --tol"
    parser.add_argument("--max-rank", type=positive, metavar="R", help=text)
    text = "for a network: bytes that all its arrays may take, shared among them"
    parser.add_argument("--budget", type=positive, metavar="BYTES", help=text)
    text = f"for a checkpoint: leave matrices of fewer numbers (default: {_LEAST})"
    parser.add_argument("--min-parameters", type=positive, metavar="N", help=text)
    text = "for a network: write the decisions as JSON"
    parser.add_argument("--report", metavar="FILE.json", help=text)
    text = "for a network: draw the bytes before and after"
    parser.add_argument("--picture", metavar="FILE.png", help=text)
    parser.set_defaults(run=run, text=text_of, parser=parser)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Do what the names and options mean; exit with 2 where they contradict."""
    is_network = args.input.lower().endswith(network.SUFFIXES)
    if is_network and args.rows is None and args.cols is None:
        _require_network(args)
        return network.run(args)
    _require_matrix(args)
    return matrix.run(args)


def text_of(result: dict[str, Any]) -> str:
    """The result for people."""
    if "decisions" in result:
        return network.text_of(result)
    return matrix.text_of(result)


def _require_matrix(args: argparse.Namespace) -> None:
    missing = [f"--{name}" for name in ("rows", "cols") if getattr(args, name) is None]
    if missing:
        args.parser.error(f"{', '.join(missing)} must be given for a matrix")
    for name in ("budget", "min_parameters", "report", "picture"):
        if getattr(args, name) is not None:
            option = f"--{name.replace('_', '-')}"
            args.parser.error(f"{option} is for networks, which have no --rows")


def _require_network(args: argparse.Namespace) -> None:
    asked = (args.budget, args.tol, args.max_rank)
    if sum(value is not None for value in asked) != 1:
        args.parser.error(_ONE)
    if not args.output.lower().endswith(network.SUFFIXES[:2]):
        args.parser.error("OUT must end in .safetensors, or in .npz for a model")
    outputs = [args.output, args.report, args.picture]
    named = [realpath(path) for path in outputs if path is not None]
    if len(set(named)) < len(named):
        args.parser.error("output, --report and --picture must be different files")
    if args.min_parameters is None:
        args.min_parameters = _LEAST


def _modes(text: str) -> tuple[int, ...]:
    modes = tuple(positive(part) for part in text.split(","))
    if math.prod(modes) >= 2**63:
        raise argparse.ArgumentTypeError("the product is beyond any file")
    return modes


def _tolerance(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        message = f"{text[:40]!r} is not a number"
        raise argparse.ArgumentTypeError(message) from None
    if not 0 <= number < math.inf:
        message = f"must be finite and at least 0, got {number}"
        raise argparse.ArgumentTypeError(message)
    return number
