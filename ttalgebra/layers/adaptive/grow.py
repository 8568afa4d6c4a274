"""Larger ranks: room for what a train cannot say yet, without changing what it says."""

from itertools import accumulate
from math import prod
from operator import mul

import numpy as np

from ttalgebra.arrays.checks import as_positive, as_tol
from ttalgebra.arrays.namespace import (
    dtype_of,
    from_numpy,
    namespace_of,
)
from ttalgebra.arrays.random import generator, normal
from ttalgebra.arrays.scaling import norm_of
from ttalgebra.arrays.typing import RNG, Array, Cores
from ttalgebra.cores.chain import modes, ranks
from ttalgebra.layers.adaptive.found import Model, mapped


def grown(
    model: Model,
    *,
    by: int = 1,
    max_rank: int | None = None,
    noise: float = 0.0,
    rng: RNG = None,
) -> Model:
    """``model`` with every rank of its trains ``by`` larger, and the same map.

    A core gets random columns, as large as its own entries are on average; the rows of
    the next core that they meet are ``noise`` times as large as its own, or 0. With 0
    the map does not change, yet its gradient by these rows is not 0, so training can
    use them at once. No rank grows beyond ``max_rank``, or beyond what its unfolding
    allows.

    >>> from ttalgebra.layers import TTLinear
    >>> from ttalgebra.layers.adaptive import grown
    >>> layer = TTLinear.random((2, 4, 2), (2, 4, 2), ranks=3, rng=0)
    >>> grown(layer, by=2, rng=0).weight.ranks
    (1, 4, 4, 1)
    """
    by, draw = as_positive(by, "grown: by"), generator(rng)
    bound = None if max_rank is None else as_positive(max_rank, "grown: max_rank")
    share = as_tol(noise, "grown", "noise") or 0.0
    return mapped(lambda cores: _larger(cores, by, bound, share, draw), model)


def _larger(
    cores: Cores, by: int, bound: int | None, noise: float, rng: np.random.Generator
) -> Cores:
    have = ranks(cores)
    bounds = _feasible(cores)
    if bound is not None:
        bounds = [min(bound, most) for most in bounds]
    pairs = zip(have[1:-1], bounds, strict=True)
    wanted = (1, *(max(r, min(r + by, most)) for r, most in pairs), 1)
    return tuple(
        _extended(core, wanted[k] - have[k], wanted[k + 1] - have[k + 1], noise, rng)
        for k, core in enumerate(cores)
    )


def _feasible(cores: Cores) -> list[int]:
    """The shorter side of each unfolding."""
    sizes = [prod(pair) for pair in modes(cores)]
    left = list(accumulate(sizes[:-1], mul))
    right = list(accumulate(reversed(sizes[1:]), mul))[::-1]
    return [min(pair) for pair in zip(left, right, strict=True)]


def _extended(
    core: Array, rows: int, columns: int, noise: float, rng: np.random.Generator
) -> Array:
    """``(r, *modes, s) -> (r + rows, *modes, s + columns)``: small rows, columns.

    The corner where both are new belongs to the rows.
    """
    xp, kind, (r, *own, s) = namespace_of(core), dtype_of(core), core.shape
    scale = norm_of(core) / prod(core.shape) ** 0.5
    if columns:
        new = normal((r, *own, columns), dtype=kind, rng=rng, scale=scale)
        core = xp.concat((core, from_numpy(new, like=core)), axis=-1)
    if rows:
        shape = (rows, *own, s + columns)
        new = normal(shape, dtype=kind, rng=rng, scale=scale * noise)
        core = xp.concat((core, from_numpy(new, like=core)), axis=0)
    return core
