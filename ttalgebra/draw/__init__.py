"""Trains and trainings as pictures."""

from ttalgebra.draw.curves import learning_curves, trade_off

__all__ = ["learning_curves", "trade_off"]
