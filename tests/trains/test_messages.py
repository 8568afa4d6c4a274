"""What an error says: the call retold with its numbers, and the way out."""

import numpy as np
import pytest
import scipy.sparse as sp

import ttalgebra as tt
from tests import made
from tests.backends import here, host

x, A, W = tt.ones((2, 3)), tt.identity((2, 3)), np.eye(6)


@pytest.fixture(autouse=True)
def in_this_library(xp):
    global x, A, W
    x, A, W = here(host((x, A, W)))


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda: x.round(max_rank=0), ["round", "max_rank", "at least 1", "0", "tol="]),
        (lambda: x.round(tol=-1), ["round", "tol", "-1"]),
        (lambda: A.apply(here(np.ones((4, 5)))), ["apply", "(4, 5)", "6 = 2 * 3"]),
        (lambda: A @ here(np.ones(5)), ["@", "(5,)", "(6, 6)", "(6,)"]),
        (lambda: x + made.ones((2, 4)), ["+", "site 1", "3 and 4"]),
        (lambda: x + made.ones((2,)), ["+", "2", "1", "cores"]),
        (lambda: A @ made.ones((2, 4)), ["@", "(2, 3)", "(2, 4)", "site 1"]),
        (lambda: A @ made.ones((2, 3, 4)), ["@", "(2, 3, 4)", "number"]),
        (lambda: tt.TTMatrix.from_dense(W, (2, 2), (2, 3)), ["(6, 6)", "(4, 6)"]),
        (lambda: tt.zeros((2, 0)), ["modes", "at least 1", "0"]),
        (lambda: tt.zeros((2, 3), (2,)), ["row_modes", "2", "col_modes", "1"]),
        (lambda: x.orthogonalize(2), ["orthogonalize", "site", "2"]),
        (lambda: x.round(max_rank=[1, 2]), ["max_rank", "2", "1 bond"]),
        (lambda: A.vjp(here(np.ones(6)))[1](here(np.ones(5))), ["dy", "(5,)", "(6,)"]),
        (
            lambda: tt.TTTensor([here(np.ones((1, 5, 3))), here(np.ones((4, 5, 1)))]),
            ["cores 0 and 1", "right rank 3", "left rank 4", "(4, 5, 1)"],
        ),
    ],
)
def test_messages_hold_the_numbers_and_the_way_out(call, parts):
    with pytest.raises(tt.errors.TTError) as caught:
        call()
    message = str(caught.value)
    assert all(part in message for part in parts), message


MANY = 10_000
LONG, OTHER = tt.ones((2,) * MANY), tt.ones((2,) * (MANY - 1) + (3,))
EYE = tt.identity((2,) * MANY)


@pytest.mark.host("of texts")
@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda: LONG + OTHER, ["9999", "2 and 3"]),
        (lambda: tt.concatenate([LONG, OTHER]), ["9999", "2 and 3"]),
        (lambda: tt.concatenate([LONG, x]), ["10000", "2"]),
        (
            lambda: tt.linear_combination([1, 1, 1], [LONG, LONG, OTHER]),
            ["trains 0 and 2", "9999", "2 and 3"],
        ),
        (lambda: LONG.permute_modes([0] * MANY), ["site 0", "twice"]),
        (lambda: LONG.permute_modes(range(1, MANY)), ["9999", "10000"]),
        (lambda: LONG.sum([7] * MANY), ["mode 7", "twice"]),
        (lambda: EYE.partial_trace([7] * MANY), ["site 7", "twice"]),
        (lambda: EYE.cost("matmul", OTHER), ["9999"]),
        (lambda: EYE @ OTHER, ["9999"]),
        (lambda: LONG.cost("add", OTHER), ["9999", "2 and 3"]),
        (lambda: LONG[(0,) * (MANY - 1) + (2,)], ["index 9999 is 2", "0 to 1"]),
        (lambda: LONG.entries(np.full((1, MANY), 2)), ["digit 0", "2"]),
        (lambda: LONG.round(max_rank=[1] * 5), ["5", "9999"]),
        (lambda: tt.zeros((2, -(10**5000))), ["at least 1", "about -10^"]),
        (lambda: x.split_modes(0, (10**5000,)), ["about 10^", "size 2"]),
        (lambda: x.split_modes(0, (1,) * MANY + (3,)), ["3", "size 2"]),
    ],
)
def test_messages_are_short_however_long_the_train(call, parts):
    """The first difference is named; ten thousand modes are not printed."""
    with pytest.raises(tt.errors.ShapeError) as caught:
        call()
    message = str(caught.value)
    assert len(message) < 300
    assert all(part in message for part in parts), message


@pytest.mark.host("of texts")
def test_sizes_of_sparse_arrays_are_said_readably():
    with pytest.raises(tt.errors.ShapeError, match="about 10"):
        tt.TTMatrix.from_sparse(sp.eye_array(4), (10,) * 5000, (10,) * 5000)


@pytest.mark.host("of texts")
def test_nothing_given_is_a_wrong_number_not_a_wrong_kind():
    for call in (
        lambda: tt.linear_combination([1], []),
        lambda: tt.linear_combination([], []),
        lambda: tt.concatenate([]),
    ):
        with pytest.raises(tt.errors.ShapeError, match="one at least"):
            call()
    for call in (
        lambda: tt.linear_combination([1], None),
        lambda: tt.linear_combination([1], x),
        lambda: tt.concatenate(iter([x])),
    ):
        with pytest.raises(TypeError, match="list"):
            call()


@pytest.mark.host("of classes")
def test_error_classes_are_those_of_the_design():
    errors = tt.errors
    bases = {
        errors.ShapeError: ValueError,
        errors.NonFiniteError: ValueError,
        errors.TooLargeError: MemoryError,
        errors.FormatError: ValueError,
        errors.ConvergenceError: np.linalg.LinAlgError,
    }
    for error, base in bases.items():
        assert issubclass(error, errors.TTError)
        assert issubclass(error, base)
    assert issubclass(errors.TooLargeError, ValueError)
    assert issubclass(errors.ToleranceWarning, UserWarning)
