"""One file for each neighbour, imported when it is first used: ``scipy``."""

import importlib
from types import ModuleType

_NEIGHBOURS = ("scipy",)


def __getattr__(name: str) -> ModuleType:
    if name in _NEIGHBOURS:
        return importlib.import_module(f"ttalgebra.interop.{name}")
    raise AttributeError(f"module 'ttalgebra.interop' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_NEIGHBOURS})
