"""One room for each neighbour, imported when it is first used.

``scipy``, ``torch``, ``jax``, ``dask``, ``sklearn``, ``peers``. The first line of each
says what it needs; ``import ttalgebra`` imports none of them.
"""

import importlib
from types import ModuleType

_NEIGHBOURS = ("dask", "jax", "peers", "scipy", "sklearn", "torch")


def __getattr__(name: str) -> ModuleType:
    if name in _NEIGHBOURS:
        return importlib.import_module(f"ttalgebra.interop.{name}")
    raise AttributeError(f"module 'ttalgebra.interop' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_NEIGHBOURS})
