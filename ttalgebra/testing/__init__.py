"""Checks for our tests and our users': they raise AssertionError, with numbers."""

from ttalgebra.testing.gradients import central, check_pullback, complex_step, linear

__all__ = ["central", "check_pullback", "complex_step", "linear"]
