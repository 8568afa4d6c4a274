"""Which library an array belongs to, and how it gets into another: who asks, asks here.

A library takes part by being an importable module that follows the array API standard,
or by an entry point of the group ``ttalgebra.backends`` that names its namespace.

Source: Array API standard, 2024.12; array-api-compat fills what libraries lack.
"""

import importlib
import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import array_api_compat as compat
import numpy as np

from ttalgebra.arrays.typing import Array, Namespace

GROUP = "ttalgebra.backends"
_MODULES = {"jax": "jax.numpy"}
_ADVICE = {"jax": "call jax.config.update('jax_enable_x64', True) first"}
_KNOWN: dict[type, Namespace] = {}  # asking array-api-compat costs 5 us, this 0.2


def namespace_of(*arrays: Array) -> Namespace:
    """The array API namespace that all ``arrays`` share.

    Raises TypeError where they belong to different libraries, naming both.
    """
    if len(arrays) == 1 and (known := _KNOWN.get(type(arrays[0]))):
        return known
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
    """The device that holds ``x``; None inside ``jax.jit``, where it is not known."""
    return compat.device(x)


def has_values(x: Array) -> bool:
    """Whether ``x`` holds numbers, not shapes alone: inside ``jax.jit`` it does not.

    Nor does it on PyTorch's device ``meta``. Inside ``jax.jit`` a constant does, but
    what is computed from it does not.
    """
    if is_numpy(x):
        return True
    if compat.is_jax_array(x):
        import jax

        both = x, jax.numpy.add(0, 0)
        return not any(isinstance(part, jax.core.Tracer) for part in both)
    return str(device_of(x)) != "meta"


def on_host(x: Array) -> bool:
    """Whether looking at a number of ``x`` moves nothing between devices."""
    return is_numpy(x) or "cpu" in str(device_of(x)).lower()


def full_precision(x: Array) -> AbstractContextManager[object]:
    """A context without PyTorch's autocast, which rounds the factors of products."""
    if compat.is_torch_array(x):
        import torch

        kind = x.device.type  # "meta" knows shapes alone, and no autocast
        if kind != "meta" and torch.is_autocast_enabled(kind):
            without: AbstractContextManager[object]
            without = torch.autocast(kind, enabled=False)
            return without
    return nullcontext()


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
        return cast(np.ndarray, x.detach().cpu().resolve_conj().resolve_neg().numpy())
    if compat.is_jax_array(x):
        return np.asarray(x)
    host = namespace_of(x).__array_namespace_info__().default_device()
    x = compat.to_device(x, host)
    return np.asarray(x) if hasattr(x, "__array__") else np.from_dlpack(x)


def from_numpy(x: np.ndarray, like: Array) -> Array:
    """``x`` moved into the library and onto the device of ``like``."""
    if is_numpy(like):
        return x
    return namespace_of(like).asarray(x, device=device_of(like), copy=True)


def dtype_of(x: Array) -> np.dtype:
    """The dtype of ``x`` as NumPy's."""
    name = str(x.dtype).rpartition(".")[2]
    return np.dtype(x.dtype if is_numpy(x) else name)


def copied(x: Array) -> Array:
    """A copy of ``x`` where it is; one of PyTorch keeps its history."""
    if compat.is_torch_array(x):
        return x.clone()
    return namespace_of(x).asarray(x, copy=True)


def move(x: Array, backend: str, device: object = None) -> Array:
    """A copy of ``x`` in the library named ``backend``, on ``device`` or its default.

    Raises TypeError where there is no such library or device, and where the library
    would keep fewer digits, as JAX does until 64-bit numbers are switched on.
    """
    library = _library(backend)
    try:
        moved = _copied(x, library, _device(backend, device))
    except (ValueError, TypeError, RuntimeError, AssertionError) as error:
        message = f"{backend} on device {device!r}: {type(x).__name__}"
        raise TypeError(f"{message} cannot be moved there: {error}") from error
    if dtype_of(moved) != dtype_of(x):
        message = f"{backend} would keep {dtype_of(x)} as {dtype_of(moved)}"
        raise TypeError(f"{message}; {_ADVICE.get(backend, 'convert it first')}")
    return moved


def _copied(x: Array, library: Namespace, device: Any) -> Array:
    where = {} if device is None else {"device": device}
    if not is_numpy(x) and library.__name__ != "numpy" and hasattr(x, "__dlpack__"):
        try:
            return library.from_dlpack(x, copy=True, **where)
        except (BufferError, TypeError, ValueError, RuntimeError, AttributeError):
            pass  # devices that do not see each other's memory meet on the host
        except AssertionError:
            pass  # PyTorch built without CUDA, asked for it
    return library.asarray(np.array(to_numpy(x)), **where)


def _device(backend: str, device: object) -> object:
    if backend == "jax" and isinstance(device, str):
        import jax

        return jax.devices(device)[0]
    return device


def _library(name: str) -> Namespace:
    if not isinstance(name, str) or not name.isidentifier():
        raise TypeError(f"backend must be the name of an array library, got {name!r}")
    from importlib.metadata import entry_points  # 10 ms, and seldom needed

    for entry in entry_points(group=GROUP, name=name):
        return _conformant(_loaded(entry), name)
    for module in (_MODULES.get(name, f"array_api_compat.{name}"), name):
        try:
            return _conformant(importlib.import_module(module), name)
        except ImportError:
            continue
    message = f"no array library named {name!r} is installed"
    raise TypeError(f"{message}; install it, or name one that is")


def _loaded(entry: Any) -> Namespace:
    try:
        return cast(Namespace, entry.load())
    except (ImportError, AttributeError) as error:
        message = f"the entry point {entry.name!r} of {GROUP} names {entry.value!r}"
        raise TypeError(f"{message}, which cannot be loaded: {error}") from error


def _conformant(library: Namespace, name: str) -> Namespace:
    if hasattr(library, "asarray") and hasattr(library, "isdtype"):
        return library
    raise TypeError(f"{name!r} does not follow the array API standard")


def eps_of(x: Array) -> float:
    """The machine epsilon of the dtype of ``x`` (that of its real part)."""
    return float(namespace_of(x).finfo(x.dtype).eps)


def is_complex(x: Array) -> bool:
    """Whether the dtype, never the values, of ``x`` is complex."""
    if is_numpy(x):  # a tenth of the time, and sweeps ask it for each core
        return bool(x.dtype.kind == "c")
    return bool(namespace_of(x).isdtype(x.dtype, "complex floating"))


def conj(x: Array) -> Array:
    """The complex conjugate; real arrays come back as they are."""
    return namespace_of(x).conj(x) if is_complex(x) else x


def adjoint(matrix: Array) -> Array:
    """The conjugate transpose."""
    if is_numpy(matrix):
        return conj(matrix.swapaxes(-1, -2))
    return conj(namespace_of(matrix).matrix_transpose(matrix))


def nbytes_of(x: Array) -> int:
    """The bytes that the elements of ``x`` take, in exact integers."""
    if is_numpy(x):  # a tenth of the time, and every product asks
        return int(x.nbytes)
    bits = int(namespace_of(x).finfo(x.dtype).bits)
    size: int = math.prod(x.shape)
    return size * bits // 8 * (2 if is_complex(x) else 1)
