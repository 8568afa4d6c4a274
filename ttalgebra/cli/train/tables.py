"""Tables of a TOML file as dataclasses: each key has a default, a kind, a meaning.

The dataclass is the only place where a key is said: what reads a table, what writes
it, and the example all follow from it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, field, fields
from typing import Any, NamedTuple, TypeVar

from ttalgebra.arrays.errors import FormatError

T = TypeVar("T")


class Kind(NamedTuple):
    """Which values a key may have, in words and as a test."""

    wanted: str
    holds: Callable[[Any], bool]


def count(least: int) -> Kind:
    """An int of at least ``least``."""
    return Kind(f"an int of at least {least}", lambda x: type(x) is int and x >= least)


def number(wanted: str, holds: Callable[[float], bool]) -> Kind:
    """A finite number for which ``holds``."""
    return Kind(
        f"a number {wanted}", lambda x: type(x) in (int, float) and holds(float(x))
    )


def one_of(*names: str) -> Kind:
    """One of these words."""
    return Kind(f"one of {', '.join(map(json.dumps, names))}", lambda x: x in names)


TEXT = Kind("a text", lambda x: type(x) is str and "\0" not in x)
FLAG = Kind("true or false", lambda x: type(x) is bool)
SIZES = Kind(
    "a list of ints of at least 1",
    lambda x: type(x) is list and all(type(n) is int and n >= 1 for n in x),
)
POSITIVE = number("above 0", lambda x: 0 < x < float("inf"))
NOT_NEGATIVE = number("of at least 0", lambda x: 0 <= x < float("inf"))
SHARE = number("of at least 0 and below 1", lambda x: 0 <= x < 1)


def key(default: Any, kind: Kind, about: str) -> Any:
    """A field of a dataclass that a table may set."""
    metadata = {"kind": kind, "about": about}
    return field(default=default, metadata=metadata)


def keys_of(cls: type) -> list["Field[Any]"]:
    """The fields that a table may set, tables within it left out."""
    return [f for f in fields(cls) if "kind" in f.metadata]


def checked(cls: Callable[..., T], table: Any, where: str, known: Any = ()) -> T:
    """The dataclass that a table says; FormatError for a wrong key or value.

    ``known`` are values that have been read from the same table already.
    """
    keys = {f.name: f.metadata["kind"] for f in keys_of(cls)}  # type: ignore[arg-type]
    for name, value in table.items():
        if name in known:
            continue
        if name not in keys:
            there = ", ".join([*known, *keys])
            raise FormatError(f"{where}{name}: no such key; there are: {there}")
        if not keys[name].holds(value):
            message = f"{where}{name}: must be {keys[name].wanted}"
            raise FormatError(f"{message}, got {value!r:.60}")
    own = {name: table[name] for name in table if name in keys}
    return cls(**{k: tuple(x) if type(x) is list else x for k, x in own.items()})


def as_table(value: Any, where: str) -> dict[str, Any]:
    """``value``, which must be a table."""
    if not isinstance(value, dict):
        raise FormatError(f"{where}: must be a table, got {value!r:.60}")
    return value


def named(kinds: Mapping[str, Callable[..., T]], table: Any, by: str, where: str) -> T:
    """The dataclass that the key ``by`` of a table chooses, read from the rest."""
    table = as_table(table, where)
    name = table.get(by)
    if not isinstance(name, str) or name not in kinds:
        got = "it is missing" if by not in table else f"got {name!r:.60}"
        there = ", ".join(kinds)
        raise FormatError(f"{where}.{by}: must be one of {there}; {got}")
    return checked(kinds[name], table, f"{where}.", known=(by,))


def lines(value: Any, *, explained: bool = False) -> Iterator[str]:
    """``key = value`` for each key of a dataclass, as TOML."""
    for f in keys_of(type(value)):
        line = f"{f.name} = {_spelled(getattr(value, f.name))}"
        yield f"{line:30}  # {f.metadata['about']}" if explained else line


def _spelled(value: Any) -> str:
    """A value as TOML: but for DEL, JSON spells these as TOML does."""
    return json.dumps(value).replace("\x7f", "\\u007f")
