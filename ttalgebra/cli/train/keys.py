"""Everything that a configuration may say, and its file."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ttalgebra.arrays.errors import FormatError
from ttalgebra.cli.train.network import DEFAULT, KINDS, Maker
from ttalgebra.cli.train.rules import LOSSES, RULES, Adam, Rule
from ttalgebra.cli.train.tables import (
    SHARE,
    TEXT,
    as_table,
    checked,
    count,
    key,
    lines,
    named,
    one_of,
)

MOST_BYTES = 2**20


@dataclass(frozen=True)
class Data:
    """``[data]``."""

    source: str = key("", TEXT, "digits, a folder with MNIST, a .npz or a .npy file")
    x: str = key("x", TEXT, "a name in the .npz: samples, one a row")
    y: str = key("y", TEXT, "their labels 0, 1, ... or values; beside a .npy, a .npy")
    x_test: str = key("", TEXT, "more samples, to test with at the end")
    y_test: str = key("", TEXT, "theirs")
    validation: float = key(0.0, SHARE, "the share held out to watch while training")


@dataclass(frozen=True)
class Config:
    """A whole configuration: the keys of the file, then its tables."""

    output: str = key("", TEXT, "a new folder; by default called as the file")
    epochs: int = key(20, count(1), "how often every sample is met")
    batch_size: int = key(32, count(1), "samples of one step")
    seed: int = key(0, count(0), "fixes every random number")
    loss: str = key("auto", one_of("auto", *LOSSES), "auto: what the target asks for")
    patience: int = key(
        0, count(0), "epochs without a better one to stop after; 0: none"
    )
    on_nonfinite: str = key(
        "raise", one_of("raise", "skip"), "what a batch with NaN does"
    )
    every: int = key(0, count(0), "batches between checkpoints; 0: each epoch")
    keep: int = key(3, count(1), "checkpoints kept")
    data: Data = field(default_factory=Data)
    optimizer: Rule = field(default_factory=Adam)
    layers: tuple[Maker, ...] = DEFAULT


def read(path: str, output: str | None = None) -> Config:
    """The configuration in the file at ``path``; of a ``.npz``, all by default.

    ``output`` goes before the one of the file. Raises FormatError, naming the key,
    where it says what it may not.
    """
    if path.lower().endswith(".npz"):
        table: dict[str, Any] = {"data": {"source": path, "validation": 0.1}}
    else:
        table = _toml(path)
    where = output or table.get("output") or Path(path).stem
    try:
        return config_of({**table, "output": where})
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error


def config_of(table: Mapping[str, Any]) -> Config:
    """The configuration that a parsed file says."""
    data = checked(Data, as_table(table.get("data", {}), "data"), "data.")
    if not data.source:
        message = "data.source: is missing; name digits, a folder with MNIST"
        raise FormatError(f"{message}, a .npz or a .npy file")
    if data.validation == 0 and table.get("patience"):
        raise FormatError("patience: needs data.validation, a share held out to watch")
    rule = named(RULES, table.get("optimizer", {"rule": "Adam"}), "rule", "optimizer")
    makers = _layers(table["layers"]) if "layers" in table else DEFAULT
    tables = ("data", "optimizer", "layers")
    plain = checked(Config, table, "", known=tables)
    own = {name: getattr(plain, name) for name in table if name not in tables}
    return Config(**own, data=data, optimizer=rule, layers=makers)


def text_of(config: Config, *, explained: bool = False) -> str:
    """The configuration as TOML, every key said; `read` reads it."""
    parts = [[*lines(config, explained=explained)]]
    parts += [["[data]", *lines(config.data, explained=explained)]]
    name = type(config.optimizer).__name__
    head = ["[optimizer]", f'rule = "{name}"']
    parts += [[*head, *lines(config.optimizer, explained=explained)]]
    for maker in config.layers:
        head = ["[[layers]]", f'layer = "{type(maker).__name__}"']
        parts += [[*head, *lines(maker, explained=explained)]]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _toml(path: str) -> dict[str, Any]:
    with open(path, "rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise FormatError(f"{path}: more than {MOST_BYTES} bytes; give a configuration")
    try:
        return tomllib.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        message = f"{os.fspath(path)}: not TOML: {error}"
        raise FormatError(f"{message}; see ttalgebra train --example") from error


def _layers(tables: Any) -> tuple[Maker, ...]:
    if not isinstance(tables, list) or not tables:
        raise FormatError("layers: must be tables [[layers]], one for each layer")
    return tuple(
        named(KINDS, table, "layer", f"layers, entry {k}")
        for k, table in enumerate(tables, 1)
    )
