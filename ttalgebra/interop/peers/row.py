"""What has to be known of a library to read its trains and to make them."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from ttalgebra.arrays.typing import Array, Cores

Order = Literal["C", "F"]


class Peer(NamedTuple):
    """One library: how its trains are known, read and made.

    ``read`` gives cores ``(r, *modes, s)`` of an object; ``write`` turns such cores
    into the library's own layout, and ``make(module, arrays, matrix)`` those into an
    object, a matrix or a tensor. ``order`` says whether the first digit of a row is
    the slowest (C) or the fastest (F), ``arrays`` which array library it computes in.
    """

    install: str
    module: str | None
    is_one: Callable[[Any], bool]
    read: Callable[[Any], Sequence[Any]]
    make: Callable[[Any, list[Array], bool], Any]
    write: Callable[[Cores], Sequence[Array]] = list
    order: Order = "C"
    arrays: str | None = "numpy"


def has(*names: str) -> Callable[[Any], bool]:
    """Whether an object has all the attributes ``names``."""
    return lambda x: all(hasattr(x, name) for name in names)


def refuse_batch(name: str) -> TypeError:
    """The error of a batch of trains whose cores are in the attribute ``name``."""
    message = "from_peer: a batch of trains is not a train"
    return TypeError(f"{message}; take number k: [core[k] for core in x.{name}]")
