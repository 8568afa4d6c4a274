"""Normalisation and sign as one comparison of integers, found by the layer itself."""

import numpy as np

from ttalgebra.layers.protocol import Layer


def thresholds(
    norm: Layer, features: int, reach: int, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    """``t, turned``: ``norm(s) >= 0`` is ``(s >= t) != turned`` for integers ``s``.

    For all ``|s| <= reach``, bit for bit: subtraction, multiplication and addition
    round monotonically, so each feature of ``norm`` changes its sign once at most, and
    bisection with the float layer finds where. In exact arithmetic ``t`` is the next
    integer above ``mean - shift * sigma / scale``; rounded, that may be one off.

    ``norm`` takes each feature by itself, monotonically. Cost: ``log2(2 reach)`` calls.
    """

    def positive(s: np.ndarray) -> np.ndarray:
        found: np.ndarray = norm(s[None, :].astype(dtype))[0][0] >= 0
        return found

    low = np.full(features, -reach, np.int64)  # norm(low) has the first sign, always
    high = np.full(features, reach + 1, np.int64)  # the other one, or out of reach
    turned = positive(low)
    while (high - low > 1).any():
        middle = (low + high) // 2
        same = positive(middle) == turned
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return high.astype(np.int32), turned
