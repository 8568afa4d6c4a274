"""Needs JAX (pip install 'ttalgebra[jax]'): trains as pytrees, gradients by hand.

Importing this file makes pytrees of `TTTensor` and `TTMatrix`: they go in and out of
``jax.jit``, ``jax.vmap`` and ``jax.grad`` like any other container of arrays. Nothing
is checked on the way, since the leaves may be tracers, or whatever ``jax.tree.map``
puts there. A gradient by a train comes in the shape of a train, a core for each core;
take steps by ``jax.tree.map``, for ``A - g`` is the difference of two matrices.

JAX computes in 32 bits until ``jax.config.update("jax_enable_x64", True)``. The program
makes that choice, before its first array; nothing here makes it.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from ttalgebra.arrays.checks import as_array, spelled
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.typing import RNG, Array, Cores, Parameters, Ranks
from ttalgebra.cores import chain, gradients, products
from ttalgebra.interop.missing import missing
from ttalgebra.layers import TTLinear, glorot
from ttalgebra.trains.matrix import TTMatrix
from ttalgebra.trains.tensor import TTTensor

try:
    import jax
    import jax.numpy as jnp
except ImportError as error:
    raise missing(__doc__) from error

__all__ = ["apply", "init_tt_linear", "matmat", "tt_linear"]


def apply(A: TTMatrix | Sequence[Array], X: Array) -> Array:
    """``W`` applied to each sample, ``(..., N) -> (..., M)``, with our own pullback.

    ``A`` is a TTMatrix or its cores. ``jax.jit``, ``jax.vmap``, ``jax.grad`` and
    ``jax.jacrev`` work, also of one another. ``jax.jvp`` and ``jax.jacfwd`` cannot pass
    a function with a pullback of its own (``jax.custom_vjp``) and raise TypeError: for
    forward mode take ``A.apply(X)``, the plain contraction, which JAX differentiates.

    Raises TypeError unless all arrays are in JAX, ShapeError where the last axis of
    ``X`` is not ``N``. Cost ``2 n d r^2 m max(M, N)`` flops for ``n`` samples and twice
    that backward under ``jax.jit``; without it, forward is computed again for backward.

    >>> import jax, jax.numpy as jnp, ttalgebra as tt
    >>> from ttalgebra.interop.jax import apply
    >>> A = tt.identity((2, 3), dtype="f4").to("jax")
    >>> g = jax.jit(jax.grad(lambda A: apply(A, jnp.ones((5, 6))).sum()))(A)
    >>> g.row_modes, float(g.cores[0].sum())
    ((2, 3), 60.0)
    """
    cores, X = _operands(A, X, "apply")
    if X.ndim == 0 or X.shape[-1] != products.columns(cores):
        wanted = f"(..., {spelled(products.columns(cores))})"
        raise ShapeError(f"apply: X has shape {tuple(X.shape)}, expected {wanted}")
    Y = _apply(cores, chain.reshape(X, prod(X.shape[:-1]), X.shape[-1]))
    return chain.reshape(Y, *X.shape[:-1], Y.shape[1])


def matmat(A: TTMatrix | Sequence[Array], X: Array) -> Array:
    """``A @ X``, ``(N, n) -> (M, n)``: as `apply`, samples in columns.

    >>> import jax.numpy as jnp
    >>> from ttalgebra.interop.jax import matmat
    >>> cores = jnp.ones((1, 2, 3, 1)), jnp.ones((1, 3, 2, 1))
    >>> matmat(cores, jnp.ones((6, 4)))[0]
    Array([6., 6., 6., 6.], ...)
    """
    cores, X = _operands(A, X, "matmat")
    if X.ndim != 2 or X.shape[0] != products.columns(cores):
        wanted = f"({spelled(products.columns(cores))}, n)"
        raise ShapeError(f"matmat: X has shape {tuple(X.shape)}, expected {wanted}")
    return _apply(cores, X.T).T


def init_tt_linear(
    row_modes: Sequence[int],
    col_modes: Sequence[int],
    ranks: Ranks,
    *,
    bias: bool = True,
    variance: Callable[[int, int], float] = glorot,
    rng: RNG = None,
    dtype: Any = np.float32,
) -> dict[str, Array]:
    """The parameters of `tt_linear`: ``cores.0``, ``cores.1``, ... and ``bias``.

    Those of `layers.TTLinear.random` with the same arguments, number by number: ``rng``
    is a seed or a NumPy Generator, drawn from once and moved, so a seed means the same
    in every array library. TypeError where JAX would not keep ``dtype``.
    """
    layer = TTLinear.random(
        row_modes, col_modes, ranks, bias=bias, variance=variance, rng=rng, dtype=dtype
    )
    return layer.to("jax").parameters


def tt_linear(parameters: Parameters, x: Array) -> Array:
    """The TT-layer ``x W^T + b`` as a pure function, ``(..., N) -> (..., M)``.

    It differentiates as `apply` does. ``layers.TTLinear.restored`` takes the same
    parameters back into a layer that can be saved.

    >>> import jax, jax.numpy as jnp
    >>> from ttalgebra.interop.jax import init_tt_linear, tt_linear
    >>> parameters = init_tt_linear((4, 4), (2, 3), 2, rng=0)
    >>> x = jnp.ones((5, 6))
    >>> gradients = jax.jit(jax.grad(lambda p: tt_linear(p, x).sum()))(parameters)
    >>> gradients["cores.1"].shape, float(gradients["bias"][0])
    ((2, 4, 3, 1), 5.0)
    """
    y = apply(_cores_of(parameters), x)
    return y + parameters["bias"] if "bias" in parameters else y


def _cores_of(parameters: Mapping[str, Array]) -> Cores:
    names = [f"cores.{k}" for k in range(sum(name != "bias" for name in parameters))]
    absent = [name for name in names if name not in parameters]
    if absent or not names:
        found = ", ".join(parameters) or "none"
        message = f"tt_linear: no parameter is named {(absent or ['cores.0'])[0]!r}"
        raise ShapeError(f"{message}; there are: {found}")
    return tuple(parameters[name] for name in names)


def _operands(
    A: TTMatrix | Sequence[Array], X: Array, verb: str
) -> tuple[Cores, Array]:
    """The cores and ``X`` in their common dtype, checked as far as tracers allow."""
    cores = tuple(A.cores if isinstance(A, TTMatrix) else A)
    named = {f"core {k}": core for k, core in enumerate(cores)} | {"X": X}
    for name, x in named.items():
        if not isinstance(x, jax.Array):
            message = f"{verb}: {name} is {type(x).__name__}, not an array of JAX"
            raise TypeError(f'{message}; use A.to("jax") and jnp.asarray')
    chain.require_chain(cores, n_modes=2)
    arrays = [as_array(x, f"{verb}: {name}") for name, x in named.items()]
    dtype = jnp.result_type(*arrays)
    *cores_, X = (x.astype(dtype) for x in arrays)
    return chain.tame(tuple(cores_))[0], X


@jax.custom_vjp
def _apply(cores: Cores, X: Array) -> Array:
    return products.apply(cores, X)


def _forward(cores: Cores, X: Array) -> tuple[Array, tuple[Cores, Array]]:
    return gradients.apply(cores, X)[0], (cores, X)


def _backward(operands: tuple[Cores, Array], dY: Array) -> tuple[Cores, Array]:
    """Our pullback between two conjugations: JAX's gradients are conjugates of ours.

    Ours obey ``dL = Re sum conj(g) dG``, JAX's ``dL = Re sum g dG``. The states are
    asked for again, and under ``jax.jit`` the compiler finds that it has them.
    """
    _, pullback = gradients.apply(*operands)
    dcores, dX = pullback(dY.conj())
    return tuple(dG.conj() for dG in dcores), dX.conj()


_apply.defvjp(_forward, _backward)


def _with_keys(A: TTTensor | TTMatrix) -> tuple[list[tuple[Any, Array]], None]:
    """The cores, named as in files; nothing else makes a train."""
    named = enumerate(A.cores)
    return [(jax.tree_util.GetAttrKey(f"cores.{k}"), core) for k, core in named], None


for _kind in (TTTensor, TTMatrix):
    jax.tree_util.register_pytree_with_keys(
        _kind, _with_keys, lambda _, cores, kind=_kind: kind._of(tuple(cores))
    )
