"""Models in files: the arrays by name, the layers as a list, nothing executable."""

import os
from collections.abc import Mapping
from typing import Any

from ttalgebra.arrays.errors import FormatError, ShapeError, TTError
from ttalgebra.arrays.namespace import to_numpy
from ttalgebra.arrays.typing import Array
from ttalgebra.layers.binary import BinaryLinear, ShiftBatchNorm, Sign
from ttalgebra.layers.block_term import BTLinear
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
from ttalgebra.layers.plain.normalization import BatchNorm
from ttalgebra.layers.plain.rescale import Rescale
from ttalgebra.layers.protocol import Layer
from ttalgebra.layers.recurrent.gated import Gated, unprefixed
from ttalgebra.layers.recurrent.gru import GRU
from ttalgebra.layers.recurrent.lstm import LSTM
from ttalgebra.layers.recurrent.stepwise import Stepwise
from ttalgebra.layers.recurrent.tanh import TanhRNN
from ttalgebra.layers.sequential import Sequential
from ttalgebra.layers.shift import DeepShiftPS, DeepShiftQ, PackedShift
from ttalgebra.layers.tt.convolution import Conv2D
from ttalgebra.layers.tt.embedding import TTEmbedding
from ttalgebra.layers.tt_linear import TTLinear
from ttalgebra.layers.unitary.rnn import UnitaryRNN

LAYERS: tuple[type[Layer], ...] = (
    BatchNorm, BTLinear, BinaryLinear, Conv2D, DeepShiftPS, DeepShiftQ, Dense, Dropout,
    EdgeVarying, GRU, GraphAttention, GraphConvolution, HybridEdgeVarying, LSTM,
    NodeVarying, PackedShift, ReLU, Rescale, Sequential, ShiftBatchNorm, Sigmoid, Sign,
    Stepwise, TTEmbedding, TTLinear, Tanh, TanhRNN, UnitaryRNN,
)  # fmt: skip
_DEEPEST = 8  # sequences within sequences

Path = str | os.PathLike[str]


def save(model: Sequential, path: Path) -> None:
    """Write ``model`` to one file, atomically.

    The file is an npz; a path that ends in ``.safetensors`` makes one of those.
    Raises OSError where that cannot be done; a file already there stays whole.

    >>> import tempfile, os
    >>> from ttalgebra.layers import Dense, Sequential, load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.npz")
    ...     save(Sequential([Dense.random(3, 2, rng=0)]), path)
    ...     load(path).n_parameters
    8
    """
    from ttalgebra.storage import write

    if not isinstance(model, Sequential):
        kind = type(model).__name__
        raise TypeError(f"save: a Sequential is needed, got {kind}; wrap it in one")
    arrays = {name: to_numpy(x) for name, x in model.arrays.items()}
    write(path, arrays | model.constants, {"kind": "model", "layers": _entries(model)})


def load(path: Path) -> Sequential:
    """The model that `save` wrote, its arrays in NumPy.

    Raises FormatError for anything but a whole file of a model that this version
    knows, and FileNotFoundError where there is none.
    """
    from ttalgebra.storage import read

    arrays, header = read(path)
    try:
        if header.get("kind") != "model":
            raise FormatError(f"it holds a {header.get('kind')!r}, not a model")
        return _sequential(header.get("layers"), arrays, _DEEPEST)
    except (TTError, TypeError) as error:
        raise FormatError(f"load: {os.fspath(path)!r}: {error}") from error


def _entries(model: Sequential, depth: int = _DEEPEST) -> list[dict[str, Any]]:
    if depth == 0:
        message = f"save: layers are nested more than {_DEEPEST} deep"
        raise ShapeError(f"{message}; put them into fewer sequences")
    return [_entry(layer, depth) for layer in model.layers]


def _entry(layer: Layer, depth: int) -> dict[str, Any]:
    if type(layer) not in LAYERS:
        raise TypeError(f"save: {layer.name} has no place in a file; save the model "
                        "itself, not its training form")  # fmt: skip
    if isinstance(layer, Sequential):
        return {"layer": layer.name, "layers": _entries(layer, depth - 1)}
    if isinstance(layer, Stepwise):
        return {"layer": layer.name, "of": _entry(layer.layer, depth - 1)}
    if isinstance(layer, Gated):
        gates = _entry(layer.gates, depth - 1)
        return {"layer": layer.name, "gates": gates, **layer.config}
    if isinstance(layer, Conv2D):
        kernel = _entry(layer.kernel, depth - 1)
        return {"layer": layer.name, "kernel": kernel, **layer.config}
    return {"layer": layer.name, **layer.config}


def _sequential(entries: Any, arrays: Mapping[str, Array], depth: int) -> Sequential:
    if not isinstance(entries, list):
        raise FormatError(f"its layers are {type(entries).__name__}, not a list")
    if depth == 0:
        raise FormatError(f"its layers are nested more than {_DEEPEST} deep")
    groups: list[dict[str, Array]] = [{} for _ in entries]
    for name, array in arrays.items():
        prefix, _, own = name.partition(".")
        if not (prefix.isdecimal() and int(prefix) < len(groups)):
            raise FormatError(f"array {name!r} belongs to none of {len(groups)} layers")
        groups[int(prefix)][own] = array
    pairs = zip(entries, groups, strict=True)
    return Sequential([_layer(entry, own, depth) for entry, own in pairs])


def _layer(entry: Any, arrays: Mapping[str, Array], depth: int) -> Layer:
    if depth < 0:
        raise FormatError(f"its layers are nested more than {_DEEPEST} deep")
    config = dict(entry) if isinstance(entry, dict) else {}
    name = config.pop("layer", None)
    kind = next((cls for cls in LAYERS if cls.__name__ == name), None)
    if kind is None:
        known = ", ".join(cls.__name__ for cls in LAYERS)
        raise FormatError(f"no layer is called {name!r}; this version knows {known}")
    if kind is Sequential:
        return _sequential(config.get("layers"), arrays, depth - 1)
    if kind is Stepwise:
        return Stepwise(_layer(config.get("of"), arrays, depth - 1))
    if issubclass(kind, Gated):
        config["gates"] = _layer(config.get("gates"), unprefixed(arrays), depth - 1)
    if kind is Conv2D:
        config["kernel"] = _layer(config.get("kernel"), arrays, depth - 1)
    return kind.restored(arrays, **config)
