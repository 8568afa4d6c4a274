"""Trains that these tests draw: small, far, over-ranked, of every dtype."""

import math

import numpy as np
from hypothesis import strategies as st

import ttalgebra as tt
from tests.backends import dtype_of, here, host
from tests.reference import dense, eps, norm, wide, width
from tests.trains.families import DTYPES, gaussian_cores, random_cores

seeds = st.integers(0, 2**32 - 1)
kinds = st.sampled_from([1, 2])
dtypes = st.sampled_from(DTYPES)
scales = st.sampled_from([0, -1, 1])
booleans = st.booleans()


def train_of(cores):
    """The train of these cores, in the library of this run."""
    return (tt.TTTensor if np.ndim(cores[0]) == 3 else tt.TTMatrix)(here(cores))


def draw_modes(rng, n_modes, *, square=False, limit=600, orders=(1, 7)):
    """1 to 6 cores with modes 1 to 4; rows and columns differ unless ``square``."""
    modes = []
    for _ in range(rng.integers(*orders)):
        sizes = tuple(int(n) for n in rng.integers(1, 5, n_modes))
        modes.append((sizes[0],) * n_modes if square else sizes)
        if math.prod(n for pair in modes for n in pair) > limit:
            modes.pop()
            break
    return tuple(modes) or ((2,) * n_modes,)


def draw_bonds(rng, d):
    """Ranks 1 to 4, or, now and then, more than the modes can use."""
    top = 10 if rng.random() < 0.15 else 5
    return (1, *(int(r) for r in rng.integers(1, top, d - 1)), 1)


def far(cores, scale):
    """The chain times ``1e150**scale`` (``1e15`` in single), shared by its cores."""
    double = np.finfo(cores[0].dtype).eps < 1e-10
    share = 10.0 ** (scale * (150 if double else 15) / len(cores))
    return [(core * share).astype(core.dtype) for core in cores]


def train(rng, modes, dtype, scale=0):
    bonds = draw_bonds(rng, len(modes))
    cores = random_cores(rng, modes, bonds, np.dtype(dtype), scales=False)
    return train_of(far(cores, scale))


def draw(seed, n_modes, dtype, scale=0, **options):
    """A generator and a train, both fixed by ``seed``."""
    rng = np.random.default_rng([3, seed])
    return rng, train(rng, draw_modes(rng, n_modes, **options), dtype, scale)


def integers(seed, n_modes, complex_, **options):
    """A generator and a train of small (Gaussian) integers."""
    rng = np.random.default_rng([4, seed])
    modes = draw_modes(rng, n_modes, **options)
    bonds = (1, *(int(r) for r in rng.integers(1, 4, len(modes) - 1)), 1)
    return rng, train_of(gaussian_cores(rng, modes, bonds, complex_))


def modes_of(x):
    return tuple(core.shape[1:-1] for core in x.cores)


def magnitude(x):
    """The dense array of absolute values: what entries are if nothing cancels."""
    return dense([abs(wide(core)) for core in x.cores])


def tensor_of(x):
    """The dense array of either kind, with one axis for each mode of each core."""
    array = dense(x.cores)
    if isinstance(x, tt.TTTensor):
        return array
    return array.reshape(*x.row_modes, *x.col_modes)


def least(dtype):
    """The smallest number of the dtype: what underflow may cost an entry."""
    return np.longdouble(np.finfo(dtype).smallest_subnormal)


def assert_exact(found, expected):
    """Equality, of shapes too."""
    found, expected = np.asarray(host(found)), np.asarray(host(expected))
    assert found.shape == expected.shape
    assert found.size
    assert np.array_equal(found, expected)


def assert_train(ratios, law, found, expected, unit):
    """Cores against a dense array; the unit is a norm."""
    array = dense(found.cores)
    assert array.shape == np.shape(expected)
    ratios.check(law, norm(array - expected), unit)


def assert_number(ratios, law, found, expected, bound, x):
    """A Python number against its value, ``bound`` being that of absolute values."""
    assert type(found) is (complex if dtype_of(x).kind == "c" else float)
    ratios.check(law, abs(found - expected), eps(dtype_of(x)) * width(x.cores) * bound)
