"""A layer of samples, applied to every step of sequences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.typing import Array, Backward
from ttalgebra.cores.chain import reshape
from ttalgebra.layers.protocol import Layer


@dataclass(frozen=True, eq=False)
class Stepwise(Layer):
    """``layer`` at each step by itself: ``(n, steps, f) -> (n, steps, f')``.

    Its arrays have the names they have in ``layer``.

    >>> import numpy as np
    >>> from ttalgebra.layers import Dense, Stepwise
    >>> layer = Stepwise(Dense.random(2, 5, rng=0))
    >>> layer(np.ones((4, 7, 2)))[0].shape, list(layer.parameters)
    ((4, 7, 5), ['weight', 'bias'])
    """

    layer: Layer

    def __post_init__(self) -> None:
        if not isinstance(self.layer, Layer):
            kind = type(self.layer).__name__
            raise TypeError(f"Stepwise: {kind} is not a layer")
        if self.layer.axes != 2:
            message = f"Stepwise: {self.layer.name} meets sequences itself"
            raise ShapeError(f"{message}; a layer of (samples, features) is needed")

    @property
    def axes(self) -> int:
        """3: ``(samples, steps, features)``."""
        return 3

    @property
    def inputs(self) -> tuple[int, ...]:
        """Those of the layer."""
        return self.layer.inputs

    @property
    def parameters(self) -> dict[str, Array]:
        """Those of the layer."""
        return self.layer.parameters

    @property
    def statistics(self) -> dict[str, Array]:
        """Those of the layer, measured over samples and steps."""
        return self.layer.statistics

    @property
    def constants(self) -> dict[str, np.ndarray]:
        """Those of the layer."""
        return self.layer.constants

    def to(self, backend: str, device: object = None) -> Self:
        """The layer moved."""
        return type(self)(self.layer.to(backend, device))

    def training(self, rng: np.random.Generator) -> "Stepwise":
        """The layer in its training form."""
        return Stepwise(self.layer.training(rng))

    def projected(self) -> "Stepwise":
        """The layer projected."""
        return Stepwise(self.layer.projected())

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """Samples and steps as one axis, and apart again."""
        n, steps, features = x.shape
        y, backward = self.layer(reshape(x, n * steps, features))

        def apart(dy: Array) -> tuple[Array, dict[str, Array]]:
            dx, gradients = backward(reshape(dy, n * steps, dy.shape[-1]))
            return reshape(dx, n, steps, features), dict(gradients)

        return reshape(y, n, steps, y.shape[-1]), apart

    def _rebuilt(self, arrays: Mapping[str, Array]) -> Self:
        return type(self)(self.layer._rebuilt(arrays))
