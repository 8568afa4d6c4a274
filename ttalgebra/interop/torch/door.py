"""Needs PyTorch (pip install 'ttalgebra[torch]'): checks at the door, and autocast."""

from collections.abc import Mapping

import torch

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.typing import Array, Parameters

Admitted = tuple[Array, dict[str, Array]]


def admitted(
    x: Array, parameters: Parameters, modes: tuple[int, ...], N: int
) -> Admitted:
    """``x`` and the parameters as the kernels take them: of one dtype, on one device.

    Raises TypeError for what is not a dense tensor and for dtypes or devices that
    differ, ShapeError where the last axis of ``x`` is not ``N``. Autocast is obeyed
    as ``F.linear`` does.
    """
    _require_tensor(x)
    _require_features(x, modes, N)
    kind = x.device.type
    if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
        dtype = torch.get_autocast_dtype(kind)
        x = _cast(x, dtype)
        parameters = {name: _cast(p, dtype) for name, p in parameters.items()}
    _require_alike(x, parameters)
    return x, dict(parameters)


def _require_tensor(x: Array) -> None:
    if not isinstance(x, torch.Tensor):
        kind = f"{type(x).__module__}.{type(x).__qualname__}"
        message = f"TTLinear: x must be a torch.Tensor, got {kind}"
        raise TypeError(f"{message}; use torch.as_tensor(x)")
    if x.layout != torch.strided:
        message = f"TTLinear: x must be dense, its layout is {x.layout}"
        raise TypeError(f"{message}; use x.to_dense()")


def _require_features(x: Array, modes: tuple[int, ...], N: int) -> None:
    if x.ndim == 0 or x.shape[-1] != N:
        factors = " * ".join(map(str, modes))
        message = f"TTLinear: x has shape {tuple(x.shape)}"
        message = f"{message}, its last axis must be {N} (modes {factors})"
        raise ShapeError(f"{message}; reshape x, or make a layer of other col_modes")


def _require_alike(x: Array, parameters: Mapping[str, Array]) -> None:
    for name, p in parameters.items():
        if p.dtype != x.dtype:
            message = f"TTLinear: x has dtype {x.dtype}, {name} has {p.dtype}"
            raise TypeError(f"{message}; convert one of them with .to(dtype)")
        if p.device != x.device:
            message = f"TTLinear: x is on {x.device}, {name} is on {p.device}"
            raise TypeError(f"{message}; move one of them with .to(device)")


def _cast(x: Array, dtype: object) -> Array:
    """What autocast casts: real floating numbers, except float64."""
    return x.to(dtype) if x.is_floating_point() and x.dtype != torch.float64 else x
