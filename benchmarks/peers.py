"""What the families share: the peers that are here, their results as our trains."""

from collections.abc import Callable
from importlib.util import find_spec
from math import inf, prod
from typing import Any

import numpy as np

import ttalgebra as tt
from ttalgebra.interop.peers import from_peer

TOL = 1e-8


def installed(*names: str) -> list[str]:
    """Those of these libraries that are here."""
    return [name for name in names if find_spec(name)]


def rounded(peer: str, make: Callable[[], Any]) -> Callable[[], Any]:
    """What ``make`` gives, rounded to ``TOL`` by its library."""
    if peer == "scikit_tt":
        return lambda: make().ortho(threshold=TOL)
    if peer == "tntorch":
        return lambda: _in_place(make())
    return lambda: make().round(TOL)


def _in_place(x: Any) -> Any:
    x.round_tt(eps=TOL)
    return x


def of_ranks(x: Any, rank: int) -> Callable[[Any], float]:
    """The relative error to ``x``, infinite where a rank is larger than right."""
    size = x.norm()

    def error(found: Any) -> float:
        y = found if isinstance(found, type(x)) else ours(found, type(x))
        return float((y - x).norm() / size) if y.max_rank <= rank else inf

    return error


def ours(found: Any, kind: type) -> Any:
    """A result of a peer as a train in NumPy; a matrix of one column as a tensor."""
    y = from_peer(found)
    y = y if y.backend == "numpy" else y.to("numpy")
    return y if isinstance(y, kind) else kind(y.cores)


def unit(x: tt.TTTensor | tt.TTMatrix) -> Any:
    """Cores scaled so that products of thousands stay in the range of every peer."""
    sizes = [np.sqrt((G**2).sum() / prod(G.shape[2:])) for G in x.cores]
    return type(x)([G / size for G, size in zip(x.cores, sizes, strict=True)])
