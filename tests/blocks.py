"""Sums of Tucker terms in Python ints or floats: what the library is held to."""

from math import prod

import numpy as np

from tests.reference import exact

MODES = ((2, 3), (1, 2), (3, 2))


def integers(rng, shape, *, complex_=False, bound=2):
    values = rng.integers(-bound, bound + 1, shape).astype(float)
    if complex_:
        values = values + 1j * rng.integers(-bound, bound + 1, shape)
    return values


def integer_blocks(rng, modes, *ranks, complex_=False):
    """A block for each tuple of ``ranks``, as plain pairs."""
    blocks = []
    for r in ranks:
        core = integers(rng, r, complex_=complex_)
        shapes = [(*pair, s) for pair, s in zip(modes, r, strict=True)]
        factors = [integers(rng, shape, complex_=complex_) for shape in shapes]
        blocks.append((core, factors))
    return blocks


def dense(blocks, to=exact):
    """``(M, N)``: each core meets its factors one by one, the next rank in front."""
    total = 0
    for core, factors in blocks:
        state = to(core)
        for factor in factors:
            state = np.tensordot(state, to(factor), axes=(0, 2))
        d = len(factors)
        state = state.transpose(*range(0, 2 * d, 2), *range(1, 2 * d, 2))
        rows = prod(state.shape[:d])
        total = total + state.reshape(rows, -1)
    return total


def arrays(blocks):
    return [x for core, factors in blocks for x in (core, *factors)]


def gradients(blocks, X, dy):
    """``dy (n, M)``, ``X (n, N)``: entry ``e`` gets ``sum dy conj(W_e X)``, in ints.

    ``W`` is linear in each array; ``W_e`` is what it is with entry ``e`` one, the other
    entries of that array zero, and only the block of that array.
    """
    X, dy, found = exact(X), exact(dy), []
    for core, factors in blocks:
        for place, array in enumerate((core, *factors)):
            gradient = np.empty(array.shape, object)
            for e in np.ndindex(*array.shape):
                unit = np.zeros(array.shape)
                unit[e] = 1
                moved = [core, *factors]
                moved[place] = unit
                W = dense([(moved[0], moved[1:])])
                gradient[e] = (dy * np.conjugate(X @ W.T)).sum()
            found.append(gradient)
    return found
