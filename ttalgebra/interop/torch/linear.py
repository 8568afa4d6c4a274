"""Needs PyTorch (pip install 'ttalgebra[torch]'): the TT-layer as a module."""

from collections.abc import Sequence
from math import prod
from typing import Any, Self

import torch
from torch import nn

from ttalgebra.arrays.checks import as_positive
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import to_numpy
from ttalgebra.arrays.typing import Array, Cores, Ranks
from ttalgebra.cores import chain
from ttalgebra.interop.torch.decompose import decomposed, widened
from ttalgebra.interop.torch.door import admitted
from ttalgebra.interop.torch.grouping import grouping
from ttalgebra.interop.torch.initial import (
    Variance,
    as_tensor,
    drawn_cores,
    overwrite,
)
from ttalgebra.interop.torch.sweep import applied
from ttalgebra.layers import TTLinear as Layer
from ttalgebra.layers import glorot
from ttalgebra.trains.matrix import TTMatrix

Modes = Sequence[int]


class TTLinear(nn.Module):
    """``y = x W^T + b``, ``(..., N) -> (..., M)``; ``W`` is a TT-matrix, never formed.

    Parameters are named ``cores.0`` to ``cores.{d-1}``, of shapes ``(r, m, n, s)``, and
    ``bias``. Their gradients are ours, not those of autograd (see `step`), and can be
    differentiated again. Cost as in `ttalgebra.layers.TTLinear`, less where merging
    neighbouring cores is cheaper.

    Parameters
    ----------
    row_modes, col_modes, ranks, variance
        As in `ttalgebra.layers.TTLinear.random`, which draws the cores. The bias is 0.
    in_features, out_features
        ``N`` and ``M``, by default the products of the modes. Where they are smaller,
        ``x`` is padded with zeros and the last rows of ``W`` go unused.
    rng
        None takes a seed from PyTorch's generator, a ``torch.Generator`` gives one; an
        int or a NumPy Generator draws the numbers that ttalgebra draws.

    Notes
    -----
    A call raises ShapeError where the last axis of ``x`` is not ``N``, and TypeError
    for what is not a tensor and for dtypes or devices that differ.

    Examples
    --------
    >>> import torch, ttalgebra as tt
    >>> layer = tt.interop.torch.TTLinear((4, 4, 4), (4, 4, 4), ranks=3, rng=0)
    >>> y = layer(torch.ones(2, 5, 64))
    >>> y.sum().backward()
    >>> y.shape, layer.cores[1].grad.shape
    (torch.Size([2, 5, 64]), torch.Size([3, 4, 4, 3]))
    >>> layer.weight.shape, layer.weight.n_parameters
    ((64, 64), 240)
    """

    def __init__(
        self,
        row_modes: Modes,
        col_modes: Modes,
        ranks: Ranks,
        *,
        bias: bool = True,
        in_features: int | None = None,
        out_features: int | None = None,
        variance: Variance = glorot,
        rng: Any = None,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        device = torch.get_default_device() if device is None else device
        dtype = torch.get_default_dtype() if dtype is None else dtype
        cores = drawn_cores(
            row_modes,
            col_modes,
            ranks,
            variance=variance,
            rng=rng,
            device=device,
            dtype=dtype,
        )
        self._adopt(cores, None, in_features, out_features)
        if bias:
            self.bias = nn.Parameter(self.cores[0].new_zeros(self.out_features))

    def _adopt(
        self,
        cores: Cores,
        bias: Array | None,
        in_features: int | None,
        out_features: int | None,
    ) -> None:
        chain.require_chain(cores, n_modes=2)
        pairs = chain.modes(cores)
        self.row_modes = tuple(m for m, _ in pairs)
        self.col_modes = tuple(n for _, n in pairs)
        self.ranks = chain.ranks(cores)
        self.in_features = _size(in_features, self.col_modes, "in_features")
        self.out_features = _size(out_features, self.row_modes, "out_features")
        self.groups = grouping([tuple(core.shape) for core in cores])
        self.cores = nn.ParameterList(nn.Parameter(core) for core in cores)
        self.bias = None if bias is None else nn.Parameter(bias)

    @classmethod
    def _of(
        cls,
        cores: Cores,
        bias: Array | None,
        in_features: int | None = None,
        out_features: int | None = None,
    ) -> Self:
        """The module of these very tensors."""
        module = cls.__new__(cls)
        nn.Module.__init__(module)
        module._adopt(cores, bias, in_features, out_features)
        return module

    @classmethod
    def from_train(
        cls,
        A: TTMatrix,
        bias: Array | None = None,
        *,
        in_features: int | None = None,
        out_features: int | None = None,
    ) -> Self:
        """The layer whose weight is ``A``, in its dtype; a copy, on its device."""
        if not isinstance(A, TTMatrix):
            kind = type(A).__name__
            raise TypeError(f"from_train: a TTMatrix is needed, got {kind}")
        cores = tuple(as_tensor(core) for core in A.cores)
        if bias is not None:
            bias = as_tensor(bias, device=cores[0].device)
            rows = A.shape[0] if out_features is None else out_features
            if tuple(bias.shape) != (rows,):
                message = f"from_train: bias has shape {tuple(bias.shape)}"
                raise ShapeError(f"{message}, the matrix {rows} rows")
            if bias.is_complex() and not cores[0].is_complex():
                message = f"from_train: bias is {bias.dtype}, the train"
                raise TypeError(f"{message} {A.dtype}; multiply it by 1 + 0j")
            bias = bias.to(cores[0].dtype)
        return cls._of(cores, bias, in_features, out_features)

    @classmethod
    def from_layer(cls, layer: Layer) -> Self:
        """A layer of ttalgebra as a module; `to_layer` goes back."""
        if not isinstance(layer, Layer):
            kind = f"{type(layer).__module__}.{type(layer).__name__}"
            message = "from_layer: a ttalgebra.layers.TTLinear is needed"
            raise TypeError(f"{message}, got {kind}")
        sizes = {"in_features": layer.n_in, "out_features": layer.n_out}
        return cls.from_train(layer.weight, layer.bias, **sizes)

    @classmethod
    def from_linear(
        cls,
        linear: nn.Linear,
        row_modes: Modes | None = None,
        col_modes: Modes | None = None,
        *,
        tol: float | None = None,
        max_rank: Ranks | None = None,
        return_info: bool = False,
    ) -> Any:
        """TT-SVD of the weight of ``linear``, its bias copied.

        ``tol``, ``max_rank`` and the report of ``return_info`` as in
        `TTMatrix.from_dense`. Without modes `tt.suggest_modes` says them, padding where
        a size has a prime above 7; the products of given ones may exceed the sizes too.
        dtype, device, ``requires_grad`` and training mode are those of ``linear``.
        Raises TypeError, ShapeError, NonFiniteError.

        >>> import torch, ttalgebra as tt
        >>> linear = torch.nn.Linear(64, 11)
        >>> layer = tt.interop.torch.TTLinear.from_linear(linear)
        >>> layer.row_modes, layer.col_modes, layer.out_features
        ((4, 3), (8, 8), 11)
        >>> x = torch.randn(5, 64)
        >>> torch.allclose(layer(x), linear(x), atol=1e-5)
        True
        """
        if not isinstance(linear, nn.Linear):
            kind = f"{type(linear).__module__}.{type(linear).__name__}"
            raise TypeError(f"from_linear: a torch.nn.Linear is needed, got {kind}")
        cores, info = decomposed(
            linear.weight, row_modes, col_modes, tol=tol, max_rank=max_rank
        )
        bias = None if linear.bias is None else as_tensor(linear.bias)
        module = cls._of(cores, bias, linear.in_features, linear.out_features)
        module.cores.requires_grad_(linear.weight.requires_grad)
        if bias is not None:
            module.bias.requires_grad_(linear.bias.requires_grad)
        module.train(linear.training)
        return (module, info) if return_info else module

    @property
    def weight(self) -> TTMatrix:
        """``W`` as a value of the algebra: a copy, without history, padding included.

        Narrow floats become float32, which changes no number.
        """
        return TTMatrix(tuple(widened(core.detach()) for core in self.cores))

    def to_layer(self) -> Layer:
        """The layer of ttalgebra in NumPy."""
        bias = None if self.bias is None else to_numpy(widened(self.bias))
        cores = self.weight.to("numpy").cores
        return Layer(cores, bias, self.in_features, self.out_features)

    def reset_parameters(self, *, variance: Variance = glorot, rng: Any = None) -> None:
        """Draw the cores anew, in place, as the constructor does; the bias is 0.

        For modules that were built on the meta device, and then ``to_empty``.
        """
        first = self.cores[0]
        fresh = drawn_cores(
            self.row_modes,
            self.col_modes,
            self.ranks,
            variance=variance,
            rng=rng,
            device=first.device,
            dtype=first.dtype,
        )
        for core, value in zip(self.cores, fresh, strict=True):
            overwrite(core, value)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Array) -> Array:
        """``x W^T + b``, ``(..., N) -> (..., M)``."""
        named = {f"cores.{k}": core for k, core in enumerate(self.cores)}
        if self.bias is not None:
            named["bias"] = self.bias
        x, named = admitted(x, named, self.col_modes, self.in_features)
        bias = named.pop("bias", None)
        y = applied(tuple(named.values()), x, self.groups, self.out_features)
        return y if bias is None else y + bias

    def extra_repr(self) -> str:
        """Sizes, modes and ranks, for ``repr``."""
        pairs = zip(self.row_modes, self.col_modes, strict=True)
        modes = " ".join(f"{m}x{n}" for m, n in pairs)
        sizes = f"in_features={self.in_features}, out_features={self.out_features}"
        bias = f"bias={self.bias is not None}"
        return f"{sizes}, modes=({modes}), ranks={self.ranks}, {bias}"


def _size(given: int | None, modes: tuple[int, ...], name: str) -> int:
    """``given``, which padding may make smaller than the product of the modes."""
    full = prod(modes)
    size = full if given is None else as_positive(given, f"TTLinear: {name}")
    if size > full:
        message = f"TTLinear: {name} is {size}, the modes {modes} multiply to {full}"
        raise ShapeError(f"{message}; take larger modes")
    return size
