"""Long short-term memory over any map from inputs to gates, dense or compressed.

Source: Hochreiter & Schmidhuber (1997); the four gates as one map: Ye et al. (2018).
"""

from dataclasses import dataclass
from typing import ClassVar

from ttalgebra.arrays.namespace import conj, namespace_of
from ttalgebra.arrays.typing import Array, Backward
from ttalgebra.layers.recurrent.cell import step
from ttalgebra.layers.recurrent.gated import Gated, flat, prefixed
from ttalgebra.layers.recurrent.stepwise import Stepwise


@dataclass(frozen=True, eq=False)
class LSTM(Gated):
    """``h_t`` of an LSTM whose gates are ``gates(x_t) + U h_{t-1}``, from zero states.

    Maps sequences ``(samples, steps, features)`` to the last ``h_t``, ``(samples, h)``,
    or to all of them, ``(samples, steps, h)``. `cell` has the formulas. The map of the
    inputs meets all steps at once, forward and backward. Kept for backward: what it
    keeps, and about ``10 h`` numbers for each step and sample.

    Parameters
    ----------
    gates
        A layer ``(samples, features) -> (samples, 4 h)``: `Dense`, `TTLinear`,
        `BTLinear`. Its rows are input, forget, output gate and candidate, ``h`` each;
        so in a compressed map the gate is the slowest part of the first row mode.
    recurrent
        ``U``, ``(4 h, h)``.
    sequences
        Whether all ``h_t`` are given, or the last.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import LSTM
    >>> lstm = LSTM.random(3, 5, rng=0)
    >>> y, backward = lstm(np.ones((2, 7, 3), np.float32))
    >>> dx, gradients = backward(y)
    >>> y.shape, dx.shape, list(gradients)
    ((2, 5), (2, 7, 3), ['gates.weight', 'gates.bias', 'recurrent'])
    """

    STARTS: ClassVar[tuple[int, ...]] = (0, 1, 0, 0)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """The map at all steps, the recurrence, and back through time."""
        met, pull_met = Stepwise(self.gates)(x)
        self.require_gates(x, met)
        xp = namespace_of(met, self.recurrent)
        timely = xp.permute_dims(met, (1, 0, 2))
        zero = xp.zeros_like(timely[0, :, : self.recurrent.shape[1]])
        states, memory, pulls = [zero], zero, []
        for t in range(timely.shape[0]):
            z = timely[t, ...] + xp.matmul(states[-1], self.recurrent.T)
            state, memory, pull = step(z, memory)
            states.append(state)
            pulls.append(pull)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dys = xp.permute_dims(dy, (1, 0, 2)) if self.sequences else None
            dh, dc, dzs = zero if self.sequences else dy, zero, []
            for t in reversed(range(len(pulls))):
                dz, dc = pulls[t](dh if dys is None else dh + dys[t, ...], dc)
                dh = xp.matmul(dz, conj(self.recurrent))
                dzs.append(dz)
            dz = xp.stack(dzs[::-1])
            recurrent = xp.matmul(flat(dz).T, conj(flat(xp.stack(states[:-1]))))
            dx, gradients = pull_met(xp.permute_dims(dz, (1, 0, 2)))
            return dx, prefixed(gradients) | {"recurrent": recurrent}

        return xp.stack(states[1:], axis=1) if self.sequences else states[-1], backward
