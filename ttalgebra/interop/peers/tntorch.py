"""tntorch: cores as ours, but they may have Tucker factors, be CP, or carry a batch."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from ttalgebra.arrays.typing import Array
from ttalgebra.interop.peers.row import refuse_batch


def read(x: Any) -> Sequence[Array]:
    """The cores of a ``Tensor`` in pure TT format, or of a ``TTMatrix``."""
    if x.batch:
        raise refuse_batch("cores")
    tucker = any(U is not None for U in getattr(x, "Us", ()))
    if tucker or any(core.ndim == 2 for core in x.cores):
        message = "from_peer: the tntorch tensor has Tucker or CP factors"
        raise TypeError(f"{message}; x.tt() turns it into a train")
    return list(x.cores)


def make(tntorch: ModuleType, cores: list[Array], matrix: bool) -> Any:
    """A ``tntorch.TTMatrix`` or a ``tntorch.Tensor``."""
    if not matrix:
        return tntorch.Tensor(cores)
    _, rows, columns, ranks = zip(*(core.shape for core in cores), strict=True)
    return tntorch.TTMatrix(cores, list(ranks[:-1]), list(rows), list(columns))
