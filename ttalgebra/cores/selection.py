"""Sites that are summed, traced, read or sliced: each becomes a matrix, its core gone.

All of it is one idea. Contract the modes of a site with a vector (ones for a sum, a
unit vector for an index, the identity for a trace) and an ``(r, s)`` matrix is left,
which a neighbour absorbs.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np

from ttalgebra.arrays.contract import contract, matmul
from ttalgebra.arrays.namespace import device_of, from_numpy, namespace_of
from ttalgebra.arrays.scaling import rows_scaled, times_powers, unit_scaled
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores.chain import absorb_left, absorb_right, flat_modes, reshape


def close(
    cores: Cores, closers: Mapping[int, Callable[[Array], Array]]
) -> tuple[Cores, Array]:
    """The chain in which ``closers`` make ``(r, s)`` matrices of some of the cores.

    Returns ``(cores, exponent)``. Matrices go to the next open core, those after the
    last one to that; where every site is closed, one ``(1, 1)`` matrix is left.
    Cost ``O(d n r^3)``.
    """
    done: list[Array] = []
    carried, exponent = None, 0
    for k, core in enumerate(cores):
        core, shift = unit_scaled(core)
        core = closers[k](core) if k in closers else core
        core, growth = unit_scaled(
            core if carried is None else absorb_left(carried, core)
        )
        exponent = exponent + shift + growth
        if k in closers:
            carried = core
        else:
            carried = None
            done.append(core)
    if carried is not None and done:
        done[-1], growth = unit_scaled(absorb_right(done[-1], carried))
        return tuple(done), exponent + growth
    return tuple(done) if carried is None else (carried,), exponent


def summed(core: Array) -> Array:
    """``(r, *modes, s) -> (r, s)``: the sum over all modes."""
    return namespace_of(core).sum(flat_modes(core), axis=1)


def traced(core: Array) -> Array:
    """``(r, n, n, s) -> (r, s)``: the sum over the diagonal."""
    return summed(diagonal(core))


def indexed(core: Array, index: int) -> Array:
    """``(r, n, s) -> (r, s)``: the slice at one index."""
    return core[:, index, :]


def diagonal(core: Array) -> Array:
    """``(r, n, n, s) -> (r, n, s)``: every ``n + 1``-st of the flattened digits."""
    return flat_modes(core)[:, :: core.shape[1] + 1, :]


def from_diagonal(core: Array) -> Array:
    """``(r, n, s) -> (r, n, n, s)``: zero where the digits differ."""
    xp = namespace_of(core)
    eye = xp.eye(core.shape[1], dtype=core.dtype, device=device_of(core))
    return contract("aib,ij->aijb", core, eye)


def submatrix(
    A: Cores, rows: Sequence[int] | None, columns: Sequence[int] | None
) -> Array:
    """The dense ``(n, m)`` part of a matrix at flat ``rows`` and ``columns``.

    None means all of them, in order. One core after the other multiplies a state
    ``(p, q, a)`` of the row and column prefixes that are still wanted, so nothing is
    computed that no index asks for, but for one digit. Cost ``O(n m r^2)`` for each
    core, times the sizes of its modes.
    """
    xp = namespace_of(*A)
    sizes = zip(*(core.shape[1:3] for core in A), strict=True)
    wanted = [_prefixes(at, n) for at, n in zip((rows, columns), sizes, strict=True)]
    state = xp.ones((1, 1, 1), dtype=A[0].dtype, device=device_of(A[0]))
    for k, core in enumerate(A):
        state = contract("pqa,aijb->piqjb", state, core)
        p, i, q, j, b = state.shape
        state = reshape(state, p * i, q * j, b)
        for axis, kept in enumerate(wanted):
            if kept is not None:
                state = xp.take(state, from_numpy(kept[k], core), axis=axis)
    return reshape(state, *state.shape[:2])


def _prefixes(
    indices: Sequence[int] | None, sizes: Sequence[int]
) -> list[np.ndarray] | None:
    """For each site, the places to keep when the kept prefixes grow by a digit.

    A prefix is an index without the digits to come; after the last site every index
    stands in its own place.
    """
    if indices is None:
        return None
    to_come = prod(sizes)
    flat = np.array(indices, dtype=np.int64 if to_come < 2**63 else object)
    kept, places = np.zeros(1, flat.dtype), []
    for n in sizes:
        to_come //= n
        wanted = np.unique(flat // to_come)
        places.append((np.searchsorted(kept, wanted // n) * n + wanted % n).astype(int))
        kept = wanted
    places[-1] = places[-1][np.searchsorted(kept, flat)]
    return places


def entries(cores: Cores, indices: Sequence[Array]) -> Array:
    """The entries at ``indices``, an integer array ``(n,)`` for each site: ``(n,)``.

    An index counts the flattened modes of its core. Each sample carries an exponent of
    its own, so small entries beside large ones keep their digits. Cost ``O(n d r^2)``.
    """
    xp = namespace_of(*cores)
    first, exponent = unit_scaled(cores[0])
    state = xp.permute_dims(xp.take(flat_modes(first), indices[0], axis=1), (1, 0, 2))
    state, exponents = rows_scaled(state)
    for core, index in zip(cores[1:], indices[1:], strict=True):
        core, shift = unit_scaled(core)
        slices = xp.permute_dims(xp.take(flat_modes(core), index, axis=1), (1, 0, 2))
        state, growth = rows_scaled(matmul(state, slices))
        exponents, exponent = exponents + growth, exponent + shift
    return times_powers(reshape(state, state.shape[0]), exponents + exponent)
