"""Optimizers: ``init`` and ``update``, pure functions of flat dicts.

``update(parameters, gradients, state) -> (parameters, state)``. A state is flat: the
int ``"step"``, and arrays named ``"velocity.NAME"`` and the like, so that a file can
hold it as it is. ``rate`` is a number, or a schedule of the steps done.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from ttalgebra.arrays.checks import as_scalar
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import conj, is_complex, namespace_of
from ttalgebra.arrays.typing import Array, Parameters
from ttalgebra.learning.rules.entrywise import stepped
from ttalgebra.learning.rules.schedules import Schedule, positive

State: TypeAlias = Mapping[str, Any]
Updated: TypeAlias = tuple[dict[str, Array], dict[str, Any]]
Chosen: TypeAlias = Callable[[str, Array], bool]


def weights(name: str, parameter: Array) -> bool:  # noqa: ARG001
    """Weights and cores, not biases, scales and shifts: what has two axes or more."""
    return bool(parameter.ndim >= 2)


def everything(name: str, parameter: Array) -> bool:  # noqa: ARG001
    """Every parameter."""
    return True


class Optimizer(Protocol):
    """What `fit` needs: a first state, and a step."""

    def init(self, parameters: Parameters) -> dict[str, Any]:
        """The state before the first step."""

    def update(
        self, parameters: Parameters, gradients: Parameters, state: State
    ) -> Updated:
        """New parameters and the new state."""


@dataclass(frozen=True)
class SGD:
    """``v <- momentum v - rate g``, then ``p <- p + v``.

    Nesterov's form adds ``momentum v - rate g`` instead of ``v``.

    Source: Sutskever et al. (2013), equations 1 to 4; theirs takes the gradient at
    ``p + momentum v``, here ``p`` is that point.

    Parameters
    ----------
    rate
        A number above 0, or a schedule.
    momentum
        In ``[0, 1)``.
    decay
        ``decay * p`` is added to the gradient of each parameter that ``decays``
        chooses: `weights`, or `everything`.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.learning import SGD
    >>> sgd, p = SGD(rate=0.5, momentum=0.5), {"p": np.array([1.0])}
    >>> state = sgd.init(p)
    >>> for _ in range(2):
    ...     p, state = sgd.update(p, {"p": np.array([1.0])}, state)
    >>> p["p"], state["step"]
    (array([-0.25]), 2)
    """

    rate: float | Schedule
    momentum: float = 0.0
    nesterov: bool = False
    decay: float = 0.0
    decays: Chosen = weights

    def __post_init__(self) -> None:
        require_rate(self.rate, "SGD")
        require_share(self.momentum, "SGD: momentum")
        require_not_negative(self.decay, "SGD: decay")

    def init(self, parameters: Parameters) -> dict[str, Any]:
        """No steps done; velocities 0."""
        return {"step": 0} | zeros(parameters, "velocity")

    def update(
        self, parameters: Parameters, gradients: Parameters, state: State
    ) -> Updated:
        """One step; nothing that was given is changed."""
        rate, mu = rate_at(self.rate, state["step"]), self.momentum

        def moved(p: Array, g: Array, v: Array) -> tuple[Array, ...]:
            v = mu * v - rate * g
            return p + (mu * v - rate * g if self.nesterov else v), v

        return stepped(self, moved, ("velocity",), parameters, gradients, state)


@dataclass(frozen=True)
class Adam:
    """``p <- p - rate m / (sqrt(v) + eps)``, running means ``m, v`` of ``g, |g|^2``.

    Source: Kingma & Ba (2015), Algorithm 1. ``v`` is real also for complex ``g``.

    Parameters
    ----------
    rate
        A number above 0, or a schedule.
    betas
        How slowly the two means forget, each in ``[0, 1)``.
    eps
        Keeps the quotient finite.
    decay, decays
        As for `SGD`: added to the gradient.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.learning import Adam
    >>> adam, p = Adam(rate=0.5, eps=1e-12), {"p": np.array([1.0])}
    >>> p, state = adam.update(p, {"p": np.array([3.0])}, adam.init(p))
    >>> p["p"].round(6)
    array([0.5])
    """

    rate: float | Schedule = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    decay: float = 0.0
    decays: Chosen = weights

    def __post_init__(self) -> None:
        require_rate(self.rate, "Adam")
        if not isinstance(self.betas, tuple) or len(self.betas) != 2:
            raise ShapeError(f"Adam: betas must be a pair, got {self.betas!r}")
        for beta in self.betas:
            require_share(beta, "Adam: each of betas")
        positive(self.eps, "Adam: eps")
        require_not_negative(self.decay, "Adam: decay")

    def init(self, parameters: Parameters) -> dict[str, Any]:
        """No steps done; both means 0."""
        squares = {name: _square(p) for name, p in parameters.items()}
        return {"step": 0} | zeros(parameters, "mean") | zeros(squares, "square")

    def update(
        self, parameters: Parameters, gradients: Parameters, state: State
    ) -> Updated:
        """One step; nothing that was given is changed."""
        step, (b1, b2) = state["step"] + 1, self.betas
        rate = rate_at(self.rate, state["step"]) / (1 - b1**step)

        def moved(p: Array, g: Array, m: Array, v: Array) -> tuple[Array, ...]:
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * _square(g)
            root = namespace_of(v).sqrt(v / (1 - b2**step))
            return p - rate * m / (root + self.eps), m, v

        return stepped(self, moved, ("mean", "square"), parameters, gradients, state)


@dataclass(frozen=True)
class RMSProp:
    """``p <- p - rate g / (sqrt(v) + eps)``, ``v`` a running mean of ``|g|^2``.

    Source: Tieleman & Hinton (2012), lecture 6.5. ``v`` is real also for complex
    ``g``: both parts of a number share it.

    Parameters
    ----------
    rate
        A number above 0, or a schedule.
    beta
        How slowly the mean forgets, in ``[0, 1)``.
    start
        What ``v`` is before the first step, at least 0. That of Arjovsky et al.
        (2016), 1e-3, makes first steps smaller than ``rate`` where ``|g| < 0.03``.
    eps
        Keeps the quotient finite.
    decay, decays
        As for `SGD`: added to the gradient.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.learning import RMSProp
    >>> rule, p = RMSProp(rate=0.5, beta=0.75, start=0.0), {"p": np.array([1.0])}
    >>> p, state = rule.update(p, {"p": np.array([3.0])}, rule.init(p))
    >>> p["p"].round(6)
    array([0.])
    """

    rate: float | Schedule = 1e-3
    beta: float = 0.9
    start: float = 1e-3
    eps: float = 1e-8
    decay: float = 0.0
    decays: Chosen = weights

    def __post_init__(self) -> None:
        require_rate(self.rate, "RMSProp")
        require_share(self.beta, "RMSProp: beta")
        require_not_negative(self.start, "RMSProp: start")
        positive(self.eps, "RMSProp: eps")
        require_not_negative(self.decay, "RMSProp: decay")

    def init(self, parameters: Parameters) -> dict[str, Any]:
        """No steps done; every mean is ``start``."""
        squares = {name: _square(p) for name, p in parameters.items()}
        means = zeros(squares, "square").items()
        return {"step": 0} | {name: zero + self.start for name, zero in means}

    def update(
        self, parameters: Parameters, gradients: Parameters, state: State
    ) -> Updated:
        """One step; nothing that was given is changed."""
        rate, beta = rate_at(self.rate, state["step"]), self.beta

        def moved(p: Array, g: Array, v: Array) -> tuple[Array, ...]:
            v = beta * v + (1 - beta) * _square(g)
            return p - rate * g / (namespace_of(v).sqrt(v) + self.eps), v

        return stepped(self, moved, ("square",), parameters, gradients, state)


def rate_at(rate: float | Schedule, step: int) -> float:
    """The rate of the step after ``step`` steps."""
    if not callable(rate):
        return rate
    number = as_scalar(rate(step), f"the rate at step {step}")
    if isinstance(number, complex) or number < 0:
        raise ShapeError(f"the rate at step {step} must be at least 0, got {number}")
    return number


def _square(g: Array) -> Array:
    """``|g|^2``, real."""
    return namespace_of(g).real(g * conj(g)) if is_complex(g) else g * g


def zeros(arrays: Parameters, what: str) -> dict[str, Array]:
    """Zeros like each array, named ``"what.NAME"``."""
    return {f"{what}.{n}": namespace_of(x).zeros_like(x) for n, x in arrays.items()}


def require_rate(rate: float | Schedule, name: str) -> None:
    """Raise ShapeError unless ``rate`` is above 0; a schedule is asked later."""
    if not callable(rate):
        positive(rate, f"{name}: rate")


def require_share(value: float, name: str) -> None:
    """Raise ShapeError unless ``0 <= value < 1``."""
    number = as_scalar(value, name)
    if isinstance(number, complex) or not 0 <= number < 1:
        raise ShapeError(f"{name} must be at least 0 and below 1, got {number}")


def require_not_negative(value: float, name: str) -> None:
    """Raise ShapeError unless ``value >= 0``."""
    number = as_scalar(value, name)
    if isinstance(number, complex) or number < 0:
        raise ShapeError(f"{name} must be at least 0, got {number}")
