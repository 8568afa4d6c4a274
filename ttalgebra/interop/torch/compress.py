"""Needs PyTorch (pip install 'ttalgebra[torch]'): TT-layers where they pay."""

import warnings
from collections import Counter
from collections.abc import Collection
from copy import deepcopy
from dataclasses import replace

from torch import nn

from ttalgebra.arrays.checks import as_count, as_positive, as_tol
from ttalgebra.arrays.errors import NonFiniteError, ShapeError, ToleranceWarning
from ttalgebra.interop.torch.linear import TTLinear
from ttalgebra.interop.torch.report import CompressionReport, LayerReport

HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
)


def compress_module(
    model: nn.Module,
    *,
    tol: float | None = None,
    max_rank: int | None = None,
    min_parameters: int = 4096,
    keep: Collection[str] = (),
) -> tuple[nn.Module, CompressionReport]:
    """A copy of ``model`` with TT-layers for the Linear layers that they make smaller.

    A layer is replaced where its TT-form has fewer parameters and, if ``tol`` is
    given, a relative Frobenius error of at most ``tol``. One that two places share
    stays shared. Left as they are: weights that are tied to another parameter,
    computed (pruning, weight norm), not finite or without values; layers with hooks;
    subclasses of ``nn.Linear``, whose owners may reach for the weight, as
    ``nn.MultiheadAttention`` does. The report says which and why.

    Parameters
    ----------
    tol, max_rank
        As in `TTMatrix.from_dense`, for each layer, one number for all; at least one.
    min_parameters
        Layers with fewer weights are left.
    keep
        Names of modules whose layers are left, as in ``model.named_modules()``.

    Notes
    -----
    Raises TypeError unless ``model`` is a module that PyTorch can copy and ``tol`` or
    ``max_rank`` is given, ShapeError for a name that is none. ``model`` is not
    changed. Cost: one TT-SVD for each layer that is tried.

    Examples
    --------
    >>> import torch, ttalgebra as tt
    >>> model = torch.nn.Sequential(torch.nn.Linear(256, 256), torch.nn.Linear(256, 10))
    >>> i, j = torch.arange(256.0)[:, None], torch.arange(256.0)
    >>> _ = model[0].weight.data.copy_(1 / (1 + (i - j).abs()))
    >>> small, report = tt.interop.torch.compress_module(model, tol=1e-3)
    >>> [(layer.name, layer.replaced, layer.reason) for layer in report.layers]
    [('0', True, 'smaller'), ('1', False, '2,560 weights, below min_parameters=4096')]
    >>> report.layers[0].before, report.layers[0].after < 4000
    (65792, True)
    """
    _check(model, tol, max_rank, keep)
    least = as_count(min_parameters, "compress_module: min_parameters")
    small = _copied(model)
    kept = {part for name in keep for part in small.get_submodule(name).modules()}
    tied = _tied(small)
    reports = []
    for linear, names in _linears(small):
        reason = "named in keep" if linear in kept else _why_left(linear, tied, least)
        shape = (linear.out_features, linear.in_features)
        report = LayerReport(names, shape, _count(linear), reason)
        if not reason:
            layer, report = _tried(linear, report, tol, max_rank)
            small = small if layer is None else _with(small, names, layer)
        reports.append(report)
    _leave_fast_path(small)
    return small, CompressionReport(tuple(reports), _count(model), _count(small))


def _check(
    model: object, tol: float | None, max_rank: int | None, keep: Collection[str]
) -> None:
    if not isinstance(model, nn.Module):
        kind = f"{type(model).__module__}.{type(model).__name__}"
        raise TypeError(f"compress_module: a torch.nn.Module is needed, got {kind}")
    if max_rank is not None:
        as_positive(max_rank, "compress_module: max_rank")
    if as_tol(tol, "compress_module") is None and max_rank is None:
        raise TypeError("compress_module: give tol= or max_rank=, or both")
    if isinstance(keep, str):
        raise TypeError(f"compress_module: keep must be names, as in keep=[{keep!r}]")
    known = {name for name, _ in model.named_modules(remove_duplicate=False)}
    for name in keep:
        if name not in known:
            message = f"compress_module: keep has {name!r}, which is no module"
            raise ShapeError(f"{message}; names are those of model.named_modules()")


def _copied(model: nn.Module) -> nn.Module:
    try:
        return deepcopy(model)
    except RuntimeError as error:
        message = "compress_module: PyTorch cannot copy this model"
        advice = "make pruning permanent with torch.nn.utils.prune.remove"
        raise TypeError(
            f"{message}, as some of its tensors are computed; {advice}"
        ) from error


def _linears(model: nn.Module) -> list[tuple[nn.Linear, tuple[str, ...]]]:
    """Each Linear layer once, with all the paths that lead to it."""
    paths: dict[nn.Linear, list[str]] = {}
    for name, module in model.named_modules(remove_duplicate=False):
        if isinstance(module, nn.Linear):
            paths.setdefault(module, []).append(name)
    return [(linear, tuple(names)) for linear, names in paths.items()]


def _tied(model: nn.Module) -> set[int]:
    """The ids of parameters that two modules, or two names of one, hold."""
    held = Counter(
        id(parameter)
        for module in model.modules()
        for _, parameter in module.named_parameters(
            recurse=False, remove_duplicate=False
        )
    )
    return {identity for identity, count in held.items() if count > 1}


def _why_left(linear: nn.Linear, tied: set[int], least: int) -> str:
    """Why the layer is not tried; empty where it is."""
    if type(linear) is not nn.Linear:
        return f"a subclass, {type(linear).__name__}, whose owner may use its weight"
    if any(getattr(linear, hooks) for hooks in HOOKS):
        return "it has hooks"
    if "weight" not in dict(linear.named_parameters(recurse=False)):
        return "its weight is computed from other parameters"
    if id(linear.weight) in tied:
        return "its weight is tied to another parameter"
    if linear.weight.is_meta:
        return "its weight is on the meta device and has no values"
    if linear.weight.numel() < least:
        return f"{linear.weight.numel():,} weights, below min_parameters={least}"
    return ""


def _tried(
    linear: nn.Linear, report: LayerReport, tol: float | None, max_rank: int | None
) -> tuple[TTLinear | None, LayerReport]:
    """The layer to put in its place, or None, and the report with the decision."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ToleranceWarning)  # the report says it
            layer, info = TTLinear.from_linear(
                linear, tol=tol, max_rank=max_rank, return_info=True
            )
    except NonFiniteError:
        return None, replace(report, reason="its weight is not finite")
    layer.bias = linear.bias  # the very parameter: it may be tied
    after = _count(layer)
    report = replace(
        report,
        row_modes=layer.row_modes,
        col_modes=layer.col_modes,
        ranks=layer.ranks,
        after=after,
        error=info.error,
    )
    if not info.tol_met:
        return None, replace(report, reason=f"its error is above tol={tol:.3g}")
    if after >= report.before:
        return None, replace(report, reason="its TT-form is no smaller")
    return layer, replace(report, reason="smaller", replaced=True)


def _with(model: nn.Module, names: tuple[str, ...], layer: TTLinear) -> nn.Module:
    """``model`` with ``layer`` under all these names."""
    for name in names:
        if not name:
            return layer
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, layer)
    return model


def _leave_fast_path(model: nn.Module) -> None:
    """Switch PyTorch's fused encoder off where it would take ``weight`` for a tensor.

    The two flags are those by which the encoder says that it cannot be fused.
    """
    for module in model.modules():
        changed = any(isinstance(part, TTLinear) for part in module.children())
        if changed and isinstance(module, nn.TransformerEncoderLayer):
            module.activation_relu_or_gelu = 0
    for module in model.modules():
        if isinstance(module, nn.TransformerEncoder):
            flags = (getattr(x, "activation_relu_or_gelu", 0) for x in module.layers)
            module.use_nested_tensor &= all(flags)


def _count(module: nn.Module) -> int:
    known = (p for p in module.parameters() if not nn.parameter.is_lazy(p))
    return sum(parameter.numel() for parameter in known)
