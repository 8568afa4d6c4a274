"""The gated recurrent unit over any map from inputs to gates, dense or compressed.

Source: Cho et al. (2014), equations 5 to 8.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from ttalgebra.arrays.namespace import conj, namespace_of
from ttalgebra.arrays.typing import Array, Backward
from ttalgebra.layers.plain.activation import Sigmoid, Tanh
from ttalgebra.layers.recurrent.gated import Gated, flat, prefixed
from ttalgebra.layers.recurrent.stepwise import Stepwise

Pullback = Callable[[Array], tuple[Array, Array, Array]]
_SIGMOID, _TANH = Sigmoid(), Tanh()


@dataclass(frozen=True, eq=False)
class GRU(Gated):
    """``h_t`` of a GRU whose gates are ``gates(x_t)`` and ``U h``, from zero states.

    With ``W_r x, W_z x, W_g x`` of the map ``gates``, bias and all, one step is ::

        r = sigmoid(W_r x + U_r h),    z = sigmoid(W_z x + U_z h),
        h' = z h + (1 - z) tanh(W_g x + U_g (r h)).

    Maps sequences ``(samples, steps, features)`` to the last ``h_t``, ``(samples, h)``,
    or to all of them, ``(samples, steps, h)``. The map of the inputs meets all steps at
    once, forward and backward. Kept for backward: what it keeps, and about ``8 h``
    numbers for each step and sample.

    Parameters
    ----------
    gates
        A layer ``(samples, features) -> (samples, 3 h)``: `Dense`, `TTLinear`,
        `BTLinear`. Its rows are reset gate, update gate and candidate, ``h`` each.
    recurrent
        ``U``, ``(3 h, h)``.
    sequences
        Whether all ``h_t`` are given, or the last.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import GRU
    >>> gru = GRU.random(3, 5, rng=0)
    >>> y, backward = gru(np.ones((2, 7, 3), np.float32))
    >>> dx, gradients = backward(y)
    >>> y.shape, dx.shape, list(gradients)
    ((2, 5), (2, 7, 3), ['gates.weight', 'gates.bias', 'recurrent'])
    """

    STARTS: ClassVar[tuple[int, ...]] = (0, 0, 0)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """The map at all steps, the recurrence, and back through time."""
        met, pull_met = Stepwise(self.gates)(x)
        self.require_gates(x, met)
        xp, U = namespace_of(met, self.recurrent), self.recurrent
        timely = xp.permute_dims(met, (1, 0, 2))
        zero = xp.zeros_like(timely[0, :, : U.shape[1]])
        states, shown, pulls = [zero], [], []
        for t in range(timely.shape[0]):
            state, seen, pull = step(timely[t, ...], states[-1], U)
            states.append(state)
            shown.append(seen)
            pulls.append(pull)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dys = xp.permute_dims(dy, (1, 0, 2)) if self.sequences else None
            dh, gates, candidates = zero if self.sequences else dy, [], []
            for t in reversed(range(len(pulls))):
                dh, dgates, dg = pulls[t](dh if dys is None else dh + dys[t, ...])
                gates.append(dgates)
                candidates.append(dg)
            da, dg = xp.stack(gates[::-1]), xp.stack(candidates[::-1])
            before, reset = flat(xp.stack(states[:-1])), flat(xp.stack(shown))
            parts = (
                xp.matmul(flat(da).T, conj(before)),
                xp.matmul(flat(dg).T, conj(reset)),
            )
            dmet = xp.permute_dims(xp.concat([da, dg], axis=2), (1, 0, 2))
            dx, gradients = pull_met(dmet)
            return dx, prefixed(gradients) | {"recurrent": xp.concat(parts, axis=0)}

        return xp.stack(states[1:], axis=1) if self.sequences else states[-1], backward


def step(met: Array, h: Array, U: Array) -> tuple[Array, Array, Pullback]:
    """``h'`` and ``r h`` from ``met (n, 3 h)`` and ``h (n, h)``; and the pullback.

    The pullback maps ``dh'`` to ``dh`` and the cotangents of what the sigmoids, ``(n, 2
    h)``, and tanh were applied to.
    """
    xp, size = namespace_of(met), int(h.shape[1])
    U_gates, U_g = U[: 2 * size, :], U[2 * size :, :]
    gates, pull_gates = _SIGMOID.forward(met[:, : 2 * size] + xp.matmul(h, U_gates.T))
    r, z = gates[:, :size], gates[:, size:]
    shown = r * h
    g, pull_g = _TANH.forward(met[:, 2 * size :] + xp.matmul(shown, U_g.T))

    def pullback(dafter: Array) -> tuple[Array, Array, Array]:
        dg, _ = pull_g(conj(1 - z) * dafter)
        dshown = xp.matmul(dg, conj(U_g))
        both = [conj(h) * dshown, conj(h - g) * dafter]
        dgates, _ = pull_gates(xp.concat(both, axis=1))
        dh = conj(z) * dafter + conj(r) * dshown + xp.matmul(dgates, conj(U_gates))
        return dh, dgates, dg

    return g + z * (h - g), shown, pullback
