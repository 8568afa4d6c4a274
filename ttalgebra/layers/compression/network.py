"""A Sequential whose dense layers become TT-layers where that makes it smaller."""

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from ttalgebra.arrays.checks import as_mode_pairs
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import nbytes_of
from ttalgebra.layers.compression.aim import Aim
from ttalgebra.layers.compression.choice import Choice, Weight, choose
from ttalgebra.layers.compression.frontier import Pairs
from ttalgebra.layers.compression.modes import Modes, alternatives, suggested
from ttalgebra.layers.compression.report import (
    CompressionReport,
    Decision,
    decided,
    left,
    reported,
)
from ttalgebra.layers.plain.dense import Dense
from ttalgebra.layers.protocol import Layer
from ttalgebra.layers.sequential import Sequential
from ttalgebra.layers.tt_linear import TTLinear
from ttalgebra.trains.matrix import TTMatrix


def compress(
    model: Sequential,
    *,
    budget: int | None = None,
    tol: float | None = None,
    max_rank: int | None = None,
    modes: Mapping[str, Modes] | None = None,
) -> tuple[Sequential, CompressionReport]:
    """``model`` with TT-layers for the dense ones that they make smaller, and a report.

    Exactly one of the first three is given. Modes and ranks are chosen from the
    singular values of all unfoldings; ``1xN Mx1``, a product of low rank, is among the
    modes that are tried. A layer stays dense where TT is not smaller, and the report
    says so. Only `Dense` layers are replaced, in nested sequences too; the new model
    is trained on with `learning.fit`.

    Parameters
    ----------
    budget
        Bytes that all arrays of the new model may take, ``model.nbytes // 10`` for a
        tenth. Ranks are chosen over all layers together: each next byte goes where it
        removes most of the sum of the squared relative errors.
    tol
        Relative Frobenius error allowed in each weight; the smallest form is taken.
    max_rank
        Bound on the ranks, in the modes of `suggest_modes`.
    modes
        ``{name: (row_modes, col_modes)}`` for layers whose modes are not to be chosen;
        names are those of ``model.parameters``, without ``".weight"``. Products beyond
        the sizes pad, as they do where a size has a prime above 7.

    Notes
    -----
    Raises TypeError unless ``model`` is a Sequential and one of the three is given,
    ShapeError for a budget below the least possible, an unknown name, modes that do not
    fit. Cost: a lossless TT-SVD for each weight and choice of modes, at most three,
    and one more for each that is replaced. Predicted errors are bounds, measured ones
    the errors themselves. Source: Oseledets (2011), Theorem 2.2.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import Dense, ReLU, Sequential, compress
    >>> i, j = np.ogrid[:64, :64]
    >>> smooth = Dense(1 / (1.0 + abs(i - j)), np.zeros(64))
    >>> noise = Dense.random(64, 64, rng=0, dtype=np.float64)
    >>> model = Sequential([smooth, ReLU(), noise])
    >>> small, report = compress(model, tol=0.05)
    >>> [type(layer).__name__ for layer in small.layers]
    ['TTLinear', 'ReLU', 'Dense']
    >>> report.decisions[0].after < 4000, report.decisions[0].error < 0.05
    (True, True)
    >>> report.decisions[1].reason
    'TT with tol=0.05 takes 56,320 bytes, dense 32,768'
    """
    if not isinstance(model, Sequential):
        kind = f"{type(model).__module__}.{type(model).__name__}"
        raise TypeError(f"compress: a Sequential of layers is needed, got {kind}")
    aim = Aim.of(budget, tol, max_rank)
    layers = dict(_layers(model))
    dense = {name: x for name, x in layers.items() if type(x) is Dense}
    given = _given(modes, dense)
    weights = {name: _weight(x, aim, given.get(name)) for name, x in dense.items()}
    others = model.nbytes - sum(weight.nbytes for weight in weights.values())
    chosen = choose(list(weights.values()), aim, others)
    choices = dict(zip(weights, chosen, strict=True))
    decisions, replaced = [], {}
    for name, layer in layers.items():
        if isinstance(layer, Dense) and name in choices:
            new, decision = _tried(name, layer, weights[name], choices[name])
            decisions.append(decision)
            replaced[name] = new
        else:
            decisions.append(_left(name, layer))
    report = reported(decisions, model.nbytes, aim)
    return _with(model, replaced), report


def _layers(model: Sequential, prefix: str = "") -> Iterator[tuple[str, Layer]]:
    """The layers with parameters, by the prefix of their arrays."""
    for k, layer in enumerate(model.layers):
        if isinstance(layer, Sequential):
            yield from _layers(layer, f"{prefix}{k}.")
        elif layer.parameters:
            yield f"{prefix}{k}", layer


def _given(modes: Any, dense: Mapping[str, Layer]) -> dict[str, Pairs]:
    if modes is None:
        return {}
    if not isinstance(modes, Mapping):
        kind = type(modes).__name__
        raise TypeError(f"compress: modes must be a dict by layer, got {kind}")
    for name in modes:
        if name not in dense:
            known = ", ".join(dense) or "none"
            message = f"compress: modes has {name!r}, which is no dense layer"
            raise ShapeError(f"{message}; there are: {known}")
    return {name: _fitting(name, dense[name], own) for name, own in modes.items()}


def _fitting(name: str, layer: Any, own: Any) -> Pairs:
    if not isinstance(own, (list, tuple)) or len(own) != 2:
        message = f"compress: modes[{name!r}] must be (row_modes, col_modes)"
        raise TypeError(f"{message}, got {own!r:.80}")
    pairs = as_mode_pairs(*own)
    shape = prod(m for m, _ in pairs), prod(n for _, n in pairs)
    wanted = tuple(layer.weight.shape)
    if shape[0] < wanted[0] or shape[1] < wanted[1]:
        message = f"compress: modes[{name!r}] multiply to {shape}"
        raise ShapeError(f"{message}, too small for the weight, which is {wanted}")
    return pairs


def _weight(layer: Layer, aim: Aim, given: Pairs | None) -> Weight:
    W = layer.parameters["weight"]
    M, N = W.shape
    if given is not None:
        tried: tuple[Pairs, ...] = (given,)
    elif aim.max_rank is not None:
        tried = (suggested(M, N),)
    else:
        tried = alternatives(M, N)
    return Weight.of(W, tried, aim, nbytes_of(W), nbytes_of(W) // (M * N))


def _tried(
    name: str, layer: Dense, weight: Weight, choice: Choice
) -> tuple[Layer, Decision]:
    made = None if choice.form is None else choice.form.made(layer.weight)
    M, N = layer.weight.shape
    decision = decided(name, (M, N), weight, choice, made)
    return (layer if made is None else _tt(made[0], layer)), decision


def _tt(A: TTMatrix, layer: Dense) -> TTLinear:
    M, N = layer.weight.shape
    return TTLinear(A.cores, layer.bias, n_in=N, n_out=M)


def _left(name: str, layer: Layer) -> Decision:
    reason = f"a {layer.name}; only Dense layers are replaced"
    return left(name, (layer.n_parameters,), layer.nbytes, reason)


def _with(
    model: Sequential, replaced: Mapping[str, Layer], prefix: str = ""
) -> Sequential:
    """``model`` with these layers in the places that their names say."""
    layers = [
        _with(layer, replaced, f"{prefix}{k}.")
        if isinstance(layer, Sequential)
        else replaced.get(f"{prefix}{k}", layer)
        for k, layer in enumerate(model.layers)
    ]
    return Sequential(layers)
