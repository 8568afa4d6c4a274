"""What a run leaves behind, and whether a folder may take it."""

import errno
import json
import platform
import warnings
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from ttalgebra.arrays.errors import FormatError
from ttalgebra.cli.train.keys import Config, read, text_of
from ttalgebra.cli.wording import one_line
from ttalgebra.learning import Checkpoint, History, Progress
from ttalgebra.storage.atomic import replace

CONFIG, VERSIONS, MODEL = "config.toml", "versions.jsonl", "model.npz"
CSV, JSON_LINES, PICTURE = "history.csv", "history.jsonl", "learning.png"
CHECKPOINTS = "checkpoints"
_FREE = ("epochs", "output")  # what a run that goes on may say otherwise
_USED = ("numpy", "scipy", "opt_einsum", "array-api-compat", "scikit-learn", "tqdm")


def begun(config: Config, *, resume: bool) -> "Notes":
    """The folder of a run and what is noted there: of a new one at once.

    The folder of a run that is resumed stays as it is till then. Raises
    FileExistsError where there is a run already, unless that is resumed, and
    FormatError where that one was another or has lost its checkpoints.
    """
    folder = Path(config.output)
    if (folder / CONFIG).exists():
        if not resume:
            message = "there is a run already; --resume goes on with it, --output"
            message += " names another folder"
            raise FileExistsError(errno.EEXIST, message, str(folder))
        _require_same(config, folder / CONFIG)
        _require_checkpoints(folder)
        return Notes(config, folder)
    if resume and folder.is_dir() and any(folder.iterdir()):
        message = f"{folder}: no {CONFIG}, so there is no run to resume"
        raise FormatError(f"{message}; name its folder by --output")
    folder.mkdir(parents=True, exist_ok=True)
    notes = Notes(config, folder)
    notes.write()
    return notes


@dataclass
class Notes:
    """A callback that writes what is run, and on what, after the first epoch.

    Where a run goes on, its checkpoint may till then prove to be of another one.
    """

    config: Config
    folder: Path
    written: bool = False

    def write(self) -> None:
        """The configuration, and a line of versions for each time it is begun."""
        replace(str(self.folder / CONFIG), [text_of(self.config).encode()])
        with open(self.folder / VERSIONS, "a", encoding="utf-8") as file:
            file.write(json.dumps(_versions()) + "\n")
        self.written = True

    def __call__(self, progress: Progress) -> None:  # noqa: ARG002
        """Write, unless that is done."""
        if not self.written:
            self.write()


def draw_history(history: History, title: str, path: Path) -> None:
    """The losses over the epochs as a picture; ImportError without matplotlib."""
    from ttalgebra import draw

    draw.require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.4), dpi=150, layout="constrained")
    axes = figure.subplots()
    for name in ("loss", "validation_loss"):
        if name in history.records[-1]:
            axes.plot(history["epoch"], history[name], ".-", label=name)
    axes.set_title(one_line(title), loc="left", parse_math=False)
    axes.set_xlabel("epoch")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a name in letters of no font
        draw.save(figure, path)


def _require_checkpoints(folder: Path) -> None:
    """Raise FormatError where a run has more than its first epoch, but no checkpoint.

    That one is written to the history before it is saved.
    """
    log = folder / JSON_LINES
    epochs = len(log.read_bytes().splitlines()) if log.exists() else 0
    if Checkpoint(folder / CHECKPOINTS).files():
        return
    if epochs > 1 or (folder / MODEL).exists():
        message = f"{folder}: no checkpoint is left to resume from; name another"
        raise FormatError(f"{message} --output, or remove {folder} to begin anew")


def _require_same(config: Config, path: Path) -> None:
    before = read(str(path))
    for f in fields(Config):
        ours, theirs = getattr(config, f.name), getattr(before, f.name)
        if f.name not in _FREE and ours != theirs:
            message = f"{path}: the run to resume has {f.name} = {theirs}"
            raise FormatError(f"{message}, here it is {ours}; --output begins another")


def _versions() -> dict[str, Any]:
    """Of everything that has a part in the numbers; None where it is not there."""
    from ttalgebra import __version__

    found: dict[str, Any] = {"ttalgebra": __version__}
    found |= {"python": platform.python_version(), "machine": platform.machine()}
    found["system"] = platform.system()
    for name in _USED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    blas = np.show_config(mode="dicts")
    found["blas"] = blas["Build Dependencies"]["blas"].get("name") if blas else None
    return found
