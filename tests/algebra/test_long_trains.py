"""Ten thousand cores, and norms far outside floats: every operation, in linear time."""

import math
import os
import time
from functools import cache

import numpy as np
import pytest

import ttalgebra as tt
from tests import made
from tests.backends import here, host

MANY = 10_000
ALL = "TTALGEBRA_LONG" in os.environ  # else the costly ones stay at 1,200 cores
COSTLY = ("A.entries", "same", "split_modes", "permute_modes", "to_qtt")
pytestmark = pytest.mark.filterwarnings("error")


def tensor(d, size=1.0, rank=2):
    """Positive cores, so that nothing cancels; entries around ``(2 size)^d``."""
    rng = np.random.default_rng(0)
    ends = rng.uniform(0.5, 1, (2, rank, 2)) * size
    middle = rng.uniform(0.5, 1, (d - 2, rank, 2, rank)) * size
    first, last = ends[0].T[None], ends[1][..., None]
    return tt.TTTensor(here([first, *middle, last]))


def matrix(d, size=1.0):
    cores = host(tensor(d, size).cores)
    return tt.TTMatrix(here([np.repeat(G[:, :, None], 2, axis=2) for G in cores]))


OPERATIONS = {
    "sum": lambda x, A: x.sum(),
    "sum over some": lambda x, A: x.sum(tuple(range(0, x.order, 2))),
    "A.sum(axis)": lambda x, A: A.sum(axis=0),
    "trace": lambda x, A: A.trace(),
    "partial_trace": lambda x, A: A.partial_trace(tuple(range(1, x.order, 2))),
    "diagonal": lambda x, A: A.diagonal(),
    "from_diagonal": lambda x, A: tt.TTMatrix.from_diagonal(x),
    "x[i, ...]": lambda x, A: x[(1, 0) * (x.order // 2)],
    "x[slices]": lambda x, A: x[(slice(None), 1) * (x.order // 2)],
    "entries": lambda x, A: x.entries(np.ones((3, x.order), int)),
    "A.entries": lambda x, A: A.entries(*np.ones((2, 2, x.order), int)),
    "hadamard": lambda x, A: x * tt.ones((2,) * x.order),
    "kron": lambda x, A: tt.kron(x, x),
    "concatenate": lambda x, A: tt.concatenate([x, x], axis=-1),
    "same": lambda x, A: tt.same(x, x),
    "split_modes": lambda x, A: x.split_modes(x.order // 2, (2, 1)),
    "merge_modes": lambda x, A: x.merge_modes(5, 8),
    "permute_modes": lambda x, A: x.permute_modes((1, 0, *range(2, x.order))),
    "to_qtt": lambda x, A: x.to_qtt(),
    "cost": lambda x, A: A.cost("matmul", A),
}


def seconds(function, repeat):
    best = math.inf
    for _ in range(repeat):
        start = time.process_time()
        function()
        best = min(best, time.process_time() - start)
    return best


@cache
def trains(d):
    return tensor(d), matrix(d)


@pytest.mark.host(
    "of time, which is the work of the library here and its own elsewhere"
)
@pytest.mark.parametrize("name", OPERATIONS)
def test_time_is_linear_in_the_number_of_cores(name):
    """Four times the cores: less than eight times as long; ten thousand: under 10 s."""
    operation, ratio = OPERATIONS[name], math.inf
    for _ in range(3):
        took = max(seconds(lambda: operation(*trains(300)), 3), 1e-4)
        ratio = min(ratio, seconds(lambda: operation(*trains(1200)), 2) / took)
        if ratio < 8:
            break
    assert ratio < 8, f"{name}: four times the cores took {ratio:.2g} times as long"
    if ALL or name not in COSTLY:
        assert seconds(lambda: operation(*trains(MANY)), 1) < 10


def log_sum(x):
    """The logarithm of the sum of a positive train, in plain Python."""
    state, total = np.ones((1, 1)), 0.0
    for core in host(x.cores):
        state = state @ core.reshape(len(core), -1, core.shape[-1]).sum(axis=1)
        size = state.max()
        state, total = state / size, total + math.log(size)
    return total


@pytest.mark.parametrize("size", [1e-3, 1e3])
def test_values_far_outside_floats(size, xp):
    """Norms around ``10^(+-500)`` and beyond: inf and 0.0, or a train that has them."""
    d, size = (200, size) if xp.is_numpy else (40, size**5)
    x, A = tensor(d, size), matrix(d, size)
    value = math.inf if size > 1 else 0.0
    assert abs(log_sum(x)) > 1000
    assert x.sum() == A.trace() == A.sum() == A[0, 1] == x[(0,) * d] == value
    assert host(x.entries(np.zeros((2, d), int))).tolist() == [value] * 2
    half = tuple(range(0, d, 2))
    for part in (x.sum(half), A.partial_trace(half).diagonal(), A.sum(axis=1)):
        assert math.isfinite(part.log_norm())
        assert log_sum(part) == pytest.approx(log_sum(x), abs=150)
    assert log_sum(x.sum(half)) == pytest.approx(log_sum(x), rel=1e-13)
    assert log_sum(A.diagonal()) == pytest.approx(log_sum(x), rel=1e-13)
    assert x[(slice(None), 0) * (d // 2)].order == d // 2
    inverse = tensor(d, 1 / size)
    product = x * inverse
    assert math.isfinite(product.sum())
    assert math.log(product.sum()) == pytest.approx(log_sum(product), rel=1e-12)
    assert tt.kron(x, inverse).sum() == pytest.approx(
        math.exp(log_sum(x) + log_sum(inverse)), rel=1e-9
    )
    both = tt.concatenate([x, 2 * x])
    assert log_sum(both) == pytest.approx(log_sum(x) + math.log(3), rel=1e-12)
    for same in (x.permute_modes((1, 0, *range(2, d))), x.to_qtt(), x[...]):
        assert same.log_norm() == pytest.approx(x.log_norm(), rel=1e-12)
    found = tt.same(x, x + x)
    assert not found
    assert found.certified
    assert found.distance == pytest.approx(0.5, rel=1e-10)


def test_merged_out_of_range():
    """A core that cannot hold its numbers shares them, or says so; it is never inf."""
    x = tensor(200, 1e3)
    try:
        y = x.merge_modes(5, 9)
    except tt.errors.NonFiniteError:
        return
    assert y.log_norm() == pytest.approx(x.log_norm(), rel=1e-12)
    assert all(np.isfinite(core).all() for core in host(y.cores))


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_googols_of_ones(dtype, xp):
    """``0 * x + x`` for 10^400 ones; sums that no float holds."""
    d = 400 if xp.is_numpy else 40
    ones, size = made.ones((10,) * d, dtype=dtype), 10.0 ** (d // 2)
    total = 0 * ones + ones
    rel = 1e-4 if dtype in ("f4", "c8") else 1e-12
    for x in (total, total.round(), ones * ones, ones[...], total[:, ..., :]):
        assert x.norm() == pytest.approx(size, rel=rel)
        assert x.sum() == pytest.approx(size * size, rel=rel)
        assert x[(9,) * d] == pytest.approx(1, rel=rel)
        found = host(x.entries([0, 10**d - 1, -1]))
        assert found == pytest.approx(np.ones(3), rel=rel)
        assert x.sum(tuple(range(d // 4))).log_norm() == pytest.approx(
            d * 5 / 8 * math.log(10), rel=1e-5
        )
    half = total.sum(tuple(range(0, d, 2)))
    assert half[(3,) * (d // 2)] == pytest.approx(size, rel=rel)
    assert (0 * ones).sum() == 0.0
    assert tt.same(total, ones)
    assert not tt.same(ones, 1.5 * ones)
    product = tt.TTMatrix.from_diagonal(ones) @ total
    assert product.norm() == pytest.approx(size, rel=rel)


@pytest.mark.parametrize("size", [1e300, 1e-300, 1e-320])
def test_zeros_ones_and_far_cores_are_silent(size):
    x = tt.TTTensor(here([np.full((1, 2, 1), size)] * 3))
    for y in (x * (0 * x), 0 * x, x - x, tt.kron(x, 0 * x), tt.concatenate([x, 0 * x])):
        assert math.isfinite(y.norm()) or size > 1
        y.sum()
        y.round()
    assert (x * (0 * x)).norm() == 0.0
    assert (x * (0 * x)).sum() == 0.0
    zero = (0 * x).permute_modes((2, 0, 1))
    assert zero.norm() == (0 * x).to_qtt().norm() == 0.0
    assert tt.same(zero, 0 * x).certified
