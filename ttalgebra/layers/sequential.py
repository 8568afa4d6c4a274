"""Layers one after the other: the chain rule, as a loop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ttalgebra.arrays.typing import Array, Backward
from ttalgebra.layers.protocol import Layer


@dataclass(frozen=True, eq=False)
class Sequential(Layer):
    """The composition of ``layers``, the first of which is applied first.

    The names of the arrays of layer ``k`` carry the prefix ``"k."``.

    >>> from ttalgebra.layers import Dense, ReLU, Sequential
    >>> first, last = Dense.random(4, 3, rng=0), Dense.random(3, 2, rng=1)
    >>> model = Sequential([first, ReLU(), last])
    >>> list(model.parameters), model.n_parameters
    (['0.weight', '0.bias', '2.weight', '2.bias'], 23)
    """

    layers: Sequence[Layer]

    def __post_init__(self) -> None:
        if not isinstance(self.layers, (list, tuple)):
            kind = type(self.layers).__name__
            raise TypeError(f"Sequential: layers must be a list or tuple, got {kind}")
        for k, layer in enumerate(self.layers):
            if not isinstance(layer, Layer):
                kind = type(layer).__name__
                raise TypeError(f"Sequential: entry {k} is {kind}, not a layer")
        object.__setattr__(self, "layers", tuple(self.layers))

    @property
    def axes(self) -> int:
        """Those of the first layer."""
        return self.layers[0].axes if self.layers else 2

    @property
    def inputs(self) -> tuple[int, ...]:
        """Those of the first layer."""
        return self.layers[0].inputs if self.layers else ()

    @property
    def parameters(self) -> dict[str, Array]:
        """Those of every layer, prefixed."""
        return _prefixed([layer.parameters for layer in self.layers])

    @property
    def statistics(self) -> dict[str, Array]:
        """Those of every layer, prefixed."""
        return _prefixed([layer.statistics for layer in self.layers])

    @property
    def constants(self) -> dict[str, np.ndarray]:
        """Those of every layer, prefixed."""
        return _prefixed([layer.constants for layer in self.layers])

    @property
    def nbytes(self) -> int:
        """Those of every layer, packed ones included."""
        return sum(layer.nbytes for layer in self.layers)

    def to(self, backend: str, device: object = None) -> Self:
        """Every layer moved; TypeError where one cannot be."""
        return type(self)([layer.to(backend, device) for layer in self.layers])

    def training(self, rng: np.random.Generator) -> "Sequential":
        """Every layer in its training form; draws are made from the first on."""
        return Sequential([layer.training(rng) for layer in self.layers])

    def projected(self) -> "Sequential":
        """Every layer projected."""
        return Sequential([layer.projected() for layer in self.layers])

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """Each layer in turn; backward, each in reverse."""
        backwards = []
        for layer in self.layers:
            x, backward = layer(x)
            backwards.append(backward)

        def backward_all(dy: Array) -> tuple[Array, dict[str, Array]]:
            found = []
            for backward in reversed(backwards):
                dy, gradients = backward(dy)
                found.append(gradients)
            return dy, _prefixed(found[::-1])

        return x, backward_all

    def _rebuilt(self, arrays: Mapping[str, Array]) -> Self:
        layers = [
            layer._rebuilt({name: arrays[f"{k}.{name}"] for name in layer.arrays})
            for k, layer in enumerate(self.layers)
        ]
        return type(self)(layers)


def _prefixed(groups: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """``{"k.name": array}`` for the arrays of group ``k``."""
    return {
        f"{k}.{name}": x for k, group in enumerate(groups) for name, x in group.items()
    }
