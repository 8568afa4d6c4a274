"""Rules that move each entry for itself: every parameter, piece by piece."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import is_numpy
from ttalgebra.arrays.typing import Array, Parameters

# Numbers: a step of Adam for 2^22 of float32 takes 18 ms and 3 arrays, which are the
# results; whole it takes 31 ms and 5.
PIECE = 2**16

Formula = Callable[..., tuple[Array, ...]]


class Decaying(Protocol):
    """A rule that adds ``decay * p`` to the gradients of what ``decays`` chooses."""

    @property
    def decay(self) -> float:
        """The share."""

    @property
    def decays(self) -> Callable[[str, Array], bool]:
        """The choice."""


def stepped(
    rule: Decaying,
    formula: Formula,
    kept: Sequence[str],
    parameters: Parameters,
    gradients: Parameters,
    state: Mapping[str, Any],
) -> tuple[dict[str, Array], dict[str, Any]]:
    """Parameters and state after ``formula(p, g, *kept) -> (p, *kept)`` for each.

    ``kept`` are the names under which the state holds something of each parameter.
    """
    new, after = {}, {"step": state["step"] + 1}
    for name, p in parameters.items():
        names = [f"{what}.{name}" for what in kept]
        g = gradient_of(name, p, gradients)
        own = _decaying(formula, rule.decay) if _decays(rule, name, p) else formula
        found = entrywise(own, p, g, *(state[n] for n in names))
        new[name] = found[0]
        after |= zip(names, found[1:], strict=True)
    return new, after


def entrywise(formula: Formula, *arrays: Array) -> tuple[Array, ...]:
    """``formula(*arrays)``, results of the shape that all ``arrays`` have.

    In NumPy large ones go through it in pieces that stay in cache: what the formula
    makes on its way is never as large as the arrays, and every bit is the same.
    """
    first = arrays[0]
    if not is_numpy(first) or first.size <= PIECE:
        return formula(*arrays)
    flat = [x.reshape(-1) for x in arrays]
    results: list[np.ndarray] = []
    for k in range(0, first.size, PIECE):
        found = formula(*(x[k : k + PIECE] for x in flat))
        results = results or [np.empty(first.size, part.dtype) for part in found]
        for whole, part in zip(results, found, strict=True):
            whole[k : k + PIECE] = part
    return tuple(whole.reshape(first.shape) for whole in results)


def gradient_of(name: str, p: Array, gradients: Parameters) -> Array:
    """The gradient of ``p`` by its name; ShapeError where there is none that fits."""
    if name not in gradients:
        names = ", ".join(gradients) or "none"
        raise ShapeError(f"update: no gradient is named {name!r}; there are: {names}")
    g = gradients[name]
    if tuple(g.shape) != tuple(p.shape):
        message = f"update: the gradient of {name} has shape {tuple(g.shape)}"
        raise ShapeError(f"{message}, the parameter {tuple(p.shape)}")
    return g


def _decays(rule: Decaying, name: str, p: Array) -> bool:
    return rule.decay > 0 and rule.decays(name, p)


def _decaying(formula: Formula, decay: float) -> Formula:
    return lambda p, g, *kept: formula(p, g + decay * p, *kept)
