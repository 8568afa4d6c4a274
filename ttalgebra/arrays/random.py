"""Random arrays: drawn once with a NumPy Generator, then moved to any library."""

from collections.abc import Sequence

import numpy as np

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.typing import RNG, Generator


def generator(rng: RNG) -> Generator:
    """``rng`` as a Generator: a seed makes a new one, a Generator stays itself.

    Raises TypeError for anything else (SPEC 7), ShapeError for a negative seed. No
    global state is touched.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is not None and (
        isinstance(rng, bool) or not isinstance(rng, (int, np.integer))
    ):
        kind = type(rng).__name__
        raise TypeError(f"rng must be an int, a numpy Generator or None, got {kind}")
    if rng is not None and rng < 0:
        raise ShapeError(f"rng must be at least 0, got {rng}")
    return np.random.default_rng(rng)


def normal(
    shape: Sequence[int],
    *,
    dtype: np.dtype,
    rng: Generator,
    scale: float = 1.0,
) -> np.ndarray:
    """Independent normal entries of variance ``scale**2``; complex ones circular."""
    if dtype.kind == "c":
        pair = rng.standard_normal((2, *shape)) * (scale / np.sqrt(2.0))
        circular: np.ndarray = pair[0] + 1j * pair[1]
        return circular.astype(dtype)
    drawn: np.ndarray = scale * rng.standard_normal(tuple(shape))
    return drawn.astype(dtype)
