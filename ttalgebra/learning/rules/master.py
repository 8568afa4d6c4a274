"""Mixed precision: single in the network, double where steps are added up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ttalgebra.arrays.namespace import is_complex, namespace_of
from ttalgebra.arrays.typing import Array, Parameters
from ttalgebra.learning.rules.optimizers import Optimizer, State, Updated

_PREFIX = "master."


@dataclass(frozen=True)
class MasterWeights:
    """``rule`` on parameters in double precision, of which the network sees single.

    A network in single precision is twice as quick, but a step below 6e-8 of a
    parameter is lost in it. Here steps are added to a copy in double precision, and
    means and velocities are double too: three to four times the memory of the
    parameters. Entries that anything else has moved, a projection, a rounding of
    ranks, go on from where they are.

    Source: Micikevicius et al. (2018), section 3.1, which keeps single beside half.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.learning import SGD, MasterWeights
    >>> p, small = {"p": np.ones(1, "f4")}, {"p": np.full(1, 2.0**-26, "f4")}
    >>> for rule in SGD(rate=1.0), MasterWeights(SGD(rate=1.0)):
    ...     moved, state = p, rule.init(p)
    ...     for _ in range(1024):
    ...         moved, state = rule.update(moved, small, state)
    ...     print(1 - moved["p"][0])
    0.0
    1.5258789e-05
    """

    rule: Optimizer

    def __post_init__(self) -> None:
        if not hasattr(self.rule, "init") or not hasattr(self.rule, "update"):
            kind = type(self.rule).__name__
            raise TypeError(
                f"MasterWeights: rule is {kind}; use SGD, Adam or their like"
            )

    def init(self, parameters: Parameters) -> dict[str, Any]:
        """That of the rule, and the parameters in double precision.

        Raises TypeError where the rule has master weights itself.
        """
        masters = {name: _wide(p) for name, p in parameters.items()}
        own = self.rule.init(masters)
        if any(name.startswith(_PREFIX) for name in own):
            raise TypeError("MasterWeights: the rule has master weights itself; use it")
        return own | _named(masters)

    def update(
        self, parameters: Parameters, gradients: Parameters, state: State
    ) -> Updated:
        """One step of the rule; nothing that was given is changed."""
        masters = {n: _current(state[_PREFIX + n], p) for n, p in parameters.items()}
        own = {name: x for name, x in state.items() if not name.startswith(_PREFIX)}
        moved, after = self.rule.update(masters, gradients, own)
        new = {name: _as(moved[name], p.dtype) for name, p in parameters.items()}
        return new, after | _named(moved)


def _current(master: Array, p: Array) -> Array:
    """``master``, and ``p`` where that is not ``master`` rounded."""
    return namespace_of(p).where(_as(master, p.dtype) == p, master, _wide(p))


def _wide(p: Array) -> Array:
    xp = namespace_of(p)
    return _as(p, xp.complex128 if is_complex(p) else xp.float64)


def _as(x: Array, dtype: Any) -> Array:
    return namespace_of(x).astype(x, dtype, copy=False)


def _named(masters: Mapping[str, Array]) -> dict[str, Array]:
    return {_PREFIX + name: x for name, x in masters.items()}
