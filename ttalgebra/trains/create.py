"""Trains from nothing: identity, zeros, ones, random. All live in NumPy; see ``to``."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import prod
from operator import mul
from typing import Any, overload

import numpy as np

from ttalgebra.arrays.checks import (
    as_dtype,
    as_mode_pairs,
    as_modes,
    as_ranks,
    require_room,
)
from ttalgebra.arrays.random import generator, normal
from ttalgebra.arrays.typing import RNG, Cores, Ranks
from ttalgebra.trains.matrix import TTMatrix
from ttalgebra.trains.tensor import TTTensor

Modes = Sequence[int]
Sizes = tuple[tuple[int, ...], ...]


def identity(modes: Modes, *, dtype: Any = np.float64) -> TTMatrix:
    """The identity on ``prod(modes)`` rows, all ranks 1.

    >>> import ttalgebra as tt
    >>> tt.identity((2, 3)).to_dense().trace()
    np.float64(6.0)
    """
    kind, sizes = as_dtype(dtype), as_modes(modes, "modes")
    _require_room(tuple((n, n) for n in sizes), (1,) * (len(sizes) + 1), kind)
    eyes = (np.eye(n, dtype=kind)[None, :, :, None] for n in sizes)
    return TTMatrix._of(tuple(eyes))


@overload
def zeros(modes: Modes, col_modes: None = ..., *, dtype: Any = ...) -> TTTensor: ...
@overload
def zeros(modes: Modes, col_modes: Modes, *, dtype: Any = ...) -> TTMatrix: ...
def zeros(
    modes: Modes, col_modes: Modes | None = None, *, dtype: Any = np.float64
) -> TTTensor | TTMatrix:
    """Zeros, all ranks 1: a tensor, or with ``col_modes`` a matrix."""
    return _filled(modes, col_modes, 0, dtype)


@overload
def ones(modes: Modes, col_modes: None = ..., *, dtype: Any = ...) -> TTTensor: ...
@overload
def ones(modes: Modes, col_modes: Modes, *, dtype: Any = ...) -> TTMatrix: ...
def ones(
    modes: Modes, col_modes: Modes | None = None, *, dtype: Any = np.float64
) -> TTTensor | TTMatrix:
    """Ones, all ranks 1: a tensor, or with ``col_modes`` a matrix."""
    return _filled(modes, col_modes, 1, dtype)


def random_tensor(
    modes: Modes, ranks: Ranks, *, rng: RNG = None, dtype: Any = np.float64
) -> TTTensor:
    """A tensor with normal cores, scaled so that its entries have variance 1.

    ``ranks`` is one int, cut to what is feasible, or one for each bond, taken as
    given. ``rng`` is a seed or a NumPy Generator.

    >>> import ttalgebra as tt
    >>> tt.random_tensor((2, 3, 4), ranks=5, rng=0).ranks
    (1, 2, 4, 1)
    """
    sizes = tuple((n,) for n in as_modes(modes, "modes"))
    return TTTensor._of(_random_cores(sizes, ranks, rng, dtype))


def random_matrix(
    row_modes: Modes,
    col_modes: Modes,
    ranks: Ranks,
    *,
    rng: RNG = None,
    dtype: Any = np.float64,
) -> TTMatrix:
    """A matrix with normal cores, scaled so that its entries have variance 1.

    ``ranks`` and ``rng`` as in `random_tensor`.

    >>> import ttalgebra as tt
    >>> tt.random_matrix((4, 6, 8, 3), (5, 2, 7, 4), ranks=10**6, rng=0).ranks
    (1, 20, 240, 12, 1)
    """
    return TTMatrix._of(
        _random_cores(as_mode_pairs(row_modes, col_modes), ranks, rng, dtype)
    )


def _filled(
    modes: Modes, col_modes: Modes | None, value: int, dtype: Any
) -> TTTensor | TTMatrix:
    kind = as_dtype(dtype)
    sizes: Sizes = tuple((n,) for n in as_modes(modes, "modes"))
    if col_modes is not None:
        sizes = as_mode_pairs(modes, col_modes)
    _require_room(sizes, (1,) * (len(sizes) + 1), kind)
    cores = tuple(np.full((1, *n, 1), value, kind) for n in sizes)
    return TTTensor._of(cores) if col_modes is None else TTMatrix._of(cores)


def _random_cores(sizes: Sizes, ranks: Ranks, rng: RNG, dtype: Any) -> Cores:
    """Core ``k`` has variance ``1 / r_k``: entries sum ``prod r_k`` products."""
    bonds = _feasible(sizes, ranks)
    draw, kind = generator(rng), as_dtype(dtype)
    _require_room(sizes, bonds, kind)
    return tuple(
        normal((r, *modes, s), dtype=kind, rng=draw, scale=s**-0.5)
        for (r, s), modes in zip(pairwise(bonds), sizes, strict=True)
    )


def _require_room(sizes: Sizes, bonds: tuple[int, ...], kind: np.dtype) -> None:
    pairs = zip(pairwise(bonds), sizes, strict=True)
    entries = sum(r * prod(modes) * s for (r, s), modes in pairs)
    require_room((entries,), kind.itemsize, "a train", "take smaller modes or ranks")


def _feasible(sizes: Sizes, ranks: Ranks) -> tuple[int, ...]:
    """``(1, r_1, ..., 1)``; one int is cut to the sizes of the unfoldings."""
    given = as_ranks(ranks, len(sizes), "ranks")
    if ranks is None:
        raise TypeError("ranks must be an int or a sequence of ints, got None")
    if np.ndim(ranks):
        return (1, *(r for r in given if r is not None), 1)
    flat = [prod(modes) for modes in sizes]
    left = list(accumulate(flat[:-1], mul))
    right = list(accumulate(reversed(flat[1:]), mul))[::-1]
    bounds = zip(given, left, right, strict=True)
    return (1, *(min(r or 1, a, b) for r, a, b in bounds), 1)
