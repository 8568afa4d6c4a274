"""The one recursion of all graph filters, forwards, and its adjoint, backwards.

``z^(k) = Phi^(k) z^(k-1)`` for ``k = 1..K``; a filter adds up the ``z^(k)``, weighted
by whatever it learns. With ``g^(k)`` the gradient by ``z^(k)`` alone, the whole one is

    ``lambda^(K) = g^(K)``,  ``lambda^(k) = g^(k) + Phi^(k+1)H lambda^(k+1)``,

and ``Phi^(k)`` has the gradient ``lambda^(k) z^(k-1)H``, of which only the stored
entries are formed. Each of the two functions is the adjoint of the other; with the
other step, `folded` is Horner's rule. Source: Isufi, Gama & Ribeiro (2022).
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from ttalgebra.arrays.typing import Array

Step: TypeAlias = Callable[[int, Array], Array]  # (k, z) -> Phi^(k) z, or its adjoint


def unfolded(step: Step, x: Array, order: int) -> list[Array]:
    """``z^(0) = x`` to ``z^(K)``, where ``z^(k) = step(k, z^(k-1))``."""
    z = [x]
    for k in range(1, order + 1):
        z.append(step(k, z[-1]))
    return z


def folded(step: Step, g: Sequence[Array]) -> list[Array]:
    """``u^(0)`` to ``u^(K)``, where ``u^(k) = g^(k) + step(k + 1, u^(k+1))``."""
    u = [g[-1]]
    for k in range(len(g) - 1, 0, -1):
        u.append(g[k - 1] + step(k, u[-1]))
    return u[::-1]
