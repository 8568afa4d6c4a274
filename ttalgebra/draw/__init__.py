"""Trains and trainings as pictures."""

from ttalgebra.draw.compression import bytes_kept
from ttalgebra.draw.curves import (
    Point,
    errors,
    learning_curves,
    require_matplotlib,
    save,
    trade_off,
)
from ttalgebra.draw.times import growth

__all__ = [
    "Point",
    "bytes_kept",
    "errors",
    "growth",
    "learning_curves",
    "require_matplotlib",
    "save",
    "trade_off",
]
