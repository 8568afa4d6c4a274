"""The decay of weights that are powers: ``decay / 2 sum (2^P)^2``."""

from dataclasses import dataclass
from math import log

from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import Array, Backward
from ttalgebra.layers.protocol import Layer


def power_decay(P: Array, decay: float) -> tuple[float, Array]:
    """``decay / 2 sum 4^P`` and its gradient, ``decay ln 2 4^P``; ``P`` as it is.

    Source: the code of Elhoushi et al. (2021). ``P`` is not rounded.

    >>> import numpy as np
    >>> from ttalgebra.layers.shift import power_decay
    >>> power_decay(np.array([0.0, -1.0]), 0.5)
    (0.3125, array([0.34657359, 0.0866434 ]))
    """
    xp = namespace_of(P)
    squares = xp.exp(P * log(4))
    return decay / 2 * float(xp.sum(squares)), (decay * log(2)) * squares


def real_weights(name: str, parameter: Array) -> bool:
    """What an optimizer may decay: weights, but neither exponents nor signs.

    For the argument ``decays`` of optimizers, as in ``SGD(0.01, decay=1e-4,
    decays=real_weights)``.
    """
    own = name.rpartition(".")[2]
    return bool(parameter.ndim >= 2 and own not in ("shift", "sign"))


@dataclass(frozen=True, eq=False)
class DecayedPS(Layer):
    """``layer`` for one step of training: the gradient of ``P`` includes its decay.

    The loss that is reported does not.
    """

    layer: Layer
    shift: Array
    decay: float

    @property
    def inputs(self) -> tuple[int, ...]:
        """Those of the layer."""
        return self.layer.inputs

    @property
    def parameters(self) -> dict[str, Array]:
        """Those of the layer."""
        return self.layer.parameters

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """As the layer does."""
        y, backward = self.layer.forward(x)

        def decayed(dy: Array) -> tuple[Array, dict[str, Array]]:
            dx, gradients = backward(dy)
            _, own = power_decay(self.shift, self.decay)
            return dx, {**gradients, "shift": gradients["shift"] + own}

        return y, decayed
