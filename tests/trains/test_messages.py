"""What an error says: the call retold with its numbers, and the way out."""

import numpy as np
import pytest

import ttalgebra as tt

x, A, W = tt.ones((2, 3)), tt.identity((2, 3)), np.eye(6)


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda: x.round(max_rank=0), ["round", "max_rank", "at least 1", "0", "tol="]),
        (lambda: x.round(tol=-1), ["round", "tol", "-1"]),
        (lambda: A.apply(np.ones((4, 5))), ["apply", "(4, 5)", "6 = 2 * 3"]),
        (lambda: A @ np.ones(5), ["@", "(5,)", "(6, 6)", "(6,)"]),
        (lambda: x + tt.ones((2, 4)), ["+", "site 1", "3 and 4"]),
        (lambda: x + tt.ones((2,)), ["+", "2", "1", "cores"]),
        (lambda: A @ tt.ones((2, 4)), ["@", "(2, 3)", "(2, 4)", "site 1"]),
        (lambda: A @ tt.ones((2, 3, 4)), ["@", "(2, 3, 4)", "number"]),
        (lambda: tt.TTMatrix.from_dense(W, (2, 2), (2, 3)), ["(6, 6)", "(4, 6)"]),
        (lambda: tt.zeros((2, 0)), ["modes", "at least 1", "0"]),
        (lambda: tt.zeros((2, 3), (2,)), ["row_modes", "2", "col_modes", "1"]),
        (lambda: x.orthogonalize(2), ["orthogonalize", "site", "2"]),
        (lambda: x.round(max_rank=[1, 2]), ["max_rank", "2", "1 bond"]),
        (lambda: A.vjp(np.ones(6))[1](np.ones(5)), ["dy", "(5,)", "(6,)"]),
        (
            lambda: tt.TTTensor([np.ones((1, 5, 3)), np.ones((4, 5, 1))]),
            ["cores 0 and 1", "right rank 3", "left rank 4", "(4, 5, 1)"],
        ),
    ],
)
def test_messages_hold_the_numbers_and_the_way_out(call, parts):
    with pytest.raises(tt.errors.TTError) as caught:
        call()
    message = str(caught.value)
    assert all(part in message for part in parts), message


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
