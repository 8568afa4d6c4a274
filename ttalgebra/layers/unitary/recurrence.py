"""``h_t = modReLU(W h_{t-1} + V x_t)`` from the first step to the last, and back.

Time is the first axis here: ``x`` is ``(steps, samples, features)``. A step back costs
two transforms, like a step on; what the parameters get is summed over a block of
steps at once.

Source: Arjovsky, Shah & Bengio (2016); the backward pass is derived here.
"""

from dataclasses import dataclass
from typing import NamedTuple

from ttalgebra.arrays.namespace import conj, namespace_of
from ttalgebra.arrays.typing import Array
from ttalgebra.layers.unitary import halves
from ttalgebra.layers.unitary.halves import Passage
from ttalgebra.layers.unitary.matrix import UnitaryMatrix, flat
from ttalgebra.layers.unitary.modrelu import (
    Slope,
    bias_gradient,
    modrelu,
    pulled,
    slope,
)

BLOCK = 2**15  # complex numbers in an array of several steps, which stays in the cache


class Kept(NamedTuple):
    """What backward needs: one or two vectors of each sample for each step."""

    x: Array
    start: Array  # the state before the first step
    z: list[Array]
    middle: list[Array]  # of W; empty if it shall be found from z, by W^-1 = W^H


@dataclass(frozen=True, eq=False)
class Recurrence:
    """The recurrence of these parameters; ``weight`` is ``V``, ``(n, features)``."""

    W: UnitaryMatrix
    weight: Array
    bias: Array

    def run(
        self, x: Array, start: Array, *, recompute: bool
    ) -> tuple[list[Array], Kept]:
        """The state after each step, ``(samples, n)``, and what backward needs."""
        W, h, states, kept = self.W.factors, start, [], Kept(x, start, [], [])
        for steps in self._blocks(x):
            inputs = self._inputs(x[steps, ...])
            for t in range(inputs.shape[0]):
                middle = halves.first(h, W)
                z = halves.second(middle, W) + inputs[t, ...]
                h = modrelu(z, self.bias)
                states.append(h)
                kept.z.append(z)
                if not recompute:
                    kept.middle.append(middle)
        return states, kept

    def back(
        self, kept: Kept, dstates: Array | None, dlast: Array
    ) -> tuple[Array, Array, dict[str, Array]]:
        """The cotangents of ``x`` and of the first state, and the gradients.

        ``dstates``, ``(steps, samples, n)`` or None for zeros, belongs to all states,
        ``dlast`` besides to the last.
        """
        dh, dxs, total = dlast, [], dict[str, Array]()
        for steps in reversed(self._blocks(kept.x)):
            values, slopes = self._values(kept, steps)
            given = None if dstates is None else dstates[steps, ...]
            cotangents = self._cotangents(slopes, given, dh)
            dh, dz = cotangents.x[0, ...], cotangents.y
            dxs.append(namespace_of(dz).matmul(dz, conj(self.weight)))
            found = self.W.gradients(values, cotangents)
            found["bias"] = bias_gradient(flat(slopes.direction), flat(dz))
            found["weight"] = self._weight_gradient(kept.x[steps, ...], dz)
            total = {name: g + total.get(name, 0) for name, g in found.items()}
        return namespace_of(dh).concat(dxs[::-1], axis=0), dh, total

    def _inputs(self, x: Array) -> Array:
        """``V x_t`` of several steps."""
        return namespace_of(x, self.weight).matmul(x, self.weight.T)

    def _weight_gradient(self, x: Array, dz: Array) -> Array:
        return namespace_of(dz).matmul(flat(dz).T, conj(flat(x)))

    def _values(self, kept: Kept, steps: slice) -> tuple[Passage, Slope]:
        """What passed ``W`` at these steps, and the slopes of modReLU."""
        xp = namespace_of(kept.start)
        z = xp.stack(kept.z[steps])
        y, slopes = z - self._inputs(kept.x[steps, ...]), slope(z, self.bias)
        earlier = kept.start
        if steps.start:
            earlier = modrelu(kept.z[steps.start - 1], self.bias)
        before = xp.concat([earlier[None, ...], slopes.state[:-1, ...]], axis=0)
        if kept.middle:
            return Passage(before, xp.stack(kept.middle[steps]), y), slopes
        return Passage(before, halves.second_adjoint(y, self.W.factors), y), slopes

    def _cotangents(self, slopes: Slope, given: Array | None, dh: Array) -> Passage:
        """Those of what passed ``W``, from the last of these steps to the first."""
        way = []
        for t in reversed(range(slopes.straight.shape[0])):
            dh = dh if given is None else dh + given[t, ...]
            dz = pulled(slopes.straight[t, ...], slopes.turned[t, ...], dh)
            dmiddle = halves.second_adjoint(dz, self.W.factors)
            dh = halves.first_adjoint(dmiddle, self.W.factors)
            way.append(Passage(dh, dmiddle, dz))
        xp = namespace_of(dh)
        return Passage(*(xp.stack(part[::-1]) for part in zip(*way, strict=True)))

    def _blocks(self, x: Array) -> list[slice]:
        """The steps, in slices of about `BLOCK` numbers."""
        T, samples = int(x.shape[0]), max(1, int(x.shape[1]))
        length = max(1, BLOCK // (samples * self.W.shape[0]))
        return [slice(t, min(t + length, T)) for t in range(0, T, length)]
