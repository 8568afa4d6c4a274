"""Random chains of every kind that breaks trains: graded, clustered, far."""

import math

import numpy as np

from tests.reference import dense

DTYPES = tuple(np.dtype(name) for name in ("f4", "f8", "c8", "c16"))
SPECTRA = {
    "flat": lambda r: np.ones(r),
    "geometric": lambda r: 0.3 ** np.arange(r),
    "clustered": lambda r: np.where(np.arange(r) < (r + 1) // 2, 1.0, 1e-3),
    "dominant": lambda r: np.where(np.arange(r) == 0, 1.0, 1e-5),
    "zero tail": lambda r: (np.arange(r) < max(1, r // 2)).astype(float),
}
LARGEST = 4096  # entries of what a test makes dense


def draw_modes(rng, n_modes):
    """1 to 6 cores with modes 1 to 4, few enough entries to be made dense."""
    modes = []
    for _ in range(rng.integers(1, 7)):
        modes.append(tuple(int(n) for n in rng.integers(1, 5, n_modes)))
        if math.prod(n for pair in modes for n in pair) > LARGEST:
            modes.pop()
            break
    return tuple(modes)


def draw_bonds(rng, d):
    """Ranks 1 to 8, or, now and then, more than the modes can use."""
    top = 25 if rng.random() < 0.15 else 9
    return (1, *(int(r) for r in rng.integers(1, top, d - 1)), 1)


def entries(rng, shape, dtype):
    values = rng.standard_normal(shape)
    if dtype.kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return values


def random_cores(rng, modes, bonds, dtype, *, scales=True):
    """Cores with a spectrum at each bond; graded entries and far scales, sometimes."""
    double = np.finfo(dtype).eps < 1e-10
    spectrum = list(SPECTRA.values())[rng.integers(len(SPECTRA))]
    graded, far = rng.random() < 0.2, scales and rng.random() < 0.3
    cores = []
    for r, sizes, s in zip(bonds, modes, bonds[1:], strict=False):
        core = entries(rng, (r, *sizes, s), dtype) * spectrum(s)
        if graded:
            core = core * 10.0 ** rng.uniform(-12 if double else -4, 0, core.shape)
        if far:
            core = core * 10.0 ** rng.uniform(*((-8, 8) if double else (-2, 2)))
        cores.append(core.astype(dtype))
    return cores


def random_chain(rng, n_modes, dtype=None, **options):
    """A chain of a random dtype, size and family."""
    dtype = DTYPES[rng.integers(4)] if dtype is None else np.dtype(dtype)
    modes = draw_modes(rng, n_modes)
    return random_cores(rng, modes, draw_bonds(rng, len(modes)), dtype, **options)


def random_dense(rng, n_modes):
    """A dense array of such a chain, some with noise; and its modes."""
    cores = random_chain(rng, n_modes)
    dtype, modes = cores[0].dtype, tuple(core.shape[1:-1] for core in cores)
    narrow = np.complex128 if dtype.kind == "c" else np.float64
    array = dense(cores).astype(narrow)
    size = np.abs(array).max()
    if rng.random() < 0.5:
        noise = size * 10.0 ** rng.uniform(-14, -1)
        array = array + noise * entries(rng, array.shape, dtype)
    if size and dtype.itemsize // (2 if dtype.kind == "c" else 1) == 4:
        array = array / size  # float32 ends at 1e38, these chains do not
    return np.ascontiguousarray(array.astype(dtype)), modes


def gaussian_cores(rng, modes, bonds, complex_):
    """Integer (Gaussian integer) cores: every sum and product of theirs is exact."""
    cores = []
    for r, sizes, s in zip(bonds, modes, bonds[1:], strict=False):
        core = rng.integers(-2, 3, (r, *sizes, s)).astype(float)
        if complex_:
            core = core + 1j * rng.integers(-2, 3, core.shape)
        cores.append(core)
    return cores
