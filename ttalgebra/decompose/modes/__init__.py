"""Sizes as products of modes: balanced, and padded where a size has no good ones."""

from ttalgebra.decompose.modes.balanced import suggest_modes
from ttalgebra.decompose.modes.padding import cropped, padded

__all__ = ["cropped", "padded", "suggest_modes"]
