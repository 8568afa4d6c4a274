"""Initial weights: which variance keeps signals in range, and where that is shown.

Each is a function of the shape ``(M, N)`` of the weight, rows outputs and columns
inputs, and gives the variance that its entries should have.
"""

from collections.abc import Callable
from typing import TypeAlias

Variance: TypeAlias = Callable[[int, int], float]


def glorot(M: int, N: int) -> float:
    """``2 / (M + N)``, a compromise between forward and backward.

    Source: Glorot & Bengio (2010), equation 12.
    """
    return 2 / (M + N)


def he(M: int, N: int) -> float:  # noqa: ARG001
    """``2 / N``, for inputs of which a ReLU has dropped half.

    Source: He et al. (2015), equation 10.
    """
    return 2 / N


def lecun(M: int, N: int) -> float:  # noqa: ARG001
    """``1 / N``, which keeps the variance of a linear map's output.

    Source: LeCun et al. (1998), equation 16.
    """
    return 1 / N
