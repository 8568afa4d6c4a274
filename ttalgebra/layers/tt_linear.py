"""The TT-layer: a linear map whose weight is a TT-matrix, never formed.

Source: Novikov et al. (2015), section 4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_positive
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import device_of, namespace_of
from ttalgebra.arrays.typing import RNG, Array, Backward, Cores, Ranks
from ttalgebra.cores import gradients
from ttalgebra.cores.chain import require_chain
from ttalgebra.cores.products import columns, rows
from ttalgebra.decompose.modes import suggest_modes
from ttalgebra.layers.plain.initial import Variance, glorot
from ttalgebra.layers.protocol import Layer, owned, require_axes
from ttalgebra.trains.create import random_matrix
from ttalgebra.trains.doors.pairing import promoted
from ttalgebra.trains.matrix import TTMatrix


@dataclass(frozen=True, eq=False)
class TTLinear(Layer):
    """``y = x W^T + b`` with ``W`` a TT-matrix of rows outputs, columns inputs.

    Of ``W`` the upper left ``(n_out, n_in)`` part acts: ``x`` is followed by zeros, and
    outputs beyond ``n_out`` are left out, so any size has modes; `fitting` finds them.
    Cost at most ``2 n d r^2 m max(M, N)`` flops forward, about 2.5 times that backward;
    ``weight.plan(n)`` says what is done.

    Parameters
    ----------
    cores
        Of shapes ``(r, m, n, s)``; copied, read-only.
    bias
        ``b``, ``(n_out,)``, or None for none.
    n_in, n_out
        At most ``N`` and ``M``, the columns and rows of ``W``; None for these.

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
    n_in: int | None = None
    n_out: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.cores, (list, tuple)):
            kind = type(self.cores).__name__
            raise TypeError(f"TTLinear: cores must be a list or tuple, got {kind}")
        named = enumerate(self.cores)
        cores = tuple(owned(core, f"TTLinear: core {k}") for k, core in named)
        require_chain(cores, n_modes=2)
        object.__setattr__(self, "cores", promoted(*cores))
        for name, size in (("n_in", columns(cores)), ("n_out", rows(cores))):
            object.__setattr__(self, name, _at_most(size, getattr(self, name), name))
        if self.bias is not None:
            object.__setattr__(self, "bias", _fitting_bias(self.bias, self._sizes[1]))

    @classmethod
    def random(
        cls,
        row_modes: Sequence[int],
        col_modes: Sequence[int],
        ranks: Ranks,
        *,
        n_in: int | None = None,
        n_out: int | None = None,
        bias: bool = True,
        variance: Variance = glorot,
        rng: RNG = None,
        dtype: Any = np.float32,
    ) -> Self:
        """Normal cores; entries of ``W`` have variance ``variance(n_out, n_in)``.

        The cores are those of `drawn`, ``ranks`` as in `tt.random_matrix`. The bias is
        zero.
        """
        W = random_matrix(row_modes, col_modes, ranks, rng=rng, dtype=dtype)
        n_out = _at_most(W.shape[0], n_out, "n_out")
        n_in = _at_most(W.shape[1], n_in, "n_in")
        cores = drawn(W, variance(n_out, n_in))
        return cls(cores, np.zeros(n_out, W.dtype) if bias else None, n_in, n_out)

    @classmethod
    def fitting(
        cls,
        n_in: int,
        n_out: int,
        ranks: Ranks,
        *,
        order: int | None = None,
        max_mode: int | None = None,
        **options: Any,
    ) -> Self:
        """A random layer of any size, its modes those of `suggest_modes`, padded.

        ``order`` and ``max_mode`` as there, ``options`` as in `random`.

        >>> from ttalgebra.layers import TTLinear
        >>> layer = TTLinear.fitting(997, 10, ranks=2, rng=0)
        >>> layer.weight.row_modes, layer.weight.col_modes, layer.bias.shape
        ((5, 2, 1, 1), (8, 5, 5, 5), (10,))
        """
        row_modes, col_modes = suggest_modes(
            n_out, n_in, order=order, max_mode=max_mode, pad=True
        )
        return cls.random(
            row_modes, col_modes, ranks, n_in=n_in, n_out=n_out, **options
        )

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
        unknown = sorted(set(config) - {"n_in", "n_out"})
        if missing or unknown:
            what = ", ".join(missing) or f"a meaning of {', '.join(unknown)}"
            raise ShapeError(f"TTLinear: no {what}; there are {', '.join(arrays)}")
        cores = tuple(arrays[f"cores.{k}"] for k in range(d))
        return cls(cores, arrays.get("bias"), **config)

    @property
    def weight(self) -> TTMatrix:
        """``W`` as a value of the algebra, with all its rows and columns."""
        return TTMatrix(self.cores)

    @property
    def inputs(self) -> tuple[int, ...]:
        """The column modes ``(n_1, ..., n_d)``, or ``(n_in,)`` where that is less."""
        modes = tuple(int(core.shape[2]) for core in self.cores)
        return modes if prod(modes) == self.n_in else (self._sizes[0],)

    @property
    def config(self) -> dict[str, Any]:
        """``n_in`` and ``n_out`` where they are not the sizes of ``W``."""
        sizes = {"n_in": self.n_in, "n_out": self.n_out}
        whole = self._sizes == (columns(self.cores), rows(self.cores))
        return {} if whole else sizes

    @property
    def _sizes(self) -> tuple[int, int]:
        """``(n_in, n_out)``, which are ints once the layer is made."""
        return int(self.n_in or 0), int(self.n_out or 0)

    @property
    def parameters(self) -> dict[str, Array]:
        """``cores.0`` to ``cores.{d-1}`` and the bias."""
        return _named(self.cores, self.bias)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """``x W^T + b``."""
        xp, (n_in, n_out) = namespace_of(x, *self.cores), self._sizes
        X = _followed_by_zeros(x, columns(self.cores))
        Y, pullback = gradients.apply(self.cores, X)
        y = _first(Y, n_out)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dcores, dX = pullback(_followed_by_zeros(dy, rows(self.cores)))
            dbias = None if self.bias is None else xp.sum(dy, axis=0)
            return _first(dX, n_in), _named(dcores, dbias)

        return (y if self.bias is None else y + self.bias), backward


def drawn(W: TTMatrix, variance: float) -> Cores:
    """The cores of a `tt.random_matrix`, scaled: entries get this ``variance``.

    An entry is a sum over ``prod_k r_k`` paths of products of ``d`` independent numbers
    of mean 0: its variance is ``prod_k r_k`` times the product of theirs. Each core
    gets the same, so its standard deviation is ``(variance / prod_k r_k)^(1 / (2 d))``.
    """
    std = (variance**0.5 / prod(W.ranks) ** 0.5) ** (1 / W.order)
    # those of random_matrix have standard deviation s^(-1/2), s the right rank
    return tuple(core * (std * core.shape[-1] ** 0.5) for core in W.cores)


def _followed_by_zeros(X: Array, columns: int) -> Array:
    """``(n, m) -> (n, columns)``; ``X`` itself where it has them."""
    n, m = X.shape
    if m == columns:
        return X
    xp = namespace_of(X)
    zeros = xp.zeros((n, columns - m), dtype=X.dtype, device=device_of(X))
    return xp.concat((X, zeros), axis=1)


def _first(X: Array, columns: int) -> Array:
    """``(n, m) -> (n, columns)``; ``X`` itself where that is all."""
    return X if X.shape[1] == columns else X[:, :columns]


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


def _at_most(size: int, given: int | None, name: str) -> int:
    number = size if given is None else as_positive(given, f"TTLinear: {name}")
    if number > size:
        side = "columns" if name == "n_in" else "rows"
        message = f"TTLinear: {name} is {number}, the weight has {size} {side}"
        raise ShapeError(f"{message}; take larger modes")
    return number
