"""The doors to TT-SVD: arrays in memory, arrays on disk, sparse arrays.

Which kernel does the work follows from what is given; those that are seldom needed
are imported when they are.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from ttalgebra.arrays.checks import (
    as_array,
    as_max_rank,
    as_tol,
    is_sparse,
    spelled,
)
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import copied, is_array
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG, Cores, Ranks
from ttalgebra.cores.truncation import Truncation
from ttalgebra.decompose.svd import tt_svd

Modes = Sequence[tuple[int, ...]]
METHODS = ("svd", "random")


def as_source(x: Any, name: str) -> Any:
    """An array in memory as `as_array` has it, one on disk as it is."""
    if is_sparse(x):
        raise TypeError(
            f"{name} is sparse; use from_sparse, which never makes it dense"
        )
    return x if _is_on_disk(x) else as_array(x, name)


def tensor_modes(shape: Sequence[int], verb: str) -> Modes:
    """``((n_1,), ..., (n_d,))``; ShapeError for no axes, or one of size 0."""
    if not shape or 0 in shape:
        message = f"{verb}: T has shape {tuple(shape)}"
        raise ShapeError(f"{message}; at least one mode, each of at least 1, is needed")
    return tuple((int(n),) for n in shape)


def _is_on_disk(x: Any) -> bool:
    """A memory-mapped array, or whatever else is read by slices."""
    if isinstance(x, np.memmap):
        return True
    if hasattr(x, "cores"):  # a train is no source of itself
        return False
    sliced = all(hasattr(x, name) for name in ("shape", "dtype", "__getitem__"))
    return sliced and not is_array(x) and not isinstance(x, (np.ndarray, np.generic))


def decomposed(
    x: Any,
    modes: Modes,
    tol: float | None,
    max_rank: Ranks | None,
    *,
    method: str,
    rng: RNG,
) -> tuple[Cores, Truncation]:
    """The chain of an array with these ``modes``, and the report."""
    bounds = as_max_rank(max_rank, len(modes), "from_dense")
    tol = as_tol(tol, "from_dense")
    if method not in METHODS:
        names = ", ".join(METHODS)
        raise ShapeError(f"from_dense: no method {method!r}; there are: {names}")
    generator(rng)
    if _is_on_disk(x):
        from ttalgebra.decompose.streamed import tt_svd_streamed

        cores, info = tt_svd_streamed(x, modes, tol=tol, max_rank=bounds)
        return cores, _instead(info, method, "an array on disk is read by SVD")
    x = copied(x) if len(modes) == 1 else x
    if method == "svd" or len(modes) == 1:
        cores, info = tt_svd(x, modes, tol=tol, max_rank=bounds)
        return cores, _instead(info, method, "one core has nothing to sketch")
    from ttalgebra.decompose.sketch import tt_svd_random

    return tt_svd_random(x, modes, tol=tol, max_rank=bounds, rng=rng)


def _instead(info: Truncation, method: str, reason: str) -> Truncation:
    """The report, saying why the method is another than was asked for."""
    return info if method == info.method else replace(info, fallback=reason)


def from_nonzeros(
    x: Any, modes: Modes | None, tol: float | None, max_rank: Ranks | None
) -> tuple[Cores, Truncation]:
    """The chain of a SciPy sparse array; of its shape where there are no ``modes``."""
    if not is_sparse(x):
        kind = type(x).__name__
        raise TypeError(f"from_sparse: a SciPy sparse array is needed, got {kind}")
    if modes is None:
        modes = tensor_modes(x.shape, "from_sparse")
    elif tuple(x.shape) != (shape := tuple(map(prod, zip(*modes, strict=True)))):
        message = f"from_sparse: the matrix has shape {tuple(x.shape)}"
        raise ShapeError(f"{message}, the modes multiply to {spelled(*shape)}")
    bounds = as_max_rank(max_rank, len(modes), "from_sparse")
    from ttalgebra.decompose.sparse import tt_svd_sparse

    return tt_svd_sparse(x, modes, tol=as_tol(tol, "from_sparse"), max_rank=bounds)
