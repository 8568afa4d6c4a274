"""One core as an array: its values alone, without a graph of gradients."""

from typing import Any

from ttalgebra.arrays.namespace import is_array
from ttalgebra.arrays.typing import Array


def values(core: Any) -> Array:
    """``core`` in its array library; a tensor of another kind by its ``numpy()``.

    Raises TypeError for what is neither.
    """
    if hasattr(core, "detach"):
        core = core.detach()
    if not is_array(core) and callable(getattr(core, "numpy", None)):
        core = core.numpy()
    if not is_array(core):
        kind = type(core).__name__
        raise TypeError(f"from_peer: each core must be an array, got {kind}")
    return core
