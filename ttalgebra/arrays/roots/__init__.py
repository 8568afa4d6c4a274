"""Roots of Gram matrices: what a sweep has to know of the columns behind it."""

from ttalgebra.arrays.roots.root import root

__all__ = ["root"]
