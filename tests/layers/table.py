"""Every layer, one row each: a new layer is tested by one more row."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ttalgebra.layers import (
    GRU,
    LSTM,
    BatchNorm,
    BinaryLinear,
    BTLinear,
    Conv2D,
    DeepShiftPS,
    DeepShiftQ,
    Dense,
    Dropout,
    EdgeVarying,
    GraphAttention,
    GraphConvolution,
    HybridEdgeVarying,
    Layer,
    NodeVarying,
    ReLU,
    Rescale,
    Sequential,
    ShiftBatchNorm,
    Sigmoid,
    Sign,
    Stepwise,
    Tanh,
    TanhRNN,
    TTEmbedding,
    TTLinear,
    UnitaryRNN,
    bt_lstm,
    tt_conv2d,
    tt_gru,
    tt_lstm,
)
from ttalgebra.testing import central, complex_step, linear
from ttalgebra.testing.gradients import Moved

RNG = np.random.default_rng(7)
DRAWS = np.random.default_rng(8)


class Row(NamedTuple):
    name: str
    layer: Layer
    features: int
    in_x: Callable | None  # how its derivative by x is checked;
    in_arrays: Callable | None  # None: straight through, checked in its own tests
    words: int | None = None  # samples are whole numbers below it


def _dense(n_in, n_out, dtype="f8"):
    layer = Dense.random(n_in, n_out, rng=RNG, dtype=dtype)
    return layer.with_arrays({"bias": np.arange(n_out) / 8})


def _tt(rows, columns, ranks, dtype="f8", **options):
    layer = TTLinear.random(rows, columns, ranks, rng=RNG, dtype=dtype, **options)
    return TTLinear(layer.cores, layer.bias if layer.bias is None else layer.bias + 0.5)


# rows of their own generators: none changes what the others are made of
def _any_size():
    rng = np.random.default_rng(1)
    layer = TTLinear.fitting(7, 5, 2, order=2, max_mode=3, rng=rng, dtype="f8")
    return layer.with_arrays({"bias": rng.random(5)})


def _embedding(rows, columns, dtype="f8", **options):
    return TTEmbedding.random(rows, columns, 2, rng=2, dtype=dtype, **options)


def _convolution(dtype="f8"):
    return tt_conv2d(
        (3, 4, 2), (3, 1), (1, 2), 2, window=(2, 3), padding=1, rng=3, dtype=dtype
    )


_SLIDING = Conv2D(
    Dense.random(8, 3, rng=4, dtype="f8"), (5, 3, 2), (2, 2), stride=2, padding=1
)


def _bt(rows, columns, *ranks, dtype="f8", **options):
    """A block for each of ``ranks``."""
    parts = [
        BTLinear.random(rows, columns, n_blocks=1, ranks=r, rng=RNG, dtype=dtype)
        for r in ranks
    ]
    bias = np.arange(len(parts[0].bias)) / 8 if options.get("bias", True) else None
    return BTLinear([part.blocks[0] for part in parts], bias)


def _norm(features):
    drawn = {name: 1 + RNG.random(features) for name in ("scale", "mean", "variance")}
    return BatchNorm(shift=RNG.random(features), **drawn, eps=1e-3)


def _shift_norm():
    """Other scales than powers of two, of both signs."""
    scale, mean = np.array([1.3, -0.6, 0.9, 5]), np.arange(4) / 8
    return ShiftBatchNorm(scale, mean - 0.25, mean, 0.3 + mean, eps=1e-3)


def secant(line):
    """The slope over a long way: steps of 2^-16 in eight features hardly change it."""
    h = 2.0**10
    return Moved((line(h) - line(-h)) / (2 * h), 1e-12, 8 * 2.0**-16 / h)


# directed, weighted, a loop at node 0, and no edge into node 3
SHIFT = np.array([[2, 0.5, 0, 1], [0, 0, 0.25, 0], [1, -1, 0, 0.5], [0, 0, 0, 0]])
_ATTENTION = GraphAttention.random(SHIFT, 3, 2, heads=2, rng=RNG, dtype="f8")
_GCAT = GraphAttention.random(SHIFT, 2, 3, 3, first=0, rng=RNG, dtype="f8")


def _complex(layer):
    turned = {n: a * np.exp(1j * RNG.random(a.shape)) for n, a in layer.arrays.items()}
    return layer.with_arrays(turned)


def _edges(n_in, n_out, order):
    return EdgeVarying.random(SHIFT, n_in, n_out, order, rng=RNG, dtype="f8")


def _taps(n_in, n_out, order, **options):
    return GraphConvolution.random(
        SHIFT, n_in, n_out, order, rng=RNG, dtype="f8", **options
    )


def _nodes(n_in, n_out, order, **options):
    return NodeVarying.random(SHIFT, n_in, n_out, order, rng=RNG, dtype="f8", **options)


def _hybrid(n_in, n_out, order, selected):
    return HybridEdgeVarying.random(
        SHIFT, n_in, n_out, order, selected=selected, rng=RNG, dtype="f8"
    )


def _tanh(n_in, n, dtype="f8", **options):
    layer = TanhRNN.random(n_in, n, rng=RNG, dtype=dtype, **options)
    return layer.with_arrays({"bias": RNG.random(n) / 4})


def _unitary(n_in, n, **options):
    layer = UnitaryRNN.random(n_in, n, rng=RNG, dtype="c16", **options)
    return layer.with_arrays({"bias": -RNG.random(n) / 16})


_LSTM = LSTM.random(6, 2, sequences=True, rng=RNG, dtype="f8")
# complex sigmoids have poles, which small arrays stay away from
_CALM_LSTM = _LSTM.with_arrays({n: a / 4 for n, a in _LSTM.arrays.items()})
_TT_LSTM = tt_lstm((1, 3), (3, 4), 2, rng=RNG, dtype="f8")
_BT_LSTM = bt_lstm((2, 2), (3, 4), n_blocks=2, ranks=2, rng=RNG, dtype="f8")
_GRU = GRU.random(4, 3, sequences=True, rng=5, dtype="f8")
_TT_GRU = tt_gru((1, 3), (3, 4), 2, rng=6, dtype="f8")
_CALM_GRU = GRU.random(4, 2, rng=7, dtype="c16")
_CALM_GRU = _CALM_GRU.with_arrays({n: a / 4 for n, a in _CALM_GRU.arrays.items()})
_STEPWISE = Stepwise(Sequential([_dense(5, 3), Tanh()]))
_SEQUENCES = Sequential([
    _unitary(2, 4, sequences=True), Stepwise(_dense(8, 3)), _tanh(3, 2),
])  # fmt: skip
_GRAPHS = Sequential([_taps(2, 3, 2), Tanh(), _edges(3, 2, 1), _dense(8, 3)])
_NETWORK = Sequential([
    _tt((2, 3), (3, 4), 2), _norm(6), Tanh(), Dropout(0.3), Sequential([_dense(6, 4)]),
])  # fmt: skip

ROWS = (
    Row("dense", _dense(5, 3), 5, linear, linear),
    Row("dense complex", _dense(5, 3, "c16"), 5, linear, linear),
    Row("dense 1x1", _dense(1, 1), 1, linear, linear),
    Row("tt d=1", _tt((3,), (5,), 1), 5, linear, linear),
    Row("tt d=2", _tt((2, 3), (3, 4), 2), 12, linear, linear),
    Row("tt d=4", _tt((3, 1, 2, 2), (1, 4, 2, 3), 3), 24, linear, linear),
    Row("tt no bias", _tt((2, 3), (3, 4), 2, bias=False), 12, linear, linear),
    Row("tt complex", _tt((2, 3), (3, 4), 2, "c16"), 12, linear, linear),
    Row("tt any size", _any_size(), 7, linear, linear),
    Row("tt embedding", _embedding((3, 2), (2, 3), words=5), 4, None, linear, 5),
    Row("tt embedding complex", _embedding((2, 3), (3, 1), dtype="c16"), 3, None,
        linear, 6),
    Row("tt convolution", _convolution(), 24, linear, linear),
    Row("tt convolution complex", _convolution(dtype="c16"), 24, linear, linear),
    Row("dense convolution", _SLIDING, 30, linear, linear),
    Row("bt d=1", _bt((3,), (5,), (1,), (2,)), 5, linear, linear),
    Row("bt d=2", _bt((2, 3), (3, 4), (2, 3)), 12, linear, linear),
    Row("bt d=3", _bt((2, 1, 3), (1, 4, 3), (2, 3, 1), 2, 1), 12, linear, linear),
    Row("bt no bias", _bt((2, 3), (3, 4), 2, 2, bias=False), 12, linear, linear),
    Row("bt complex", _bt((2, 3), (3, 4), 2, 2, dtype="c16"), 12, linear, linear),
    Row("shift q", DeepShiftQ.random(5, 3, rng=0, dtype="f8"), 5, secant, None),
    Row("shift ps", DeepShiftPS.random(5, 3, bits=4, rng=0, dtype="f8"), 5, secant,
        None),
    Row("relu", ReLU(), 6, central, central),
    Row("tanh", Tanh(), 6, complex_step, complex_step),
    Row("sigmoid", Sigmoid(), 6, complex_step, complex_step),
    Row("dropout", Dropout(0.4), 6, linear, linear),
    Row("dropout drawn", Dropout(0.4).training(RNG), 6, linear, linear),
    Row("rescale", Rescale(np.array([1.5, -2, 0]), np.arange(3.0)), 3, linear, linear),
    Row("batch norm", _norm(6), 6, linear, linear),
    Row("batch norm of batch", _norm(6).training(RNG), 6, central, linear),
    Row("binary", BinaryLinear.random(5, 3, rng=3, dtype="f8"), 5, linear, None),
    Row("sign", Sign(), 6, None, linear),
    Row("sign drawn", Sign(stochastic=True).training(DRAWS), 6, None, linear),
    Row("shift norm", _shift_norm(), 4, linear, None),
    Row("shift norm of batch", _shift_norm().training(RNG), 4, None, None),
    Row("edge varying", _edges(2, 3, 2), 8, linear, complex_step),
    Row("edge varying complex", _complex(_edges(2, 1, 2)), 8, linear, central),
    Row("node varying", _nodes(2, 3, 2), 8, linear, linear),
    Row("block varying", _nodes(1, 2, 2, blocks=[1, 0, 1, 1]), 4, linear, linear),
    Row("hybrid varying", _hybrid(2, 1, 2, [3, 1]), 8, linear, complex_step),
    Row("graph convolution", _taps(2, 3, 2), 8, linear, linear),
    Row("graph convolution back", _taps(3, 1, 3, first=2), 12, linear, linear),
    Row("graph convolution complex", _complex(_taps(2, 1, 2)), 8, linear, linear),
    Row("graph attention", _ATTENTION, 12, complex_step, complex_step),
    Row("convolutional attention", _GCAT, 8, complex_step, complex_step),
    Row("graph network", _GRAPHS, 8, complex_step, complex_step),
    Row("lstm", LSTM.random(5, 3, rng=RNG, dtype="f8"), 5, complex_step, complex_step),
    Row("lstm sequences", _LSTM, 6, complex_step, complex_step),
    Row("lstm tt", _TT_LSTM, 12, complex_step, complex_step),
    Row("lstm bt", _BT_LSTM, 12, complex_step, complex_step),
    Row("lstm complex", _complex(_CALM_LSTM), 6, central, central),
    Row("gru sequences", _GRU, 4, complex_step, complex_step),
    Row("gru tt", _TT_GRU, 12, complex_step, complex_step),
    Row("gru complex", _CALM_GRU, 4, central, central),
    Row("tanh recurrent", _tanh(3, 4), 3, complex_step, complex_step),
    Row("tanh recurrent complex", _tanh(2, 3, "c16"), 2, central, central),
    Row("tanh recurrent all", _tanh(3, 4, sequences=True), 3, complex_step,
        complex_step),
    Row("unitary complex", _unitary(3, 7), 3, central, central),
    Row("unitary complex all", _unitary(2, 8, sequences=True), 2, central, central),
    Row("unitary complex lean", _unitary(2, 5, recompute=True), 2, central, central),
    Row("stepwise", Stepwise(_dense(5, 3)), 5, linear, linear),
    Row("stepwise network", _STEPWISE, 5, complex_step, complex_step),
    Row("sequence network complex", _SEQUENCES, 2, central, central),
    Row("empty sequence", Sequential([]), 6, linear, linear),
    Row("network", _NETWORK, 12, central, central),
    Row("network, training", _NETWORK.training(RNG), 12, central, central),
)  # fmt: skip
