"""LSTMs and GRUs whose map of the inputs is compressed: TT-LSTM, TT-GRU, BT-LSTM.

The gates are fused in the first row mode, which is so many times that of the state.
Source: Yang et al. (2017); Ye et al. (2018).
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any, TypeVar

import numpy as np

from ttalgebra.arrays.checks import as_modes
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG, Ranks
from ttalgebra.layers.block_term import BTLinear
from ttalgebra.layers.plain.initial import Variance, glorot
from ttalgebra.layers.protocol import Layer
from ttalgebra.layers.recurrent.gated import Gated
from ttalgebra.layers.recurrent.gru import GRU
from ttalgebra.layers.recurrent.lstm import LSTM
from ttalgebra.layers.tt_linear import TTLinear

Cell = TypeVar("Cell", bound=Gated)


def tt_lstm(
    state_modes: Sequence[int],
    col_modes: Sequence[int],
    ranks: Ranks,
    *,
    sequences: bool = False,
    variance: Variance = glorot,
    rng: RNG = None,
    dtype: Any = np.float32,
) -> LSTM:
    """An LSTM of ``prod(state_modes)`` states behind a `TTLinear` of its inputs.

    >>> from ttalgebra.layers import tt_lstm
    >>> lstm = tt_lstm((4, 4, 4, 4), (8, 20, 20, 18), ranks=4, rng=0)
    >>> lstm.gates.weight.n_parameters, int(lstm.gates.weight.compression)
    (3360, 17554)
    """
    random = partial(TTLinear.random, ranks=ranks, variance=variance)
    return _behind(LSTM, random, state_modes, col_modes, sequences, rng, dtype)


def tt_gru(
    state_modes: Sequence[int],
    col_modes: Sequence[int],
    ranks: Ranks,
    *,
    sequences: bool = False,
    variance: Variance = glorot,
    rng: RNG = None,
    dtype: Any = np.float32,
) -> GRU:
    """A GRU of ``prod(state_modes)`` states behind a `TTLinear` of its inputs.

    >>> from ttalgebra.layers import tt_gru
    >>> gru = tt_gru((4, 4, 4, 4), (8, 20, 20, 18), ranks=4, rng=0)
    >>> gru.gates.weight.shape, gru.gates.weight.n_parameters
    ((768, 57600), 3232)
    """
    random = partial(TTLinear.random, ranks=ranks, variance=variance)
    return _behind(GRU, random, state_modes, col_modes, sequences, rng, dtype)


def bt_lstm(
    state_modes: Sequence[int],
    col_modes: Sequence[int],
    *,
    n_blocks: int,
    ranks: Ranks,
    sequences: bool = False,
    variance: Variance = glorot,
    rng: RNG = None,
    dtype: Any = np.float32,
) -> LSTM:
    """An LSTM of ``prod(state_modes)`` states behind a `BTLinear` of its inputs.

    >>> from ttalgebra.layers import bt_lstm
    >>> lstm = bt_lstm((4, 4, 4, 4), (8, 20, 20, 18), n_blocks=2, ranks=4, rng=0)
    >>> lstm.gates.weight.n_parameters, int(lstm.gates.weight.compression)
    (3392, 17388)
    """
    random = partial(BTLinear.random, n_blocks=n_blocks, ranks=ranks, variance=variance)
    return _behind(LSTM, random, state_modes, col_modes, sequences, rng, dtype)


def _behind(
    kind: type[Cell], random: Callable[..., Layer], state_modes: Sequence[int],
    col_modes: Sequence[int], sequences: bool, rng: RNG, dtype: Any,
) -> Cell:  # fmt: skip
    """Cells behind the map of their inputs that ``random`` draws first."""
    rows, draw = fused(state_modes, len(kind.STARTS)), generator(rng)
    gates, n = random(rows, col_modes, rng=draw, dtype=dtype), prod(state_modes)
    return kind.around(gates, n, sequences=sequences, rng=draw, dtype=dtype)


def fused(state_modes: Sequence[int], gates: int = 4) -> tuple[int, ...]:
    """The row modes of all gates: the first mode of the state times their number.

    >>> from ttalgebra.layers.recurrent.compressed import fused
    >>> fused((8, 4, 8)), fused((8, 4, 8), gates=3)
    ((32, 4, 8), (24, 4, 8))
    """
    first, *others = as_modes(state_modes, "state_modes")
    return gates * first, *others
