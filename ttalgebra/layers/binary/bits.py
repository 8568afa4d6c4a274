"""Signs as bits of 64-bit words, and sums of products by counting them. NumPy only.

Bit ``i`` of word ``k`` is entry ``64 k + i``, 1 for a sign of +1; what is beyond the
last entry is 0. A packed matrix has its words along axis 0, ``(words, rows)``, so that
a sum over words runs along memory.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

Words: TypeAlias = np.ndarray
_BLOCK = 2**15  # words whose intermediates stay in a second-level cache
_COUNTS = 1023  # counts of at most 64 that 16 bits can add up


def packed(bits: np.ndarray) -> Words:
    """Booleans ``(n, features)`` to words ``(n, ceil(features / 64))``."""
    n, features = bits.shape
    octets = np.zeros((n, 8 * -(-features // 64)), np.uint8)
    octets[:, : -(-features // 8)] = np.packbits(bits, axis=1, bitorder="little")
    return octets.view("<u8").astype(np.uint64, copy=False)


def sign_products(matrix: Words, x: Words, features: int) -> np.ndarray:
    """``x W^T`` of signs: ``features - 2 popcount(x xor w)``, ``(n, rows)`` int32.

    Cost ``n * rows * features / 64`` words, each XORed, counted and added.
    """
    counts = [_counts(np.bitwise_xor, matrix, row) for row in x]
    return features - 2 * _stacked(counts, matrix)


def byte_products(matrix: Words, x: np.ndarray) -> np.ndarray:
    """``x W^T`` of bytes ``(n, features)`` and signs, by eight planes of bits.

    Plane ``b`` gives ``2^b (2 popcount(x_b and w) - popcount(x_b))``.
    """
    planes = [packed((x >> b) & 1 == 1) for b in range(8)]
    total = np.zeros((len(x), matrix.shape[1]), np.int32)
    for b, plane in enumerate(planes):
        counts = [_counts(np.bitwise_and, matrix, row) for row in plane]
        ones = np.bitwise_count(plane).sum(axis=1, dtype=np.int32)
        total += (2 * _stacked(counts, matrix) - ones[:, None]) << b
    return total


def _counts(combine: Callable[..., Words], matrix: Words, row: Words) -> np.ndarray:
    """``sum_k popcount(combine(matrix[k], row[k]))``, ``(rows,)`` int32."""
    n_words, rows = matrix.shape
    total = np.zeros(rows, np.int32)
    step = max(1, min(_COUNTS, _BLOCK // rows))
    for k in range(0, n_words, step):
        mixed = combine(matrix[k : k + step], row[k : k + step, None])
        total += np.add.reduce(np.bitwise_count(mixed), axis=0, dtype=np.uint16)
    return total


def _stacked(counts: list[np.ndarray], matrix: Words) -> np.ndarray:
    return np.array(counts, np.int32).reshape(-1, matrix.shape[1])
