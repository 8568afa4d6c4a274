"""One step of long short-term memory, and its pullback.

Source: Hochreiter & Schmidhuber (1997); with the forget gate of Gers et al. (2000).
"""

from collections.abc import Callable

from ttalgebra.arrays.namespace import conj, namespace_of
from ttalgebra.arrays.typing import Array
from ttalgebra.layers.plain.activation import Sigmoid, Tanh

Pullback = Callable[[Array, Array], tuple[Array, Array]]
_SIGMOID, _TANH = Sigmoid(), Tanh()


def step(z: Array, c: Array) -> tuple[Array, Array, Pullback]:
    """``h', c'`` from ``z (n, 4 h)`` and the memory ``c (n, h)``; and the pullback.

    ``z`` holds input, forget, output gate and candidate, one after the other::

        c' = sigmoid(z_f) c + sigmoid(z_i) tanh(z_g),    h' = sigmoid(z_o) tanh(c')

    The pullback maps ``(dh', dc')`` to ``(dz, dc)``.
    """
    xp, size = namespace_of(z), int(c.shape[1])
    gates, pull_gates = _SIGMOID.forward(z[:, : 3 * size])
    i, f, o = (gates[:, k * size : (k + 1) * size] for k in range(3))
    g, pull_g = _TANH.forward(z[:, 3 * size :])
    after = f * c + i * g
    shown, pull_shown = _TANH.forward(after)

    def pullback(dh: Array, dafter: Array) -> tuple[Array, Array]:
        dafter = dafter + pull_shown(conj(o) * dh)[0]
        dgates = [conj(g) * dafter, conj(c) * dafter, conj(shown) * dh]
        dz_gates, _ = pull_gates(xp.concat(dgates, axis=1))
        dz_g, _ = pull_g(conj(i) * dafter)
        return xp.concat([dz_gates, dz_g], axis=1), conj(f) * dafter

    return o * shown, after, pullback
