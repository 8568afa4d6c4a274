"""``ttalgebra demo``: the same network with dense and with TT hidden layers, on digits.

The main job: it trains on real handwritten digits, prints what each hidden layer costs
and what it buys, and leaves the best TT model and two pictures in a folder.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttalgebra.cli.arguments import positive
from ttalgebra.cli.table import columns

if TYPE_CHECKING:
    from ttalgebra.cli.contest import Entry, Run, Setting

_ABOUT = "Train dense and TT networks on handwritten digits and compare them."
FILES = ("model.npz", "trade-off.png", "learning.png")
_HEADS = (
    "hidden layer",
    "parameters",
    "compression",
    "bytes",
    "test accuracy",
    "range",
    "seconds",
)


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = commands.add_parser("demo", help=_ABOUT, description=_ABOUT)
    text = "a folder with MNIST in IDX format; by default scikit-learn's digits"
    parser.add_argument("--data", metavar="FOLDER", help=text)
    text = "where model and pictures go (default: %(default)s)"
    parser.add_argument(
        "--output", metavar="FOLDER", default="ttalgebra-demo", help=text
    )
    text = "runs of each network (default: %(default)s)"
    parser.add_argument("--seeds", type=positive, metavar="N", default=3, help=text)
    text = "epochs of each run (default: 40, on MNIST 4)"
    parser.add_argument("--epochs", type=positive, metavar="N", help=text)
    parser.set_defaults(run=run, text=text_of)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Train everything; data, drawing and folder are tried before the work begins."""
    from ttalgebra import draw
    from ttalgebra.cli.contest import compete, setting

    chosen = setting(args.data, args.seeds, args.epochs)
    draw.require_matplotlib()
    folder = _writable(Path(args.output))
    entries = compete(chosen, quiet=args.json)
    dense = entries[0].parameters
    return {
        "data": chosen.name,
        "network": _described(chosen),
        "rows": [entry.row(dense) for entry in entries],
        "remarks": _remarks(entries, chosen),
        "folder": str(folder),
        "files": _saved(entries, chosen, folder),
    }


def text_of(result: dict[str, Any]) -> str:
    """One table, what does not pay, and where the files are."""
    body = [
        (
            row["system"],
            f"{row['parameters']:,}",
            f"{row['compression']:.1f}",
            f"{row['bytes']:,}",
            f"{row['accuracy']:.4f}",
            f"{min(row['accuracies']):.4f}-{max(row['accuracies']):.4f}",
            f"{row['seconds']:.1f}",
        )
        for row in result["rows"]
    ]
    where = f"{', '.join(result['files'])} are in {result['folder']}"
    parts = [f"{result['data']}: {result['network']}", columns(_HEADS, body)]
    return "\n\n".join([*parts, "\n".join(result["remarks"]), where])


def _described(chosen: "Setting") -> str:
    M, N = chosen.shape
    modes = " ".join(f"{m}x{n}" for m, n in zip(*chosen.modes, strict=True))
    runs = f"{chosen.epochs} epochs of Adam, {chosen.seeds} seeds"
    return f"{N} -> {M} -> ReLU -> 10, TT modes {modes}, {runs}"


def _remarks(entries: "list[Entry]", chosen: "Setting") -> list[str]:
    """Where compression does not pay, with the numbers that say so."""
    from ttalgebra.cli.contest import kept_parameters

    dense, *_, cut, tuned = (entry.row(entries[0].parameters) for entry in entries)
    said = []
    for tol, kept in kept_parameters(entries[0], chosen).items():
        verdict = "does not pay" if kept >= dense["parameters"] else "pays little"
        if 2 * kept > dense["parameters"]:
            numbers = f"{kept:,} parameters, dense {dense['parameters']:,}"
            said.append(
                f"TT-SVD of the dense weight to tol={tol:g} {verdict}: {numbers}."
            )
    lost = f"{dense['accuracy']:.4f} -> {cut['accuracy']:.4f}"
    regained = f"fine-tuning brings {tuned['accuracy']:.4f}"
    said.append(f"Cutting a trained dense weight loses accuracy, {lost}; {regained}.")
    factors = {e.name: e.row(1)["seconds"] / dense["seconds"] for e in entries[1:-2]}
    slower = [
        f"{name} {factor:.1f}" for name, factor in factors.items() if factor > 1.2
    ]
    if slower:
        said.append(f"Training takes longer than dense by factors: {', '.join(slower)}")
    name, best = _best(entries)
    said.append(f"model.npz is {name}, best on the test set: {best.accuracy:.4f}.")
    return said


def _saved(entries: "list[Entry]", chosen: "Setting", folder: Path) -> list[str]:
    """The best TT model and the pictures; the names of their files."""
    from ttalgebra import draw, layers

    layers.save(_best(entries)[1].model, folder / FILES[0])
    trained = [entry for entry in entries if entry.runs[0].curve]
    points = [draw.Point(e.name, e.parameters, e.accuracies) for e in trained]
    title = f"{chosen.name}: what a hidden layer costs and what it buys"
    cost = "parameters of the hidden layer's matrix"
    draw.save(draw.trade_off(points, title, cost), folder / FILES[1])
    curves = {e.name: [run.curve for run in e.runs] for e in trained}
    title = f"{chosen.name}: learning curves, worst to best seed shaded"
    draw.save(draw.learning_curves(curves, title), folder / FILES[2])
    return list(FILES)


def _best(entries: "list[Entry]") -> "tuple[str, Run]":
    """The TT network of the highest test accuracy, and the name of its entry."""
    runs = ((entry.name, run) for entry in entries[1:] for run in entry.runs)
    return max(runs, key=lambda named: named[1].accuracy)


def _writable(folder: Path) -> Path:
    """The folder, made if need be; OSError where its files could not be written."""
    from ttalgebra.storage.atomic import require_writable

    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        require_writable(folder / name)
    return folder
