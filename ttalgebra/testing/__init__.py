"""Checks for our tests and our users': they raise AssertionError, with numbers."""

from ttalgebra.testing.gradients import central, check_pullback, complex_step, linear
from ttalgebra.testing.strategies import tt_matrices, tt_tensors

__all__ = [
    "central",
    "check_pullback",
    "complex_step",
    "linear",
    "tt_matrices",
    "tt_tensors",
]
