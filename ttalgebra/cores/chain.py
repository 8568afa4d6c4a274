"""Chains of cores: their ranks, their unfoldings, and the only reshapes there are.

A core is ``(r, *modes, s)``, and the outer ranks of a chain are 1::

    --r--[ core ]--s--
            |
          modes
"""

from itertools import accumulate, pairwise
from math import prod

from ttalgebra.arrays.contract import matmul
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import is_numpy, namespace_of
from ttalgebra.arrays.scaling import exponent_of, times_power, unit_scaled
from ttalgebra.arrays.typing import Array, Cores


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
    return namespace_of(x).reshape(x, shape)


def left_unfold(core: Array) -> Array:
    """``(r, *modes, s) -> (r * modes, s)``."""
    return reshape(core, prod(core.shape[:-1]), core.shape[-1])


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
    """Whether products of two such cores, or sums inside one, stay in range."""
    bound = 400 if namespace_of(*cores).finfo(cores[0].dtype).bits == 64 else 50
    return all(abs(int(exponent_of(core))) < bound for core in cores)


def tame(cores: Cores) -> tuple[Cores, tuple[int, ...]]:
    """The same chain with no partial product out of range, and its shifts.

    Core ``k`` comes back as ``2**shifts[k]`` times what it was; the shifts add up to
    0, and all are 0 unless neighbours are far out of each other's range.
    """
    exponents = [int(exponent_of(core)) for core in cores]
    bound = 400 if namespace_of(*cores).finfo(cores[0].dtype).bits == 64 else 50
    if all(abs(partial) < bound for partial in accumulate(exponents)):
        return cores, (0,) * len(cores)
    d, total = len(cores), sum(exponents)
    targets = [total * (k + 1) // d - total * k // d for k in range(d)]
    shifts = tuple(t - e for t, e in zip(targets, exponents, strict=True))
    pairs = zip(cores, shifts, strict=True)
    return tuple(times_power(core, shift) for core, shift in pairs), shifts
