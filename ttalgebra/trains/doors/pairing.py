"""Two chains in one operation: the same modes, one dtype."""

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import device_of, namespace_of
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain

Modes = tuple[tuple[int, ...], ...]


def paired(x: Cores, y: Cores, verb: str) -> tuple[Cores, Cores]:
    """Both chains in one dtype; ShapeError where their modes differ."""
    if chain.modes(x) != chain.modes(y):
        raise ShapeError(f"{verb}: {_difference(chain.modes(x), chain.modes(y))}")
    both = promoted(*x, *y)
    return both[: len(x)], both[len(x) :]


def promoted(*arrays: Array) -> Cores:
    """The arrays in their common dtype; those that have it are not copied.

    Raises TypeError where they belong to different libraries or devices.
    """
    xp = namespace_of(*arrays)
    devices = {str(device_of(x)): None for x in arrays}
    if len(devices) > 1:
        message = f"arrays of one device are needed, got {' and '.join(devices)}"
        raise TypeError(f"{message}; move one of them with .to(...) first")
    dtype = xp.result_type(*arrays)
    return tuple(xp.astype(x, dtype, copy=False) for x in arrays)


def _difference(mine: Modes, theirs: Modes) -> str:
    if len(mine) != len(theirs):
        return f"one train has {len(mine)} cores and the other {len(theirs)}"
    site = next(k for k, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b)
    sizes = " and ".join("x".join(map(str, modes[site])) for modes in (mine, theirs))
    return f"the modes differ first at site {site}: {sizes}; split, merge or pad them"
