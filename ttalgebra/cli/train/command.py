"""The command line of ``ttalgebra train``, and the run itself."""

import argparse
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttalgebra.arrays.errors import FormatError
from ttalgebra.cli.wording import rows

if TYPE_CHECKING:
    from ttalgebra.cli.train.keys import Config
    from ttalgebra.cli.train.samples import Samples
    from ttalgebra.layers import Sequential
    from ttalgebra.learning import History

_ABOUT = "Train a network as a configuration says, on digits, MNIST or your own data."


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = commands.add_parser("train", help=_ABOUT, description=_ABOUT)
    text = "a TOML file, or a .npz with samples x and targets y"
    parser.add_argument("config", metavar="CONFIG", nargs="?", help=text)
    text = "the folder for model, history, picture (default: called as CONFIG)"
    parser.add_argument("--output", metavar="FOLDER", help=text)
    text = "go on with the run in the folder, from its newest checkpoint"
    parser.add_argument("--resume", action="store_true", help=text)
    text = "go on from this checkpoint, such as checkpoint-000012.npz"
    parser.add_argument("--resume-from", metavar="NAME", help=text)
    text = "print a configuration that says every key, and end"
    parser.add_argument("--example", action="store_true", help=text)
    parser.set_defaults(run=run, text=text_of)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read everything, then train, then write; what is wrong is said before."""
    from ttalgebra.cli.train import folder, keys
    from ttalgebra.cli.train.network import network
    from ttalgebra.cli.train.samples import samples

    if args.example:
        example = keys.Config(output="run", data=keys.Data(source="digits"))
        return {"example": keys.text_of(example, explained=True)}
    if args.config is None:
        raise FormatError("name a .toml or a .npz file, or ask for --example")
    config = keys.read(args.config)
    config = replace(config, output=args.output or config.output)
    found = samples(config)
    model = network(config.layers, found.features, found.outputs, config.seed)
    model = found.in_units(model)
    resume = args.resume_from or args.resume
    where = folder.begun(config, resume=bool(resume))
    fitted, history = _fitted(config, found, model, where, args)
    return {
        "data": config.data.source,
        "samples": len(found.fit[0]),
        "network": [layer.name for layer in fitted.layers],
        "parameters": fitted.n_parameters,
        "epochs": len(history),
        **_measured(fitted, found, history),
        "folder": str(where),
        "files": _saved(fitted, history, config, where),
    }


def text_of(result: dict[str, Any]) -> str:
    """One line for each fact; the example as it is."""
    if "example" in result:
        return str(result["example"]).rstrip()
    shown = dict(result)
    shown["network"] = " -> ".join(result["network"])
    shown["files"] = ", ".join(result["files"])
    spelled = {k: f"{x:.6g}" if type(x) is float else x for k, x in shown.items()}
    return rows((name.replace("_", " "), value) for name, value in spelled.items())


def _fitted(
    config: "Config",
    found: "Samples",
    model: "Sequential",
    where: Path,
    args: argparse.Namespace,
) -> "tuple[Sequential, History]":
    """The run, logged and saved as it goes."""
    from ttalgebra import learning
    from ttalgebra.cli.train import folder
    from ttalgebra.cli.train.rules import LOSSES

    n_batches = learning.batch_count(len(found.fit[0]), config.batch_size)
    shown = learning.progress_bar(config.epochs)
    with nullcontext(None) if args.json else shown as bar:
        callbacks: list[learning.Callback] = [
            learning.CSVLog(where / folder.CSV),
            learning.JSONLinesLog(where / folder.JSON_LINES),
            *([bar] if bar else []),
        ]
        if config.patience:
            callbacks.append(learning.EarlyStopping(config.patience))
        return learning.fit(
            model,
            *found.fit,
            loss=LOSSES[found.loss](),
            optimizer=config.optimizer.make(config.epochs * n_batches),
            epochs=config.epochs,
            batch_size=config.batch_size,
            rng=config.seed,
            validation=found.validation,
            callbacks=callbacks,
            on_nonfinite="skip" if config.on_nonfinite == "skip" else "raise",
            checkpoint=learning.Checkpoint(
                where / folder.CHECKPOINTS, config.every or None, config.keep
            ),
            resume=args.resume_from or args.resume,
        )


def _measured(
    model: "Sequential", found: "Samples", history: "History"
) -> dict[str, float]:
    """The last record, and loss and accuracy on the test samples, where there are."""
    from ttalgebra.cli.train.rules import LOSSES
    from ttalgebra.learning import evaluate

    last = dict(history.records[-1]) if len(history) else {}
    measured = {name: x for name, x in last.items() if name not in ("epoch", "seconds")}
    if found.test is not None:
        tested = evaluate(model, LOSSES[found.loss](), *found.test)
        measured |= {f"test_{name}": value for name, value in tested.items()}
    return measured


def _saved(
    model: "Sequential", history: "History", config: "Config", where: Path
) -> list[str]:
    """Write the model and, where matplotlib is installed, the picture."""
    from ttalgebra import layers
    from ttalgebra.cli.train import folder

    layers.save(model, where / folder.MODEL)
    files = [folder.MODEL, folder.CSV, folder.JSON_LINES, folder.CONFIG]
    files.append(folder.VERSIONS)
    try:
        title = f"{config.data.source}: {type(config.optimizer).__name__}"
        folder.draw_history(history, title, where / folder.PICTURE)
    except ImportError:
        return files
    return [*files, folder.PICTURE]
