"""The trains of a model, however deep they are in it."""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeAlias, TypeVar, cast

from ttalgebra.arrays.typing import Cores
from ttalgebra.cores.chain import ranks
from ttalgebra.layers.protocol import Layer
from ttalgebra.layers.tt.embedding import TTEmbedding
from ttalgebra.layers.tt_linear import TTLinear

Model = TypeVar("Model", bound=Layer)
WithCores: TypeAlias = TTLinear | TTEmbedding


def mapped(change: Callable[[Cores], Cores], model: Model) -> Model:
    """``model`` with the cores of each `TTLinear` and `TTEmbedding` changed.

    Layers within layers are met in the order of their fields: those of a `Sequential`,
    the gates of an `LSTM`, the kernel of a `Conv2D`. Raises TypeError where ``model``
    is no layer.
    """
    if not isinstance(model, Layer):
        raise TypeError(f"the model is {type(model).__name__}, not a layer")
    return cast(Model, _mapped(change, model))


def _mapped(change: Callable[[Cores], Cores], layer: Any) -> Any:
    if isinstance(layer, WithCores):
        return replace(layer, cores=change(layer.cores))
    if isinstance(layer, (list, tuple)):
        return type(layer)(_mapped(change, part) for part in layer)
    within = _within(layer)
    new = {name: _mapped(change, part) for name, part in within.items()}
    return replace(layer, **new) if new else layer


def _within(layer: Any) -> dict[str, Any]:
    """The fields of a layer that hold layers."""
    if not is_dataclass(layer):
        return {}
    values = {field.name: getattr(layer, field.name) for field in fields(layer)}
    return {name: part for name, part in values.items() if _holds_layers(part)}


def _holds_layers(part: Any) -> bool:
    if isinstance(part, (list, tuple)):
        return bool(part) and all(isinstance(one, Layer) for one in part)
    return isinstance(part, Layer)


def ranks_of(model: Layer) -> tuple[tuple[int, ...], ...]:
    """``(1, r_1, ..., 1)`` of each train, in the order of `mapped`.

    >>> from ttalgebra.layers import Dense, Sequential, TTLinear
    >>> from ttalgebra.layers.adaptive import ranks_of
    >>> first = TTLinear.random((2, 2, 2), (3, 3, 3), 4, rng=0)
    >>> ranks_of(Sequential([first, Dense.random(8, 2, rng=0)]))
    ((1, 4, 4, 1),)
    """
    return tuple(ranks(cores) for cores in _trains(model))


def _trains(layer: Any) -> Iterator[Cores]:
    if isinstance(layer, WithCores):
        yield layer.cores
    elif isinstance(layer, (list, tuple)):
        for part in layer:
            yield from _trains(part)
    else:
        for part in _within(layer).values():
            yield from _trains(part)
