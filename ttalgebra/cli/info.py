"""``ttalgebra info``: what a file of ours holds, every byte of it verified."""

import argparse
import os
from typing import TYPE_CHECKING, Any

from ttalgebra.cli.wording import finite, rows, sequence, size

if TYPE_CHECKING:
    from ttalgebra.layers import Layer
    from ttalgebra.trains.matrix import TTMatrix

_ABOUT = "Say what a file of a train, a model or a run holds, and verify it."


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = commands.add_parser("info", help=_ABOUT, description=_ABOUT)
    parser.add_argument("file", metavar="FILE", help="what save or compress wrote")
    parser.set_defaults(run=run, text=text_of)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read the file, as its header says, and describe what came out."""
    from ttalgebra.storage import read_header

    kinds = {"model": _model, "checkpoint": _checkpoint}
    about = kinds.get(str(read_header(args.file).get("kind")), _train)(args.file)
    return {"file": args.file, "file_bytes": os.path.getsize(args.file), **about}


def _train(path: str) -> dict[str, Any]:
    from ttalgebra.trains.files import load
    from ttalgebra.trains.matrix import TTMatrix

    x = load(path)
    return {
        "kind": type(x).__name__,
        "shape": [size(n) for n in x.shape],
        **(_pairs_of(x) if isinstance(x, TTMatrix) else {"modes": x.modes}),
        "ranks": x.ranks,
        "parameters": x.n_parameters,
        "compression": finite(x.compression),
        "bytes": x.nbytes,
        "dtype": str(x.dtype),
        "norm": finite(x.norm()),
        "log_norm": finite(x.log_norm()),
    }


def _pairs_of(A: "TTMatrix") -> dict[str, Any]:
    return {"row_modes": A.row_modes, "col_modes": A.col_modes}


def _model(path: str) -> dict[str, Any]:
    from ttalgebra.layers import load

    model = load(path)
    return {
        "kind": "model",
        "layers": [_layer(layer) for layer in model.layers],
        "parameters": model.n_parameters,
        "bytes": model.nbytes,
    }


def _checkpoint(path: str) -> dict[str, Any]:
    from ttalgebra.learning.runs.content import summary
    from ttalgebra.storage import read

    return {"kind": "checkpoint", **summary(read(path))}


def _layer(layer: "Layer") -> dict[str, Any]:
    about = {
        "layer": layer.name,
        "parameters": layer.n_parameters,
        "bytes": layer.nbytes,
    }
    weight = getattr(layer, "weight", None)
    if weight is None:
        return about
    shape = {"weight_shape": [size(n) for n in weight.shape]}
    return about | shape | ({"ranks": weight.ranks} if hasattr(weight, "ranks") else {})


def text_of(result: dict[str, Any]) -> str:
    """What the file holds, one property a line."""
    file = ("file", f"{result['file']}, {result['file_bytes']} bytes, whole")
    if result["kind"] == "model":
        return rows([file, ("kind", "model"), *_model_rows(result)])
    if result["kind"] == "checkpoint":
        skipped = ("file", "file bytes")
        named = ((n.replace("_", " "), str(x)) for n, x in result.items())
        lines = (line for line in named if line[0] not in skipped)
        return rows([file, *lines])
    return rows([file, ("kind", result["kind"]), *_train_rows(result)])


def _train_rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    if "modes" in result:
        modes = [str(n) for n in result["modes"]]
    else:
        pairs = zip(result["row_modes"], result["col_modes"], strict=True)
        modes = [f"{m}x{n}" for m, n in pairs]
    compression, norm = result["compression"], result["norm"]
    in_logs = f"exp({result['log_norm']})"
    return [
        ("shape", f"{sequence(result['shape'], ' x ')} {result['dtype']}"),
        ("modes", sequence(modes)),
        ("ranks", sequence(result["ranks"])),
        ("parameters", f"{result['parameters']} in {result['bytes']} bytes"),
        ("compression", "above 1e308" if compression is None else f"{compression:.4g}"),
        ("norm", in_logs if norm is None else f"{norm:.16g}"),
    ]


def _model_rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    listed = [
        (f"layer {k}", f"{_layer_words(layer)}, {layer['parameters']} parameters")
        for k, layer in enumerate(result["layers"])
    ]
    count = f"{result['parameters']} in {result['bytes']} bytes"
    return [*listed, ("parameters", count)]


def _layer_words(layer: dict[str, Any]) -> str:
    shape = layer.get("weight_shape")
    words = (
        layer["layer"] if shape is None else f"{layer['layer']} {shape[0]} x {shape[1]}"
    )
    return f"{words}, ranks {sequence(layer['ranks'])}" if "ranks" in layer else words
