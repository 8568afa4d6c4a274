"""BlockTerm: from blocks, from chance, or fitted to a dense matrix."""

import warnings
from collections.abc import Sequence
from math import prod
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import (
    as_array,
    as_count,
    as_dtype,
    as_mode_pairs,
    as_positive,
    as_tol,
    require_finite,
    require_room,
)
from ttalgebra.arrays.errors import ConvergenceError, ShapeError, ToleranceWarning
from ttalgebra.arrays.random import generator, normal
from ttalgebra.arrays.typing import RNG, Array, Ranks
from ttalgebra.cores.block_term.blocks import Block
from ttalgebra.decompose.block_term import BlockFit, Modes, feasible, fit
from ttalgebra.trains.block_term.linear_map import BlockMap


class BlockTerm(BlockMap):
    """``W(i; j) = sum_n sum_a G_n[a_1 ... a_d] prod_k A_nk[i_k, j_k, a_k]``.

    A sum of Tucker terms: one block is a Tucker matrix, all ranks 1 a sum of Kronecker
    products. Different blocks can make the same matrix: compare `to_dense`, not arrays.
    No power of two is carried beside them, as trains do: what they multiply to has to
    be in range on the way. Source: Ye et al. (2018).

    Parameters
    ----------
    blocks
        Pairs of a core ``(r_1, ..., r_d)`` and ``d`` factors ``(m_k, n_k, r_k)``, of
        one library, finite, the same modes in every block. Copied, read-only.

    Notes
    -----
    Raises ShapeError, NonFiniteError or TypeError, naming the block.

    Examples
    --------
    >>> import numpy as np, ttalgebra as tt
    >>> A = tt.BlockTerm.random((4, 4), (8, 20), n_blocks=2, ranks=3, rng=0)
    >>> A.shape, A.ranks, A.n_parameters
    ((16, 160), ((3, 3), (3, 3)), 690)
    >>> x = np.ones(160)
    >>> np.allclose((A + 2 * A) @ x, 3 * (A.to_dense() @ x))
    True
    """

    __slots__ = ()

    @classmethod
    def random(
        cls,
        row_modes: Sequence[int],
        col_modes: Sequence[int],
        *,
        n_blocks: int,
        ranks: Ranks,
        rng: RNG = None,
        dtype: Any = np.float64,
    ) -> Self:
        """Normal arrays, scaled so that the entries of ``W`` have variance 1.

        Each entry is a sum of ``n_blocks prod_k r_k`` products of ``d + 1`` numbers.
        One int for the ranks is cut to what is feasible; one for each mode is taken as
        given. ``rng`` is a seed or a NumPy Generator.
        """
        modes, kind, draw = (
            as_mode_pairs(row_modes, col_modes),
            as_dtype(dtype),
            generator(rng),
        )
        count, sizes = (
            as_positive(n_blocks, "random: n_blocks"),
            _as_ranks(ranks, modes),
        )
        shapes = [sizes, *((*pair, r) for pair, r in zip(modes, sizes, strict=True))]
        numbers = count * sum(prod(shape) for shape in shapes)
        require_room((numbers,), kind.itemsize, "random", "lower the ranks")
        std = (count * prod(sizes)) ** (-0.5 / len(shapes))
        blocks = []
        for _ in range(count):
            core, *factors = (
                normal(s, dtype=kind, rng=draw, scale=std) for s in shapes
            )
            blocks.append(Block(core, tuple(factors)))
        return cls(blocks)

    @classmethod
    def from_dense(
        cls,
        W: Array,
        row_modes: Sequence[int],
        col_modes: Sequence[int],
        *,
        n_blocks: int,
        ranks: Ranks,
        tol: float | None = None,
        sweeps: int = 100,
        starts: int = 1,
        rng: RNG = None,
        strict: bool = False,
        return_info: bool = False,
    ) -> Any:
        """Blocks fitted to the ``(M, N)`` array ``W`` by alternating least squares.

        At most ``sweeps`` sweeps: they end at the relative Frobenius error ``tol``, or
        where nothing more is gained. The first start is the HOSVD of what the blocks
        before have left; further ``starts`` are drawn by ``rng``, and the best is
        returned. Ranks are cut to what is feasible. With ``return_info`` a pair, the
        second part a `BlockFit` with the error of the result. Where ``tol`` is missed a
        ToleranceWarning says so; with ``strict`` that is a ConvergenceError. Raises
        ShapeError and NonFiniteError. Cost ``O(M N sum_k r_k)`` for each block, factor
        and sweep.

        >>> import numpy as np, ttalgebra as tt
        >>> i, j = np.ogrid[:64, :64]
        >>> A, info = tt.BlockTerm.from_dense(1 / (1 + i + j), (4,) * 3, (4,) * 3,
        ...                                   n_blocks=2, ranks=3, return_info=True)
        >>> A.n_parameters, info.errors[0] < 9e-4, info.error < 3e-4
        (342, True, True)
        """
        modes = as_mode_pairs(row_modes, col_modes)
        blocks, info = fit(
            _fitting(as_array(W, "from_dense: W"), modes),
            modes,
            as_positive(n_blocks, "from_dense: n_blocks"),
            feasible(modes, _as_ranks(ranks, modes)),
            tol=as_tol(tol, "from_dense"),
            sweeps=as_count(sweeps, "from_dense: sweeps"),
            starts=as_positive(starts, "from_dense: starts"),
            rng=generator(rng),
        )
        _announce(info, strict=strict)
        return (cls._of(blocks), info) if return_info else cls._of(blocks)


def _as_ranks(ranks: Ranks, modes: Modes) -> tuple[int, ...]:
    """One rank for each mode: as given, or one int cut to what is feasible."""
    d = len(modes)
    if not (isinstance(ranks, (list, tuple)) or np.ndim(ranks) == 1):
        return feasible(modes, (as_positive(ranks, "ranks"),) * d)
    given = tuple(as_positive(r, "each of ranks") for r in ranks)  # type: ignore[union-attr]
    if len(given) != d:
        message = f"ranks has {len(given)} entries for {d} modes"
        raise ShapeError(f"{message}; give one int, or one for each mode")
    return given


def _fitting(W: Array, modes: Modes) -> Array:
    shape = prod(m for m, _ in modes), prod(n for _, n in modes)
    if tuple(W.shape) != shape:
        message = f"from_dense: W has shape {tuple(W.shape)}"
        raise ShapeError(f"{message}, the modes multiply to {shape}")
    require_finite(W, "from_dense: W")
    return W


def _announce(info: BlockFit, *, strict: bool) -> None:
    if info.tol_met:
        return
    found = f"a relative error of {info.error:.3g} > tol={info.tol:.3g}"
    message = f"from_dense: the blocks leave {found}"
    if strict:
        raise ConvergenceError(f"{message}; take more blocks, ranks, sweeps or starts")
    warnings.warn(f"{message}; see info.tol_met", ToleranceWarning, stacklevel=3)
