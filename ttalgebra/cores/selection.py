"""Sites that are summed, traced, read or sliced: each becomes a matrix, its core gone.

All of it is one idea. Contract the modes of a site with a vector (ones for a sum, a
unit vector for an index, the identity for a trace) and an ``(r, s)`` matrix is left,
which a neighbour absorbs.
"""

from collections.abc import Callable, Mapping, Sequence

from ttalgebra.arrays.contract import contract
from ttalgebra.arrays.namespace import namespace_of
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
    eye = xp.eye(core.shape[1], dtype=core.dtype, device=core.device)
    return contract("aib,ij->aijb", core, eye)


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
        state, growth = rows_scaled(xp.matmul(state, slices))
        exponents, exponent = exponents + growth, exponent + shift
    return times_powers(reshape(state, state.shape[0]), exponents + exponent)
