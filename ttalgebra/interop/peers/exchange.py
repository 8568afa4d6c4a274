"""Trains in, trains out: read an object of a peer, lay out cores for it, make one.

A peer that counts the first digit of a row as its fastest holds our matrix with its
sites in reverse: an entry is a matrix of size one and equal to its transpose, so each
core is transposed in its ranks, in the other order, and nothing is computed.
"""

import importlib
from typing import Any

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.interop.peers.row import Order, Peer
from ttalgebra.interop.peers.table import PEERS
from ttalgebra.interop.peers.values import values
from ttalgebra.trains.matrix import TTMatrix
from ttalgebra.trains.tensor import TTTensor


def from_peer(x: Any, *, order: Order | None = None) -> TTTensor | TTMatrix:
    """A train of another library as one of ours; the values are copied, exactly.

    Parameters
    ----------
    x
        A train of ttpy, torchTT, t3f, tensorly, tntorch, scikit_tt or quimb, known by
        its attributes, or a list of cores ``(r, n, s)`` or ``(r, m, n, s)``, as teneva
        has them. Torch tensors stay torch tensors, on their device and without their
        graph; TensorFlow's become NumPy arrays.
    order
        Which digit of a row is its slowest: the first ("C") or the last ("F", which
        reverses the sites). None is the peer's own, F for ttpy and C for the others, so
        that dense matrices, and flat vectors, are those of the peer.

    Notes
    -----
    Raises TypeError for what is not a train (CP and Tucker formats, batches),
    ShapeError for a ring, and whatever TTTensor and TTMatrix raise. Cost: a copy.

    Examples
    --------
    >>> import numpy as np, ttalgebra as tt
    >>> cores = [np.ones((1, 2, 3)), np.ones((3, 5, 1))]
    >>> tt.interop.peers.from_peer(cores)
    TTTensor(modes=2x5, ranks=(1, 3, 1), dtype=float64, backend=numpy)
    >>> tt.interop.peers.from_peer(cores, order="F").modes
    (5, 2)
    """
    peer = _peer_of(x)
    reverse = _order(order, peer, "from_peer") == "F"
    train = _train([values(core) for core in peer.read(x)])
    return type(train)(_mirrored(train.cores)) if reverse else train


def cores_for(
    A: TTTensor | TTMatrix, peer: str, *, order: Order | None = None
) -> list[Array]:
    """The cores of ``A`` as the constructor of ``peer`` takes them.

    Copies, in the array library of ``A``; nothing is imported. ``peer`` is a key of
    ``PEERS``, in upper or lower case; ``order`` as in `from_peer`. Raises ShapeError
    for another name, TypeError unless ``A`` is a train of ours.

    >>> import ttalgebra as tt
    >>> A = tt.identity((2, 3, 4))
    >>> [core.shape for core in tt.interop.peers.cores_for(A, "quimb")]
    [(2, 2, 1), (1, 3, 3, 1), (1, 4, 4)]
    """
    row = _peer_named(peer, "cores_for")
    _require_ours(A, "cores_for")
    return _laid_out(A, row, _order(order, row, "cores_for"))


def to_peer(A: TTTensor | TTMatrix, peer: str, *, order: Order | None = None) -> Any:
    """``A`` as an object of the library ``peer``, exactly; `from_peer` reads it back.

    The values are copied, and moved into PyTorch for torchTT and tntorch, into NumPy
    for ttpy, t3f, teneva and scikit_tt. Arguments and errors as in `cores_for`, and
    ImportError where the library is not installed.

    >>> import ttalgebra as tt
    >>> cores = tt.interop.peers.to_peer(tt.ones((2, 3)), "teneva")  # its trains: lists
    >>> [core.shape for core in cores]
    [(1, 2, 1), (1, 3, 1)]
    """
    row = _peer_named(peer, "to_peer")
    _require_ours(A, "to_peer")
    order = _order(order, row, "to_peer")
    module = _imported(row, peer)
    if row.arrays not in (None, A.backend):
        A = A.to(row.arrays)
    return row.make(module, _laid_out(A, row, order), isinstance(A, TTMatrix))


def _peer_of(x: Any) -> Peer:
    for peer in PEERS.values():
        if peer.is_one(x):
            return peer
    wanted = f"a train of {', '.join(PEERS)} or a list of cores"
    raise TypeError(f"from_peer: {wanted} is needed, got {type(x).__name__}")


def _peer_named(name: str, verb: str) -> Peer:
    found = PEERS.get(name.lower()) if isinstance(name, str) else None
    if found is None:
        raise ShapeError(f"{verb}: no peer {name!r}; there are: {', '.join(PEERS)}")
    return found


def _order(order: Order | None, peer: Peer, verb: str) -> Order:
    if order not in (None, "C", "F"):
        raise ShapeError(f"{verb}: no order {order!r}; there are: C, F")
    return order or peer.order


def _imported(peer: Peer, name: str) -> Any:
    if peer.module is None:
        return None
    try:
        return importlib.import_module(peer.module)
    except ImportError as error:
        message = f"to_peer: {name} cannot be imported ({peer.install})"
        advice = f"cores_for(A, {name!r}) gives its cores without it"
        raise ImportError(f"{message}; {advice}") from error


def _train(cores: list[Array]) -> TTTensor | TTMatrix:
    kind = TTMatrix if cores and cores[0].ndim == 4 else TTTensor
    for k, core in enumerate(cores):
        if core.ndim != kind.n_modes + 2:
            message = f"from_peer: core {k} has shape {tuple(core.shape)}"
            wanted = "(r, n, s) in a tensor, (r, m, n, s) in a matrix"
            raise TypeError(f"{message}; those of a train have {wanted}")
    ends = (cores[0].shape[0], cores[-1].shape[-1]) if cores else (1, 1)
    if max(ends) > 1:
        message = f"from_peer: the outer ranks are {ends[0]} and {ends[1]}"
        advice = "make a train of a ring by from_dense of its dense form"
        raise ShapeError(f"{message}, those of a train are 1; {advice}")
    return kind(cores)


def _require_ours(A: object, verb: str) -> None:
    if not isinstance(A, (TTTensor, TTMatrix)):
        kind = type(A).__name__
        raise TypeError(f"{verb}: a TTTensor or TTMatrix is needed, got {kind}")


def _laid_out(A: TTTensor | TTMatrix, peer: Peer, order: Order) -> list[Array]:
    cores = tuple(values(core) for core in A.cores)
    xp = namespace_of(*cores)
    arrays = peer.write(_mirrored(cores) if order == "F" else cores)
    return [xp.asarray(array, copy=True) for array in arrays]


def _mirrored(cores: Cores) -> Cores:
    """The chain from its other end: sites reversed, the ranks of each exchanged."""
    xp = namespace_of(*cores)
    axes = (cores[0].ndim - 1, *range(1, cores[0].ndim - 1), 0)
    return tuple(xp.permute_dims(core, axes) for core in reversed(cores))
