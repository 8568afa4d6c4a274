"""Checks at the door: what was given, what is wanted, what to do instead."""

import math
import operator
from collections.abc import Sequence
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np

from ttalgebra.arrays.errors import NonFiniteError, ShapeError, TooLargeError
from ttalgebra.arrays.namespace import has_values, is_array, namespace_of, to_numpy
from ttalgebra.arrays.typing import Array, Scalar

MAX_BYTES = 2**31
_WANTED = "float32, float64, complex64 or complex128"
_HOST = (np.ndarray, np.generic)


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
    if isinstance(x, _HOST):
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


def is_sparse(x: object) -> bool:
    """Whether ``x`` is a SciPy sparse matrix or array."""
    return hasattr(x, "tocoo")


def _from_sequence(x: object, name: str) -> np.ndarray:
    if is_sparse(x):
        message = f"{name} is a sparse {type(x).__name__}; use {name}.toarray()"
        raise TypeError(f"{message}, or a train made by from_sparse")
    if isinstance(x, (str, bytes)) or not isinstance(
        x, (Sequence, int, float, complex)
    ):
        raise TypeError(f"{name} must be an array, got {type(x).__name__}")
    rows = x if isinstance(x, (list, tuple)) else ()
    if any(isinstance(row, np.ma.MaskedArray) for row in rows):
        raise TypeError(f"{name} holds masked arrays; fill them first, with .filled(0)")
    if any(is_array(row) and not isinstance(row, _HOST) for row in rows):
        raise TypeError(f"{name} is a list of arrays; stack them into one first")
    try:
        return np.asarray(x)
    except RuntimeError as error:  # arrays of a device, deeper in the list
        raise TypeError(f"{name} holds arrays; stack them into one first") from error
    except (ValueError, OverflowError) as error:
        raise ShapeError(
            f"{name} is a ragged sequence; its rows differ in length"
        ) from error


def require_values(x: Array, what: str) -> None:
    """Raise TypeError where numbers decide and ``x`` has none, see `has_values`."""
    if not has_values(x):
        message = f"{what} looks at numbers, and inside jax.jit or on the device meta"
        raise TypeError(f"{message} there are none; call it outside, or use SVD there")


def require_finite(x: Array, what: str) -> None:
    """Raise NonFiniteError, naming the first bad index, unless all is finite.

    Arrays that have no values yet, see `has_values`, pass.
    """
    looked = isinstance(x, np.ndarray) and math.isfinite(np.vdot(x, x).real)
    if looked or not has_values(x):  # 1 us where isfinite takes 4, and no memory
        return
    finite = namespace_of(x).isfinite(x)
    if bool(namespace_of(x).all(finite)):
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
    if isinstance(value, bool) or not isinstance(value, (Real, complex)):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    number = value if isinstance(value, complex) else _as_float(value)
    if not np.isfinite(number):
        raise NonFiniteError(f"{name} must be finite, got {number}")
    return number


def _as_float(value: Any) -> float:
    """The nearest float; infinite for ints and fractions beyond all of them."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def as_tol(tol: Any, verb: str, name: str = "tol") -> float | None:
    """An error that is allowed: None, or a finite real number of at least zero."""
    if tol is None:
        return None
    real = isinstance(tol, (int, float, np.integer, np.floating))
    if not real or isinstance(tol, bool):
        kind = type(tol).__name__
        raise TypeError(f"{verb}: {name} must be a real number or None, got {kind}")
    value = _as_float(tol)
    if not 0 <= value < math.inf:
        message = f"{verb}: {name} must be finite and at least 0, got {value}"
        kind = "relative" if name == "tol" else "absolute"
        raise ShapeError(f"{message}; it is the {kind} Frobenius error of the result")
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


def _as_int(value: Any, name: str) -> int:
    """``value`` as an int; bools, which some libraries count as such, are refused."""
    kind = type(value).__name__
    if kind != "int" and is_array(value) and "bool" in str(value.dtype):
        kind = "bool"
    try:
        if kind != "bool":
            return operator.index(value)
    except TypeError:
        pass
    raise TypeError(f"{name} must be an int, got {kind}")


def as_positive(value: Any, name: str, advice: str = "") -> int:
    """``value`` as an int of at least one."""
    number = _as_int(value, name)
    if number < 1:
        raise ShapeError(f"{name} must be at least 1, got {spelled(number)}{advice}")
    return number


def as_count(value: Any, name: str) -> int:
    """``value`` as an int of at least zero."""
    number = _as_int(value, name)
    if number < 0:
        raise ShapeError(f"{name} must be at least 0, got {spelled(number)}")
    return number


def as_index(value: Any, size: int, name: str) -> int:
    """An int from ``-size`` to ``size - 1``, counted from 0 in what is returned."""
    index = _as_int(value, name)
    if not -size <= index < size:
        message = f"{name} is {spelled(index)}, not one of 0 to {spelled(size - 1)}"
        raise ShapeError(f"{message}; negative ones count from the end")
    return index % size


def as_sites(sites: Any, order: int, name: str) -> tuple[int, ...]:
    """Different ints from 0 to ``order - 1``, in order; all of them for None."""
    if sites is None:
        return tuple(range(order))
    several = isinstance(sites, (list, tuple, range)) or np.ndim(sites) == 1
    given = tuple(sites) if several else (sites,)
    places = sorted(as_index(site, order, name) for site in given)
    for one, next_one in pairwise(places):
        if one == next_one:
            raise ShapeError(f"{name} {one} is given twice; give each once")
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


def require_one_of(method: Any, names: Sequence[str], verb: str) -> None:
    """Raise ShapeError unless ``method`` is one of the ``names``."""
    if not isinstance(method, str):
        raise TypeError(f"{verb}: method must be a name, got {type(method).__name__}")
    if method not in names:
        raise ShapeError(f"{verb}: no method {method!r}; there are: {', '.join(names)}")


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
