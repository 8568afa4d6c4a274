"""Chains that break truncation: boundary tails, flat, clustered, cancelling, zero."""

import numpy as np

from tests.trains.families import DTYPES, draw_bonds, draw_modes, random_cores
from ttalgebra.cores.arithmetic import add, scale

TOLS = (0.9, 0.3, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8, 1e-12, 0.0, None)


def draw(rng, n_modes=1, dtype=None, modes=None, bonds=None):
    """A chain of a random family, dtype and shape, as a tuple of read-only cores."""
    dtype = DTYPES[rng.integers(4)] if dtype is None else np.dtype(dtype)
    modes = draw_modes(rng, n_modes) if modes is None else modes
    bonds = draw_bonds(rng, len(modes)) if bonds is None else bonds
    make = FAMILIES[rng.integers(len(FAMILIES))]
    return frozen(make(rng, modes, bonds, dtype))


def small_bonds(rng, d):
    return (1, *(int(r) for r in rng.integers(1, 5, d - 1)), 1)


def plain(rng, modes, bonds, dtype):
    return random_cores(rng, modes, bonds, dtype)


def inflated(rng, modes, bonds, dtype):
    """Twice the ranks for the same tensor, in different gauges."""
    x = random_cores(rng, modes, bonds, dtype)
    return add(tuple(x), scale(tuple(x), 0.5))


def cancelling(rng, modes, bonds, dtype):
    """``(x + y) - x`` with ``y`` down to 1e-8 of ``x``."""
    x = tuple(random_cores(rng, modes, bonds, dtype, scales=False))
    y = tuple(random_cores(rng, modes, small_bonds(rng, len(modes)), dtype))
    y = scale(y, float(10.0 ** rng.uniform(-8, 0)))
    return add(add(x, y), scale(x, -1.0))


def vanished(rng, modes, bonds, dtype):
    """``x - x``: roundoff, or nothing at all."""
    x = tuple(random_cores(rng, modes, bonds, dtype, scales=False))
    return add(x, scale(x, -1.0))


def zero(rng, modes, bonds, dtype):
    cores = random_cores(rng, modes, bonds, dtype)
    cores[rng.integers(len(cores))][...] = 0
    return cores


def sums_of_deltas(rng, modes, bonds, dtype):
    """``4 + 2 + 1``: tails that are exact, so a tol may lie on them."""
    chains = []
    for weight in (4.0, 2.0, 1.0):
        cores = []
        for sizes in modes:
            core = np.zeros((1, *sizes, 1), dtype)
            core[(0, *(rng.integers(n) for n in sizes), 0)] = 1
            cores.append(core)
        chains.append(scale(tuple(cores), weight))
    return add(add(*chains[:2]), chains[2])


FAMILIES = (
    plain,
    plain,
    inflated,
    inflated,
    cancelling,
    vanished,
    zero,
    sums_of_deltas,
)


def frozen(cores):
    cores = tuple(np.array(core) for core in cores)
    for core in cores:
        core.flags.writeable = False
    return cores
