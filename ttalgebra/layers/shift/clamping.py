"""The step of the authors' code: what is learned stays in the range of its bits."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from ttalgebra.arrays.typing import Array, Parameters
from ttalgebra.layers.protocol import Layer
from ttalgebra.layers.recurrent.stepwise import Stepwise
from ttalgebra.layers.sequential import Sequential
from ttalgebra.layers.shift.exponents import DeepShiftPS
from ttalgebra.layers.shift.powers import clamped_exponent, clamped_magnitude
from ttalgebra.layers.shift.rounded import DeepShiftQ

Clamp: TypeAlias = Callable[[Array], Array]
Updated: TypeAlias = tuple[dict[str, Array], dict[str, Any]]


class Clamped:
    """An optimizer: ``rule``, and then weights ``W`` and exponents ``P`` are clamped.

    ``|W|`` into ``[2^lowest, 1]``, ``P`` into ``[lowest, 0]``, for the shift layers of
    ``model``, also within sequences and `Stepwise`. Without this the layers clamp a
    copy, and what is learned may leave the range. Source: the code of Elhoushi et al.
    (2021), where each forward pass overwrites the arrays.

    Examples
    --------
    >>> from ttalgebra.layers import DeepShiftQ, Sequential
    >>> from ttalgebra.layers.shift import Clamped
    >>> from ttalgebra.learning import SGD
    >>> model = Sequential([DeepShiftQ([[0.9, -0.1]], [0.0], bits=3)])
    >>> rule = Clamped(SGD(1.0), model)
    >>> parameters = model.parameters
    >>> gradients = {name: -4 * array for name, array in parameters.items()}
    >>> rule.update(parameters, gradients, rule.init(parameters))[0]["0.weight"]
    array([[ 1. , -0.5]])
    """

    def __init__(self, rule: Any, model: Layer) -> None:
        if not hasattr(rule, "init") or not hasattr(rule, "update"):
            kind = type(rule).__name__
            raise TypeError(f"Clamped: rule is {kind}; use SGD, Adam or their like")
        self.rule, self.clamps = rule, dict(_clamps(model, ""))
        if not self.clamps:
            kind = type(model).__name__
            raise TypeError(f"Clamped: the model, a {kind}, has no shift layer")

    def init(self, parameters: Parameters) -> dict[str, Any]:
        """That of the rule."""
        state: dict[str, Any] = self.rule.init(parameters)
        return state

    def update(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any]
    ) -> Updated:
        """One step of the rule, and the clamps."""
        new, after = self.rule.update(parameters, gradients, state)
        return {n: self.clamps.get(n, _as_is)(x) for n, x in new.items()}, after


def _clamps(layer: Layer, prefix: str) -> list[tuple[str, Clamp]]:
    if isinstance(layer, Sequential):
        found = (_clamps(own, f"{prefix}{k}.") for k, own in enumerate(layer.layers))
        return [pair for pairs in found for pair in pairs]
    if isinstance(layer, Stepwise):
        return _clamps(layer.layer, prefix)
    if isinstance(layer, DeepShiftQ):
        return [(f"{prefix}weight", partial(clamped_magnitude, bits=layer.bits))]
    if isinstance(layer, DeepShiftPS):
        return [(f"{prefix}shift", partial(clamped_exponent, bits=layer.bits))]
    return []


def _as_is(x: Array) -> Array:
    return x
