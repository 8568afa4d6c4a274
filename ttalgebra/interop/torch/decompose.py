"""Needs PyTorch (pip install 'ttalgebra[torch]'): a dense weight becomes cores."""

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import torch
from torch import nn

from ttalgebra.arrays.checks import as_mode_pairs
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.typing import Array, Cores, Ranks
from ttalgebra.cores.truncation import Truncation
from ttalgebra.decompose.modes import padded, suggest_modes
from ttalgebra.trains.matrix import TTMatrix

Modes = Sequence[int]
NARROW = (torch.bfloat16, torch.float16)


def decomposed(
    weight: Array,
    row_modes: Modes | None,
    col_modes: Modes | None,
    *,
    tol: float | None,
    max_rank: Ranks | None,
) -> tuple[Cores, Truncation]:
    """TT-SVD of ``weight`` ``(M, N)``: cores in its dtype, and the report.

    Padded with zeros where the modes multiply to more, which changes neither norms
    nor ranks. Narrow floats are decomposed in float32; the error reported is then
    that of the cores as they are stored.
    """
    _require_values(weight)
    weight = weight.detach()
    pairs = _modes_of(tuple(weight.shape), row_modes, col_modes)
    rows, columns = zip(*pairs, strict=True)
    W = widened(weight)
    if W.shape != (prod(rows), prod(columns)):
        W = padded(W, (prod(rows), prod(columns)))
    A, info = TTMatrix.from_dense(W, rows, columns, tol, max_rank, return_info=True)
    cores = tuple(core.to(weight.dtype) for core in A.cores)
    return cores, _as_stored(info, W, cores) if weight.dtype in NARROW else info


def widened(x: Array) -> Array:
    """``x`` in float32 where it is narrower: no value changes."""
    return x.to(torch.float32) if x.dtype in NARROW else x


def _require_values(weight: Array) -> None:
    if nn.parameter.is_lazy(weight):
        message = "from_linear: the weight of a lazy layer has no shape yet"
        raise TypeError(f"{message}; pass a batch through the model first")
    if weight.is_meta:
        message = (
            "from_linear: the weight is on the meta device, which holds no numbers"
        )
        raise TypeError(f"{message}; load them first")


def _modes_of(
    shape: tuple[int, int], row_modes: Modes | None, col_modes: Modes | None
) -> tuple[tuple[int, int], ...]:
    if row_modes is None and col_modes is None:
        row_modes, col_modes = suggest_modes(*shape, pad=True)
    if row_modes is None or col_modes is None:
        raise ShapeError("from_linear: give both row_modes and col_modes, or neither")
    pairs = as_mode_pairs(row_modes, col_modes)
    sizes = tuple(prod(modes) for modes in zip(*pairs, strict=True))
    if sizes[0] < shape[0] or sizes[1] < shape[1]:
        message = f"from_linear: the modes multiply to {sizes}, the weight is {shape}"
        raise ShapeError(f"{message}; they may be larger, never smaller")
    return pairs


def _as_stored(info: Truncation, W: Array, cores: Cores) -> Truncation:
    """The report, its error that of rounded cores."""
    stored = TTMatrix(tuple(widened(core) for core in cores)).to_dense()
    size = torch.linalg.vector_norm(W)
    error = float(torch.linalg.vector_norm(W - stored) / size) if size else 0.0
    met = info.tol is None or error <= info.tol
    return replace(info, error=error, tol_met=info.tol_met and met)
