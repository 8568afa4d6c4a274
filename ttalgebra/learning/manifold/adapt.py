"""Ranks that change between epochs, and a state of the optimizer that follows."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from ttalgebra.layers.protocol import Layer
from ttalgebra.learning.callbacks import Progress
from ttalgebra.learning.data.batches import stream
from ttalgebra.learning.rules.optimizers import Optimizer

Change: TypeAlias = Callable[[Any, np.random.Generator], Layer]
_DRAW = 2**32  # the place of its random numbers: no epoch has so many batches


@dataclass(frozen=True)
class AdaptRanks:
    """A callback: after each of ``epochs``, the model becomes ``change(model, rng)``.

    The optimizer forgets what it knew of parameters that have a new shape, and goes on
    with its velocities and means of all others; its count of steps goes on. All random
    numbers follow from the seed of the run and the epoch, so a run that is resumed from
    a checkpoint, whatever ranks that has, changes them as the uninterrupted one would.

    Parameters
    ----------
    optimizer
        The one that `fit` is given.
    change
        A model of other ranks, of a model and a generator: `layers.adaptive.rounded`,
        `layers.adaptive.grown`, or one after the other.
    epochs
        A schedule, counted from 1: any container, as a range or a set.

    Examples
    --------
    >>> from ttalgebra.layers.adaptive import grown, rounded
    >>> from ttalgebra.learning import Adam, AdaptRanks
    >>> adam = Adam(1e-2)
    >>> cut = AdaptRanks(adam, lambda model, rng: rounded(model, tol=0.02),
    ...                  epochs=range(10, 50, 10))
    >>> grow = AdaptRanks(adam, lambda model, rng: grown(model, by=1, rng=rng),
    ...                   epochs={5, 15})
    """

    optimizer: Optimizer
    change: Change
    epochs: Container[int]

    def __post_init__(self) -> None:
        if not hasattr(self.optimizer, "init"):
            kind = type(self.optimizer).__name__
            raise TypeError(f"AdaptRanks: optimizer is {kind}; pass that of fit")
        if not callable(self.change):
            kind = type(self.change).__name__
            raise TypeError(f"AdaptRanks: change is {kind}, which cannot be called")
        if not hasattr(self.epochs, "__contains__"):
            kind = type(self.epochs).__name__
            raise TypeError(f"AdaptRanks: epochs is {kind}; a range or a set is needed")

    def __call__(self, progress: Progress) -> Progress | None:
        """The run with the changed model; None where the epoch is none of those."""
        if progress.epoch not in self.epochs:
            return None
        rng = stream(progress.seed, progress.epoch, _DRAW)
        model = self.change(progress.model, rng)
        if not isinstance(model, Layer):
            kind = type(model).__name__
            raise TypeError(f"AdaptRanks: change returned {kind}, not a layer")
        fresh = self.optimizer.init(model.parameters)
        return replace(progress, model=model, state=kept(progress.state, fresh))


def kept(state: Mapping[str, Any], fresh: Mapping[str, Any]) -> dict[str, Any]:
    """``fresh``, with what ``state`` has under the same name in the same shape."""
    return {
        name: state[name]
        if name in state and _shape(state[name]) == _shape(value)
        else value
        for name, value in fresh.items()
    }


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(getattr(value, "shape", ()))
