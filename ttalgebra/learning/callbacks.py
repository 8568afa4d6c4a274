"""Callbacks: what happens between two epochs.

A callback is given the `Progress` of a run and returns None, or the Progress to go
on from. It needs no memory of its own, so a run that is resumed decides as the
uninterrupted one would.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from ttalgebra.arrays.checks import as_positive
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.layers.protocol import Layer
from ttalgebra.learning.history import History
from ttalgebra.learning.rules.optimizers import State


@dataclass(frozen=True)
class Partial:
    """What the epoch in progress has come to: its batches so far and their sums."""

    batch: int = 0
    loss: float = 0.0
    samples: int = 0
    skipped: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class Progress:
    """Everything that a run of training is, between two steps.

    ``epoch`` counts those that are done, of ``epochs``, and ``partial`` the batches of
    the next; all random numbers follow from ``seed`` and these places. ``best``, where
    a callback has set it, is the model that `fit` returns. ``stopped`` ends the run.
    """

    model: Layer
    state: State
    seed: int
    epoch: int = 0
    epochs: int = 0
    history: History = field(default_factory=History)
    best: Layer | None = None
    stopped: bool = False
    partial: Partial = Partial()


Callback: TypeAlias = Callable[[Progress], Progress | None]


@dataclass(frozen=True)
class EarlyStopping:
    """Stop ``patience`` epochs after the best one, and go back to its model.

    Parameters
    ----------
    patience
        How many epochs without a better value are waited for.
    monitor
        What the history calls it. The lowest is the best, except for accuracies.

    Examples
    --------
    >>> from ttalgebra.learning import EarlyStopping
    >>> EarlyStopping(patience=3)
    EarlyStopping(patience=3, monitor='validation_loss')
    """

    patience: int
    monitor: str = "validation_loss"

    def __post_init__(self) -> None:
        as_positive(self.patience, "EarlyStopping: patience")

    def __call__(self, progress: Progress) -> Progress:
        """Remember the best model in ``progress.best``; stop when it is long ago."""
        if self.monitor not in progress.history.records[-1]:
            names = ", ".join(progress.history.records[-1])
            message = f"EarlyStopping: {self.monitor!r} is not recorded"
            raise ShapeError(f"{message} (there are: {names}); pass validation= to fit")
        values = progress.history[self.monitor]
        best = max(values) if self.monitor.endswith("accuracy") else min(values)
        waited = len(values) - 1 - values.index(best)
        if waited == 0:
            return replace(progress, best=progress.model)
        return replace(progress, stopped=waited >= self.patience)
