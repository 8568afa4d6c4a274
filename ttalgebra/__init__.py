"""Tensor-train algebra as a NumPy user would want it, with gradients written by hand.

The rooms, from the ground floor up; each imports only from those before it:

    arrays      what an array is: namespace, contraction, factorisation, errors
    storage     {name: array} and a header in one file, atomic, checked, never pickled
    cores       the mathematics: pure functions on chains of cores
    decompose   dense arrays become cores
    trains      the values: TTTensor, TTMatrix, BlockTerm
    layers      y, backward = layer(x)
    learning    from gradients to a fitted model
    interop     one door for each neighbour: SciPy
    draw        pictures
    testing     checks for our tests and our users'
    cli         file in, file out
"""

import importlib
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from ttalgebra.trains.block_term import BlockTerm

__version__ = "0.1.0"
__all__ = [
    "BlockTerm",
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


def __getattr__(name: str) -> Any:
    """Rooms above the trains, and `BlockTerm`, are imported when first used."""
    if name in _ROOMS:
        return importlib.import_module(f"ttalgebra.{name}")
    if name == "BlockTerm":
        return importlib.import_module("ttalgebra.trains.block_term").BlockTerm
    raise AttributeError(f"module 'ttalgebra' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ROOMS})
