"""Tables of a TOML file as dataclasses: each key has a default, a kind, a meaning.

The dataclass is the only place where a key is said: what reads a table, what writes
it, and the example all follow from it.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, field, fields
from typing import Any, NamedTuple, TypeVar

from ttalgebra.arrays.errors import FormatError

T = TypeVar("T")
_LARGEST = sys.float_info.max


class Kind(NamedTuple):
    """Which values a key may have, in words and as a test."""

    wanted: str
    holds: Callable[[Any], bool]


def count(least: int) -> Kind:
    """An int of at least ``least``, of 64 bits as TOML has them."""
    wanted = f"an int of at least {least} and below 2^63"
    return Kind(wanted, lambda x: type(x) is int and least <= x < 2**63)


def number(wanted: str, holds: Callable[[float], bool]) -> Kind:
    """A finite number for which ``holds``."""

    def checked(x: Any) -> bool:
        return type(x) in (int, float) and abs(x) <= _LARGEST and holds(float(x))

    return Kind(f"a number {wanted}", checked)


def one_of(*names: str) -> Kind:
    """One of these words."""
    return Kind(f"one of {', '.join(map(json.dumps, names))}", lambda x: x in names)


def _is_text(x: Any) -> bool:
    return type(x) is str and "\0" not in x and not any(map(_is_surrogate, x))


def _is_surrogate(character: str) -> bool:
    """Half a character, such as Python makes of file names that are not UTF-8."""
    return "\ud800" <= character <= "\udfff"


TEXT = Kind("a text in UTF-8", _is_text)
FLAG = Kind("true or false", lambda x: type(x) is bool)
SIZES = Kind(
    "a list of ints of at least 1 and below 2^63",
    lambda x: type(x) is list and all(map(count(1).holds, x)),
)
POSITIVE = number("above 0", lambda x: x > 0)
NOT_NEGATIVE = number("of at least 0", lambda x: x >= 0)
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
            raise FormatError(f"{message}, got {_shown(value)}")
    own = {name: table[name] for name in table if name in keys}
    return cls(**{k: tuple(x) if type(x) is list else x for k, x in own.items()})


def as_table(value: Any, where: str) -> dict[str, Any]:
    """``value``, which must be a table."""
    if not isinstance(value, dict):
        raise FormatError(f"{where}: must be a table, got {_shown(value)}")
    return value


def named(kinds: Mapping[str, Callable[..., T]], table: Any, by: str, where: str) -> T:
    """The dataclass that the key ``by`` of a table chooses, read from the rest."""
    table = as_table(table, where)
    name = table.get(by)
    if not isinstance(name, str) or name not in kinds:
        got = "it is missing" if by not in table else f"got {_shown(name)}"
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
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _shown(value: Any) -> str:
    try:
        return f"{value!r:.60}"
    except ValueError:  # Python spells no int of more than 4300 digits
        return "a number of thousands of digits"
