"""Pullbacks, derived by hand; each name mirrors one in `products`.

Convention: ``dL = Re sum(conj(g) * dG)``, so for complex cores the *other* operand of
a pullback is conjugated.
"""

from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores.sweep import run
from ttalgebra.cores.sweep.run import Pullback


def matmat(A: Cores, X: Array) -> tuple[Array, Pullback]:
    """``A @ X`` and its pullback ``dY (M, n) -> (dcores, dX (N, n))``.

    Backward walks the steps of forward once in reverse: the gradient of an operand is
    one product of state and cotangent, the cotangent of the state another, for any
    number of cores. Merged cores pull back to the cores at no cost that grows with
    ``n``. The formula of Novikov et al. (2015), section 5, costs
    ``O(d^2 r^4 m max(M, N))`` instead.
    """
    return run.vjp(A, X, rows=False)


def apply(A: Cores, X: Array) -> tuple[Array, Pullback]:
    """``X @ A.T`` and its pullback ``dY (n, M) -> (dcores, dX (n, N))``."""
    return run.vjp(A, X, rows=True)
