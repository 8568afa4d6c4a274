"""Rows of a TT-matrix at given indices, and what they give back to the cores."""

from collections.abc import Callable
from math import prod

from ttalgebra.arrays.namespace import adjoint, device_of, namespace_of
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores.chain import reshape
from ttalgebra.cores.products import columns, rows

Pullback = Callable[[Array], Cores]


def rows_at(A: Cores, indices: Array) -> tuple[Array, Pullback]:
    """``A[indices]``, ``(n, N)``, for integer ``indices`` ``(n,)``; and the pullback.

    Each index picks a slice ``(r, n_k, s)`` of every core; a state ``(n, q, a)``, ``q``
    the columns done, meets them one after the other::

        state  = contract("nqa,najb->nqjb", state, slice)      forward
        dslice = contract("nqa,nqjb->najb", conj(state), dstate)
        dstate = contract("najb,nqjb->nqa", conj(slice), dstate)

    The gradient of a core is the sum of ``dslice`` over the samples of each digit.
    Cost ``2 n sum_k r_{k-1} r_k prod_{s<=k} n_s`` flops, twice that backward, and
    ``2 n r m n_k s`` for each core to add up.
    Source: Khrulkov et al. (2019).
    """
    xp = namespace_of(*A)
    state = xp.ones((indices.shape[0], 1, 1), dtype=A[0].dtype, device=device_of(A[0]))
    digits, met, slices = digits_of(A, indices), [], []
    for core, digit in zip(A, digits, strict=True):
        _, _, j, b = core.shape
        met.append(state)
        slices.append(xp.take(_rows_first(core), digit, axis=0))
        state = xp.matmul(state, slices[-1])
        state = reshape(state, state.shape[0], state.shape[1] * j, b)

    def pullback(dY: Array) -> Cores:
        dcores: list[Array] = []
        dstate = dY
        for k in reversed(range(len(A))):
            n, q, _ = met[k].shape
            dstate = reshape(dstate, n, q, prod(A[k].shape[2:]))
            dslices = xp.matmul(adjoint(met[k]), dstate)
            dcores.append(_added_up(dslices, digits[k], A[k]))
            dstate = xp.matmul(dstate, adjoint(slices[k]))
        return tuple(reversed(dcores))

    return reshape(state, indices.shape[0], columns(A)), pullback


def digits_of(A: Cores, indices: Array) -> tuple[Array, ...]:
    """The row digit that each index has at each core, the first the slowest."""
    to_come, digits = rows(A), []
    for core in A:
        to_come //= int(core.shape[1])
        digits.append(indices // to_come % int(core.shape[1]))
    return tuple(digits)


def _rows_first(core: Array) -> Array:
    """``(a, i, j, b) -> (i, a, j b)``."""
    a, i, j, b = core.shape
    return reshape(namespace_of(core).permute_dims(core, (1, 0, 2, 3)), i, a, j * b)


def _added_up(dslices: Array, digit: Array, core: Array) -> Array:
    """``(n, a, j b) -> (a, i, j, b)``: the sum over samples with digit ``i``.

    A product with zeros and ones, which every library has and no order changes.
    """
    xp, (a, i, j, b) = namespace_of(core), core.shape
    places = xp.arange(i, dtype=digit.dtype, device=device_of(core))
    chosen = xp.astype(places[:, None] == digit[None, :], core.dtype)
    flat = reshape(dslices, dslices.shape[0], a * j * b)
    summed = reshape(xp.matmul(chosen, flat), i, a, j, b)
    return xp.permute_dims(summed, (1, 0, 2, 3))
