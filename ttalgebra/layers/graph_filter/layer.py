"""What the layers of this room share: signals on a graph, and a bias per feature."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Self, TypeAlias

import numpy as np

from ttalgebra.arrays.checks import as_dtype
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import from_numpy, namespace_of
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG, Array, Backward
from ttalgebra.cores.chain import reshape
from ttalgebra.layers.graph_filter.graph import Graph
from ttalgebra.layers.graph_filter.pattern import Pattern
from ttalgebra.layers.protocol import Layer, owned, require_axes

Pullback: TypeAlias = Callable[[Array], tuple[Array, dict[str, Array]]]


@dataclass(frozen=True, eq=False)
class GraphFilter(Layer):
    """``y = sum_g A^{fg} x^g + b^f`` at each node: signals in, signals out.

    A batch ``(n, nodes * features)`` holds each signal node by node: it is
    ``(n, nodes, features)``, raveled, as `Dense` and the activations want it. A new
    filter is a frozen dataclass of the ``graph``, its parameters, ``bias`` among them,
    and its constants; it defines `inputs` and `signals`.
    """

    graph: Graph

    @abstractmethod
    def signals(self, x: Array) -> tuple[Array, Pullback]:
        """``(n, nodes, F_in) -> (n, nodes, F_out)``, without the bias."""

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """The filter, and the bias at each node."""
        bias, n = self.parameters["bias"], x.shape[0]
        xp = namespace_of(x, bias)
        y, pullback = self.signals(reshape(x, n, *self.inputs))
        y = y + bias

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dy = reshape(dy, *y.shape)
            dx, gradients = pullback(dy)
            dbias = xp.sum(dy, axis=(0, 1))
            return reshape(dx, *x.shape), gradients | {"bias": dbias}

        return reshape(y, n, prod(y.shape[1:])), backward

    @property
    def constants(self) -> dict[str, np.ndarray]:
        """The graph."""
        return self.graph.arrays

    @classmethod
    def restored(cls, arrays: Mapping[str, Array], **config: Any) -> Self:
        """From the arrays of a file, those of the graph among them."""
        try:
            graph = Graph.restored(arrays)
        except KeyError as error:
            raise ShapeError(f"{cls.__name__}: there is no array {error}") from error
        own = {name: x for name, x in arrays.items() if name not in graph.arrays}
        return cls(graph, **own, **config)

    def _rebuilt(self, arrays: Mapping[str, Array]) -> Self:
        return replace(self, **arrays)

    def _own(self, **axes: int) -> None:
        """Check and keep the arrays of these names, which have so many axes."""
        for name, n_axes in axes.items():
            array = owned(getattr(self, name), f"{self.name}: {name}")
            require_axes(array, n_axes, f"{self.name}: {name}")
            object.__setattr__(self, name, array)

    def _require(self, name: str, wanted: Mapping[str, int]) -> None:
        """Raise ShapeError unless array ``name`` has the ``wanted`` sizes."""
        shape, expected = tuple(getattr(self, name).shape), tuple(wanted.values())
        if shape != expected:
            what = ", ".join(wanted)
            message = f"{self.name}: {name} has shape {shape}, expected {expected}"
            raise ShapeError(f"{message}, the sizes of ({what})")


def loops(graph: Graph, like: Array) -> tuple[Pattern, Array]:
    """The pattern of ``S + I`` and the values of ``S`` there, near ``like``."""
    pattern, values = graph.looped
    return pattern.near(like), from_numpy(values, like)


def uniform(
    bound: float, rng: RNG, dtype: Any, **shapes: tuple[int, ...]
) -> dict[str, np.ndarray]:
    """Arrays of these shapes with entries uniform in ``(-bound, bound)``."""
    drawn, kind = generator(rng), as_dtype(dtype)
    return {
        name: drawn.uniform(-bound, bound, shape).astype(kind)
        for name, shape in shapes.items()
    }
