"""AdaMax whose multiplications are shifts: rates and scales are powers of two."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import Array, Parameters
from ttalgebra.layers.binary.binarize import power_of_two
from ttalgebra.learning.rules.entrywise import stepped
from ttalgebra.learning.rules.optimizers import (
    Chosen,
    State,
    Updated,
    rate_at,
    require_not_negative,
    require_rate,
    require_share,
    weights,
    zeros,
)
from ttalgebra.learning.rules.schedules import Schedule


@dataclass(frozen=True)
class ShiftAdaMax:
    """``p <- p - P(rate / (1 - b1^t)) m / P(v)``, ``P`` the nearest power of two.

    ``m`` is a running mean of ``g`` and ``v <- max(b2 v, |g|)``; where ``v`` is still
    0, ``p`` stays. Source: Hubara et al. (2016); AdaMax itself: Kingma & Ba (2015),
    Algorithm 2. The authors' code overwrites ``v`` by ``P(v) + 2^-27`` at every step;
    here it keeps its value.

    Parameters
    ----------
    rate
        A number above 0, or a schedule.
    betas
        How slowly mean and maximum forget, each in ``[0, 1)``.
    decay, decays
        As for `SGD`: added to the gradient.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.learning import ShiftAdaMax
    >>> rule, p = ShiftAdaMax(rate=2**-3), {"p": np.array([1.0])}
    >>> rule.update(p, {"p": np.array([3.0])}, rule.init(p))[0]["p"]  # 1 - 3/8 / 4
    array([0.90625])
    """

    rate: float | Schedule = 2.0**-10
    betas: tuple[float, float] = (1 - 2.0**-3, 1 - 2.0**-10)
    decay: float = 0.0
    decays: Chosen = weights

    def __post_init__(self) -> None:
        require_rate(self.rate, "ShiftAdaMax")
        if not isinstance(self.betas, tuple) or len(self.betas) != 2:
            raise ShapeError(f"ShiftAdaMax: betas must be a pair, got {self.betas!r}")
        for beta in self.betas:
            require_share(beta, "ShiftAdaMax: each of betas")
        require_not_negative(self.decay, "ShiftAdaMax: decay")

    def init(self, parameters: Parameters) -> dict[str, Any]:
        """No steps done; means and maxima 0."""
        sizes = {name: namespace_of(p).abs(p) for name, p in parameters.items()}
        return {"step": 0} | zeros(parameters, "mean") | zeros(sizes, "maximum")

    def update(
        self, parameters: Parameters, gradients: Parameters, state: State
    ) -> Updated:
        """One step; nothing that was given is changed."""
        step, (b1, b2) = state["step"] + 1, self.betas
        unbiased = rate_at(self.rate, state["step"]) / (1 - b1**step)
        rate = float(power_of_two(np.asarray([unbiased]))[0])

        def moved(p: Array, g: Array, m: Array, v: Array) -> tuple[Array, ...]:
            xp = namespace_of(p)
            m = b1 * m + (1 - b1) * g
            v = xp.maximum(b2 * v, xp.abs(g))
            return p - rate * m * _inverse(v), m, v

        return stepped(self, moved, ("mean", "maximum"), parameters, gradients, state)


def _inverse(v: Array) -> Array:
    """``1 / P(v)``, and 0 where ``v`` is."""
    alive = namespace_of(v).astype(v > 0, v.dtype)
    return alive / (power_of_two(v) + (1 - alive))
