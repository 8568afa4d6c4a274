"""From one network to another: dense to shift, shift to packed."""

from collections.abc import Callable
from typing import Any

from ttalgebra.layers.plain.dense import Dense
from ttalgebra.layers.protocol import Layer
from ttalgebra.layers.recurrent.stepwise import Stepwise
from ttalgebra.layers.sequential import Sequential
from ttalgebra.layers.shift.exponents import DeepShiftPS
from ttalgebra.layers.shift.integers.layer import PackedShift
from ttalgebra.layers.shift.rounded import DeepShiftQ


def shifted(
    model: Sequential, kind: type[DeepShiftQ] | type[DeepShiftPS], **options: Any
) -> Sequential:
    """``model`` with every `Dense` as a layer of this kind, other layers as they are.

    Also those within sequences and `Stepwise`. ``options`` are those of
    ``kind.from_dense``. Weights above 1 are cut to 1. Raises TypeError where there is
    nothing to convert, or ``kind`` is another.

    >>> from ttalgebra.layers import Dense, DeepShiftQ, ReLU, Sequential, shifted
    >>> model = Sequential([Dense.random(4, 3, rng=0), ReLU()])
    >>> [layer.name for layer in shifted(model, DeepShiftQ, bits=4).layers]
    ['DeepShiftQ', 'ReLU']
    """
    if kind not in (DeepShiftQ, DeepShiftPS):
        message = "shifted: the kind must be DeepShiftQ or DeepShiftPS"
        raise TypeError(f"{message}, got {getattr(kind, '__name__', kind)!r}")
    _require_some(model, "shifted", Dense)
    return _replaced(model, Dense, lambda layer: kind.from_dense(layer, **options))


def pack_shifts(model: Sequential, *, guard: int = 0) -> Sequential:
    """``model`` with every shift layer as a `PackedShift`, other layers as they are.

    Also those within sequences and `Stepwise`. Raises TypeError where there is none,
    ShapeError for zeros of a `DeepShiftQ`.
    """
    kinds = (DeepShiftQ, DeepShiftPS)
    _require_some(model, "pack_shifts", *kinds)
    return _replaced(model, kinds, lambda layer: PackedShift.of(layer, guard=guard))


def _replaced(
    model: Sequential, kinds: Any, make: Callable[[Any], Layer]
) -> Sequential:
    """``make(layer)`` for layers of these kinds, at any depth."""

    def new(layer: Layer) -> Layer:
        if isinstance(layer, Sequential):
            return Sequential([new(own) for own in layer.layers])
        if isinstance(layer, Stepwise):
            return Stepwise(new(layer.layer))
        return make(layer) if isinstance(layer, kinds) else layer

    return Sequential([new(layer) for layer in model.layers])


def _has(layer: object, *kinds: type[Layer]) -> bool:
    if isinstance(layer, Sequential):
        return any(_has(own, *kinds) for own in layer.layers)
    if isinstance(layer, Stepwise):
        return _has(layer.layer, *kinds)
    return isinstance(layer, kinds)


def _require_some(model: object, verb: str, *kinds: type[Layer]) -> None:
    names, found = " or ".join(k.__name__ for k in kinds), type(model).__name__
    if not isinstance(model, Sequential):
        message = f"{verb}: a Sequential is needed, got {found}"
        raise TypeError(f"{message}; wrap a layer in one")
    if not _has(model, *kinds):
        message = f"{verb}: a Sequential with a {names} is needed, got a {found}"
        raise TypeError(f"{message} that has none")
