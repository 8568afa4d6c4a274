"""Trains from files; a train writes itself with `save`."""

import os
from collections.abc import Mapping

import numpy as np

from ttalgebra.arrays.errors import FormatError, NonFiniteError, ShapeError
from ttalgebra.trains.matrix import TTMatrix
from ttalgebra.trains.tensor import TTTensor

_KINDS: Mapping[str, type[TTMatrix] | type[TTTensor]] = {
    kind.__name__: kind for kind in (TTMatrix, TTTensor)
}


def load(path: str | os.PathLike[str]) -> TTMatrix | TTTensor:
    """The train that `save` wrote to ``path``: same kind, bits, dtype and shapes.

    Raises FormatError where the file is damaged, forged or holds no train, OSError
    where it cannot be read. Nothing is ever unpickled. A safetensors file that others
    wrote is a train where it has ``cores.0``, ``cores.1``, ... and nothing else: three
    axes each make a TTTensor, four a TTMatrix.

    >>> import os, tempfile, ttalgebra as tt
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "identity.npz")
    ...     tt.identity((2, 3)).save(path)
    ...     tt.load(path)
    TTMatrix(shape=(6, 6), modes=(2x2 3x3), ranks=(1, 1, 1), dtype=float64, ...)
    """
    from ttalgebra.storage import FOREIGN, read

    arrays, header = read(path)
    if header == FOREIGN:
        arrays, header = _interchanged(path, arrays)
    kind = header.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        held = kind[:40] if isinstance(kind, str) else "nothing known here"
        message = f"{path}: this file holds {held}, not a train"
        raise FormatError(f"{message}; load models with tt.layers.load")
    _require_cores(path, arrays)
    try:
        return _KINDS[kind](tuple(arrays.values()), copy=False)
    except (ShapeError, NonFiniteError) as error:
        raise FormatError(f"{path}: its cores make no {kind}: {error}") from error


def _interchanged(
    path: object, arrays: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The cores in order, and the header that they would have, had we saved them."""
    names = [f"cores.{k}" for k in range(len(arrays))]
    axes = {core.ndim for core in arrays.values()}
    kinds = [name for name, kind in _KINDS.items() if axes == {kind.n_modes + 2}]
    if arrays.keys() != set(names) or not kinds:
        message = f"{path}: {len(arrays)} arrays with {sorted(axes)} axes are no train"
        wanted = "cores.0, cores.1, ... with three axes each, or four"
        raise FormatError(f"{message}; it would have {wanted}")
    return {name: arrays[name] for name in names}, {"kind": kinds[0]}


def _require_cores(path: object, arrays: Mapping[str, np.ndarray]) -> None:
    """Raise FormatError unless there are only cores, in order, of one inexact dtype."""
    for k, (name, core) in enumerate(arrays.items()):
        if name != f"cores.{k}":
            message = f"{path}: array {k} is called {name}, not cores.{k}"
            raise FormatError(f"{message}; this file was not saved as a train")
        first = next(iter(arrays.values()))
        if core.dtype != first.dtype or core.dtype.kind not in "fc":
            message = f"{path}: {name} has dtype {core.dtype}"
            raise FormatError(f"{message}; a train has cores of one inexact dtype")
