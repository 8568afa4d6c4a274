"""Needs a peer to make its objects (pip install 'ttalgebra[peers]'): cores in and out.

Trains of ttpy, torchTT, t3f, tensorly, tntorch, teneva, scikit_tt and quimb. Reading
them needs no more than the object itself, which is known by its attributes; `table` has
a row for each library, `exchange` the three functions.
"""

from ttalgebra.interop.peers.exchange import cores_for, from_peer, to_peer
from ttalgebra.interop.peers.table import PEERS

__all__ = ["PEERS", "cores_for", "from_peer", "to_peer"]
