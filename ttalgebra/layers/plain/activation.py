"""Activations: one function, entry by entry, and its derivative."""

from dataclasses import dataclass

from ttalgebra.arrays.namespace import conj, is_complex, namespace_of
from ttalgebra.arrays.typing import Array, Backward
from ttalgebra.layers.protocol import Layer


@dataclass(frozen=True, eq=False)
class ReLU(Layer):
    """``max(x, 0)``, with derivative 0 at 0. Real inputs only: TypeError for others.

    >>> from ttalgebra.layers import ReLU
    >>> ReLU()([[-1.0, 2.0]])[0]
    array([[0., 2.]])
    """

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """``max(x, 0)``."""
        require_real(x, "ReLU: x")
        xp = namespace_of(x)
        alive = xp.astype(x > 0, x.dtype)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            return dy * alive, {}

        return xp.maximum(x, 0), backward


@dataclass(frozen=True, eq=False)
class Tanh(Layer):
    """``tanh(x)``.

    >>> from ttalgebra.layers import Tanh
    >>> Tanh()([[0.0, 1e4]])[0]
    array([[0., 1.]])
    """

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """``tanh(x)``, whose derivative is ``1 - y^2``."""
        y = namespace_of(x).tanh(x)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            return dy * conj(1 - y * y), {}

        return y, backward


@dataclass(frozen=True, eq=False)
class Sigmoid(Layer):
    """``1 / (1 + exp(-x))``, to full relative accuracy in both tails.

    >>> from ttalgebra.layers import Sigmoid
    >>> Sigmoid()([[0.0, 1e4, -1e4]])[0]
    array([[0.5, 1. , 0. ]])
    """

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """``y``, whose derivative is ``y (1 - y)``, ``1 - y`` without cancellation."""
        xp = namespace_of(x)
        right = (xp.real(x) if is_complex(x) else x) >= 0
        small = xp.exp(xp.where(right, -x, x))  # never overflows
        one = 1 + 0 * small
        y = xp.where(right, one, small) / (1 + small)
        derivative = small / ((1 + small) * (1 + small))

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            return dy * conj(derivative), {}

        return y, backward


def require_real(x: Array, name: str) -> None:
    """Raise TypeError where ``x`` is complex: its entries have no order."""
    if is_complex(x):
        raise TypeError(f"{name} is {x.dtype}; a real array is needed")
