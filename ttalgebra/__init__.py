"""Tensor-train algebra as a NumPy user would want it, with gradients written by hand.

The rooms, from the ground floor up; each imports only from those before it:

    arrays      what an array is: namespace, contraction, factorisation, errors
    storage     {name: array} and a header in one file, atomic, checked, never pickled
    cores       the mathematics: pure functions on chains of cores
    decompose   dense arrays become cores
    trains      the two values: TTTensor, TTMatrix
    layers      y, backward = layer(x)
    learning    from gradients to a fitted model
    interop     one door for each neighbour: SciPy
    draw        pictures
    testing     checks for our tests and our users'
    cli         file in, file out
"""

import importlib
from types import ModuleType

from ttalgebra.arrays import errors
from ttalgebra.arrays.config import show_config
from ttalgebra.cores.truncation import Truncation
from ttalgebra.decompose.modes import cropped, padded, suggest_modes
from ttalgebra.trains.create import identity, ones, random_matrix, random_tensor, zeros
from ttalgebra.trains.files import load
from ttalgebra.trains.functions import (
    concatenate,
    dot,
    kron,
    linear_combination,
    same,
)
from ttalgebra.trains.matrix import TTMatrix
from ttalgebra.trains.tensor import TTTensor

__version__ = "0.1.0"
__all__ = [
    "TTMatrix",
    "TTTensor",
    "Truncation",
    "concatenate",
    "cropped",
    "dot",
    "errors",
    "identity",
    "kron",
    "linear_combination",
    "load",
    "ones",
    "padded",
    "random_matrix",
    "random_tensor",
    "same",
    "show_config",
    "suggest_modes",
    "zeros",
]
_ROOMS = ("draw", "interop", "layers", "learning", "testing")


def __getattr__(name: str) -> ModuleType:
    """Rooms above the trains are imported when they are first used."""
    if name in _ROOMS:
        return importlib.import_module(f"ttalgebra.{name}")
    raise AttributeError(f"module 'ttalgebra' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS})
