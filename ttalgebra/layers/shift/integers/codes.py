"""Signed powers of two as codes of ``b`` bits, packed without a gap into bytes.

A code is the bit of the sign (1 for minus) above ``b - 1`` bits of the shift ``-P``.
Where signs are ternary the largest shift stands for zero. A row takes
``ceil(N b / 8)`` bytes; its first code is in the first bits, highest bit first.
"""

from typing import NamedTuple

import numpy as np

from ttalgebra.arrays.errors import ShapeError


class Powers(NamedTuple):
    """Weights ``+-2^-shift`` or 0, as three arrays of shape ``(M, N)``."""

    shifts: np.ndarray
    negative: np.ndarray
    nonzero: np.ndarray


def to_codes(weight: np.ndarray, bits: int, *, ternary: bool) -> np.ndarray:
    """The packed bytes, ``(M, ceil(N b / 8))``, of exact powers of two.

    Raises ShapeError for a zero where signs are binary: there is no code for it.
    """
    zero = weight == 0
    if zero.any() and not ternary:
        i, j = (int(k) for k in np.argwhere(zero)[0])
        message = (
            f"PackedShift: the weight at ({i}, {j}) is 0, which {bits} bits with a"
        )
        raise ShapeError(f"{message} binary sign cannot say; convert to DeepShiftPS")
    shifts = (1 - np.frexp(weight)[1]).astype(np.uint8)  # 2^P has the exponent P + 1
    shifts[zero] = 2 ** (bits - 1) - 1
    codes = shifts | (np.signbit(weight) & ~zero).astype(np.uint8) << (bits - 1)
    places = np.arange(bits - 1, -1, -1, dtype=np.uint8)
    spread = (codes[:, :, None] >> places) & 1
    return np.packbits(spread.reshape(len(weight), -1), axis=1)


def from_codes(packed: np.ndarray, n: int, bits: int, *, ternary: bool) -> Powers:
    """What the bytes of rows of ``n`` codes say."""
    spread = np.unpackbits(packed, axis=1, count=n * bits)
    digits = spread.reshape(len(packed), n, bits)
    shifts = np.zeros((len(packed), n), np.int64)
    for place in range(1, bits):
        shifts = (shifts << 1) | digits[:, :, place]
    largest = 2 ** (bits - 1) - 1
    nonzero = shifts != largest if ternary else np.ones(shifts.shape, bool)
    return Powers(shifts, (digits[:, :, 0] == 1) & nonzero, nonzero)
