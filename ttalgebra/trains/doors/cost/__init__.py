"""What an operation will cost, in exact integers, before anything is paid."""

from ttalgebra.trains.doors.cost.dense import entries
from ttalgebra.trains.doors.cost.exact import (
    add,
    concatenate,
    from_diagonal,
    hadamard,
    kron,
    matmul,
)
from ttalgebra.trains.doors.cost.prediction import Cost

__all__ = [
    "Cost",
    "add",
    "concatenate",
    "entries",
    "from_diagonal",
    "hadamard",
    "kron",
    "matmul",
]
