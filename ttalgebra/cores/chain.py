"""Chains of cores: their ranks, their unfoldings, and the only reshapes there are.

A core is ``(r, *modes, s)``, and the outer ranks of a chain are 1::

    --r--[ core ]--s--
            |
          modes
"""

from itertools import accumulate, pairwise
from math import prod

from ttalgebra.arrays.contract import matmul, reshaped
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import (
    device_of,
    has_values,
    is_numpy,
    namespace_of,
    to_numpy,
)
from ttalgebra.arrays.scaling import (
    exponent_of,
    is_quiet,
    norm_exponent_of,
    times_power,
    unit_scaled,
)
from ttalgebra.arrays.typing import Array, Cores

DETOUR = 8  # powers of two that a partial product may stray, lest all be rescaled


def ranks(cores: Cores) -> tuple[int, ...]:
    """``(1, r_1, ..., r_{d-1}, 1)``."""
    return (*(int(core.shape[0]) for core in cores), int(cores[-1].shape[-1]))


def modes(cores: Cores) -> tuple[tuple[int, ...], ...]:
    """The modes of each core: ``(n,)`` in a tensor, ``(m, n)`` in a matrix."""
    return tuple(tuple(int(n) for n in core.shape[1:-1]) for core in cores)


def require_chain(cores: Cores, *, n_modes: int) -> None:
    """Raise ShapeError unless ``cores`` connect and carry ``n_modes`` modes each."""
    if not cores:
        raise ShapeError("a train needs at least one core, got none")
    layout = {1: "(r, n, s)", 2: "(r, m, n, s)"}[n_modes]
    for k, core in enumerate(cores):
        if core.ndim != n_modes + 2:
            raise ShapeError(
                f"core {k} has shape {tuple(core.shape)}, expected {layout}"
            )
        if 0 in core.shape:
            message = (
                f"core {k} has a zero-size mode or rank: shape {tuple(core.shape)}"
            )
            raise ShapeError(f"{message}; every size must be at least 1")
    for k, (left, right) in enumerate(pairwise(cores)):
        if left.shape[-1] != right.shape[0]:
            message = (
                f"cores {k} and {k + 1} do not connect: right rank {left.shape[-1]}"
            )
            shapes = f"(shapes {tuple(left.shape)} and {tuple(right.shape)})"
            raise ShapeError(f"{message}, left rank {right.shape[0]} {shapes}")
    if ranks(cores)[0] != 1 or ranks(cores)[-1] != 1:
        ends = f"{ranks(cores)[0]} and {ranks(cores)[-1]}"
        raise ShapeError(f"the outer ranks of a train are 1, got {ends}")


def reshape(x: Array, *shape: int) -> Array:
    """``x`` with another shape in C order (first index slowest)."""
    return reshaped(x, shape)


def left_unfold(core: Array) -> Array:
    """``(r, *modes, s) -> (r * modes, s)``."""
    return reshaped(core, (prod(core.shape[:-1]), core.shape[-1]))


def right_unfold(core: Array) -> Array:
    """``(r, *modes, s) -> (r, modes * s)``."""
    return reshape(core, core.shape[0], prod(core.shape[1:]))


def flat_modes(core: Array) -> Array:
    """``(r, *modes, s) -> (r, modes, s)``: whatever the core is, one mode."""
    return reshape(core, core.shape[0], prod(core.shape[1:-1]), core.shape[-1])


def left_fold(matrix: Array, like: Array) -> Array:
    """``(r * modes, s) -> (r, *modes, s)`` with the ``r`` and modes of ``like``."""
    return reshape(matrix, *like.shape[:-1], matrix.shape[-1])


def right_fold(matrix: Array, like: Array) -> Array:
    """``(r, modes * s) -> (r, *modes, s)`` with the modes and ``s`` of ``like``."""
    return reshape(matrix, matrix.shape[0], *like.shape[1:])


def absorb_left(matrix: Array, core: Array) -> Array:
    """``(q, r), (r, *modes, s) -> (q, *modes, s)``."""
    return right_fold(matmul(matrix, right_unfold(core)), like=core)


def absorb_right(core: Array, matrix: Array) -> Array:
    """``(r, *modes, s), (s, q) -> (r, *modes, q)``."""
    return left_fold(matmul(left_unfold(core), matrix), like=core)


def spread(cores: Cores, exponent: Array) -> Cores:
    """The chain that is ``2**exponent`` times ``cores``, the factor shared by all.

    Whole powers of two, so exact; shared, so that no core leaves the range of its
    dtype while the chain as a whole is far outside it.
    """
    xp = namespace_of(*cores)
    d = len(cores)
    if is_numpy(cores[0]):
        shares = [exponent * (k + 1) // d - exponent * k // d for k in range(d)]
        pairs = zip(cores, shares, strict=True)
        return tuple(
            times_power(core, share) if share else core for core, share in pairs
        )
    steps = [xp.floor(exponent * (k / d)) for k in range(d)] + [exponent]
    pairs = zip(cores, pairwise(steps), strict=True)
    return tuple(times_power(core, upper - lower) for core, (lower, upper) in pairs)


def balanced(cores: Cores, exponent: Array = 0) -> Cores:
    """``2**exponent`` times the chain, the largest entries of all cores alike."""
    units = []
    for core in cores:
        unit, shift = unit_scaled(core)
        units.append(unit)
        exponent = exponent + shift
    return spread(tuple(units), exponent)


def is_calm(cores: Cores) -> bool:
    """Whether products of two such cores, or sums inside one, stay in range.

    Taken for granted where there are no values yet.
    """
    if is_numpy(cores[0]) and all(map(is_quiet, cores)):
        return True  # 1 us a core instead of 3
    if not all(map(has_values, cores)):
        return True
    xp, exponents = namespace_of(*cores), [exponent_of(core) for core in cores]
    if not is_numpy(cores[0]):
        exponents = to_numpy(xp.stack(exponents)).tolist()
    bound = 400 if xp.finfo(cores[0].dtype).bits == 64 else 50
    return all(abs(exponent) < bound for exponent in exponents)


def tame(cores: Cores) -> tuple[Cores, tuple[Array, ...]]:
    """The same chain, its size growing or falling steadily, and its shifts.

    Core ``k`` comes back as ``2**shifts[k]`` times what it was; the shifts add up to
    0, and all are 0 unless a partial product is beyond both ends of the chain by more
    than ``2**DETOUR``. So what is multiplied by the chain passes only sizes between
    its own and that of the product.
    """
    shifts = (_shifts if is_numpy(cores[0]) else _shifts_on_device)(cores)
    if is_numpy(cores[0]) and not any(shifts):
        return cores, shifts
    pairs = zip(cores, shifts, strict=True)
    return tuple(times_power(core, shift) for core, shift in pairs), shifts


def _shifts(cores: Cores) -> tuple[int, ...]:
    exponents = [norm_exponent_of(core) for core in cores]
    d, total = len(cores), sum(exponents)
    low, high = min(0, total) - DETOUR, max(0, total) + DETOUR
    if all(low <= partial <= high for partial in accumulate(exponents)):
        return (0,) * d
    targets = [total * (k + 1) // d - total * k // d for k in range(d)]
    return tuple(t - e for t, e in zip(targets, exponents, strict=True))


def _shifts_on_device(cores: Cores) -> tuple[Array, ...]:
    """The same, computed where the cores are: no number crosses to the host."""
    xp = namespace_of(*cores)
    exponents = xp.stack([exponent_of(core) for core in cores])
    partial, total = xp.cumulative_sum(exponents), xp.sum(exponents)
    low, high = xp.minimum(total, 0 * total), xp.maximum(total, 0 * total)
    steady = xp.all((low - DETOUR <= partial) & (partial <= high + DETOUR))
    d, where = len(cores), xp.arange(len(cores) + 1, device=device_of(cores[0]))
    ends = xp.floor(total * xp.astype(where, total.dtype) / d)
    shifts = xp.where(steady, 0 * exponents, ends[1:] - ends[:-1] - exponents)
    return tuple(shifts[k] for k in range(d))
