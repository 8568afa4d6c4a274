"""What a run is made of, in words: those of a run that goes on must be the same."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from numbers import Number
from typing import Any

import numpy as np

from ttalgebra.arrays.namespace import is_array

_AROUND = 40  # characters that are shown on both sides of a difference


def described(value: Any) -> str:
    """``value`` with all its settings, but no array: those may change in a run.

    Functions are known by their names alone, and so are objects whose class is no
    dataclass.

    >>> from ttalgebra.learning import SGD, Clipped
    >>> described(Clipped(SGD(0.1), 1))
    'Clipped(rule=SGD(rate=0.1, momentum=0.0, nesterov=False, decay=0.0, \
decays=weights), bound=1)'
    """
    if is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: described(getattr(value, f.name)) for f in fields(value)}
        inside = ", ".join(f"{name}={part}" for name, part in parts.items() if part)
        return f"{type(value).__name__}({inside})"
    if is_array(value) and not isinstance(value, np.generic):
        return ""
    if isinstance(value, np.generic):
        return repr(value.item())
    if value is None or isinstance(value, (Number, str)):
        return repr(value)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{k!r}: {described(x)}" for k, x in value.items())
        return f"{{{inside}}}"
    if isinstance(value, (list, tuple)):
        own = [part for part in map(described, value) if part]
        return f"[{', '.join(own)}]" if own or not value else ""
    return str(getattr(value, "__qualname__", type(value).__name__))


def apart(found: object, wanted: object) -> tuple[str, str]:
    """Both in words, of long ones what stands around their first difference."""
    both = str(found), str(wanted)
    if max(map(len, both)) <= 2 * _AROUND:
        return both
    pairs = enumerate(zip(*both, strict=False))
    first = next((k for k, (a, b) in pairs if a != b), min(map(len, both)))
    start = max(0, first - _AROUND)
    theirs, ours = (_shown(text, start) for text in both)
    return theirs, ours


def _shown(text: str, start: int) -> str:
    end = start + 2 * _AROUND
    return "..." * (start > 0) + text[start:end] + "..." * (end < len(text))
