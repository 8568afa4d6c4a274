"""Convolution of images by any linear map of patches: dense, or a TT-matrix.

Source: Garipov et al. (2016).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import Any, Self, TypeAlias

from ttalgebra.arrays.checks import as_count, as_modes, as_positive
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import Array, Backward, Parameters, Ranks
from ttalgebra.cores.chain import reshape
from ttalgebra.layers.block_term import BTLinear
from ttalgebra.layers.plain.dense import Dense
from ttalgebra.layers.protocol import Layer
from ttalgebra.layers.tt.windows import Sliding, images, patches
from ttalgebra.layers.tt_linear import TTLinear

HELD = 2**22  # numbers of patches that exist at a time
Kernel: TypeAlias = Dense | TTLinear | BTLinear


@dataclass(frozen=True, eq=False)
class Conv2D(Layer):
    """``y[o] = kernel(patch of x at stride * o - padding)``, for each place ``o``.

    Maps images ``(n, height * width * channels)``, flat in C order, to images
    ``(n, height' * width' * channels')``; `outputs` has these three sizes. A patch is
    flat as ``(window rows, window columns, channels)``. Zeros surround the image. The
    kernel is not mirrored: it is the correlation that networks call convolution.

    Patches are made for few samples at a time, and made again by backward, so that
    they never exist all at once; between the two only ``x`` is kept. Cost: that of the
    kernel at ``n height' width'`` samples, forward; that and its backward, backward.

    Parameters
    ----------
    kernel
        A `Dense`, `TTLinear` or `BTLinear` of ``prod(window) * channels`` inputs.
    image
        ``(height, width, channels)``.
    window
        ``(rows, columns)``.
    stride, padding
        The same along both axes.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.layers import Conv2D, Dense
    >>> kernel = Dense(np.ones((1, 4)), np.zeros(1))
    >>> layer = Conv2D(kernel, image=(2, 3, 1), window=(2, 2))
    >>> layer(np.arange(6.0)[None])[0], layer.outputs
    (array([[ 8., 12.]]), (1, 2, 1))
    """

    kernel: Kernel
    image: Sequence[int]
    window: Sequence[int] = (3, 3)
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.kernel, Kernel):
            kind, names = type(self.kernel).__name__, "Dense, TTLinear or BTLinear"
            raise TypeError(f"Conv2D: kernel is {kind}; one of {names} is needed")
        image = _sizes(self.image, 3, "image")
        window = _sizes(self.window, 2, "window")
        for name, value in (("image", image), ("window", window)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "stride", as_positive(self.stride, "Conv2D: stride"))
        object.__setattr__(self, "padding", as_count(self.padding, "Conv2D: padding"))
        self._require_meeting()

    @classmethod
    def restored(cls, arrays: Mapping[str, Array], **config: Any) -> Self:
        """From the layer ``kernel``, to which all arrays belong."""
        kernel = config.get("kernel")
        if not isinstance(kernel, Layer) or set(arrays) != set(kernel.arrays):
            found = ", ".join(arrays) or "none"
            raise ShapeError(f"Conv2D: its arrays are those of a kernel, got {found}")
        return cls(**config)

    @property
    def inputs(self) -> tuple[int, ...]:
        """``(height, width, channels)``."""
        return tuple(self.image)

    @property
    def outputs(self) -> tuple[int, int, int]:
        """``(height', width', channels')``: the ``image`` of a layer that follows."""
        rows, columns = self._slides
        return rows.steps, columns.steps, _rows(self.kernel)

    @property
    def parameters(self) -> dict[str, Array]:
        """Those of the kernel."""
        return self.kernel.parameters

    @property
    def config(self) -> dict[str, Any]:
        """The sizes; the kernel has its own."""
        return {
            "image": list(self.image),
            "window": list(self.window),
            "stride": self.stride,
            "padding": self.padding,
        }

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """Block by block of the samples; backward meets each block again."""
        xp, blocks = namespace_of(x), self._blocks(int(x.shape[0]))
        found = [self._met(x[a:b, ...])[0] for a, b in blocks]
        y = xp.concat(found, axis=0)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dxs: list[Array] = []
            total: dict[str, Array] = {}
            for a, b in blocks:
                dx, gradients = self._met(x[a:b, ...])[1](dy[a:b, ...])
                dxs.append(dx)
                for name, g in gradients.items():
                    total[name] = total[name] + g if name in total else g
            return xp.concat(dxs, axis=0), total

        return y, backward

    def _met(self, x: Array) -> tuple[Array, Backward]:
        """All patches of a block, at once."""
        (height, width, c), (rows, columns) = self.image, self._slides
        n = x.shape[0]
        met, pull = self.kernel(patches(reshape(x, n, height, width, c), rows, columns))

        def backward(dy: Array) -> tuple[Array, Parameters]:
            dmet, gradients = pull(reshape(dy, *met.shape))
            dx = images(dmet, rows, columns, c)
            return reshape(dx, n, height * width * c), gradients

        return reshape(met, n, prod(self.outputs)), backward

    def _blocks(self, n: int) -> list[tuple[int, int]]:
        """Where blocks of at most `HELD` numbers begin and end; one if ``n`` is 0."""
        rows, columns = self._slides
        each = rows.steps * columns.steps * prod(self.window) * self.image[2]
        return list(pairwise([*range(0, max(n, 1), max(1, HELD // each)), n]))

    @cached_property
    def _slides(self) -> tuple[Sliding, Sliding]:
        rows, columns = (
            Sliding(size, length, self.stride, self.padding)
            for size, length in zip(self.image[:2], self.window, strict=True)
        )
        return rows, columns

    def _require_meeting(self) -> None:
        shape, window = tuple(self.image), tuple(self.window)
        if min(slide.steps for slide in self._slides) < 1:
            message = f"Conv2D: a window of {window} does not fit into {shape[:2]}"
            raise ShapeError(f"{message} with a padding of {self.padding}")
        wanted, found = prod(window) * shape[2], prod(self.kernel.inputs)
        if wanted != found:
            sizes = " * ".join(map(str, (*window, shape[2])))
            message = f"Conv2D: the kernel has {found} inputs"
            raise ShapeError(f"{message}, a patch {wanted} = {sizes} numbers")

    def _rebuilt(self, arrays: Mapping[str, Array]) -> Self:
        return type(self)(self.kernel._rebuilt(arrays), **self.config)


def tt_conv2d(
    image: Sequence[int],
    row_modes: Sequence[int],
    col_modes: Sequence[int],
    ranks: Ranks,
    *,
    window: Sequence[int] = (3, 3),
    stride: int = 1,
    padding: int = 0,
    **options: Any,
) -> Conv2D:
    """A convolution by a TT-matrix: the window is a core, the channels are others.

    ``prod(col_modes)`` are the channels of ``image``, ``prod(row_modes)`` those that
    come out; the first core, of modes ``1 x window``, is put before theirs. ``options``
    as in `TTLinear.random`, whose rows are channels and whose columns are patches.
    Source: Garipov et al. (2016).

    >>> from ttalgebra.layers import tt_conv2d
    >>> layer = tt_conv2d((32, 32, 64), (4, 4, 4), (4, 4, 4), 8, padding=1, rng=0)
    >>> layer.outputs, layer.kernel.weight.shape, layer.kernel.weight.n_parameters
    ((32, 32, 64), (64, 576), 2248)
    """
    l_rows, l_columns = _sizes(window, 2, "window")
    kernel = TTLinear.random(
        (1, *row_modes), (l_rows * l_columns, *col_modes), ranks, **options
    )
    return Conv2D(kernel, image, window, stride, padding)


def _sizes(given: Any, count: int, name: str) -> tuple[int, ...]:
    sizes = as_modes(given, f"Conv2D: {name}")
    if len(sizes) != count:
        wanted = {2: "(rows, columns)", 3: "(height, width, channels)"}[count]
        raise ShapeError(f"Conv2D: {name} is {sizes}; {wanted} is needed")
    return sizes


def _rows(kernel: Kernel) -> int:
    """How many outputs a linear map has."""
    if isinstance(kernel, TTLinear):
        return int(kernel.n_out or 0)
    return int(kernel.weight.shape[0])
