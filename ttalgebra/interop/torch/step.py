"""Needs PyTorch (pip install 'ttalgebra[torch]'): one core's product, its pullback.

A core seen as the matrix ``C``, ``(i b, a j)``, meets states ``X_p``, ``(a j, t)``, one
for each ``p``. The strings of docs/notation.md are then three products of matrices:

    Y_p  = C X_p                 forward
    dC   = sum_p dY_p X_p^H      cotangent for the output
    dX_p = C^H dY_p              cotangent for the operand

They are those of `cores.gradients`, spelled in PyTorch since its compiler keeps the
batch in ``t`` as a symbol, for which `arrays.contract` has no plan.
"""

from typing import Any

import torch

from ttalgebra.arrays.typing import Array


class Step(torch.autograd.Function):
    """``(C, X, to_come) -> Y``; backward can itself be differentiated.

    ``to_come`` counts the digits in ``t``, without the batch. Cost ``2 |C| p t`` flops
    forward, twice that backward; ``X`` is kept, nothing else.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(C: Array, X: Array, to_come: int) -> Array:  # noqa: ARG004
        """``Y_p = C X_p``."""
        return _times(C, X)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Array) -> None:  # noqa: ARG004
        """What backward and tangents need: the operands."""
        C, X, ctx.to_come = inputs
        ctx.save_for_backward(C, X)
        ctx.save_for_forward(C, X)

    @staticmethod
    def backward(ctx: Any, dY: Array) -> tuple[Array | None, Array | None, None]:
        """``dC`` and ``dX``, each where it is asked for."""
        C, X = ctx.saved_tensors
        wants_C, wants_X, _ = ctx.needs_input_grad
        dC = _outer(dY, X, ctx.to_come) if wants_C else None
        dX = _times(C.mH, dY) if wants_X else None
        return dC, dX, None


class StepWithTangents(Step):
    """`Step` for forward mode too, which PyTorch's compiler refuses to trace."""

    @staticmethod
    def jvp(ctx: Any, dC: Array, dX: Array, _: None) -> Array:
        """``dY_p = dC X_p + C dX_p``."""
        C, X = ctx.saved_tensors
        return _times(dC, X) + _times(C, dX)


def step(C: Array, X: Array, to_come: int) -> Array:
    """``Y_p = C X_p`` and its pullback: ``(i b, a j), (p, a j, t) -> (p, i b, t)``."""
    function = Step if torch.compiler.is_compiling() else StepWithTangents
    return function.apply(C, X, to_come)


def _times(C: Array, X: Array) -> Array:
    return torch.bmm(C.expand(X.shape[0], *C.shape), X)


def _outer(dY: Array, X: Array, to_come: int) -> Array:
    """``sum_p dY_p X_p^H``, as one product where a sum of them would need more room.

    Not even one sample's states may be smaller than the terms; the batch, which may
    be a symbol, has no say.
    """
    p, rows, t = dY.shape
    columns = X.shape[1]
    if rows * columns <= (rows + columns) * to_come:
        return torch.bmm(dY, X.mH).sum(0)
    left = dY.movedim(1, 0).reshape(rows, p * t)
    return left @ X.movedim(1, 0).reshape(columns, p * t).mH
