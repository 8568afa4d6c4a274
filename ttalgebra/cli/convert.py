"""``ttalgebra convert``: a train or a model from npz to safetensors, or back."""

import argparse
import os
from pathlib import Path
from typing import Any

from ttalgebra.cli.arguments import require_other_file
from ttalgebra.cli.wording import rows

_ABOUT = "Write a train or a model in the format that the name of OUT says."
_SUFFIXES = (".npz", ".safetensors")


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = commands.add_parser("convert", help=_ABOUT, description=_ABOUT)
    text = "what save, compress or another library wrote"
    parser.add_argument("input", metavar="IN", help=text)
    text = f"ends in {' or '.join(_SUFFIXES)}; written whole or not at all"
    parser.add_argument("output", metavar="OUT", type=_target, help=text)
    parser.set_defaults(run=run, text=text_of)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read, verify, write; every check of the output comes before the work."""
    from ttalgebra.storage import read_header
    from ttalgebra.storage.atomic import require_writable

    require_writable(args.output)
    is_model = read_header(args.input).get("kind") == "model"
    require_other_file(args.input, args.output)
    kind = (_model if is_model else _train)(args.input, args.output)
    return {
        "input": args.input,
        "output": args.output,
        "kind": kind,
        "input_bytes": os.path.getsize(args.input),
        "output_bytes": os.path.getsize(args.output),
    }


def _train(source: str, target: str) -> str:
    from ttalgebra.trains.files import load

    x = load(source)
    x.save(target)
    return type(x).__name__


def _model(source: str, target: str) -> str:
    from ttalgebra.layers import load, save

    save(load(source), target)
    return "model"


def text_of(result: dict[str, Any]) -> str:
    """The result for people."""
    return rows(
        [
            ("file", f"{result['input']} -> {result['output']}"),
            ("kind", result["kind"]),
            ("bytes", f"{result['input_bytes']} -> {result['output_bytes']}"),
        ]
    )


def _target(text: str) -> str:
    if Path(text).suffix.lower() not in _SUFFIXES:
        message = f"must end in {' or '.join(_SUFFIXES)}, got {text[:80]!r}"
        raise argparse.ArgumentTypeError(message)
    return text
