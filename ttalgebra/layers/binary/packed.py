"""A trained binary network as bits: comparisons and counts, until the last scores."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import backend_of, is_numpy
from ttalgebra.layers.binary.activation import Sign
from ttalgebra.layers.binary.bits import Words, byte_products, packed, sign_products
from ttalgebra.layers.binary.linear import BinaryLinear
from ttalgebra.layers.binary.shift_norm import ShiftBatchNorm
from ttalgebra.layers.binary.thresholds import thresholds
from ttalgebra.layers.plain.dropout import Dropout
from ttalgebra.layers.plain.normalization import BatchNorm
from ttalgebra.layers.protocol import Layer
from ttalgebra.layers.sequential import Sequential

_PATTERN = "(BinaryLinear, BatchNorm, Sign) repeated, then BinaryLinear, BatchNorm"


@dataclass(frozen=True, eq=False)
class PackedLinear:
    """The signs of a weight ``(M, N)``: ``words`` ``(ceil(N / 64), M)``, and ``N``."""

    words: Words
    n_in: int

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """``x sign(W)^T`` in integers; ``x`` bool, True for +1, or uint8."""
        if x.dtype == np.uint8:
            return byte_products(self.words, x)
        return sign_products(self.words, packed(x), self.n_in)


@dataclass(frozen=True, eq=False)
class PackedHidden:
    """A `PackedLinear`, normalisation and sign: bits to bits."""

    linear: PackedLinear
    threshold: np.ndarray
    turned: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The signs, True for +1."""
        bits: np.ndarray = (self.linear(x) >= self.threshold) != self.turned
        return bits


@dataclass(frozen=True, eq=False)
class PackedNetwork:
    """What `pack` makes: ``network(x)`` are the scores that the float network gives.

    ``x`` is ``(n, features)``: uint8, or bool with True for +1. Raises TypeError or
    ShapeError for anything else.
    """

    hidden: tuple[PackedHidden, ...]
    last: PackedLinear
    norm: Layer
    dtype: np.dtype

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The scores, ``(n, classes)``."""
        x = self._checked(x)
        for layer in self.hidden:
            x = layer(x)
        scores: np.ndarray = self.norm(self.last(x).astype(self.dtype))[0]
        return scores

    @property
    def nbytes(self) -> int:
        """The bytes of the packed weights; float32 ones take 32 times as many."""
        return sum(linear.words.nbytes for linear in self._linears)

    @property
    def _linears(self) -> tuple[PackedLinear, ...]:
        return (*(layer.linear for layer in self.hidden), self.last)

    def _checked(self, x: np.ndarray) -> np.ndarray:
        dtype = getattr(x, "dtype", None)
        if not isinstance(x, np.ndarray) or dtype not in (np.uint8, np.bool_):
            found = type(x).__name__ if dtype is None else f"{dtype} of {type(x)}"
            message = f"PackedNetwork: x is {found}, expected a NumPy array"
            raise TypeError(f"{message} of uint8, or of bool for signs")
        wanted = self._linears[0].n_in
        if x.ndim != 2 or x.shape[1] != wanted:
            message = f"PackedNetwork: x has shape {x.shape}"
            raise ShapeError(f"{message}, expected (samples, {wanted})")
        return x


def pack(model: Sequential) -> PackedNetwork:
    """``model`` for inference on bits, with the same scores bit for bit.

    ``pack(model)(x)`` is ``model(x)[0]`` with ``x`` in the dtype of the weights, as
    long as float sums of integers are exact: ``255 N < 2^24`` in float32, ``2^53`` in
    float64. Weights take 1 bit. Counting runs in NumPy's ``bitwise_count``.

    ``model`` is ``(BinaryLinear, BatchNorm, Sign)`` repeated, then ``BinaryLinear,
    BatchNorm``; each norm may be a `ShiftBatchNorm` or absent, and `Dropout` is passed
    over. Raises ShapeError for another order, TypeError for arrays outside NumPy and
    for several dtypes.

    >>> import numpy as np
    >>> from ttalgebra.layers import BatchNorm, BinaryLinear, Sequential, Sign, pack
    >>> model = Sequential([BinaryLinear.random(64, 128, rng=0), BatchNorm.new(128),
    ...                     Sign(), BinaryLinear.random(128, 10, rng=1)])
    >>> network, x = pack(model), np.arange(320, dtype=np.uint8).reshape(5, 64)
    >>> bool((network(x) == model(x.astype("f4"))[0]).all())
    True
    >>> network.nbytes, 64 * 128 + 128 * 10  # bytes, weights: one bit each
    (1184, 9472)
    """
    if not isinstance(model, Sequential):
        kind = type(model).__name__
        raise TypeError(f"pack: a Sequential is needed, got {kind}; wrap it in one")
    foreign = [x for x in model.arrays.values() if not is_numpy(x)]
    if foreign:
        message = f"pack: the model is in {backend_of(foreign[0])}, bits are NumPy's"
        raise TypeError(f"{message}; call model.to('numpy') first")
    *stages, (last, norm) = _stages(model)
    dtypes = {name: str(x.dtype) for name, x in model.arrays.items()}
    if len(set(dtypes.values())) > 1:
        message = f"pack: the arrays have several dtypes, {dtypes}"
        raise TypeError(f"{message}; make every layer with one dtype")
    hidden = tuple(_hidden(*stage, first=k == 0) for k, stage in enumerate(stages))
    return PackedNetwork(hidden, _linear(last), norm, last.weight.dtype)


def _hidden(linear: BinaryLinear, norm: Layer, *, first: bool) -> PackedHidden:
    M, N = linear.weight.shape
    reach = 255 * N if first else N
    return PackedHidden(
        _linear(linear), *thresholds(norm, M, reach, linear.weight.dtype)
    )


def _linear(layer: BinaryLinear) -> PackedLinear:
    words = np.ascontiguousarray(packed(layer.weight >= 0).T)
    return PackedLinear(words, int(layer.weight.shape[1]))


def _flat(model: Sequential) -> Iterator[Layer]:
    for layer in model.layers:
        if isinstance(layer, Sequential):
            yield from _flat(layer)
        elif not isinstance(layer, Dropout):
            yield layer


def _stages(model: Sequential) -> list[tuple[BinaryLinear, Layer]]:
    """Each binary layer and its normalisation, which is the identity if absent."""
    layers, signed = list(_flat(model)), True
    stages: list[tuple[BinaryLinear, Layer]] = []
    while layers and signed and isinstance(linear := layers[0], BinaryLinear):
        layers = layers[1:]
        norm: Layer = Sequential([])
        if layers and isinstance(layers[0], BatchNorm | ShiftBatchNorm):
            norm = layers.pop(0)
        signed = bool(layers) and isinstance(layers[0], Sign)
        layers = layers[signed:]
        stages.append((linear, norm))
    if layers or signed:
        names = ", ".join(layer.name for layer in _flat(model)) or "no layer"
        raise ShapeError(f"pack: the model is {names}; bits can do {_PATTERN}")
    _require_joined(stages)
    return stages


def _require_joined(stages: list[tuple[BinaryLinear, Layer]]) -> None:
    for k, ((one, _), (after, _)) in enumerate(pairwise(stages)):
        M, N = one.weight.shape[0], after.weight.shape[1]
        if M != N:
            message = f"pack: binary layer {k} has {M} outputs"
            raise ShapeError(f"{message}, the next one {N} inputs; they must agree")
