"""Trains of small integers, on which every library is exact, and their stand-ins."""

import numpy as np

import ttalgebra as tt
from tests.interop.peers.standins import MAKE

MODES = {1: (3,), 3: (2, 3, 4), 4: (2, 2, 2, 2)}  # d = 4: quantics, alike at every site
COLUMNS = {1: (2,), 3: (3, 1, 2), 4: (2, 2, 2, 2)}
SIZES = sorted(MODES)
KINDS = ("tensor", "matrix")
DTYPES = ("f4", "f8", "c8", "c16")


def train(kind, d, dtype="f8"):
    """A TTTensor or TTMatrix of ``d`` cores, with ranks up to 3 that differ."""
    rng = np.random.default_rng([20150922, d])
    ranks = (1, *(2 + k % 2 for k in range(d - 1)), 1)
    cores = []
    for k in range(d):
        modes = (MODES[d][k], COLUMNS[d][k])[: 1 + (kind == "matrix")]
        core = rng.integers(-3, 4, (ranks[k], *modes, ranks[k + 1])).astype(dtype)
        if core.dtype.kind == "c":
            core = core + 1j * rng.integers(-3, 4, core.shape)
        cores.append(core.astype(dtype))
    return (tt.TTMatrix if kind == "matrix" else tt.TTTensor)(cores)


def arrays_of(name, cores):
    """Cores ``(r, *modes, s)`` as the constructor of ``name`` wants them."""
    arrays = list(cores)
    if name == "scikit_tt" and arrays[0].ndim == 3:
        return [core[:, :, None, :] for core in arrays]
    if name == "quimb":
        arrays[0] = arrays[0][0, ...]
        arrays[-1] = arrays[-1][..., 0]
    return arrays


def held(name, kind, d, dtype="f8"):
    """The stand-in of ``name`` that holds `train`'s cores, in its own layout."""
    cores = [np.array(core) for core in train(kind, d, dtype).cores]
    return MAKE[name](arrays_of(name, cores))
