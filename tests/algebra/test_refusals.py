"""Every public function x bad arguments: TTError or TypeError, nothing else."""

import operator
import re

import array_api_strict as strict
import numpy as np
import pytest

import ttalgebra as tt
from tests import made
from tests.backends import here
from tests.trains.test_refusals import refused, there

NAN, INF = float("nan"), float("inf")
x = tt.random_tensor((2, 4), 2, rng=0)
A = tt.random_matrix((2, 4), (2, 4), 2, rng=0)
R = tt.random_matrix((2, 3), (3, 2), 2, rng=0)
STRANGE = [NAN, INF, 1.5, 1j, "0", b"0", object(), lambda: 0, {}, {0}, np.ones(2), x]
STRANGE += [np.array(True), np.float64(1), 1e300, [[0]], (None,), ["0"]]
NO_INT = [*STRANGE, None, True, np.True_]
BEYOND = [99, -99, 2**63, -(2**70), 10**400]


@pytest.fixture(autouse=True)
def in_this_library(xp):
    global x, A, R
    x, A, R = here((x, A, R))


def label(value):
    return f"{type(value).__name__} {re.sub(' at 0x.*', '', repr(value))[:30]}"


cross = pytest.mark.parametrize


MASKED = [np.ma.array([0, 1], mask=[0, 1]), np.ma.array([True, False]), [np.ma.masked]]
LISTS = [[], [[]], [0, 99], [-9, 0], [True], [True, 0], [1.0], ["0"], [None], [[0, 1]]]
LISTS += [np.zeros((1, 1), int), np.zeros(0, int), np.zeros(2, bool), [True] * 3]
LISTS += [np.ones((2, 4), bool), [NAN], [x], [np.ones(1)], [2**70], [slice(None)]]


@cross("key", [*STRANGE, True, *BEYOND, *MASKED, *LISTS], ids=label)
def test_indices(key):
    key = there(key)
    if not isinstance(key, tuple):  # (None,) is a new mode
        refused(lambda: x[key])
        refused(lambda: x[0, key])
    refused(lambda: A[key])
    refused(lambda: A[0, key])
    refused(lambda: A[key, :])


SLICES = [
    slice(None, None, 0),
    slice(0, 0),
    slice(8, 20),
    slice(1, 0),
    slice(None, None, NAN),
    slice("a", None),
    slice(None, 1.5),
    slice(np.ones(2), None),
    slice(None, None, np.ones(2)),
    slice(True, "1"),
    slice(x, None),
]


@cross("part", SLICES, ids=label)
def test_slices(part):
    part = slice(*map(there, (part.start, part.stop, part.step)))
    refused(lambda: x[part])
    refused(lambda: x[..., part])
    refused(lambda: A[part, 0])
    refused(lambda: A[0, part])


def test_wrong_numbers_of_indices():
    refused(lambda: x[0, 0, 0])
    refused(lambda: x[..., ...])
    refused(lambda: x[None, 0, 0, 0])
    refused(lambda: A[0, 0, 0])
    refused(lambda: A[..., 0, ..., 0])
    for key in (None, (None, 0), (0, None), (None, 0, 0), (..., None)):
        refused(lambda key=key: A[key])


def test_one_list_of_indices_at_a_time():
    """NumPy reads two as pairs, or as a grid, or moves axes: `entries` says which."""
    pair = here(np.array([0, 1]))
    for key in (([0], [1]), ([0, 1], pair), ([True, False], [0, 1])):
        assert "entries" in str(refused(lambda key=key: x[key]).value)
        assert "entries" in str(refused(lambda key=key: A[key]).value)


ENTRIES = [None, NAN, 1, "0", b"01", ["a"], [1.0], [NAN], [None], [True], [[0.0, 1.0]]]
ENTRIES += [{0: 1}, {1}, object(), x, A, np.array(["1"]), np.array([1], "M8[s]"), 1j]
ENTRIES += [[8], [-9], [2**63], [-(2**64)], [10**400], [[2, 0]], [[0, -5]], [[0]]]
ENTRIES += [[[0, 0, 0]], [[[0, 0]]], [[1], [1, 2]], [[1, 2], [3]], np.ones((1, 2))]
ENTRIES += [np.array([0.5, 1], object), np.array([True, 1], object), [2**70, 0.5]]
ENTRIES += [np.array([[0.5, 1]], object), np.array([None, 1], object), [NAN, 2**70]]
ENTRIES += MASKED
ENTRIES += [np.array([1 + 0j]), np.array([[2**70, 0]], object), [b"1"], [[]], lambda: 0]
ENTRIES += [
    np.array([2.0], object),
    np.array([["0", 1]], object),
    np.zeros((2, 0), int),
]


@cross("indices", ENTRIES, ids=label)
def test_entries(indices):
    refused(x.entries, indices)
    refused(A.entries, indices, indices)
    refused(A.entries, [0], indices)
    refused(A.entries, indices, [0])


def test_entries_in_pairs():
    refused(A.entries, [0, 1], [0])
    refused(A.entries, [], [0])
    refused(A.entries, [0])


SITES = [*NO_INT[:-3], True, np.True_, *BEYOND, [0, 0], (0, -2), [0, 99], [True], [NAN]]


@cross("sites", SITES, ids=label)
def test_sites(sites):
    refused(x.sum, sites)
    refused(A.partial_trace, sites)
    if not isinstance(sites, (list, tuple)):
        refused(A.sum, sites)
        refused(x.split_modes, sites, (2,))
        refused(x.merge_modes, sites, 1)
        refused(x.merge_modes, 0, sites)
        refused(tt.concatenate, [x, x], sites)
        refused(tt.concatenate, [A, A], axis=0, site=sites)


def test_squares_are_needed():
    refused(R.trace)
    refused(R.diagonal)
    refused(R.partial_trace, 0)
    refused(R.partial_trace, (0, 1))
    refused(A.sum, 2)
    refused(A.sum, -3)
    refused(A.sum, (0, 1))


@cross(
    "other",
    [None, 1, "x", A, R, object(), np.ones((2, 4)), [x], tt.TTTensor],
    ids=label,
)
def test_partners_of_a_tensor(other):
    other = there(other)
    refused(tt.kron, x, other)
    refused(tt.kron, other, x)
    refused(tt.same, x, other)
    refused(tt.same, other, x)
    refused(x.hadamard, other)
    refused(tt.concatenate, [x, other])
    if not isinstance(other, list):
        refused(tt.concatenate, other)
    if not isinstance(other, int):
        refused(lambda: x * other)
    if other is not tt.TTTensor:
        refused(tt.TTMatrix.from_diagonal, other)


def test_partners_of_other_modes():
    for other in map(made.ones, ((2, 3), (8,), (2, 4, 1), (4, 2))):
        refused(x.hadamard, other)
        refused(lambda other=other: x * other)
        refused(tt.same, x, other)
    refused(tt.concatenate, [x, made.ones((3, 5))])
    refused(tt.concatenate, [x, made.ones((2, 4, 1))])
    refused(tt.concatenate, [x, made.ones((2, 3))], 0)
    refused(tt.concatenate, [A, R], 0)
    refused(tt.concatenate, [A, A], 2)
    refused(tt.concatenate, [])
    refused(tt.concatenate, iter([x]))
    refused(lambda: A * A)
    refused(lambda: x @ x)


@cross(
    "tol", [NAN, INF, -1, 1j, True, "0", b"0", [0], np.ones(2), {}, 10**400], ids=label
)
def test_tol_of_same(tol):
    refused(tt.same, x, x, tol)
    refused(tt.same, A, A, tol)


SIZES = [None, 4, "22", (), [0], (3,), (-2, -2), (2.0, 2.0), ("2", "2"), (True, 4), NAN]
SIZES += [{2}, (2, 2, 2), [[2, 2]], np.array(4), np.array([2.0, 2.0]), (10**400,), x]


@cross("sizes", SIZES, ids=label)
def test_sizes(sizes):
    refused(x.split_modes, 1, sizes)
    refused(A.split_modes, 1, sizes, sizes)
    refused(A.split_modes, 1, (2, 2), sizes)


def test_numbers_of_sizes():
    refused(x.split_modes, 1)
    refused(x.split_modes, 1, (2, 2), (2, 2))
    refused(A.split_modes, 1, (2, 2))
    refused(A.split_modes, 1, (2, 2), (4,))
    refused(x.merge_modes, 1, 0)
    refused(x.merge_modes, -1, -2)


ORDERS = [None, 0, "10", (), (0,), (0, 0), (1, 2), (0, 1, 2), (0.0, 1.0), (True, False)]
ORDERS += [
    (NAN, 0),
    ("1", "0"),
    (0, -2),
    np.array([1.0, 0.0]),
    x,
    {0: 1, 1: 0, 2: 2},
    [[0, 1]],
]


@cross("order", ORDERS, ids=label)
def test_orders(order):
    refused(x.permute_modes, order)
    refused(A.permute_modes, order)


@cross("base", [*NO_INT, 0, -2, 1, 3, 4, 10**400], ids=label)
def test_bases(base):
    refused(x.to_qtt, base)
    refused(R.to_qtt, base)


OPERANDS = [NAN, INF, -1, 1.5, 1j, True, "a", b"a", None, [1], (), {}, object(), NAN]
OPERANDS += [np.float64(2), tt.ones((2,)), tt.ones((9, 9)), tt.ones((2, 4, 1)), R]
NAMES = ["add", "matmul", "hadamard", "kron", "apply", "matvec", "matmat", "vjp", "dot"]


@cross("operand", OPERANDS, ids=label)
def test_operands_of_a_cost(operand):
    """What the operation itself would refuse."""
    for name in NAMES:
        if not (name == "kron" and isinstance(operand, tt.TTTensor)):
            refused(x.cost, name, operand)
        if not (name == "kron" and isinstance(operand, tt.TTMatrix)):
            refused(A.cost, name, operand)


def test_names_of_a_cost():
    for name in ("nothing", "", None, 3, [], {}, NAN, "__init__", b"add"):
        refused(x.cost, name)
        refused(A.cost, name, A)
    for name in ("to_dense", "norm", "round", "orthogonalize"):
        refused(x.cost, name, x)
        refused(x.cost, name, 1, 2)
    for name in NAMES:
        refused(A.cost, name)
        refused(A.cost, name, A, A)


def test_costs_of_nonsense_cost_nothing():
    """2^40 copies of a text or of a tuple would fill the memory."""
    big = made.identity((2,) * 40)
    for operand in ("a", [1], made.ones((2,) * 40).cores):
        refused(big.cost, "matvec", operand)
        refused(big.cost, "matmat", operand)


@pytest.mark.host("moves by itself, whatever the run is on")
def test_libraries_and_devices_do_not_mix():
    there = x.to("array_api_strict")
    elsewhere = x.to("array_api_strict", strict.Device("device1"))
    for other in (x, elsewhere):
        for call in (
            there.hadamard,
            lambda other: there * other,
            lambda other: tt.kron(there, other),
            lambda other: tt.same(there, other),
            lambda other: tt.concatenate([there, other]),
            lambda other: tt.dot(there, other),
        ):
            refused(call, other)
    B, C = A.to("array_api_strict"), A.to("array_api_strict", strict.Device("device1"))
    refused(lambda: strict.ones((2, 8), dtype=strict.float64) @ A)
    refused(lambda: np.ones((2, 8)) @ B)
    refused(lambda: B @ C)
    refused(lambda: strict.ones(8, dtype=strict.float64) @ C)


@cross(
    "left",
    [None, 1.0, "a", {}, x, np.ones(7), np.ones((2, 7)), [[1], [1, 2]], [], [NAN]],
)
def test_dense_on_the_left(left):
    refused(operator.matmul, left, A)


@pytest.mark.host("of NumPy's protocol")
def test_asarray_of_a_matrix():
    assert np.array_equal(np.asarray(A), A.to_dense())
    assert np.asarray(A, dtype="f4").dtype == np.float32
    for dtype in ("f4", "f8", "c8", "c16"):
        assert np.asarray(tt.identity((2, 3), dtype=dtype)).dtype == dtype
    with pytest.raises(ValueError, match="to_dense"):
        np.array(A, copy=False)
    with pytest.raises(tt.errors.TooLargeError, match="matvec"):
        np.asarray(tt.identity((2,) * 40))
