"""Checkpoints: a folder that holds the last few states of a run, each a whole file."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ttalgebra.arrays.checks import as_positive
from ttalgebra.arrays.errors import FormatError, ShapeError, TTError
from ttalgebra.learning.callbacks import Progress
from ttalgebra.learning.runs.content import content_of, progress_of

_NAME = re.compile(r"checkpoint-([0-9]{6,18})\.npz")


@dataclass(frozen=True)
class Checkpoint:
    """Where and how often a run is saved; `fit` does it.

    Each save is a new file ``checkpoint-000012.npz``, atomic and with a digest:
    weights, optimizer, place in the data, seed, history and best model, which is all
    that a run is. Cost: the bytes of all these, written and on the disk before the
    next step.

    Parameters
    ----------
    folder
        Made where it is missing.
    every
        Batches between two saves within an epoch; None for the ends of epochs alone,
        which are always saved.
    keep
        How many files are kept, the newest.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from ttalgebra.layers import Dense
    >>> from ttalgebra.learning import Adam, Checkpoint, SquaredError, fit
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> asked = {"loss": SquaredError(), "optimizer": Adam(0.1), "rng": 0}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     asked["checkpoint"] = Checkpoint(folder, keep=2)
    ...     line = Dense([[0.0]], [0.0])
    ...     _ = fit(line, x, 3 * x + 1, epochs=4, **asked)  # and here the power fails
    ...     _, history = fit(line, x, 3 * x + 1, epochs=6, **asked, resume=True)
    ...     len(history), [path.name for path in asked["checkpoint"].files()]
    (6, ['checkpoint-000005.npz', 'checkpoint-000006.npz'])
    """

    folder: str | os.PathLike[str]
    every: int | None = None
    keep: int = 3

    def __post_init__(self) -> None:
        if not isinstance(self.folder, (str, os.PathLike)):
            kind = type(self.folder).__name__
            raise TypeError(f"Checkpoint: folder must be a path, got {kind}")
        as_positive(self.keep, "Checkpoint: keep")
        if self.every is not None:
            as_positive(self.every, "Checkpoint: every")

    def files(self) -> list[Path]:
        """The checkpoints that there are, damaged ones too, the newest last."""
        with suppress(FileNotFoundError):
            found = [p for p in Path(self.folder).iterdir() if _NAME.fullmatch(p.name)]
            return sorted(found, key=_generation)
        return []

    def is_due(self, progress: Progress) -> bool:
        """Whether the run is saved where it is now."""
        batch = progress.partial.batch
        return batch == 0 or (self.every is not None and batch % self.every == 0)

    def save(self, progress: Progress, about: Mapping[str, Any]) -> Path:
        """Write one more file, then remove the oldest of more than ``keep``.

        ``about`` is what a run that goes on must agree with. Raises OSError where
        the file cannot be written; the others are whole then.
        """
        from ttalgebra.storage import write

        Path(self.folder).mkdir(parents=True, exist_ok=True)
        files = self.files()
        generation = 1 + (_generation(files[-1]) if files else 0)
        path = Path(self.folder, f"checkpoint-{generation:06}.npz")
        write(path, *content_of(progress, about))
        for old in [*files, path][: -self.keep]:
            old.unlink(missing_ok=True)
        return path

    def load(
        self, like: Progress, about: Mapping[str, Any], name: str | None = None
    ) -> Progress:
        """The run in the newest file, or in the one called ``name``.

        ``like`` has the layers and the optimizer's state that the numbers go into, see
        `start`. Raises FileNotFoundError where there is no such file, ShapeError where
        it belongs to another run, and where it is damaged FormatError, which names the
        last one that is whole.
        """
        from ttalgebra.storage import read

        path = self._found(name)
        try:
            content = read(path)
        except FormatError as error:
            raise FormatError(f"{error}; {self._offer(path)}") from error
        try:
            return progress_of(content, like, about)
        except FormatError as error:
            raise FormatError(f"{path}: {error}; {self._offer(path)}") from error
        except ShapeError as error:
            raise ShapeError(f"{path}: {error}") from error

    def _found(self, name: str | None) -> Path:
        files = self.files()
        chosen = files[-1:] if name is None else [p for p in files if p.name == name]
        if not chosen:
            what = "checkpoint" if name is None else repr(name)
            names = ", ".join(path.name for path in files) or "none"
            raise FileNotFoundError(f"no {what} in {self.folder}; there are: {names}")
        return chosen[0]

    def _offer(self, damaged: Path) -> str:
        """What to go on from instead."""
        from ttalgebra.storage import read

        for path in reversed(self.files()):
            if path != damaged:
                with suppress(TTError, OSError):
                    read(path)
                    return f"{path.name} is whole: resume from {path.name!r}"
        return f"no other checkpoint in {self.folder} is whole"


def _generation(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else 0
