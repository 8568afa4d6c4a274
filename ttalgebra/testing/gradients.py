"""Whether a pullback is the adjoint of the derivative: one random direction tells.

For ``y = f(x)``, a direction ``v`` and a cotangent ``w`` a pullback must satisfy

    ``Re <w, f'(x) v> = Re <pullback(w), v>``,  ``<a, b> = sum conj(a) * b``.

Three ways to the left side: exact where ``f`` is linear in each argument, exact to
roundoff where it is real analytic, and to the square root of roundoff elsewhere.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import (
    from_numpy,
    is_array,
    is_complex,
    namespace_of,
    to_numpy,
)
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG, Array

Map: TypeAlias = Callable[..., tuple[Array, Callable[[Array], Any]]]
Line: TypeAlias = Callable[[complex], np.ndarray]  # t -> f(x + t v), on the host
Difference: TypeAlias = Callable[[Line], tuple[np.ndarray, float]]


def linear(line: Line) -> tuple[np.ndarray, float]:
    """``f(x + v) - f(x)``: exact if ``f`` is linear in the argument that moves."""
    return line(1.0) - line(0.0), 1e-12


def complex_step(line: Line) -> tuple[np.ndarray, float]:
    """``Im f(x + i h v) / h`` with ``h = 1e-30``: nothing is subtracted.

    Source: Squire & Trapp (1998). For real analytic ``f`` and real arguments.
    """
    return np.asarray(line(1e-30j).imag) / 1e-30, 1e-12


def central(line: Line) -> tuple[np.ndarray, float]:
    """``(f(x + h v) - f(x - h v)) / 2h`` with ``h = eps^(1/3)``, error ``O(h^2)``."""
    h = 2.0**-17
    return (line(h) - line(-h)) / (2 * h), 1e-7


def check_pullback(
    function: Map,
    *arguments: Any,
    rng: RNG = 0,
    difference: Difference = central,
    tol: float | None = None,
) -> None:
    """Raise AssertionError unless the pullback of ``function`` is exact.

    Each argument is checked by itself in a random direction, and the pullback is
    checked to be linear. Use float64 or complex128.

    Parameters
    ----------
    function
        ``function(*arguments)`` returns ``y, pullback``; ``pullback(dy)`` returns one
        cotangent for each argument (the cotangent itself if there is one argument).
    arguments
        Arrays, or tuples, lists or dicts of arrays; cotangents have the same layout.
    difference
        `linear`, `complex_step` or `central`: what the left side is computed by.
    tol
        The error allowed, relative to ``sum |w| |f'(x) v|``; each way has its own.

    >>> import numpy as np
    >>> from ttalgebra.testing import check_pullback, linear
    >>> W = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> check_pullback(lambda x: (W @ x, lambda dy: W.T @ dy), W[0], difference=linear)
    >>> check_pullback(lambda x: (W @ x, lambda dy: W @ dy), W[0], difference=linear)
    Traceback (most recent call last):
    AssertionError: argument 0: the function moves by 0.0447..., the pullback says ...
    """
    if not arguments:
        raise ShapeError("check_pullback: there is no argument to differentiate by")
    draw = generator(rng)
    y, pullback = function(*arguments)
    w, u = _random_like(y, draw), _random_like(y, draw)
    cotangents = _per_argument(pullback(w), len(arguments))
    for k, (argument, cotangent) in enumerate(zip(arguments, cotangents, strict=True)):
        _require_same_layout(cotangent, argument, f"argument {k}")
        v = _map(lambda x: _random_like(x, draw), argument)
        line = _line(function, arguments, k, v)
        moved, own_tol = difference(line)
        _compare(to_numpy(w), moved, cotangent, v, f"argument {k}", tol or own_tol)
    _check_linear(pullback, w, u, cotangents)


def _line(function: Map, arguments: tuple[Any, ...], k: int, v: Any) -> Line:
    def line(t: complex) -> np.ndarray:
        moved = _map(lambda x, direction: x + t * direction, arguments[k], v)
        y, _ = function(*arguments[:k], moved, *arguments[k + 1 :])
        return to_numpy(y)

    return line


def _compare(
    w: np.ndarray, moved: np.ndarray, cotangent: Any, v: Any, what: str, tol: float
) -> None:
    pairs = list(zip(_leaves(cotangent), _leaves(v), strict=True))
    said = sum(_pairing(to_numpy(g), to_numpy(x)) for g, x in pairs)
    found = _pairing(w, moved)
    scale = float(np.abs(w * moved).sum())
    scale += sum(float(np.abs(to_numpy(g) * to_numpy(x)).sum()) for g, x in pairs)
    if not abs(found - said) <= tol * scale:
        message = f"{what}: the function moves by {found:.17g}"
        raise AssertionError(f"{message}, the pullback says {said:.17g} (tol {tol:g})")


def _check_linear(
    pullback: Callable[[Array], Any], w: Array, u: Array, at_w: Any
) -> None:
    at_u, at_both = pullback(u), pullback(2.0 * w + u)
    n = len(at_w)
    for k in range(n):
        triples = zip(
            _leaves(at_w[k]),
            _leaves(_per_argument(at_u, n)[k]),
            _leaves(_per_argument(at_both, n)[k]),
            strict=True,
        )
        for a, b, both in (tuple(map(to_numpy, triple)) for triple in triples):
            error = float(np.abs(both - (2.0 * a + b)).max(initial=0.0))
            scale = float((2.0 * np.abs(a) + np.abs(b)).max(initial=0.0))
            if not error <= 1e-12 * scale:
                message = f"argument {k}: the pullback is not linear in dy"
                raise AssertionError(
                    f"{message}; it is off by {error:.3g} of {scale:.3g}"
                )


def _pairing(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sum(a.conj() * b).real)


def _per_argument(cotangents: Any, n: int) -> tuple[Any, ...]:
    return (cotangents,) if n == 1 else tuple(cotangents)


def _require_same_layout(cotangent: Any, argument: Any, what: str) -> None:
    shapes = [[tuple(x.shape) for x in _leaves(t)] for t in (cotangent, argument)]
    if shapes[0] != shapes[1]:
        message = f"{what} has shapes {shapes[1]}"
        raise AssertionError(f"{message}, its cotangent {shapes[0]}")


def _random_like(x: Array, rng: np.random.Generator) -> Array:
    """Normal entries in the dtype and library of ``x``."""
    drawn = rng.standard_normal(tuple(x.shape))
    if is_complex(x):
        drawn = drawn + 1j * rng.standard_normal(tuple(x.shape))
    moved = from_numpy(np.asarray(drawn), like=x)
    return namespace_of(x).astype(moved, x.dtype)


def _leaves(tree: Any) -> list[Array]:
    if is_array(tree):
        return [tree]
    branches = [tree[k] for k in sorted(tree)] if isinstance(tree, Mapping) else tree
    return [leaf for branch in branches for leaf in _leaves(branch)]


def _map(function: Callable[..., Array], tree: Any, *others: Any) -> Any:
    if is_array(tree):
        return function(tree, *others)
    if isinstance(tree, Mapping):
        return {k: _map(function, tree[k], *(o[k] for o in others)) for k in tree}
    pairs = zip(tree, *others, strict=True)
    return tuple(_map(function, *pair) for pair in pairs)
