"""The binary layer: real weights are kept and updated, their signs are used."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_dtype, as_positive, as_scalar
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import conj, namespace_of
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG, Array, Backward
from ttalgebra.layers.binary.binarize import sign
from ttalgebra.layers.plain.activation import require_real
from ttalgebra.layers.protocol import Layer, owned, require_axes


@dataclass(frozen=True, eq=False)
class BinaryLinear(Layer):
    """``y = x sign(W)^T``; backward, ``W`` gets the gradient of ``sign(W)``.

    After each step of training the entries of ``W`` are clipped to
    ``[-limit, limit]`` (`projected`), so that every sign can still turn. There is no
    bias: the batch normalisation that follows has one.

    Parameters
    ----------
    weight
        ``W``, ``(M, N)``, real: rows are outputs, columns inputs.
    limit
        Above 0. Only its ratio to the size of a step matters: a rule that is
        indifferent to the scale of gradients, with ``limit = c`` and the rate ``r``,
        makes the signs that it makes with 1 and ``r / c``.

    Examples
    --------
    >>> from ttalgebra.layers import BinaryLinear
    >>> layer = BinaryLinear([[0.25, -3.0], [-0.5, 0.0]])
    >>> y, backward = layer([[2.0, 1.0]])
    >>> y, backward(y)[1]["weight"]
    (array([[ 1., -1.]]), array([[ 2.,  1.],
           [-2., -1.]]))
    >>> layer.projected().weight
    array([[ 0.25, -1.  ],
           [-0.5 ,  0.  ]])
    """

    weight: Array
    limit: float = 1.0

    def __post_init__(self) -> None:
        weight = owned(self.weight, "BinaryLinear: weight")
        require_axes(weight, 2, "BinaryLinear: weight")
        require_real(weight, "BinaryLinear: weight")
        object.__setattr__(self, "weight", weight)
        limit = _as_limit(self.limit)
        object.__setattr__(self, "limit", limit)

    @classmethod
    def random(
        cls,
        n_in: int,
        n_out: int,
        *,
        limit: float | None = None,
        rng: RNG = None,
        dtype: Any = np.float32,
    ) -> Self:
        """Weights uniform in ``[-limit, limit]``, by default ``sqrt(1.5 / (M + N))``.

        Instead of the authors' limit 1 with rates multiplied by ``1 / sqrt(1.5 /
        (M + N))`` in each layer: the same training, but one rate for all.
        """
        N = as_positive(n_in, "BinaryLinear: n_in")
        M = as_positive(n_out, "BinaryLinear: n_out")
        limit = sqrt(1.5 / (M + N)) if limit is None else limit
        drawn = generator(rng).uniform(-1.0, 1.0, (M, N))
        size = _as_limit(limit)
        return cls((size * drawn).astype(as_dtype(dtype)), size)

    @property
    def inputs(self) -> tuple[int, ...]:
        """``(N,)``."""
        return (int(self.weight.shape[1]),)

    @property
    def parameters(self) -> dict[str, Array]:
        """The real weight."""
        return {"weight": self.weight}

    @property
    def config(self) -> dict[str, Any]:
        """The limit."""
        return {"limit": self.limit}

    def projected(self) -> "BinaryLinear":
        """The weights clipped to ``[-limit, limit]``."""
        xp = namespace_of(self.weight)
        clipped = xp.clip(self.weight, min=-self.limit, max=self.limit)
        return BinaryLinear(clipped, self.limit)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """``x sign(W)^T``: exact where ``x`` holds integers and sums fit."""
        xp, B = namespace_of(x, self.weight), sign(self.weight)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            return xp.matmul(dy, B), {"weight": xp.matmul(dy.T, conj(x))}

        return xp.matmul(x, B.T), backward


def _as_limit(limit: float) -> float:
    number = as_scalar(limit, "BinaryLinear: limit")
    if isinstance(number, complex) or not number > 0:
        raise ShapeError(f"BinaryLinear: limit must be above 0, got {number}")
    return number
