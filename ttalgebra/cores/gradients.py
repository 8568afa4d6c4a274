"""Pullbacks, derived by hand: the same products with the letters exchanged.

Convention: ``dL = Re sum(conj(g) * dG)``, so for complex cores the *other* operand of
a pullback is conjugated. Each name mirrors one in `products`.
"""

from collections.abc import Callable

from ttalgebra.arrays.contract import contract
from ttalgebra.arrays.namespace import conj
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores.chain import reshape
from ttalgebra.cores.products import columns, rows, state_shapes

Pullback = Callable[[Array], tuple[Cores, Array]]


def matmat(A: Cores, X: Array) -> tuple[Array, Pullback]:
    """``A @ X`` and its pullback ``dY (M, n) -> (dcores, dX (N, n))``.

    Forward keeps the state that each core met; backward walks them once in reverse.
    The gradient of a core is one product of state and cotangent, the cotangent of the
    state another: twice the cost of forward, for any number of cores. The formula
    of Novikov et al. (2015), section 5, costs ``O(d^2 r^4 m max(M, N))`` instead.
    """
    shapes = state_shapes(A, X.shape[1])
    met, state = [], X
    for core, shape in zip(A, shapes, strict=True):
        met.append(reshape(state, *shape))
        state = contract("aijb,pajt->pibt", core, met[-1])

    def pullback(dY: Array) -> tuple[Cores, Array]:
        dcores: list[Array] = []
        dstate = dY
        for core, state in zip(reversed(A), reversed(met), strict=True):
            _, i, _, b = core.shape
            p, _, _, t = state.shape
            dstate = reshape(dstate, p, i, b, t)
            dcores.append(contract("pajt,pibt->aijb", conj(state), dstate))
            dstate = contract("aijb,pibt->pajt", conj(core), dstate)
        return tuple(reversed(dcores)), reshape(dstate, columns(A), X.shape[1])

    return reshape(state, rows(A), X.shape[1]), pullback
