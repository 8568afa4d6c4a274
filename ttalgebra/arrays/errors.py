"""The error classes of the library; every one but TypeError is a `TTError`."""

import numpy as np


class TTError(Exception):
    """Base of every error that ttalgebra raises on purpose (besides TypeError)."""


class ShapeError(TTError, ValueError):
    """Shapes, modes, ranks or numeric arguments that do not fit."""


class NonFiniteError(TTError, ValueError):
    """NaN or infinity where a finite number is needed."""


class TooLargeError(TTError, ValueError, MemoryError):
    """A result that would not fit, refused before anything is allocated."""


class FormatError(TTError, ValueError):
    """A file that is damaged, forged or not one of ours."""


class ConvergenceError(TTError, np.linalg.LinAlgError):
    """An iteration, a factorisation among them, that did not converge."""


class ToleranceWarning(UserWarning):
    """``max_rank`` cut deeper than ``tol`` allows; ``info.tol_met`` is False."""
