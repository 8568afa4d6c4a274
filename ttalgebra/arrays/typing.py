"""Names for the types that signatures use; shapes live in docstrings.

An array library is whatever implements the array API standard, for which no
common static type exists: ``Array`` documents, it does not check.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
Namespace: TypeAlias = Any
Cores: TypeAlias = tuple[Array, ...]
Parameters: TypeAlias = Mapping[str, Array]
Scalar: TypeAlias = float | complex
Ranks: TypeAlias = int | Sequence[int]
# In words: to name numpy.random imports it, 14 ms of the 105 of this package.
Generator: TypeAlias = "np.random.Generator"
RNG: TypeAlias = "int | np.random.Generator | None"
Backward: TypeAlias = Callable[[Array], tuple[Array, Parameters]]
