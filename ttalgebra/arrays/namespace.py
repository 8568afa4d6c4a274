"""Which library an array belongs to: the one file that asks.

Source: Array API standard, 2024.12; array-api-compat fills what libraries lack.
"""

import importlib
import math
from typing import cast

import array_api_compat as compat
import numpy as np

from ttalgebra.arrays.typing import Array, Namespace

_KNOWN: dict[type, Namespace] = {}  # asking array-api-compat costs 5 us, this 0.3


def namespace_of(*arrays: Array) -> Namespace:
    """The array API namespace that all ``arrays`` share.

    Raises TypeError where they belong to different libraries, naming both.
    """
    kinds = {type(x) for x in arrays}
    if len(kinds) == 1 and (kind := next(iter(kinds))) in _KNOWN:
        return _KNOWN[kind]
    try:
        found = compat.array_namespace(*arrays)
    except TypeError as error:
        names = sorted({f"{kind.__module__}.{kind.__name__}" for kind in kinds})
        if len(names) < 2:
            raise
        message = f"arrays of one library are needed, got {' and '.join(names)}"
        raise TypeError(f"{message}; move one of them with .to(...) first") from error
    if len(kinds) == 1:
        _KNOWN[kinds.pop()] = found
    return found


def is_array(x: object) -> bool:
    """Whether ``x`` is an array of a library that array-api-compat knows."""
    return bool(compat.is_array_api_obj(x))


def is_numpy(x: Array) -> bool:
    """Whether ``x`` lives in NumPy, where LAPACK's other drivers are at hand."""
    return isinstance(x, np.ndarray)


def device_of(x: Array) -> object:
    """The device that holds ``x``."""
    return compat.device(x)


def backend_of(x: Array) -> str:
    """The plain name of the library of ``x``, such as ``"numpy"`` or ``"cupy"``."""
    name: str = namespace_of(x).__name__
    return name.removeprefix("array_api_compat.").split(".")[0]


def to_numpy(x: Array) -> np.ndarray:
    """``x`` on the host, as a NumPy array; shares memory where it can."""
    if is_numpy(x):
        return cast(np.ndarray, x)
    if compat.is_cupy_array(x):
        return cast(np.ndarray, x.get())
    if compat.is_torch_array(x):
        return cast(np.ndarray, x.detach().cpu().resolve_conj().numpy())
    host = namespace_of(x).__array_namespace_info__().default_device()
    return np.asarray(compat.to_device(x, host))


def from_numpy(x: np.ndarray, like: Array) -> Array:
    """``x`` moved into the library and onto the device of ``like``."""
    if is_numpy(like):
        return x
    return namespace_of(like).asarray(x, device=device_of(like), copy=True)


def move(x: Array, backend: str, device: object = None) -> Array:
    """A copy of ``x`` in the library named ``backend``, through the host.

    Raises TypeError where that library is unknown or not installed.
    """
    library, host = _library(backend), np.array(to_numpy(x))
    if device is None:
        return library.asarray(host)
    try:
        return library.asarray(host, device=device)
    except (ValueError, TypeError, RuntimeError) as error:
        raise TypeError(f"{backend} has no device {device!r}: {error}") from error


def _library(name: str) -> Namespace:
    if not isinstance(name, str) or not name.isidentifier():
        raise TypeError(f"backend must be the name of an array library, got {name!r}")
    for module in (f"array_api_compat.{name}", name):
        try:
            library = importlib.import_module(module)
        except ImportError:
            continue
        if hasattr(library, "asarray") and hasattr(library, "isdtype"):
            return library
        raise TypeError(f"{name!r} does not follow the array API standard")
    message = f"no array library named {name!r} is installed"
    raise TypeError(f"{message}; install it, or name one that is")


def eps_of(x: Array) -> float:
    """The machine epsilon of the dtype of ``x`` (that of its real part)."""
    return float(namespace_of(x).finfo(x.dtype).eps)


def is_complex(x: Array) -> bool:
    """Whether the dtype, never the values, of ``x`` is complex."""
    return bool(namespace_of(x).isdtype(x.dtype, "complex floating"))


def conj(x: Array) -> Array:
    """The complex conjugate; real arrays come back as they are."""
    return namespace_of(x).conj(x) if is_complex(x) else x


def nbytes_of(x: Array) -> int:
    """The bytes that the elements of ``x`` take, in exact integers."""
    bits = int(namespace_of(x).finfo(x.dtype).bits)
    size: int = math.prod(x.shape)
    return size * bits // 8 * (2 if is_complex(x) else 1)
