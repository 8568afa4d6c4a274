"""The units of columns: their mean and deviation, and layers into them and out again.

Measured in double precision, in blocks of rows, so that a file may be larger than
memory; refused where a model in single precision could not work in them.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ttalgebra.arrays.errors import FormatError
from ttalgebra.layers import Rescale

_BLOCK = 2**20  # entries at a time
_BLUR = 2.0**-24 * 1e3  # a mean that costs 1e-3 of a deviation of 1 when it is rounded
_LEAST, _MOST = 2.0**-120, 2.0**120  # a scale whose inverse is a float32 as well


class Units(NamedTuple):
    """``(features,)`` each, in float64; what does not vary has deviation 0."""

    mean: np.ndarray
    deviation: np.ndarray

    def removed(self) -> Rescale:
        """To mean 0 and deviation 1; what does not vary becomes 0, whatever comes."""
        varies = self.deviation > 0
        scale = np.divide(1, self.deviation, out=np.zeros_like(self.mean), where=varies)
        return _single(scale, -scale * self.mean)

    def restored(self) -> Rescale:
        """From mean 0 and deviation 1; the inverse of `standardised`."""
        return _single(self._scale, self.mean)

    @np.errstate(over="ignore", invalid="ignore")  # refused with their place
    def standardised(self, rows: np.ndarray) -> np.ndarray:
        """``rows`` in these units: subtracted in float64, then float32."""
        numbers: np.ndarray = (rows - self.mean) / self._scale
        return numbers.astype(np.float32)

    @property
    def _scale(self) -> np.ndarray:
        scale: np.ndarray = np.where(self.deviation > 0, self.deviation, 1.0)
        return scale


@np.errstate(over="ignore", invalid="ignore")
def units(rows: np.ndarray, name: str) -> Units:
    """Those of the rows that are finite; of none, mean 0.

    Raises FormatError, naming the column, where numbers in single precision would
    differ from these by more than 1e-3 of their deviation, or not reach them.
    """
    first: np.ndarray | None = None
    n, total, squares, reach = 0, *np.zeros((3, rows.shape[1]))
    for block in blocks(rows):
        whole = block[np.isfinite(block).all(axis=1)]
        if not len(whole):
            continue
        first = whole[0] if first is None else first
        shifted = whole - first  # exactly 0 where nothing varies
        n += len(whole)
        total += shifted.sum(axis=0)
        squares += (shifted * shifted).sum(axis=0)
        reach = np.maximum(reach, np.abs(shifted).max(axis=0))
    if first is None:
        return Units(np.zeros_like(total), np.zeros_like(total))
    mean, variance = first + total / n, squares / n - (total / n) ** 2
    found = Units(mean, np.sqrt(np.maximum(variance, 0)))
    _require_resolved(found, reach > 0, name)
    return found


def blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    """One after the other, in float64."""
    step = max(1, _BLOCK // rows.shape[1])
    for start, stop in pairwise([*range(0, len(rows), step), len(rows)]):
        yield np.asarray(rows[start:stop], np.float64)


def require_finite_rows(rows: np.ndarray, name: str) -> None:
    """Raise FormatError with the place of the first number that is not finite."""
    done = 0
    for block in blocks(rows):
        bad = np.argwhere(~np.isfinite(block))
        if len(bad):
            row, column = bad[0]
            message = f"{name}: row {done + row}, column {column} is"
            message = f"{message} {block[row, column]}, or too far from the others"
            raise FormatError(f"{message}; remove or replace it")
        done += len(block)


def _require_resolved(found: Units, varies: np.ndarray, name: str) -> None:
    mean, deviation = found
    held = (deviation > _LEAST) & (deviation < _MOST)
    held &= np.abs(mean) * _BLUR <= deviation
    constant = ~varies & (np.abs(mean) < _MOST)
    bad = np.flatnonzero(~(held | constant))
    if bad.size:
        k = bad[0]
        message = f"{name}: column {k} has mean {mean[k]:.6g} and standard deviation"
        message = f"{message} {deviation[k]:.3g}, which single precision cannot hold"
        advice = "subtract the mean and divide by the deviation before saving it"
        raise FormatError(f"{message}; {advice}")


def _single(scale: np.ndarray, shift: np.ndarray) -> Rescale:
    return Rescale(scale.astype(np.float32), shift.astype(np.float32))
