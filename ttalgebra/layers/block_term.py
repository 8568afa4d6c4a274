"""The block-term layer: a linear map whose weight is a sum of Tucker terms.

Source: Ye et al. (2018, 2020).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import RNG, Array, Backward, Ranks
from ttalgebra.cores.block_term import blocks as terms
from ttalgebra.cores.block_term import gradients
from ttalgebra.cores.block_term.blocks import Block, Blocks
from ttalgebra.layers.plain.initial import Variance, glorot
from ttalgebra.layers.protocol import Layer, owned, require_axes
from ttalgebra.trains.block_term import BlockTerm
from ttalgebra.trains.block_term.doors import as_blocks


@dataclass(frozen=True, eq=False)
class BTLinear(Layer):
    """``y = x W^T + b`` with ``W`` a `BlockTerm` of rows outputs, columns inputs.

    Each block is contracted in the cheapest order for the size of the batch; backward
    costs twice what forward does. Keep the number of modes and the ranks small: a core
    has ``prod_k r_k`` entries.

    Parameters
    ----------
    blocks
        Pairs of a core ``(r_1, ..., r_d)`` and ``d`` factors ``(m_k, n_k, r_k)``;
        copied, read-only.
    bias
        ``b``, ``(M,)``, or None for none.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import BTLinear
    >>> layer = BTLinear.random((4, 4, 4, 6), (6, 6, 6, 6), n_blocks=2, ranks=3, rng=0)
    >>> layer.weight.shape, layer.weight.n_parameters, layer.n_parameters
    ((384, 1296), 810, 1194)
    >>> y, backward = layer(np.ones((5, 1296), np.float32))
    >>> dx, gradients = backward(y)
    >>> list(gradients)[:3], gradients["blocks.0.factors.3"].shape
    (['blocks.0.core', 'blocks.0.factors.0', 'blocks.0.factors.1'], (6, 6, 3))
    """

    blocks: Blocks
    bias: Array | None = None

    def __post_init__(self) -> None:
        blocks = as_blocks(self.blocks, owned, "BTLinear")
        object.__setattr__(self, "blocks", blocks)
        if self.bias is not None:
            object.__setattr__(self, "bias", _fitting_bias(self.bias, blocks))

    @classmethod
    def random(
        cls,
        row_modes: Sequence[int],
        col_modes: Sequence[int],
        *,
        n_blocks: int,
        ranks: Ranks,
        bias: bool = True,
        variance: Variance = glorot,
        rng: RNG = None,
        dtype: Any = np.float32,
    ) -> Self:
        """Normal arrays; the entries of ``W`` have variance ``variance(M, N)``.

        Each entry is a sum of ``n_blocks prod_k r_k`` products of ``d + 1`` numbers, so
        each array has standard deviation
        ``(variance / (n_blocks prod_k r_k))^(1 / (2 (d + 1)))``. ``ranks`` as in
        `BlockTerm.random`. The bias is zero.
        """
        W = BlockTerm.random(
            row_modes, col_modes, n_blocks=n_blocks, ranks=ranks, rng=rng, dtype=dtype
        )
        sigma = variance(*W.shape) ** 0.5  # those of BlockTerm.random have variance 1
        share = sigma ** (1 / (W.order + 1))
        blocks = terms.mapped(lambda x: x * share, W.blocks)
        return cls(blocks, np.zeros(W.shape[0], W.dtype) if bias else None)

    @classmethod
    def from_dense(
        cls,
        weight: Array,
        bias: Array | None,
        row_modes: Sequence[int],
        col_modes: Sequence[int],
        *,
        n_blocks: int,
        ranks: Ranks,
        tol: float | None = None,
        sweeps: int = 100,
        starts: int = 1,
        rng: RNG = None,
    ) -> Self:
        """The layer of a dense ``weight`` ``(M, N)``, compressed by a fit.

        Keywords as in `BlockTerm.from_dense`, which also reports the error.
        """
        W = BlockTerm.from_dense(
            weight, row_modes, col_modes, n_blocks=n_blocks, ranks=ranks, tol=tol,
            sweeps=sweeps, starts=starts, rng=rng,
        )  # fmt: skip
        return cls(W.blocks, bias)

    @classmethod
    def restored(cls, arrays: Mapping[str, Array], **config: Any) -> Self:
        """From ``blocks.0.core``, ``blocks.0.factors.0``, ... and maybe ``bias``."""
        n_blocks = sum(name.endswith(".core") for name in arrays)
        d = sum(name.startswith("blocks.0.factors.") for name in arrays)
        names = [_names(n, d) for n in range(n_blocks)]
        known = {name for block in names for name in block} | {"bias"}
        if config or known | {"bias"} != set(arrays) | {"bias"}:
            message = f"BTLinear: {', '.join(arrays)} make no blocks"
            raise ShapeError(f"{message}; each has a core and as many factors")
        pairs = (
            (arrays[core], [arrays[f] for f in factors]) for core, *factors in names
        )
        return cls(tuple(Block(c, tuple(f)) for c, f in pairs), arrays.get("bias"))

    @property
    def weight(self) -> BlockTerm:
        """``W`` as a value of the algebra."""
        return BlockTerm(self.blocks)

    @property
    def inputs(self) -> tuple[int, ...]:
        """The column modes ``(n_1, ..., n_d)``."""
        return tuple(n for _, n in terms.modes(self.blocks[0]))

    @property
    def parameters(self) -> dict[str, Array]:
        """``blocks.0.core``, ``blocks.0.factors.0``, ..., and the bias."""
        return _named(self.blocks, self.bias)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """``x W^T + b``; inside, the batch goes last."""
        xp = namespace_of(x, self.blocks[0].core)
        y, pullback = gradients.matmat(self.blocks, x.T)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dblocks, dx = pullback(dy.T)
            dbias = None if self.bias is None else xp.sum(dy, axis=0)
            return dx.T, _named(dblocks, dbias)

        return (y.T if self.bias is None else y.T + self.bias), backward


def _names(n: int, d: int) -> list[str]:
    """What the arrays of block ``n`` are called, in the order of `blocks.flat`."""
    return [f"blocks.{n}.core", *(f"blocks.{n}.factors.{k}" for k in range(d))]


def _named(blocks: Blocks, bias: Array | None) -> dict[str, Array]:
    numbered = enumerate(blocks)
    names = [name for n, block in numbered for name in _names(n, len(block.factors))]
    named = dict(zip(names, terms.flat(blocks), strict=True))
    return named if bias is None else named | {"bias": bias}


def _fitting_bias(bias: Array, blocks: Blocks) -> Array:
    bias, M = owned(bias, "BTLinear: bias"), terms.rows(blocks[0])
    require_axes(bias, 1, "BTLinear: bias")
    if bias.shape[0] != M:
        message = f"BTLinear: bias has {bias.shape[0]} entries"
        raise ShapeError(f"{message}, the weight {M} rows")
    return bias
