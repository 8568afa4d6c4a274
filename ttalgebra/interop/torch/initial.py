"""Needs PyTorch (pip install 'ttalgebra[torch]'): cores drawn, and numbers moved in."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch

from ttalgebra.arrays.namespace import to_numpy
from ttalgebra.arrays.typing import Array, Cores, Ranks
from ttalgebra.layers import TTLinear as Layer

Variance: TypeAlias = Callable[[int, int], float]
_DRAWN_AS = {
    torch.float64: "float64",
    torch.complex64: "complex64",
    torch.complex128: "complex128",
}


def drawn_cores(
    row_modes: Sequence[int],
    col_modes: Sequence[int],
    ranks: Ranks,
    *,
    variance: Variance,
    rng: Any,
    device: Any,
    dtype: Any,
) -> Cores:
    """The cores that `ttalgebra.layers.TTLinear.random` draws, as tensors.

    Drawn on the host in float32 where ``dtype`` is narrower. Raises what it raises,
    and TypeError for a dtype that is neither floating nor complex.
    """
    if not isinstance(dtype, torch.dtype):
        message = f"TTLinear: dtype must be one of PyTorch's, got {dtype!r}"
        raise TypeError(f"{message}; as in dtype=torch.float64")
    if not (dtype.is_floating_point or dtype.is_complex):
        message = f"TTLinear: dtype must be floating or complex, got {dtype}"
        raise TypeError(f"{message}; leave it out for {torch.get_default_dtype()}")
    layer = Layer.random(
        row_modes,
        col_modes,
        ranks,
        bias=False,
        variance=variance,
        rng=_numpy_rng(rng),
        dtype=_DRAWN_AS.get(dtype, "float32"),
    )
    return tuple(as_tensor(core, device=device, dtype=dtype) for core in layer.cores)


def _numpy_rng(rng: Any) -> Any:
    """``rng``, or a seed from PyTorch's generator: one way of drawing for all."""
    if rng is None:
        return int(torch.randint(2**62, (), device="cpu"))
    if isinstance(rng, torch.Generator):
        return int(torch.randint(2**62, (), device=rng.device, generator=rng))
    return rng


def as_tensor(x: Array, *, device: Any = None, dtype: Any = None) -> Array:
    """A copy of ``x``, of any array library, without its history."""
    if not isinstance(x, torch.Tensor):
        x = torch.tensor(to_numpy(x), device="cpu")
    return x.detach().to(device=device, dtype=dtype, copy=True)


def overwrite(parameter: Array, value: Array) -> None:
    """``value`` into ``parameter``, also where that is sharded over processes."""
    if hasattr(parameter, "placements"):
        from torch.distributed.tensor import distribute_tensor

        value = distribute_tensor(value, parameter.device_mesh, parameter.placements)
    with torch.no_grad():
        parameter.copy_(value)
