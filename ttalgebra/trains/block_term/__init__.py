"""BlockTerm: a matrix as a sum of Tucker terms, each mode a row and a column digit."""

from ttalgebra.trains.block_term.term import BlockTerm

__all__ = ["BlockTerm"]
