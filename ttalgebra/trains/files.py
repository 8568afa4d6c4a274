"""Trains from files; a train writes itself with `save`."""

import os
from collections.abc import Mapping

import numpy as np

from ttalgebra.arrays.errors import FormatError, NonFiniteError, ShapeError
from ttalgebra.trains.matrix import TTMatrix
from ttalgebra.trains.tensor import TTTensor

_KINDS: Mapping[object, type[TTMatrix] | type[TTTensor]] = {
    kind.__name__: kind for kind in (TTMatrix, TTTensor)
}


def load(path: str | os.PathLike[str]) -> TTMatrix | TTTensor:
    """The train that `save` wrote to ``path``: same kind, bits, dtype and shapes.

    Raises FormatError where the file is damaged, forged or holds no train, OSError
    where it cannot be read. Nothing is ever unpickled.

    >>> import os, tempfile, ttalgebra as tt
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "identity.npz")
    ...     tt.identity((2, 3)).save(path)
    ...     tt.load(path)
    TTMatrix(shape=(6, 6), modes=(2x2 3x3), ranks=(1, 1, 1), dtype=float64, ...)
    """
    from ttalgebra.storage import read

    arrays, header = read(path)
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
