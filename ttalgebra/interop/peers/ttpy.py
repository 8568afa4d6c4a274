"""ttpy: all cores in one flat vector, every index of which runs first mode fastest.

Core ``k`` is ``core[ps[k] - 1 : ps[k + 1] - 1]``, in Fortran order; a matrix keeps its
row modes in ``n``, its column modes in ``m`` and the vector of its cores in ``tt``.
"""

from itertools import pairwise
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.typing import Array


def read(x: Any) -> list[Array]:
    """Cores ``(r, n, s)`` of a ``tt.vector``, ``(r, n, m, s)`` of a ``tt.matrix``."""
    vector = getattr(x, "tt", x)
    modes = list(zip(*map(np.atleast_1d, _modes(x)), strict=False))
    if not len(modes) + 1 == len(vector.r) == len(vector.ps):
        raise _disagreement()
    ranks = pairwise(map(int, vector.r))
    pairs = zip(modes, ranks, strict=True)
    shapes = [(r, *map(int, sizes), s) for sizes, (r, s) in pairs]
    places = pairwise(int(p) - 1 for p in vector.ps)
    pieces = [vector.core[start:stop] for start, stop in places]
    if [piece.size for piece in pieces] != [prod(shape) for shape in shapes]:
        raise _disagreement()
    both = zip(pieces, shapes, strict=True)
    return [np.reshape(piece, shape, order="F") for piece, shape in both]


def _modes(x: Any) -> tuple[Any, ...]:
    return (x.n, x.m) if hasattr(x, "tt") else (x.n,)


def _disagreement() -> ShapeError:
    message = "from_peer: n, r, ps and core of the ttpy object disagree"
    return ShapeError(f"{message}; make it anew by from_list of its cores")


def make(tt: ModuleType, cores: list[Array], matrix: bool) -> Any:
    """A ``tt.matrix`` or a ``tt.vector``; float32 becomes float64 there."""
    kind = tt.matrix if matrix else tt.vector
    return kind.from_list(cores)
