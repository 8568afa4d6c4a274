"""Two chains in one operation: the same modes, one dtype."""

from collections.abc import Sequence

from ttalgebra.arrays.checks import spelled
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import device_of, is_numpy, namespace_of
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain

Modes = Sequence[Sequence[int]]


def paired(x: Cores, y: Cores, verb: str) -> tuple[Cores, Cores]:
    """Both chains in one dtype; ShapeError where their modes differ."""
    require_alike(chain.modes(x), chain.modes(y), verb)
    both = promoted(*x, *y)
    return both[: len(x)], both[len(x) :]


def promoted(*arrays: Array) -> Cores:
    """The arrays in their common dtype; those that have it are not copied.

    Raises TypeError where they belong to different libraries or devices.
    """
    dtype = arrays[0].dtype
    if all(is_numpy(x) and x.dtype == dtype for x in arrays):
        return arrays  # 1 us instead of 7 for a layer's cores
    require_together(*arrays)
    xp = namespace_of(*arrays)
    dtype = xp.result_type(*arrays)
    return tuple(xp.astype(x, dtype, copy=False) for x in arrays)


def require_together(*arrays: Array) -> None:
    """Raise TypeError unless the arrays share a library and a device."""
    namespace_of(*arrays)
    found = (device_of(x) for x in arrays)
    devices = {str(device): None for device in found if device is not None}
    if len(devices) > 1:
        message = f"arrays of one device are needed, got {' and '.join(devices)}"
        raise TypeError(f"{message}; move one of them with .to(...) first")


def require_alike(mine: Modes, theirs: Modes, verb: str) -> None:
    """Raise ShapeError, naming the first site at which the modes differ."""
    if len(mine) != len(theirs):
        counts = f"one train has {len(mine)} cores and the other {len(theirs)}"
        raise ShapeError(f"{verb}: {counts}; split or merge some")
    pairs = zip(mine, theirs, strict=True)
    for site, pair in enumerate(pairs):
        if pair[0] != pair[1]:
            sizes = " and ".join("x".join(map(spelled, modes)) for modes in pair)
            message = f"{verb}: the modes differ first at site {site}: {sizes}"
            raise ShapeError(f"{message}; split, merge or pad them")


def require_joinable(x: Cores, y: Cores, site: int, mode: int) -> None:
    """Raise ShapeError unless only one mode of one site differs."""
    mine, theirs = ([list(sizes) for sizes in chain.modes(cores)] for cores in (x, y))
    if len(mine) == len(theirs):
        mine[site][mode] = theirs[site][mode]
    require_alike(mine, theirs, f"concatenate: elsewhere than at site {site}")


def require_meeting(columns: Sequence[int], theirs: Sequence[int], verb: str) -> None:
    """Raise ShapeError unless a matrix with these column modes meets those modes."""
    if tuple(columns) == tuple(theirs):
        return
    pairs = enumerate(zip(columns, theirs, strict=False))
    site = next((k for k, (n, m) in pairs if n != m), None)
    where = "in their number" if site is None else f"first at site {site}"
    said = f"A maps from modes {tuple(columns)} but x has {tuple(theirs)}"
    if max(len(columns), len(theirs)) > 12:
        said = f"{len(columns)} column modes meet {len(theirs)}"
    raise ShapeError(f"{verb}: {said}; they differ {where}")
