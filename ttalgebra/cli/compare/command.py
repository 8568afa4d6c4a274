"""The command line of ``ttalgebra compare``, its table and its picture."""

import argparse
from typing import Any

from ttalgebra.cli.arguments import positive
from ttalgebra.cli.table import columns
from ttalgebra.cli.wording import rows

_ABOUT = "Train dense, low-rank, TT, block-term, binary and shift networks alike."
_HEADS = ("system", "parameters", "bytes", "accuracy", "seconds", "ms")
_NOTES = """\
bytes     of all arrays of the stored network
accuracy  of the stored network on the test images{spread}
seconds   to train one seed
ms        for {batch} images through the stored network, the fastest run"""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = commands.add_parser("compare", help=_ABOUT, description=_ABOUT)
    text = "digits, mnist (where TTALGEBRA_DATA says), or a folder with MNIST"
    parser.add_argument("--data", metavar="DATA", default="digits", help=text)
    text = "the picture, accuracy against bytes (default: %(default)s)"
    parser.add_argument(
        "--output", metavar="FILE.png", default="ttalgebra-compare.png",
        type=_picture, help=text,
    )  # fmt: skip
    text = "runs of each network (default: %(default)s)"
    parser.add_argument("--seeds", type=positive, metavar="N", default=3, help=text)
    text = "epochs of each run (default: 40, on MNIST 4)"
    parser.add_argument("--epochs", type=positive, metavar="N", help=text)
    text = "hidden units (default: %(default)s)"
    parser.add_argument("--hidden", type=positive, metavar="N", default=256, help=text)
    text = "15 epochs, on MNIST 1, unless --epochs says another number"
    parser.add_argument("--quick", action="store_true", help=text)
    parser.set_defaults(run=run, text=text_of)


def run(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Train everything; data, drawing and picture are tried before the work begins."""
    from ttalgebra import draw
    from ttalgebra.cli.compare.trials import compete, setting
    from ttalgebra.storage.atomic import require_writable

    draw.require_matplotlib()
    require_writable(args.output)
    chosen = setting(args.data, args.hidden, args.seeds, args.epochs, quick=args.quick)
    table = compete(chosen, quiet=args.json)
    points = [
        draw.Point(row["system"], row["bytes"], row["accuracies"]) for row in table
    ]
    title = f"{chosen.name}: what a network takes and what it gives"
    cost = "bytes of the stored network"
    draw.save(draw.trade_off(points, title, cost), args.output)
    return [row | {"picture": args.output} for row in table]


def text_of(table: list[dict[str, Any]]) -> str:
    """The table, what its columns mean, what the systems are, and the picture."""
    from ttalgebra.cli.compare.trials import BATCH

    first = table[0]
    sizes = f"{first['inputs']} -> {first['hidden']} -> 10"
    epochs = _count(first["epochs"], "epoch")
    runs = f"{epochs} of Adam, {_count(len(first['accuracies']), 'seed')}"
    spread = "" if first["spread"] is None else ", and the seeds' standard deviation"
    return "\n\n".join(
        [
            f"{first['data']}: {sizes}, {runs}",
            columns(_HEADS, [_cells(row) for row in table]),
            _NOTES.format(spread=spread, batch=BATCH),
            rows((row["system"], row["about"]) for row in table),
            f"{first['picture']} shows accuracy against bytes",
        ]
    )


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    spread = "" if row["spread"] is None else f" ± {row['spread']:.4f}"
    return (
        row["system"],
        f"{row['parameters']:,}",
        f"{row['bytes']:,}",
        f"{row['accuracy']:.4f}{spread}",
        f"{row['seconds']:.1f}",
        f"{row['inference_ms']:.2f}",
    )


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _picture(text: str) -> str:
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"must end in .png, got {text[:80]!r}")
    return text
