"""The sign of every entry, by rule or by chance, with a gradient that passes it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ttalgebra.arrays.namespace import dtype_of, from_numpy
from ttalgebra.arrays.typing import Array, Backward
from ttalgebra.layers.binary.binarize import sign, stochastic_sign, straight_through
from ttalgebra.layers.plain.activation import require_real
from ttalgebra.layers.protocol import Layer


@dataclass(frozen=True, eq=False)
class Sign(Layer):
    """1 where ``x >= 0``, else -1; backward, ``dx = dy`` where ``|x| <= 1``, else 0.

    That is no derivative (which is 0): it is the straight-through estimator with
    saturation. Real inputs only: TypeError for others.

    Parameters
    ----------
    stochastic
        While training, 1 is drawn with probability ``clip((x + 1) / 2, 0, 1)``.

    Examples
    --------
    >>> from ttalgebra.layers import Sign
    >>> y, backward = Sign()([[-2.0, -0.5, 0.0, 1.5]])
    >>> y, backward([[3.0, 3.0, 3.0, 3.0]])[0]
    (array([[-1., -1.,  1.,  1.]]), array([[0., 3., 3., 0.]]))
    """

    stochastic: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.stochastic, bool):
            kind = type(self.stochastic).__name__
            raise TypeError(f"Sign: stochastic must be True or False, got {kind}")

    @property
    def config(self) -> dict[str, Any]:
        """Whether training draws."""
        return {"stochastic": self.stochastic}

    def training(self, rng: np.random.Generator) -> "Sign | DrawnSign":
        """Itself, or if stochastic the form whose draws a seed fixes."""
        return DrawnSign(int(rng.integers(2**63))) if self.stochastic else self

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """The sign."""
        require_real(x, "Sign: x")
        return sign(x), lambda dy: (straight_through(x, dy), {})


@dataclass(frozen=True, eq=False)
class DrawnSign(Layer):
    """The stochastic sign with draws from ``seed``: the same at every call."""

    seed: int

    @property
    def config(self) -> dict[str, Any]:
        """The seed."""
        return {"seed": self.seed}

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """A sign for each entry, drawn."""
        require_real(x, "Sign: x")
        drawn = np.random.default_rng(self.seed).random(tuple(x.shape), np.float32)
        uniform = from_numpy(drawn.astype(dtype_of(x)), like=x)
        y = stochastic_sign(x, uniform)
        return y, lambda dy: (straight_through(x, dy), {})
