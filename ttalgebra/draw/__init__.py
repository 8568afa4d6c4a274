"""Trains and trainings as pictures."""

from ttalgebra.draw.curves import (
    Point,
    learning_curves,
    require_matplotlib,
    save,
    trade_off,
)

__all__ = ["Point", "learning_curves", "require_matplotlib", "save", "trade_off"]
