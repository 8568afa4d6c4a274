"""Binarized networks: weights and activations of -1 and 1, and the bits they become.

Read `binarize` first; `bits`, `thresholds` and `packed` are for inference alone.
Source: Hubara et al. (2016).
"""

from ttalgebra.layers.binary.activation import Sign
from ttalgebra.layers.binary.linear import BinaryLinear
from ttalgebra.layers.binary.packed import PackedNetwork, pack
from ttalgebra.layers.binary.shift_norm import ShiftBatchNorm

__all__ = ["BinaryLinear", "PackedNetwork", "ShiftBatchNorm", "Sign", "pack"]
