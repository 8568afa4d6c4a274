"""Trains and trainings as pictures."""

from ttalgebra.draw.compression import bytes_kept
from ttalgebra.draw.curves import (
    Point,
    learning_curves,
    require_matplotlib,
    save,
    trade_off,
)

__all__ = [
    "Point",
    "bytes_kept",
    "learning_curves",
    "require_matplotlib",
    "save",
    "trade_off",
]
