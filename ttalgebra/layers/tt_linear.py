"""The TT-layer: a linear map whose weight is a TT-matrix, never formed.

Source: Novikov et al. (2015), section 4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import RNG, Array, Backward, Cores, Ranks
from ttalgebra.cores import gradients
from ttalgebra.cores.chain import require_chain
from ttalgebra.cores.products import rows
from ttalgebra.layers.plain.initial import Variance, glorot
from ttalgebra.layers.protocol import Layer, owned, require_axes
from ttalgebra.trains.create import random_matrix
from ttalgebra.trains.doors.pairing import promoted
from ttalgebra.trains.matrix import TTMatrix


@dataclass(frozen=True, eq=False)
class TTLinear(Layer):
    """``y = x W^T + b`` with ``W`` a TT-matrix of rows outputs, columns inputs.

    Cost ``2 n d r^2 m max(M, N)`` flops forward, twice that backward, and
    ``n r max(M, N)`` numbers a core kept between the two.

    Parameters
    ----------
    cores
        Of shapes ``(r, m, n, s)``; copied, read-only.
    bias
        ``b``, ``(M,)``, or None for none.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import TTLinear
    >>> layer = TTLinear.random((5, 5, 5, 5), (4, 8, 8, 4), ranks=2, rng=0)
    >>> layer.weight.shape, layer.weight.n_parameters, layer.n_parameters
    ((625, 1024), 400, 1025)
    >>> y, backward = layer(np.ones((3, 1024), np.float32))
    >>> dx, gradients = backward(y)
    >>> list(gradients), gradients["cores.1"].shape
    (['cores.0', 'cores.1', 'cores.2', 'cores.3', 'bias'], (2, 5, 8, 2))
    """

    cores: Cores
    bias: Array | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.cores, (list, tuple)):
            kind = type(self.cores).__name__
            raise TypeError(f"TTLinear: cores must be a list or tuple, got {kind}")
        named = enumerate(self.cores)
        cores = tuple(owned(core, f"TTLinear: core {k}") for k, core in named)
        require_chain(cores, n_modes=2)
        object.__setattr__(self, "cores", promoted(*cores))
        if self.bias is not None:
            object.__setattr__(self, "bias", _fitting_bias(self.bias, rows(cores)))

    @classmethod
    def random(
        cls,
        row_modes: Sequence[int],
        col_modes: Sequence[int],
        ranks: Ranks,
        *,
        bias: bool = True,
        variance: Variance = glorot,
        rng: RNG = None,
        dtype: Any = np.float32,
    ) -> Self:
        """Normal cores; the entries of ``W`` have variance ``variance(M, N)``.

        Each entry is a sum over all ``prod r_k`` paths of products of ``d`` numbers,
        so each core has standard deviation ``sigma^(1/d) prod r_k^(-1/(2 d))``.
        ``ranks`` as in `tt.random_matrix`. The bias is zero.
        """
        W = random_matrix(row_modes, col_modes, ranks, rng=rng, dtype=dtype)
        sigma = variance(*W.shape) ** 0.5
        std = (sigma / prod(W.ranks) ** 0.5) ** (1 / W.order)
        # those of random_matrix have standard deviation s^(-1/2), s the right rank
        cores = tuple(core * (std * core.shape[-1] ** 0.5) for core in W.cores)
        return cls(cores, np.zeros(W.shape[0], W.dtype) if bias else None)

    @classmethod
    def from_dense(
        cls,
        weight: Array,
        bias: Array | None,
        row_modes: Sequence[int],
        col_modes: Sequence[int],
        *,
        tol: float | None = None,
        max_rank: Ranks | None = None,
    ) -> Self:
        """The layer of a dense ``weight`` ``(M, N)``, compressed by TT-SVD.

        ``tol`` and ``max_rank`` as in `TTMatrix.from_dense`.
        """
        W = TTMatrix.from_dense(weight, row_modes, col_modes, tol, max_rank)
        return cls(W.cores, bias)

    @classmethod
    def restored(cls, arrays: Mapping[str, Array], **config: Any) -> Self:
        """From ``cores.0`` to ``cores.{d-1}`` and, if there is one, ``bias``."""
        d = sum(name != "bias" for name in arrays)
        missing = [name for k in range(d) if (name := f"cores.{k}") not in arrays]
        if missing or config:
            what = ", ".join(missing) or f"a meaning of {', '.join(config)}"
            raise ShapeError(f"TTLinear: no {what}; there are {', '.join(arrays)}")
        return cls(tuple(arrays[f"cores.{k}"] for k in range(d)), arrays.get("bias"))

    @property
    def weight(self) -> TTMatrix:
        """``W`` as a value of the algebra."""
        return TTMatrix(self.cores)

    @property
    def inputs(self) -> tuple[int, ...]:
        """The column modes ``(n_1, ..., n_d)``."""
        return tuple(int(core.shape[2]) for core in self.cores)

    @property
    def parameters(self) -> dict[str, Array]:
        """``cores.0`` to ``cores.{d-1}`` and the bias."""
        return _named(self.cores, self.bias)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """``x W^T + b``; inside, the batch goes last."""
        xp = namespace_of(x, *self.cores)
        y, pullback = gradients.matmat(self.cores, x.T)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dcores, dx = pullback(dy.T)
            dbias = None if self.bias is None else xp.sum(dy, axis=0)
            return dx.T, _named(dcores, dbias)

        return (y.T if self.bias is None else y.T + self.bias), backward


def _named(cores: Cores, bias: Array | None) -> dict[str, Array]:
    named = {f"cores.{k}": core for k, core in enumerate(cores)}
    return named if bias is None else named | {"bias": bias}


def _fitting_bias(bias: Array, M: int) -> Array:
    bias = owned(bias, "TTLinear: bias")
    require_axes(bias, 1, "TTLinear: bias")
    if bias.shape[0] != M:
        message = f"TTLinear: bias has {bias.shape[0]} entries"
        raise ShapeError(f"{message}, the weight {M} rows")
    return bias
