"""Products: chains with dense batches, with each other, and the chain made dense.

Letters are those of docs/notation.md: ``a b`` and ``c d`` ranks of the first and the
second chain, ``i`` row, ``j`` column, ``k`` contracted mode, ``p`` what is done,
``t`` what is to come.
"""

from math import prod

from ttalgebra.arrays.contract import contract
from ttalgebra.arrays.namespace import (
    conj,
    copied,
    device_of,
    namespace_of,
    to_numpy,
)
from ttalgebra.arrays.scaling import calmed, scalar_times_power
from ttalgebra.arrays.typing import Array, Cores, Scalar
from ttalgebra.cores.chain import flat_modes, reshape
from ttalgebra.cores.sweep import run


def matmat(A: Cores, X: Array) -> Array:
    """``A @ X`` for dense ``X``, ``(N, n) -> (M, n)``, as `sweep.plan` finds quickest.

    One core at a time from the first it is
    ``2 n sum_k r_{k-1} n_k m_k r_k prod_{s<k} m_s prod_{s>k} n_s`` flops; a plan may
    come from the last, and merge cores where that takes less time.
    Source: Novikov et al. (2015), section 4, summed core by core.
    """
    return run.apply(A, X, rows=False)


def apply(A: Cores, X: Array) -> Array:
    """``X @ A.T``, ``A`` applied to each row: ``(n, N) -> (n, M)``, as `matmat`."""
    return run.apply(A, X, rows=True)


def rows(A: Cores) -> int:
    """``M = m_1 ... m_d``, an exact Python int."""
    return prod(int(core.shape[1]) for core in A)


def columns(A: Cores) -> int:
    """``N = n_1 ... n_d``, an exact Python int."""
    return prod(int(core.shape[2]) for core in A)


def matvec(A: Cores, x: Cores) -> Cores:
    """``A @ x`` for a chain ``x``, exact; ranks multiply.

    Source: Oseledets (2011), section 4.3.
    """
    return tuple(
        _paired(contract("aijb,cjd->acibd", G, H)) for G, H in zip(A, x, strict=True)
    )


def compose(A: Cores, B: Cores) -> Cores:
    """``A @ B`` for two matrices, exact; ranks multiply."""
    return tuple(
        _paired(contract("aikb,ckjd->acijbd", G, H)) for G, H in zip(A, B, strict=True)
    )


def hadamard(x: Cores, y: Cores) -> Cores:
    """``x * y`` entry by entry, exact; ranks multiply.

    Source: Oseledets (2011), section 4.2.
    """
    return tuple(_entrywise(G, H) for G, H in zip(x, y, strict=True))


def _entrywise(G: Array, H: Array) -> Array:
    """``(a, *modes, b), (c, *modes, d) -> (a * c, *modes, b * d)``."""
    product = contract("aib,cid->acibd", flat_modes(G), flat_modes(H))
    ranks = G.shape[0] * H.shape[0], G.shape[-1] * H.shape[-1]
    return reshape(product, ranks[0], *G.shape[1:-1], ranks[1])


def _paired(core: Array) -> Array:
    """``(a, c, *modes, b, d) -> (a * c, *modes, b * d)``."""
    a, c, *modes, b, d = core.shape
    return reshape(core, a * c, *modes, b * d)


def dot(x: Cores, y: Cores) -> Scalar:
    """``<x, y>``, conjugating ``x``; both chains have the same modes.

    Error at most ``c eps W Gamma_x Gamma_y``. Cost ``O(d n r^3)``.
    Source: Oseledets (2011), Algorithm 4.
    """
    xp = namespace_of(*x, *y)
    left, exponent = xp.ones((1, 1), dtype=x[0].dtype, device=device_of(x[0])), 0
    for G, H in zip(x, y, strict=True):
        G, shift_G = calmed(G)
        H, shift_H = calmed(H)
        left = contract("ac,aib,cid->bd", left, conj(flat_modes(G)), flat_modes(H))
        left, growth = calmed(left)
        exponent = exponent + shift_G + shift_H + growth
    value = to_numpy(left)[0, 0].item()
    if not isinstance(value, complex):
        return scalar_times_power(value, exponent)
    parts = (scalar_times_power(part, exponent) for part in (value.real, value.imag))
    return complex(*parts)


def dense_tensor(x: Cores) -> Array:
    """The flattened tensor of ``x``, ``(n_1 ... n_d,)``. Cost ``O(r size)``."""
    state = _own(reshape(x[0], x[0].shape[1], x[0].shape[2]), x)
    for core in x[1:]:
        state = contract("pa,aib->pib", state, core)
        state = reshape(state, state.shape[0] * state.shape[1], state.shape[2])
    return reshape(state, state.shape[0])


def dense_matrix(A: Cores) -> Array:
    """The matrix of ``A``, ``(M, N)``. Cost ``O(r M N)``."""
    state = _own(reshape(A[0], *A[0].shape[1:]), A)
    for core in A[1:]:
        state = contract("pqa,aijb->piqjb", state, core)
        p, i, q, j, b = state.shape
        state = reshape(state, p * i, q * j, b)
    return reshape(state, *state.shape[:2])


def _own(state: Array, x: Cores) -> Array:
    """A copy where nothing else will be made of the only core."""
    return copied(state) if len(x) == 1 else state
