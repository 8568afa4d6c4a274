"""Layers whose weights are powers of two: a product is a shift and a sign.

From the bottom: `fixed_point` and `powers` are the two roundings, `product` the map and
its straight-through backward, `rounded` (Q) and `exponents` (PS) the two layers that
learn, `decay` and `clamping` what the recipe adds to a step, `integers` inference on
packed weights, `convert` the way from one network to the other.

Source: Elhoushi et al. (2021).
"""

from ttalgebra.layers.shift.clamping import Clamped
from ttalgebra.layers.shift.convert import pack_shifts, shifted
from ttalgebra.layers.shift.decay import power_decay, real_weights
from ttalgebra.layers.shift.exponents import DeepShiftPS
from ttalgebra.layers.shift.fixed_point import FixedPoint
from ttalgebra.layers.shift.integers.layer import PackedShift
from ttalgebra.layers.shift.rounded import DeepShiftQ

__all__ = [
    "Clamped",
    "DeepShiftPS",
    "DeepShiftQ",
    "FixedPoint",
    "PackedShift",
    "pack_shifts",
    "power_decay",
    "real_weights",
    "shifted",
]
