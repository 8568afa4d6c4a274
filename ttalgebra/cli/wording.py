"""How the command line says things: one line, aligned rows, numbers of any size."""

import math
from collections.abc import Iterable, Sequence

_SHOWN = 12  # modes or ranks beyond which a row says how many there are


def one_line(text: str) -> str:
    """``text`` with every character that a terminal would act upon spelled out."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def reason(error: BaseException) -> str:
    """What an error says; for the system's, the file first."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename is not None else ""
        return f"{where}{error.strerror}"
    if isinstance(error, MemoryError) and not str(error):
        return "memory does not suffice; use a machine with more"
    return str(error) or type(error).__name__


def rows(pairs: Iterable[tuple[str, object]]) -> str:
    """``name  value``, one below the other, the values aligned."""
    listed = [(name, one_line(str(value))) for name, value in pairs]
    width = max(len(name) for name, _ in listed)
    return "\n".join(f"{name:{width}}  {value}" for name, value in listed)


def sequence(items: Sequence[object], between: str = " ") -> str:
    """The items in one line, or the first of them and how many there are."""
    shown = between.join(map(str, items[:_SHOWN]))
    return shown if len(items) <= _SHOWN else f"{shown}{between}... ({len(items)})"


def size(count: int) -> int | str:
    """``count``, or its magnitude where it has more digits than anyone reads."""
    return count if count < 2**63 else f"10^{math.log10(count):.1f}"


def finite(number: float) -> float | None:
    """``number``, or None where JSON has no name for it."""
    return number if math.isfinite(number) else None
