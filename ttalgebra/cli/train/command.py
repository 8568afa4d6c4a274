"""The command line of ``ttalgebra train``, and the run itself."""

import argparse
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from ttalgebra.arrays.errors import FormatError
from ttalgebra.cli.wording import rows

if TYPE_CHECKING:
    from ttalgebra.cli.train.folder import Notes
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
    config = keys.read(args.config, args.output)
    found = samples(config)
    model = network(config.layers, found.features, found.outputs, config.seed)
    model = found.without_units(model)
    resume = args.resume_from or args.resume
    notes = folder.begun(config, resume=bool(resume))
    fitted, history = _fitted(notes, found, model, args)
    saved = found.in_units(fitted)
    files = _saved(saved, history, notes)
    return {
        "data": config.data.source,
        "samples": len(found.fit[0]),
        "network": [layer.name for layer in saved.layers],
        "parameters": fitted.n_parameters,
        "epochs": len(history),
        **_measured(fitted, found, history),
        "folder": str(notes.folder),
        "files": files,
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
    notes: "Notes",
    found: "Samples",
    model: "Sequential",
    args: argparse.Namespace,
) -> "tuple[Sequential, History]":
    """The run, logged and saved as it goes."""
    from ttalgebra import learning
    from ttalgebra.cli.train import folder
    from ttalgebra.cli.train.rules import LOSSES

    config, where = notes.config, notes.folder
    n_batches = learning.batch_count(len(found.fit[0]), config.batch_size)
    shown = learning.progress_bar(config.epochs)
    with nullcontext(None) if args.json else shown as bar:
        callbacks: list[learning.Callback] = [
            learning.CSVLog(where / folder.CSV),
            learning.JSONLinesLog(where / folder.JSON_LINES),
            notes,
            *([bar] if bar else []),
            *([learning.EarlyStopping(config.patience)] if config.patience else []),
        ]
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
) -> dict[str, Any]:
    """The last record, and what the test samples give, where there are any."""
    from ttalgebra.cli.train.rules import LOSSES
    from ttalgebra.learning import evaluate

    last = dict(history.records[-1]) if len(history) else {}
    measured: dict[str, Any] = (
        {} if found.y_units is None else {"losses": "in variances of y"}
    )
    measured |= {n: x for n, x in last.items() if n not in ("epoch", "seconds")}
    if found.test is not None:
        tested = evaluate(model, LOSSES[found.loss](), *found.test)
        measured |= {f"test_{name}": value for name, value in tested.items()}
    return measured


def _saved(model: "Sequential", history: "History", notes: "Notes") -> list[str]:
    """Write the model and, where matplotlib is installed, the picture."""
    from ttalgebra import layers
    from ttalgebra.cli.train import folder

    config, where = notes.config, notes.folder
    layers.save(model, where / folder.MODEL)
    files = [folder.MODEL, folder.CSV, folder.JSON_LINES, folder.CONFIG]
    files.append(folder.VERSIONS)
    try:
        title = f"{config.data.source}: {type(config.optimizer).__name__}"
        folder.draw_history(history, title, where / folder.PICTURE)
    except ImportError:
        return files
    return [*files, folder.PICTURE]
