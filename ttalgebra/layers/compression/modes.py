"""The modes that are tried for a weight."""

from collections.abc import Sequence

from ttalgebra.arrays.checks import as_mode_pairs
from ttalgebra.decompose.modes import suggest_modes
from ttalgebra.layers.compression.frontier import Pairs

Modes = tuple[Sequence[int], Sequence[int]]


def suggested(M: int, N: int) -> Pairs:
    """Those of `suggest_modes`, padded where the sizes have primes above 7."""
    return as_mode_pairs(*suggest_modes(M, N, pad=True))


def alternatives(M: int, N: int) -> tuple[Pairs, ...]:
    """Two cores ``1xN Mx1``, a product of low rank; two balanced ones; the suggested.

    Weights that were trained are often nearer to the first, structured ones to the
    others; which one it is, the spectra say. The columns come first, as cores are
    applied from the first on: ``2 r (M + N)`` flops, where the cores ``Mx1 1xN`` of the
    same matrix take ``4 M N r``.
    """
    found: list[Pairs] = [((1, N), (M, 1)), suggested(M, N)]
    if len(found[1]) > 2:
        found.append(as_mode_pairs(*suggest_modes(M, N, order=2, pad=True)))
    return tuple(pairs for pairs in dict.fromkeys(found) if len(pairs) > 1)
