"""A model of ours, or a checkpoint of others, becomes smaller; and says how."""

import argparse
import json
from os.path import getsize
from typing import Any

from ttalgebra.arrays.errors import FormatError
from ttalgebra.cli.arguments import require_other_file
from ttalgebra.cli.wording import rows

SUFFIXES = (".npz", ".safetensors", ".safetensors.index.json")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Compress and save; every check of the outputs comes before the work."""
    from ttalgebra.layers.compression.aim import Aim
    from ttalgebra.storage.atomic import replace, require_writable

    for path in filter(None, (args.output, args.report, args.picture)):
        require_writable(path)
    if args.picture:
        from ttalgebra import draw

        draw.require_matplotlib()
    aim = Aim.of(args.budget, args.tol, args.max_rank)
    report, about = _compressed(args, aim)
    result = {"input": args.input, "output": args.output, **about}
    result["output_bytes"] = getsize(args.output)
    result |= report.as_dict() | {"picture": args.picture}
    if args.picture:
        draw.save(draw.bytes_kept(report), args.picture)
    if args.report:
        text = json.dumps(result, allow_nan=False, indent=1)
        replace(args.report, [text.encode("ascii"), b"\n"])
    return result


def _compressed(args: argparse.Namespace, aim: Any) -> tuple[Any, dict[str, Any]]:
    """The report, what the input is, and how many bytes it has."""
    from ttalgebra.cli.compress import checkpoint

    source = None
    if not args.input.lower().endswith(".npz"):
        source = checkpoint.open_checkpoint(args.input)
    files = source.files if source is not None else (args.input,)
    for file in files:
        for path in filter(None, (args.output, args.report, args.picture)):
            require_other_file(file, path)
    if source is None or _is_model(args.input, source):
        size = getsize(args.input)
        report = _model(args.input, args.output, aim)
        return report, {"kind": "model", "input_bytes": size}
    if args.output.lower().endswith(".npz"):
        message = f"{args.output}: a checkpoint becomes a .safetensors"
        raise FormatError(f"{message}; only a model that save wrote becomes a .npz")
    size = checkpoint.file_bytes(source)
    report = checkpoint.compressed(source, args.output, aim, args.min_parameters)
    return report, {"kind": "checkpoint", "input_bytes": size}


def _is_model(path: str, source: Any) -> bool:
    from ttalgebra.cli.compress.checkpoint import OURS
    from ttalgebra.storage import read_header

    return OURS in source.metadata and read_header(path).get("kind") == "model"


def _model(source: str, target: str, aim: Any) -> Any:
    from ttalgebra.layers import compress, load, save

    small, report = compress(
        load(source), budget=aim.budget, tol=aim.tol, max_rank=aim.max_rank
    )
    save(small, target)
    return report


def text_of(result: dict[str, Any]) -> str:
    """The table of the report, then the files."""
    from ttalgebra.layers.compression.report import CompressionReport

    fields = ("decisions", "before", "after", "aim")
    report = CompressionReport.from_dict({name: result[name] for name in fields})
    files = [
        ("file", f"{result['input']} -> {result['output']}"),
        ("kind", result["kind"]),
        ("file bytes", f"{result['input_bytes']:,} -> {result['output_bytes']:,}"),
    ]
    if result["picture"]:
        files.append(("picture", result["picture"]))
    return f"{report}\n\n{rows(files)}"
