"""Optimizers and losses as a configuration names them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ttalgebra import learning
from ttalgebra.cli.train.tables import (
    FLAG,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    key,
    one_of,
)
from ttalgebra.learning.metrics import Loss
from ttalgebra.learning.rules.schedules import Schedule

_SCHEDULE = one_of("constant", "cosine")
_FALLS = "or cosine: down to 0 at the last step"
_CLIP = "no entry of a gradient is larger; 0: as they are"
_MASTER = "steps are added up in double precision"
_DECAY = "times each weight is added to its gradient"
LOSSES: dict[str, Callable[[], Loss]] = {
    "CrossEntropy": learning.CrossEntropy,
    "Hinge": learning.Hinge,
    "SquaredHinge": learning.SquaredHinge,
    "SquaredError": learning.SquaredError,
}


class Rule(Protocol):
    """A table of an optimizer, checked."""

    def make(self, n_steps: int) -> learning.Optimizer:
        """The optimizer of a run of so many steps."""


@dataclass(frozen=True)
class Adam:
    """``[optimizer]`` of Kingma & Ba."""

    rate: float = key(1e-3, POSITIVE, "the size of a step")
    schedule: str = key("constant", _SCHEDULE, _FALLS)
    decay: float = key(0.0, NOT_NEGATIVE, _DECAY)
    clip: float = key(0.0, NOT_NEGATIVE, _CLIP)
    master: bool = key(False, FLAG, _MASTER)

    def make(self, n_steps: int) -> learning.Optimizer:
        """The optimizer of a run of so many steps."""
        rate = _rate(self.rate, self.schedule, n_steps)
        rule = learning.Adam(rate, decay=float(self.decay))
        return _wrapped(rule, self.clip, self.master)


@dataclass(frozen=True)
class SGD:
    """``[optimizer]`` of gradient descent."""

    rate: float = key(1e-2, POSITIVE, "the size of a step")
    schedule: str = key("constant", _SCHEDULE, _FALLS)
    momentum: float = key(0.9, SHARE, "the share of a step that the next repeats")
    nesterov: bool = key(False, FLAG, "the gradient where the momentum leads")
    decay: float = key(0.0, NOT_NEGATIVE, _DECAY)
    clip: float = key(0.0, NOT_NEGATIVE, _CLIP)
    master: bool = key(False, FLAG, _MASTER)

    def make(self, n_steps: int) -> learning.Optimizer:
        """The optimizer of a run of so many steps."""
        rate = _rate(self.rate, self.schedule, n_steps)
        rule = learning.SGD(
            rate, float(self.momentum), self.nesterov, float(self.decay)
        )
        return _wrapped(rule, self.clip, self.master)


@dataclass(frozen=True)
class RMSProp:
    """``[optimizer]`` of Tieleman & Hinton."""

    rate: float = key(1e-3, POSITIVE, "the size of a step")
    schedule: str = key("constant", _SCHEDULE, _FALLS)
    beta: float = key(0.9, SHARE, "how slowly the mean of squares forgets")
    decay: float = key(0.0, NOT_NEGATIVE, _DECAY)
    clip: float = key(0.0, NOT_NEGATIVE, _CLIP)
    master: bool = key(False, FLAG, _MASTER)

    def make(self, n_steps: int) -> learning.Optimizer:
        """The optimizer of a run of so many steps."""
        rate = _rate(self.rate, self.schedule, n_steps)
        rule = learning.RMSProp(rate, float(self.beta), decay=float(self.decay))
        return _wrapped(rule, self.clip, self.master)


RULES: dict[str, type[Rule]] = {rule.__name__: rule for rule in (Adam, SGD, RMSProp)}


def _rate(rate: float, schedule: str, n_steps: int) -> float | Schedule:
    if schedule == "constant" or n_steps == 0:
        return float(rate)
    return learning.schedules.cosine(float(rate), n_steps)


def _wrapped(
    rule: learning.Optimizer, bound: float, master: bool
) -> learning.Optimizer:
    rule = learning.Clipped(rule, float(bound)) if bound else rule
    return learning.MasterWeights(rule) if master else rule
