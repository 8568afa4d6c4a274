"""Every layer, one row each: a new layer is tested by one more row."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ttalgebra.layers import (
    BatchNorm,
    Dense,
    Dropout,
    Layer,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
    TTLinear,
)
from ttalgebra.testing import central, complex_step, linear

RNG = np.random.default_rng(7)


class Row(NamedTuple):
    name: str
    layer: Layer
    features: int
    in_x: Callable  # how its derivative by x is checked
    in_arrays: Callable


def _dense(n_in, n_out, dtype="f8"):
    layer = Dense.random(n_in, n_out, rng=RNG, dtype=dtype)
    return layer.with_arrays({"bias": np.arange(n_out) / 8})


def _tt(rows, columns, ranks, dtype="f8", **options):
    layer = TTLinear.random(rows, columns, ranks, rng=RNG, dtype=dtype, **options)
    return TTLinear(layer.cores, layer.bias if layer.bias is None else layer.bias + 0.5)


def _norm(features):
    drawn = {name: 1 + RNG.random(features) for name in ("scale", "mean", "variance")}
    return BatchNorm(shift=RNG.random(features), **drawn, eps=1e-3)


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
    Row("relu", ReLU(), 6, central, central),
    Row("tanh", Tanh(), 6, complex_step, complex_step),
    Row("sigmoid", Sigmoid(), 6, complex_step, complex_step),
    Row("dropout", Dropout(0.4), 6, linear, linear),
    Row("dropout drawn", Dropout(0.4).training(RNG), 6, linear, linear),
    Row("batch norm", _norm(6), 6, linear, linear),
    Row("batch norm of batch", _norm(6).training(RNG), 6, central, linear),
    Row("empty sequence", Sequential([]), 6, linear, linear),
    Row("network", _NETWORK, 12, central, central),
    Row("network, training", _NETWORK.training(RNG), 12, central, central),
)  # fmt: skip
