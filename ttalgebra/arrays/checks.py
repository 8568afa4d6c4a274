"""Checks at the door: what was given, what is wanted, what to do instead."""

import math
import operator
import sys
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from ttalgebra.arrays.errors import NonFiniteError, ShapeError, TooLargeError
from ttalgebra.arrays.namespace import is_array, namespace_of, to_numpy
from ttalgebra.arrays.typing import Array, Scalar

MAX_BYTES = 2**31
_WANTED = "float32, float64, complex64 or complex128"


def as_array(x: Any, name: str = "array") -> Array:
    """``x`` as an array of a supported dtype, in its own library.

    Lists and numbers become NumPy arrays; integers and bools become float64;
    foreign byte orders become native. Raises TypeError for masked arrays, for
    float16, longdouble and object dtypes, and for whatever is not an array.
    """
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array; fill it first, as in {name}.filled(0)"
        )
    if isinstance(x, (np.ndarray, np.generic)):
        x = np.asarray(x)
        x = x if x.dtype.isnative else x.astype(x.dtype.newbyteorder("="))
    elif not is_array(x):
        x = _from_sequence(x, name)
    xp = namespace_of(x)
    if x.dtype in (xp.float32, xp.float64, xp.complex64, xp.complex128):
        return x
    if _is_integral(x):
        return xp.astype(x, xp.float64)
    raise TypeError(f"{name} has dtype {x.dtype}; convert it to {_WANTED}")


def _is_integral(x: Array) -> bool:
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "biu"
    return bool(namespace_of(x).isdtype(x.dtype, ("bool", "integral")))


def _from_sequence(x: object, name: str) -> np.ndarray:
    if isinstance(x, (str, bytes)) or not isinstance(
        x, (Sequence, int, float, complex)
    ):
        raise TypeError(f"{name} must be an array, got {type(x).__name__}")
    if isinstance(x, Sequence) and any(isinstance(row, np.ma.MaskedArray) for row in x):
        raise TypeError(f"{name} holds masked arrays; fill them first, with .filled(0)")
    try:
        return np.asarray(x)
    except (ValueError, OverflowError) as error:
        raise ShapeError(
            f"{name} is a ragged sequence; its rows differ in length"
        ) from error


def require_finite(x: Array, what: str) -> None:
    """Raise NonFiniteError, naming the first bad index, unless all is finite."""
    xp = namespace_of(x)
    finite = xp.isfinite(x)
    if bool(xp.all(finite)):
        return
    host = to_numpy(finite)
    place = tuple(int(i) for i in np.unravel_index(int(np.argmin(host)), host.shape))
    value = to_numpy(x)[place]
    message = f"{what}: the value at index {place} is {value}"
    raise NonFiniteError(
        f"{message} and {host.size - int(host.sum())} of {host.size} are not "
        "finite; remove or replace them first"
    )


def as_scalar(value: Any, name: str) -> Scalar:
    """``value`` as a finite Python float or complex; bools and strings are refused."""
    if is_array(value) and value.ndim == 0:
        value = to_numpy(value)[()]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Real) and not isinstance(value, (bool, int)):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, complex)):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    try:
        number = value if isinstance(value, complex) else float(value)
    except OverflowError:
        number = math.inf
    if not np.isfinite(number):
        raise NonFiniteError(f"{name} must be finite, got {number}")
    return number


def as_tol(tol: Any, verb: str) -> float | None:
    """A relative error: None, or a finite real number that is at least zero."""
    if tol is None:
        return None
    real = isinstance(tol, (int, float, np.integer, np.floating))
    if not real or isinstance(tol, bool):
        kind = type(tol).__name__
        raise TypeError(f"{verb}: tol must be a real number or None, got {kind}")
    value = math.inf if tol > sys.float_info.max else float(tol)
    if not 0 <= value < math.inf:
        message = f"{verb}: tol must be finite and at least 0, got {value}"
        raise ShapeError(f"{message}; it is the relative Frobenius error of the result")
    return value


def as_max_rank(max_rank: Any, order: int, verb: str) -> tuple[int | None, ...]:
    """One bound (or None) for each of the ``order - 1`` bonds between cores."""
    advice = "; use tol= to round by accuracy"
    return as_ranks(max_rank, order, f"{verb}: max_rank", advice)


def as_ranks(
    ranks: Any, order: int, name: str, advice: str = ""
) -> tuple[int | None, ...]:
    """One int (or None) for each of the ``order - 1`` bonds between cores."""
    bonds = order - 1
    if ranks is None:
        return (None,) * bonds
    if isinstance(ranks, (list, tuple)) or np.ndim(ranks) == 1:
        each = [as_positive(r, name) for r in ranks]
        if len(each) == bonds + 2 and each[0] == each[-1] == 1:
            each = each[1:-1]
        if len(each) != bonds:
            message = f"{name} has {len(ranks)} entries for {bonds} bonds"
            raise ShapeError(f"{message}; give one int, or one for each bond")
        return tuple(each)
    return (as_positive(ranks, name, advice),) * bonds


def as_positive(value: Any, name: str, advice: str = "") -> int:
    """``value`` as an int of at least one."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be an int, got bool")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an int, got {type(value).__name__}") from None
    if number < 1:
        raise ShapeError(f"{name} must be at least 1, got {number}{advice}")
    return number


def as_count(value: Any, name: str) -> int:
    """``value`` as an int of at least zero."""
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an int, got {type(value).__name__}")
    number = operator.index(value)
    if number < 0:
        raise ShapeError(f"{name} must be at least 0, got {number}")
    return number


def as_index(value: Any, size: int, name: str) -> int:
    """An int from ``-size`` to ``size - 1``, counted from 0 in what is returned."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be an int, got bool")
    try:
        index = operator.index(value)
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"{name} must be an int, got {kind}") from None
    if not -size <= index < size:
        message = f"{name} {spelled(index)} is not one of 0 to {spelled(size - 1)}"
        raise ShapeError(f"{message}; negative ones count from the end")
    return index % size


def as_sites(sites: Any, order: int, name: str) -> tuple[int, ...]:
    """Different ints from 0 to ``order - 1``, in order; all of them for None."""
    if sites is None:
        return tuple(range(order))
    several = isinstance(sites, (list, tuple, range)) or np.ndim(sites) == 1
    given = tuple(sites) if several else (sites,)
    places = sorted(as_index(site, order, name) for site in given)
    if len(set(places)) != len(places):
        raise ShapeError(f"{name} is given twice in {given}; give each once")
    return tuple(places)


def as_modes(modes: object, name: str) -> tuple[int, ...]:
    """Mode sizes as a non-empty tuple of ints of at least one."""
    if isinstance(modes, (str, bytes)) or not isinstance(modes, (Sequence, np.ndarray)):
        raise TypeError(
            f"{name} must be a sequence of ints, got {type(modes).__name__}"
        )
    if len(modes) == 0:
        raise ShapeError(f"{name} is empty; a train has at least one mode")
    return tuple(as_positive(n, f"each of {name}") for n in modes)


def as_mode_pairs(row_modes: object, col_modes: object) -> tuple[tuple[int, int], ...]:
    """``((m_1, n_1), ..., (m_d, n_d))`` from as many row modes as column modes."""
    rows, columns = as_modes(row_modes, "row_modes"), as_modes(col_modes, "col_modes")
    if len(rows) != len(columns):
        message = f"row_modes has {len(rows)} entries and col_modes {len(columns)}"
        raise ShapeError(f"{message}; pad the shorter one with ones")
    return tuple(zip(rows, columns, strict=True))


def as_dtype(dtype: Any) -> np.dtype:
    """A supported dtype; integers become float64, as everywhere. Raises TypeError."""
    try:
        kind = np.dtype(dtype)
    except Exception as error:  # NumPy evaluates text: SyntaxError, ValueError and more
        raise TypeError(f"{dtype!r} is no dtype; use {_WANTED}") from error
    if kind.kind in "biu":
        return np.dtype(np.float64)
    if kind.name not in ("float32", "float64", "complex64", "complex128"):
        raise TypeError(f"dtype {kind} is not supported; use {_WANTED}")
    native: np.dtype = np.dtype(kind.name)
    return native


def require_room(
    shape: Sequence[int],
    itemsize: int,
    what: str,
    advice: str,
    max_bytes: int = MAX_BYTES,
) -> None:
    """Raise TooLargeError, before it is allocated, for an array above ``max_bytes``."""
    try:
        max_bytes = operator.index(max_bytes)
    except TypeError:
        kind = type(max_bytes).__name__
        raise TypeError(f"{what}: max_bytes must be an int, got {kind}") from None
    elements = math.prod(shape)
    if elements * itemsize > max_bytes:
        message = (
            f"{what} needs {spelled(elements)} elements ({_bytes(elements * itemsize)})"
        )
        raise TooLargeError(f"{message} > limit {_bytes(max_bytes)}; {advice}")


def spelled(*sizes: int) -> str:
    """Exact ints while they can be read, else their magnitudes; several as a tuple."""
    texts = [str(n) if abs(n) < 10**50 else _magnitude(n) for n in sizes]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _magnitude(n: int) -> str:
    digits = int((n.bit_length() - 1) * math.log10(2))
    return f"about {'-' if n < 0 else ''}10^{digits}"


def _bytes(count: int) -> str:
    if count.bit_length() > 200:
        return f"{_magnitude(count)} B"
    units = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    power = min((max(count, 1).bit_length() - 1) // 10, len(units) - 1)
    scaled = count * 10 // 1024**power  # exact integers: counts exceed any float
    return f"{scaled // 10}.{scaled % 10} {units[power]}" if power else f"{count} B"
