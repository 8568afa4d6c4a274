"""Gradient descent on the weights themselves, where cores are only coordinates.

Source: Steinlechner (2016); Novikov, Rakhuba, Oseledets (2022).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ttalgebra.arrays.typing import Array, Cores, Parameters
from ttalgebra.learning.manifold.tangent import Frame, retracted
from ttalgebra.learning.rules.entrywise import gradient_of
from ttalgebra.learning.rules.optimizers import (
    SGD,
    Optimizer,
    State,
    Updated,
    rate_at,
    require_rate,
)
from ttalgebra.learning.rules.schedules import Schedule

_CORE = re.compile(r"(?P<train>(?:.*\.)?cores)\.(?P<site>\d+)")


@dataclass(frozen=True)
class RiemannianSGD:
    """``W <- round(W - rate P(dL/dW))`` for every train, ``others`` for all else.

    ``P`` projects to the tangent space of the trains of the ranks of ``W``, `round` is
    TT-SVD back to them. Other cores of the same ``W`` move it to the same place, which
    no optimizer of cores does: neither how large each of them is nor how ill
    conditioned its neighbours are changes a step. ``dL/dW`` is never formed, the
    gradients of the cores determine its projection; see `tangent`.

    A train is what parameters ``cores.0``, ``cores.1``, ... (behind any prefix) make:
    those of `TTLinear`, `TTEmbedding` and of layers around them. Cost ``O(d n r^3)`` a
    step, whatever the batch. There is no momentum, and no decay of trains.

    Parameters
    ----------
    rate
        A number above 0, or a schedule.
    others
        The optimizer of biases and all that is no train; ``SGD(rate)`` if None.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import TTLinear
    >>> from ttalgebra.learning import SquaredError, fit
    >>> from ttalgebra.learning.manifold import RiemannianSGD
    >>> truth, start = (
    ...     TTLinear.random((3, 3), (3, 3), 2, rng=seed, dtype="f8") for seed in (0, 1))
    >>> x = np.random.default_rng(2).standard_normal((200, 9))
    >>> model, _ = fit(start, x, truth(x)[0], loss=SquaredError(), epochs=30,
    ...                optimizer=RiemannianSGD(1.0), batch_size=200, rng=0)
    >>> bool((model.weight - truth.weight).norm() < 1e-12 * truth.weight.norm())
    True
    """

    rate: float | Schedule
    others: Optimizer | None = None

    def __post_init__(self) -> None:
        require_rate(self.rate, "RiemannianSGD")
        if self.others is not None and not hasattr(self.others, "update"):
            kind = type(self.others).__name__
            raise TypeError(f"RiemannianSGD: others is {kind}; use SGD or its like")

    def init(self, parameters: Parameters) -> dict[str, Any]:
        """No steps done, and the state of the others."""
        return {"step": 0} | self._others.init(_rest(parameters))

    def update(
        self, parameters: Parameters, gradients: Parameters, state: State
    ) -> Updated:
        """One step; nothing that was given is changed."""
        rate, moved = rate_at(self.rate, state["step"]), dict(parameters)
        rest, after = self._others.update(_rest(parameters), gradients, state)
        for names in trains(parameters).values():
            cores = tuple(parameters[name] for name in names)
            given = tuple(gradient_of(n, parameters[n], gradients) for n in names)
            moved |= zip(names, stepped(cores, given, rate), strict=True)
        return moved | rest, after

    @property
    def _others(self) -> Optimizer:
        return SGD(self.rate) if self.others is None else self.others


def stepped(cores: Cores, gradients: Cores, rate: float) -> Cores:
    """One train after a step, in the shapes that its cores had."""
    frame = Frame.at(cores)
    return retracted(frame.moved(frame.projected(gradients), -rate), like=cores)


def trains(parameters: Mapping[str, Array]) -> dict[str, tuple[str, ...]]:
    """The names of the cores of every train, in order, by what stands before them."""
    found: dict[str, list[tuple[int, str]]] = {}
    for name in parameters:
        if match := _CORE.fullmatch(name):
            found.setdefault(match["train"], []).append((int(match["site"]), name))
    return {train: tuple(n for _, n in sorted(own)) for train, own in found.items()}


def _rest(parameters: Parameters) -> dict[str, Array]:
    return {n: p for n, p in parameters.items() if not _CORE.fullmatch(n)}
