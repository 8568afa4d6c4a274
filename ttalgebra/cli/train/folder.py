"""What a run leaves behind, and whether a folder may take it."""

import errno
import json
import platform
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from ttalgebra.arrays.errors import FormatError
from ttalgebra.cli.train.keys import Config, read, text_of
from ttalgebra.learning import History
from ttalgebra.storage.atomic import replace

CONFIG, VERSIONS, MODEL = "config.toml", "versions.jsonl", "model.npz"
CSV, JSON_LINES, PICTURE = "history.csv", "history.jsonl", "learning.png"
CHECKPOINTS = "checkpoints"
_FREE = ("epochs", "output")  # what a run that goes on may say otherwise
_USED = ("numpy", "scipy", "opt_einsum", "array-api-compat", "scikit-learn", "tqdm")


def begun(config: Config, *, resume: bool) -> Path:
    """The folder of a run, with its configuration and the versions in it.

    Raises FileExistsError where it has a run already, unless that is resumed, and
    FormatError where that one was another.
    """
    folder = Path(config.output)
    if (folder / CONFIG).exists():
        if not resume:
            message = "there is a run already; --resume goes on with it, --output"
            message += " names another folder"
            raise FileExistsError(errno.EEXIST, message, str(folder))
        _require_same(config, folder / CONFIG)
    elif resume and folder.is_dir() and any(folder.iterdir()):
        message = f"{folder}: no {CONFIG}, so there is no run to resume"
        raise FormatError(f"{message}; name its folder by --output")
    folder.mkdir(parents=True, exist_ok=True)
    replace(str(folder / CONFIG), [text_of(config).encode()])
    with open(folder / VERSIONS, "a", encoding="utf-8") as file:
        file.write(json.dumps(_versions()) + "\n")  # a line for each time it is begun
    return folder


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
    axes.set_title(title, loc="left")
    axes.set_xlabel("epoch")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    draw.save(figure, path)


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
