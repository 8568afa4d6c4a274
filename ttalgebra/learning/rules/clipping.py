"""Clipping: an optimizer that sees no gradient entry above a bound."""

from dataclasses import dataclass
from typing import Any

from ttalgebra.arrays.namespace import is_complex, namespace_of
from ttalgebra.arrays.typing import Array, Parameters
from ttalgebra.learning.rules.optimizers import Optimizer, State, Updated
from ttalgebra.learning.rules.schedules import positive


@dataclass(frozen=True)
class Clipped:
    """``rule``, given gradients whose entries are cut to ``[-bound, bound]``.

    Complex entries keep their phase; their modulus is cut.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.learning import SGD, Clipped
    >>> rule, p = Clipped(SGD(rate=0.5), bound=1.0), {"p": np.zeros(2)}
    >>> rule.update(p, {"p": np.array([-9.0, 0.25])}, rule.init(p))[0]["p"]
    array([ 0.5  , -0.125])
    """

    rule: Optimizer
    bound: float

    def __post_init__(self) -> None:
        if not hasattr(self.rule, "init") or not hasattr(self.rule, "update"):
            kind = type(self.rule).__name__
            raise TypeError(f"Clipped: rule is {kind}; use SGD, Adam or their like")
        positive(self.bound, "Clipped: bound")

    def init(self, parameters: Parameters) -> dict[str, Any]:
        """That of the rule."""
        return self.rule.init(parameters)

    def update(
        self, parameters: Parameters, gradients: Parameters, state: State
    ) -> Updated:
        """One step of the rule; nothing that was given is changed."""
        cut = {name: clipped(g, self.bound) for name, g in gradients.items()}
        return self.rule.update(parameters, cut, state)


def clipped(g: Array, bound: float) -> Array:
    """``g / max(1, |g| / bound)``, entry by entry."""
    xp = namespace_of(g)
    if is_complex(g):
        return g / xp.clip(xp.abs(g) / bound, min=1.0)
    return xp.clip(g, min=-bound, max=bound)
