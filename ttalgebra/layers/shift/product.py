"""What both layers share: the map, its straight-through backward, door and draws."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ttalgebra.arrays.checks import as_dtype
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import Array
from ttalgebra.layers.plain.activation import require_real
from ttalgebra.layers.protocol import owned, require_axes
from ttalgebra.layers.shift.fixed_point import FixedPoint
from ttalgebra.layers.shift.powers import as_bits

Pulled: TypeAlias = Callable[[Array], tuple[Array, Array, Array]]


def fixed_product(
    x: Array, w: Array, bias: Array, point: FixedPoint
) -> tuple[Array, Pulled]:
    """``y = [x] w^T + [b]`` in fixed point, and ``dy -> dx, G, db``.

    ``G = dy^T [x]`` is the gradient of ``w``. Rounding passes gradients as they are,
    also where it cuts (Elhoushi et al. 2021: straight through).
    """
    xp = namespace_of(x, w)
    rounded = point.rounded(x)

    def pull(dy: Array) -> tuple[Array, Array, Array]:
        return xp.matmul(dy, w), xp.matmul(dy.T, rounded), xp.sum(dy, axis=0)

    return xp.matmul(rounded, w.T) + point.rounded(bias), pull


def settle(layer: Any, weights: tuple[str, ...]) -> None:
    """Own the arrays of a new layer; ``weights`` name those of shape ``(M, N)``."""
    name = type(layer).__name__
    for field, n_axes in (*((w, 2) for w in weights), ("bias", 1)):
        array = owned(getattr(layer, field), f"{name}: {field}")
        require_real(array, f"{name}: {field}")
        require_axes(array, n_axes, f"{name}: {field}")
        object.__setattr__(layer, field, array)
    object.__setattr__(layer, "bits", as_bits(layer.bits, name))
    point = FixedPoint(layer.integer, layer.fraction)
    object.__setattr__(layer, "integer", point.integer)
    object.__setattr__(layer, "fraction", point.fraction)
    first = getattr(layer, weights[0])
    for other in weights[1:]:
        shape, wanted = tuple(getattr(layer, other).shape), tuple(first.shape)
        if shape != wanted:
            message = f"{name}: {other} has shape {shape}, {weights[0]} {wanted}"
            raise ShapeError(f"{message}; they must agree")
    if layer.bias.shape[0] != first.shape[0]:
        message = f"{name}: bias has {layer.bias.shape[0]} entries"
        raise ShapeError(f"{message}, the weight {first.shape[0]} rows")


def as_real(dtype: Any, name: str) -> np.dtype:
    """float32 or float64; TypeError for anything else."""
    kind = as_dtype(dtype)
    if kind.kind == "c":
        raise TypeError(f"{name}: dtype is {kind}; powers of two are real: use float32")
    return kind


def uniform(
    shape: Sequence[int],
    low: float,
    high: float,
    rng: np.random.Generator,
    dtype: np.dtype,
) -> np.ndarray:
    """Independent entries, uniform in ``[low, high)``."""
    drawn: np.ndarray = rng.uniform(low, high, tuple(shape)).astype(dtype)
    return drawn
