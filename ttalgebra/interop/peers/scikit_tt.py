"""scikit_tt: every core is ``(r, m, n, s)``; a tensor is a matrix of one column.

The library itself cannot tell them apart, so neither can we: where all column modes
are 1, what is read is a tensor.
"""

from collections.abc import Sequence
from typing import Any

from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import Array, Cores


def read(x: Any) -> Sequence[Array]:
    """Cores ``(r, m, s)`` where every ``n`` is 1, else ``(r, m, n, s)``."""
    if all(core.ndim == 4 and core.shape[2] == 1 for core in x.cores):
        return [core[:, :, 0, :] for core in x.cores]
    return list(x.cores)


def write(cores: Cores) -> Sequence[Array]:
    """Cores ``(r, m, n, s)``, with ``n = 1`` in a tensor."""
    if cores[0].ndim == 4:
        return cores
    return [namespace_of(core).expand_dims(core, axis=2) for core in cores]
