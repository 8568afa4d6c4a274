"""The form in which a trained network is kept, and what it takes and gives there."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ttalgebra import layers, learning
from ttalgebra.arrays.typing import Array


@dataclass(frozen=True)
class Stored:
    """``scores(x)`` of a batch, and the bytes of all its arrays."""

    scores: Callable[[Array], Array]
    nbytes: int


def as_arrays(model: layers.Sequential) -> Stored:
    """As it was trained: float32."""
    return Stored(lambda x: learning.predict(model, x), model.nbytes)


def as_bits(model: layers.Sequential) -> Stored:
    """Weights of one bit, a threshold for each feature, and the last normalisation."""
    packed = layers.pack(model)
    limits = sum(h.threshold.nbytes + h.turned.nbytes for h in packed.hidden)
    nbytes = packed.nbytes + limits + packed.norm.nbytes
    return Stored(lambda x: packed(x.astype(np.uint8)), nbytes)


def as_shifts(model: layers.Sequential) -> Stored:
    """Codes of a few bits, and biases of 64; integers do the work."""
    return as_arrays(layers.pack_shifts(model))
