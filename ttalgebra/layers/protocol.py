"""What a layer is: ``y, backward = layer(x)``; ``dx, gradients = backward(dy)``.

What backward needs is in its closure; nothing is cached on the layer, so one layer
may be called any number of times before any backward. A layer never changes: a
training step makes a new one. All gradients obey ``dL = Re sum(conj(g) * dG)``.

``x`` and ``y`` are kept for backward, not copied: do not edit them before it has run.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import prod
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_array, require_finite
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import (
    copied,
    is_complex,
    is_numpy,
    move,
    namespace_of,
    nbytes_of,
)
from ttalgebra.arrays.typing import Array, Backward

_AXES = {
    2: "two axes, (samples, features)",
    3: "three axes, (samples, steps, features)",
}


class Layer(ABC):
    """A map of batches ``(n, features) -> (n, features')`` with named arrays.

    Layers of sequences meet ``(n, steps, features)``; their `axes` are 3. Calling a
    layer is inference; `training` gives the form that one step of training uses. A
    new layer defines `forward`, and whichever of `parameters`, `statistics`, `config`
    and `inputs` is not empty.
    """

    @abstractmethod
    def forward(self, x: Array) -> tuple[Array, Backward]:
        """``y`` and its backward, for an ``x`` that has been checked."""

    def __call__(self, x: Array) -> tuple[Array, Backward]:
        """``y`` and ``backward``, which maps ``dy`` to ``dx`` and the gradients."""
        x = self._checked(x)
        y, backward = self.forward(x)
        y = _own(y, x)
        shape, arrays = tuple(y.shape), self.arrays

        def checked(dy: Array) -> tuple[Array, dict[str, Array]]:
            dy = as_array(dy, "dy")
            if tuple(dy.shape) != shape:
                message = f"{self.name}: dy has shape {tuple(dy.shape)}, y has {shape}"
                raise ShapeError(f"{message}; they must agree")
            dx, gradients = backward(dy)
            own = {name: as_like(g, arrays[name]) for name, g in gradients.items()}
            return as_like(_own(dx, dy), x), own

        return y, checked

    def _checked(self, x: Array) -> Array:
        x = as_array(x, f"{self.name}: x")
        if x.ndim != self.axes:
            message = f"{self.name}: x has shape {tuple(x.shape)}, expected"
            raise ShapeError(f"{message} {_AXES[self.axes]}")
        wanted = prod(self.inputs)
        if self.inputs and x.shape[-1] != wanted:
            factors = " * ".join(map(str, self.inputs))
            size = f"{wanted} = {factors}" if len(self.inputs) > 1 else f"{wanted}"
            message = f"{self.name}: x has {x.shape[-1]} features"
            raise ShapeError(f"{message}, the weight expects {size}")
        return x

    def training(self, rng: np.random.Generator) -> "Layer":  # noqa: ARG002
        """The layer as one step of training uses it; most are the same there."""
        return self

    def projected(self) -> "Layer":
        """The layer with its parameters brought back to where they are allowed.

        Each step of training ends with it; for most layers anything is allowed.
        """
        return self

    @property
    def name(self) -> str:
        """What error messages and files call this layer."""
        return type(self).__name__

    @property
    def axes(self) -> int:
        """2 for ``(samples, features)``, 3 for ``(samples, steps, features)``."""
        return 2

    @property
    def inputs(self) -> tuple[int, ...]:
        """Modes whose product ``x`` must have as features; empty where any will do."""
        return ()

    @property
    def parameters(self) -> dict[str, Array]:
        """The arrays that are learned, flat, by name."""
        return {}

    @property
    def statistics(self) -> dict[str, Array]:
        """Arrays that are measured; in training, backward returns those that change."""
        return {}

    @property
    def constants(self) -> dict[str, np.ndarray]:
        """Arrays that neither training nor moving changes: a graph, for one."""
        return {}

    @property
    def config(self) -> dict[str, Any]:
        """Whatever, besides the arrays, makes this layer; plain JSON values."""
        return {}

    @property
    def arrays(self) -> dict[str, Array]:
        """Parameters and statistics: with the constants, all that a file holds."""
        return self.parameters | self.statistics

    @property
    def n_parameters(self) -> int:
        """The number of learned numbers."""
        return sum(prod(x.shape) for x in self.parameters.values())

    @property
    def nbytes(self) -> int:
        """The bytes of all arrays, measured ones included."""
        return sum(nbytes_of(x) for x in self.arrays.values())

    @classmethod
    def restored(cls, arrays: Mapping[str, Array], **config: Any) -> Self:
        """The layer that has these `arrays` and `constants`, and this `config`."""
        return cls(**arrays, **config)

    def with_arrays(self, arrays: Mapping[str, Array]) -> Self:
        """A new layer with these arrays in place of those of the same names.

        Raises ShapeError for an unknown name and for another shape.
        """
        own = self.arrays
        for name, array in arrays.items():
            self._require_fit(name, array, own)
        return self._rebuilt({**own, **arrays})

    def _require_fit(self, name: str, array: Array, own: dict[str, Array]) -> None:
        verb = f"{self.name}.with_arrays"
        if name not in own:
            names = ", ".join(own) or "none"
            raise ShapeError(f"{verb}: no array is named {name!r}; there are: {names}")
        shape, wanted = tuple(np.shape(array)), tuple(own[name].shape)
        if shape != wanted:
            raise ShapeError(f"{verb}: {name} has shape {shape}, expected {wanted}")

    def _rebuilt(self, arrays: Mapping[str, Array]) -> Self:
        return type(self).restored({**arrays, **self.constants}, **self.config)

    def to(self, backend: str, device: object = None) -> Self:
        """A copy in the array library named ``backend``; TypeError if there is none."""
        moved = {name: move(x, backend, device) for name, x in self.arrays.items()}
        return self._rebuilt(moved)


def _own(result: Array, given: Array) -> Array:
    """``result``, copied where it is what the caller gave: results are never shared."""
    return copied(given) if result is given else result


def owned(x: Any, name: str) -> Array:
    """``x`` as a layer keeps it: finite, and where the library can, read-only.

    Copied, unless it is a NumPy array that nobody can write to.
    """
    x = as_array(x, name)
    require_finite(x, name)
    if not is_numpy(x):
        return copied(x)
    if x.flags.writeable or x.base is not None:
        x = x.copy()
        x.flags.writeable = False
    return x


def require_axes(x: Array, n_axes: int, name: str) -> None:
    """Raise ShapeError unless ``x`` has ``n_axes`` axes, none of them empty."""
    if x.ndim != n_axes or 0 in x.shape:
        message = f"{name} has shape {tuple(x.shape)}, expected {n_axes} axes"
        raise ShapeError(f"{message}, each of at least 1")


def as_like(gradient: Array, like: Array) -> Array:
    """A gradient in the dtype of what it is the gradient of.

    Where that is real, the real part: the only direction in which it can move.
    """
    xp = namespace_of(gradient)
    if is_complex(gradient) and not is_complex(like):
        gradient = xp.real(gradient)
    return xp.astype(gradient, like.dtype, copy=False)
