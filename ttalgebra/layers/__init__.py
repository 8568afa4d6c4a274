"""Layers: ``y, backward = layer(x)``, ``dx, gradients = backward(dy)``.

Read `protocol` first; each further file is one idea. A new layer is one file here,
one name in `files.LAYERS` and one row in the table of tests/layers.
"""

from ttalgebra.layers import adaptive
from ttalgebra.layers.binary import (
    BinaryLinear,
    PackedNetwork,
    ShiftBatchNorm,
    Sign,
    pack,
)
from ttalgebra.layers.block_term import BTLinear
from ttalgebra.layers.compression import compress
from ttalgebra.layers.files import load, save
from ttalgebra.layers.graph_filter import (
    EdgeVarying,
    GraphAttention,
    GraphConvolution,
    HybridEdgeVarying,
    NodeVarying,
)
from ttalgebra.layers.plain.activation import ReLU, Sigmoid, Tanh
from ttalgebra.layers.plain.dense import Dense
from ttalgebra.layers.plain.dropout import Dropout
from ttalgebra.layers.plain.initial import glorot, he, lecun
from ttalgebra.layers.plain.normalization import BatchNorm
from ttalgebra.layers.plain.rescale import Rescale
from ttalgebra.layers.protocol import Layer
from ttalgebra.layers.recurrent.compressed import bt_lstm, tt_gru, tt_lstm
from ttalgebra.layers.recurrent.gru import GRU
from ttalgebra.layers.recurrent.lstm import LSTM
from ttalgebra.layers.recurrent.stepwise import Stepwise
from ttalgebra.layers.recurrent.tanh import TanhRNN
from ttalgebra.layers.sequential import Sequential
from ttalgebra.layers.shift import (
    DeepShiftPS,
    DeepShiftQ,
    FixedPoint,
    PackedShift,
    pack_shifts,
    shifted,
)
from ttalgebra.layers.tt.convolution import Conv2D, tt_conv2d
from ttalgebra.layers.tt.embedding import TTEmbedding
from ttalgebra.layers.tt_linear import TTLinear
from ttalgebra.layers.unitary.rnn import UnitaryRNN

__all__ = [
    "GRU",
    "LSTM",
    "BTLinear",
    "BatchNorm",
    "BinaryLinear",
    "Conv2D",
    "DeepShiftPS",
    "DeepShiftQ",
    "Dense",
    "Dropout",
    "EdgeVarying",
    "FixedPoint",
    "GraphAttention",
    "GraphConvolution",
    "HybridEdgeVarying",
    "Layer",
    "NodeVarying",
    "PackedNetwork",
    "PackedShift",
    "ReLU",
    "Rescale",
    "Sequential",
    "ShiftBatchNorm",
    "Sigmoid",
    "Sign",
    "Stepwise",
    "TTEmbedding",
    "TTLinear",
    "Tanh",
    "TanhRNN",
    "UnitaryRNN",
    "adaptive",
    "bt_lstm",
    "compress",
    "glorot",
    "he",
    "lecun",
    "load",
    "pack",
    "pack_shifts",
    "save",
    "shifted",
    "tt_conv2d",
    "tt_gru",
    "tt_lstm",
]
