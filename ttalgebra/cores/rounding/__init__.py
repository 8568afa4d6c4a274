"""Approximation of chains by chains of smaller ranks, each with the error it makes.

`svd` is the reference; the other routes are cheaper where their accuracy allows.
"""

from ttalgebra.cores.rounding.svd import by_svd

__all__ = ["by_svd"]
