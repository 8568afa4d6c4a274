"""Layers: ``y, backward = layer(x)``, ``dx, gradients = backward(dy)``.

Read `protocol` first; each further file is one idea. A new layer is one file here,
one name in `files.LAYERS` and one row in the table of tests/layers.
"""

from ttalgebra.layers.activation import ReLU, Sigmoid, Tanh
from ttalgebra.layers.dense import Dense
from ttalgebra.layers.dropout import Dropout
from ttalgebra.layers.files import load, save
from ttalgebra.layers.initial import glorot, he, lecun
from ttalgebra.layers.normalization import BatchNorm
from ttalgebra.layers.protocol import Layer
from ttalgebra.layers.sequential import Sequential
from ttalgebra.layers.tt_linear import TTLinear

__all__ = [
    "BatchNorm",
    "Dense",
    "Dropout",
    "Layer",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "TTLinear",
    "Tanh",
    "glorot",
    "he",
    "lecun",
    "load",
    "save",
]
