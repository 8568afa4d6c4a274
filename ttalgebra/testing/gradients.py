"""Whether a pullback is the adjoint of the derivative: one random direction tells.

For ``y = f(x)``, a direction ``v`` and a cotangent ``w`` a pullback must satisfy

    ``Re <w, f'(x) v> = Re <pullback(w), v>``,  ``<a, b> = sum conj(a) * b``.

Three ways to the left side: exact where ``f`` is linear in each array, exact to
roundoff where it is real analytic, and to the square root of roundoff elsewhere.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

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
EPS = 2.0**-52


class Moved(NamedTuple):
    """How a value moves: ``f'(x) v``, its relative error, and its roundoff."""

    derivative: np.ndarray
    relative: float
    roundoff: float


Difference: TypeAlias = Callable[[Line], Moved]


def linear(line: Line) -> Moved:
    """``f(x + v) - f(x)``: exact if ``f`` is linear in the argument that moves."""
    after, before = line(1.0), line(0.0)
    return Moved(after - before, 1e-12, 16 * EPS * _largest(before))


def complex_step(line: Line) -> Moved:
    """``Im f(x + i h v) / h`` with ``h = 1e-30``: nothing is subtracted.

    Source: Squire & Trapp (1998). For real analytic ``f`` and real arguments.
    """
    return Moved(np.asarray(line(1e-30j).imag) / 1e-30, 1e-12, 0.0)


def central(line: Line) -> Moved:
    """``(f(x + h v) - f(x - h v)) / 2h`` with ``h = eps^(1/3)``, error ``O(h^2)``."""
    h = 2.0**-17
    after, before = line(h), line(-h)
    roundoff = 16 * EPS * _largest(before) / h
    return Moved((after - before) / (2 * h), 1e-7, roundoff)


def check_pullback(
    function: Map,
    *arguments: Any,
    rng: RNG = 0,
    difference: Difference = central,
) -> None:
    """Raise AssertionError unless the pullback of ``function`` is exact.

    Each array of the arguments is moved by itself, in a random direction, and the
    pullback is checked to be linear. Use float64 or complex128.

    Parameters
    ----------
    function
        ``function(*arguments)`` returns ``y, pullback``; ``pullback(dy)`` returns one
        cotangent for each argument (the cotangent itself if there is one argument).
    arguments
        Arrays, or tuples, lists or dicts of arrays; cotangents have the same layout.
    difference
        `linear`, `complex_step` or `central`: what the left side is computed by. Each
        brings its tolerance, relative to ``sum |w| |f'(x) v|``.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.testing import check_pullback, linear
    >>> W = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> check_pullback(lambda x: (W @ x, lambda dy: W.T @ dy), W[0], difference=linear)
    >>> check_pullback(lambda x: (W @ x, lambda dy: W @ dy), W[0], difference=linear)
    Traceback (most recent call last):
    AssertionError: array 0: the function moves by 0.0447..., the pullback says ...
    """
    if not arguments:
        raise ShapeError("check_pullback: there is no argument to differentiate by")
    draw = generator(rng)
    y, pullback = function(*arguments)
    w, u = _random_like(y, draw), _random_like(y, draw)
    cotangents = _per_argument(pullback(w), len(arguments))
    _require_same_layout(cotangents, arguments)
    given, pulled = _leaves(arguments), _leaves(cotangents)
    for k, (x, cotangent) in enumerate(zip(given, pulled, strict=True)):
        v = _random_like(x, draw)
        moved = difference(_line(function, arguments, k, v))
        _compare(to_numpy(w), moved, to_numpy(cotangent), to_numpy(v), f"array {k}")
    _check_linear(pullback, w, u, len(arguments))


def _line(function: Map, arguments: tuple[Any, ...], k: int, v: Array) -> Line:
    """``t -> f(x + t v)`` where only array ``k`` of all arguments moves."""
    leaves = _leaves(arguments)

    def line(t: complex) -> np.ndarray:
        moved = [*leaves[:k], leaves[k] + t * v, *leaves[k + 1 :]]
        y, _ = function(*_rebuilt(arguments, iter(moved)))
        return to_numpy(y)

    return line


def _compare(
    w: np.ndarray, moved: Moved, cotangent: np.ndarray, v: np.ndarray, what: str
) -> None:
    left, right = w.conj() * moved.derivative, cotangent.conj() * v
    found, said = float(np.sum(left).real), float(np.sum(right).real)
    scale = float(np.abs(left).sum() + np.abs(right).sum())
    tol = moved.relative * scale + moved.roundoff * float(np.abs(w).sum())
    if not abs(found - said) <= tol:
        message = f"{what}: the function moves by {found:.17g}"
        raise AssertionError(f"{message}, the pullback says {said:.17g} (tol {tol:g})")


def _check_linear(
    pullback: Callable[[Array], Any], w: Array, u: Array, n_arguments: int
) -> None:
    at_w, at_u, at_sum = (
        _leaves(_per_argument(pullback(dy), n_arguments)) for dy in (w, u, 2.0 * w + u)
    )
    for k, leaves in enumerate(zip(at_w, at_u, at_sum, strict=True)):
        a, b, both = map(to_numpy, leaves)
        error = _largest(both - (2.0 * a + b))
        scale = _largest(2.0 * np.abs(a) + np.abs(b))
        # a gradient that is truly zero is roundoff of the size of dy
        if not error <= 1e-12 * scale + 64 * EPS * _largest(to_numpy(w)):
            message = f"array {k}: the pullback is not linear in dy"
            raise AssertionError(f"{message}; off by {error:.3g} of {scale:.3g}")


def _largest(x: np.ndarray) -> float:
    return float(np.abs(x).max(initial=0.0))


def _per_argument(cotangents: Any, n: int) -> tuple[Any, ...]:
    return (cotangents,) if n == 1 else tuple(cotangents)


def _require_same_layout(cotangents: Any, arguments: Any) -> None:
    theirs, ours = (
        [tuple(x.shape) for x in _leaves(t)] for t in (cotangents, arguments)
    )
    if theirs != ours:
        message = f"the arguments have shapes {ours}"
        raise AssertionError(f"{message}, their cotangents {theirs}")


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


def _rebuilt(tree: Any, leaves: Iterator[Array]) -> Any:
    """``tree`` with its arrays replaced, in the order of `_leaves`."""
    if is_array(tree):
        return next(leaves)
    if isinstance(tree, Mapping):
        return {k: _rebuilt(tree[k], leaves) for k in sorted(tree)}
    return tuple(_rebuilt(branch, leaves) for branch in tree)
