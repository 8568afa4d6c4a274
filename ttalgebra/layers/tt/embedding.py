"""The TT-embedding: a table of vectors whose rows are read off the cores.

Source: Khrulkov et al. (2019).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_positive
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import has_values, is_complex, namespace_of, to_numpy
from ttalgebra.arrays.typing import RNG, Array, Backward, Cores, Ranks
from ttalgebra.cores.chain import require_chain, reshape
from ttalgebra.cores.products import rows
from ttalgebra.decompose.modes import suggest_modes
from ttalgebra.layers.plain.initial import Variance, glorot
from ttalgebra.layers.protocol import Layer, owned
from ttalgebra.layers.tt import lookup
from ttalgebra.layers.tt_linear import drawn
from ttalgebra.trains.create import random_matrix
from ttalgebra.trains.doors.pairing import promoted
from ttalgebra.trains.matrix import TTMatrix


@dataclass(frozen=True, eq=False)
class TTEmbedding(Layer):
    """Row ``E[x]`` for each index ``x``: ``(n, steps) -> (n, steps, width)``.

    ``E`` is a TT-matrix of rows words, columns features; rows beyond ``words`` are
    never read. An index is a whole number from 0 to ``words - 1``; ints and floats will
    do, for every door of the library makes float64 of ints. Anything between is
    refused, so there is no direction in which an index could move: ``dx`` is 0.

    For ``B`` indices cost ``2 B r^2 width`` flops forward; backward as much, twice,
    and ``m`` times as much to add up what each digit of the words was given.

    Parameters
    ----------
    cores
        Of shapes ``(r, m, n, s)``, ``m`` digits of words; copied, read-only.
    words
        At most the rows of ``E``; None for all of them.

    Notes
    -----
    Raises ShapeError, with its place, for an index out of range or between two.

    Examples
    --------
    >>> from ttalgebra.layers import TTEmbedding
    >>> table = TTEmbedding.random((10, 10, 10), (4, 4, 2), ranks=3, words=997, rng=0)
    >>> table.weight.shape, table.n_parameters
    ((1000, 32), 540)
    >>> y, backward = table([[1, 996, 1], [4, 0, 7]])
    >>> y.shape, list(backward(y)[1])
    ((2, 3, 32), ['cores.0', 'cores.1', 'cores.2'])
    """

    cores: Cores
    words: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.cores, (list, tuple)):
            kind = type(self.cores).__name__
            raise TypeError(f"TTEmbedding: cores must be a list or tuple, got {kind}")
        named = enumerate(self.cores)
        cores = tuple(owned(core, f"TTEmbedding: core {k}") for k, core in named)
        require_chain(cores, n_modes=2)
        object.__setattr__(self, "cores", promoted(*cores))
        object.__setattr__(self, "words", _at_most(rows(cores), self.words))

    @classmethod
    def random(
        cls,
        row_modes: Sequence[int],
        col_modes: Sequence[int],
        ranks: Ranks,
        *,
        words: int | None = None,
        variance: Variance = glorot,
        rng: RNG = None,
        dtype: Any = np.float32,
    ) -> Self:
        """Normal cores; the entries of ``E`` have variance ``variance(words, width)``.

        ``ranks`` as in `tt.random_matrix`, the cores as in `TTLinear.random`.
        """
        E = random_matrix(row_modes, col_modes, ranks, rng=rng, dtype=dtype)
        words = _at_most(E.shape[0], words)
        return cls(drawn(E, variance(words, E.shape[1])), words)

    @classmethod
    def fitting(
        cls,
        words: int,
        width: int,
        ranks: Ranks,
        *,
        order: int = 3,
        **options: Any,
    ) -> Self:
        """A random table of any number of words, ``options`` as in `random`.

        The rows are padded to ``order`` modes of primes up to 7; the width is not, its
        modes are those that it has.

        >>> from ttalgebra.layers import TTEmbedding
        >>> table = TTEmbedding.fitting(25_000, 256, ranks=16, rng=0)
        >>> E = table.weight
        >>> E.row_modes, E.col_modes, E.n_parameters, int(E.compression)
        ((40, 25, 25), (8, 8, 4), 57920, 110)
        """
        row_modes, _ = suggest_modes(words, 1, order=order, pad=True)
        _, col_modes = suggest_modes(1, width, order=order)
        return cls.random(row_modes, col_modes, ranks, words=words, **options)

    @classmethod
    def restored(cls, arrays: Mapping[str, Array], **config: Any) -> Self:
        """From ``cores.0`` to ``cores.{d-1}``."""
        names = [f"cores.{k}" for k in range(len(arrays))]
        if set(names) != set(arrays) or set(config) - {"words"}:
            found = ", ".join([*arrays, *config]) or "nothing"
            raise ShapeError(f"TTEmbedding: cores and words make it, got {found}")
        return cls(tuple(arrays[name] for name in names), **config)

    @property
    def weight(self) -> TTMatrix:
        """``E`` as a value of the algebra, with all its rows."""
        return TTMatrix(self.cores)

    @property
    def parameters(self) -> dict[str, Array]:
        """``cores.0`` to ``cores.{d-1}``."""
        return {f"cores.{k}": core for k, core in enumerate(self.cores)}

    @property
    def config(self) -> dict[str, Any]:
        """How many words there are, where ``E`` has more rows."""
        return {} if self.words == rows(self.cores) else {"words": self.words}

    def _checked(self, x: Array) -> Array:
        x = super()._checked(x)
        if is_complex(x):
            raise TypeError(f"TTEmbedding: x is {x.dtype}; a real array is needed")
        if has_values(x):
            _require_indices(x, int(self.words or 0))
        return x

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """One row for each index, however often it comes."""
        xp, steps = namespace_of(x, *self.cores), tuple(x.shape)
        indices = xp.astype(reshape(x, prod(steps)), xp.int64)
        y, pullback = lookup.rows_at(self.cores, indices)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dcores = pullback(reshape(dy, *y.shape))
            named = {f"cores.{k}": core for k, core in enumerate(dcores)}
            return xp.zeros_like(x), named

        return reshape(y, *steps, y.shape[-1]), backward


def _at_most(size: int, given: int | None) -> int:
    words = size if given is None else as_positive(given, "TTEmbedding: words")
    if words > size:
        message = f"TTEmbedding: words is {words}, the cores have {size} rows"
        raise ShapeError(f"{message}; take larger modes")
    return words


def _require_indices(x: Array, words: int) -> None:
    """Raise ShapeError, naming the first, unless all are whole and in range."""
    xp = namespace_of(x)
    good = (xp.floor(x) == x) & (x >= 0) & (x < words)
    if bool(xp.all(good)):
        return
    host = to_numpy(good)
    place = tuple(int(k) for k in np.unravel_index(int(np.argmin(host)), host.shape))
    message = f"TTEmbedding: x is {to_numpy(x)[place]:.17g} at {place}"
    raise ShapeError(f"{message}; an index is a whole number from 0 to {words - 1}")
