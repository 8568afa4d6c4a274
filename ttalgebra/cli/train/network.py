"""Layers as a configuration names them, and the network that they make."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Protocol, TypeAlias

import numpy as np

from ttalgebra import layers
from ttalgebra.arrays.checks import require_room
from ttalgebra.arrays.errors import FormatError, TTError
from ttalgebra.cli.train.tables import SHARE, SIZES, count, key
from ttalgebra.decompose.modes import suggest_modes

_UNITS = "outputs of the layer; 0: as many as the data ask for"
_FLOAT = 4  # bytes
_ADVICE = "ask for fewer units, or a TTLinear"
Modes: TypeAlias = tuple[Sequence[int], Sequence[int]]


class Maker(Protocol):
    """A table of a layer, checked."""

    def make(self, n_in: int, n_out: int, rng: np.random.Generator) -> layers.Layer:
        """The layer for so many inputs; ``n_out`` where the table leaves it open."""


@dataclass(frozen=True)
class Dense:
    """``[[layers]]`` of a dense matrix."""

    units: int = key(0, count(0), _UNITS)

    def make(self, n_in: int, n_out: int, rng: np.random.Generator) -> layers.Layer:
        """Random weights."""
        units = self.units or n_out
        require_room((units, n_in), _FLOAT, f"units = {units}: the weight", _ADVICE)
        return layers.Dense.random(n_in, units, rng=rng)


@dataclass(frozen=True)
class TTLinear:
    """``[[layers]]`` of a TT-matrix."""

    units: int = key(0, count(0), _UNITS)
    ranks: int = key(8, count(1), "the largest TT-rank")
    rows: tuple[int, ...] = key((), SIZES, "modes of the outputs; []: chosen")
    columns: tuple[int, ...] = key((), SIZES, "modes of the inputs; []: chosen")

    def make(self, n_in: int, n_out: int, rng: np.random.Generator) -> layers.Layer:
        """Random cores."""
        rows, columns = _modes(self, self.units or n_out, n_in)
        return layers.TTLinear.random(rows, columns, self.ranks, rng=rng)


@dataclass(frozen=True)
class BTLinear:
    """``[[layers]]`` of a sum of Tucker terms."""

    units: int = key(0, count(0), _UNITS)
    blocks: int = key(2, count(1), "terms of the sum")
    ranks: int = key(2, count(1), "ranks of each term")
    rows: tuple[int, ...] = key((), SIZES, "modes of the outputs; []: chosen")
    columns: tuple[int, ...] = key((), SIZES, "modes of the inputs; []: chosen")

    def make(self, n_in: int, n_out: int, rng: np.random.Generator) -> layers.Layer:
        """Random cores and factors."""
        rows, columns = _modes(self, self.units or n_out, n_in)
        return layers.BTLinear.random(
            rows, columns, n_blocks=self.blocks, ranks=self.ranks, rng=rng
        )


@dataclass(frozen=True)
class Dropout:
    """``[[layers]]`` of a dropout."""

    rate: float = key(0.5, SHARE, "the share of features that a step leaves out")

    def make(self, n_in: int, n_out: int, rng: np.random.Generator) -> layers.Layer:
        """The layer."""
        del n_in, n_out, rng
        return layers.Dropout(self.rate)


@dataclass(frozen=True)
class BatchNorm:
    """``[[layers]]`` of a batch normalisation."""

    def make(self, n_in: int, n_out: int, rng: np.random.Generator) -> layers.Layer:
        """The layer for as many features as there are."""
        del n_out, rng
        return layers.BatchNorm.new(n_in)


@dataclass(frozen=True)
class ReLU:
    """``[[layers]]`` of ``max(x, 0)``."""

    def make(self, n_in: int, n_out: int, rng: np.random.Generator) -> layers.Layer:
        """The layer."""
        del n_in, n_out, rng
        return layers.ReLU()


@dataclass(frozen=True)
class Tanh:
    """``[[layers]]`` of ``tanh(x)``."""

    def make(self, n_in: int, n_out: int, rng: np.random.Generator) -> layers.Layer:
        """The layer."""
        del n_in, n_out, rng
        return layers.Tanh()


@dataclass(frozen=True)
class Sigmoid:
    """``[[layers]]`` of ``1 / (1 + exp(-x))``."""

    def make(self, n_in: int, n_out: int, rng: np.random.Generator) -> layers.Layer:
        """The layer."""
        del n_in, n_out, rng
        return layers.Sigmoid()


KINDS: dict[str, type[Maker]] = {
    kind.__name__: kind
    for kind in (BatchNorm, BTLinear, Dense, Dropout, ReLU, Sigmoid, TTLinear, Tanh)
}
DEFAULT: tuple[Maker, ...] = (BatchNorm(), TTLinear(units=256), ReLU(), Dense())


def network(
    makers: Sequence[Maker], n_in: int, n_out: int, seed: int
) -> layers.Sequential:
    """The network from ``n_in`` features to ``n_out`` outputs.

    Raises FormatError, naming the layer, where sizes do not meet.
    """
    rng, features, made = np.random.default_rng(seed), n_in, []
    for k, maker in enumerate(makers):
        try:
            made.append(maker.make(features, n_out, rng))
        except TTError as error:
            raise FormatError(f"layers, entry {k + 1}: {error}") from error
        if hasattr(maker, "units"):
            features = maker.units or n_out
    if features != n_out:
        message = f"layers: the last gives {features} outputs, the data have {n_out}"
        raise FormatError(f"{message}; leave its units out")
    return layers.Sequential(made)


def _modes(maker: TTLinear | BTLinear, n_rows: int, n_columns: int) -> Modes:
    """Those of the table; chosen where it has none."""
    require_room((n_rows,), _FLOAT, f"units = {n_rows}: the bias", "ask for fewer")
    rows, columns = suggest_modes(n_rows, n_columns)
    if not maker.rows and not maker.columns:
        return rows, columns
    for name, modes, size in (
        ("rows", maker.rows, n_rows),
        ("columns", maker.columns, n_columns),
    ):
        if prod(modes) != size:
            message = f"the product of {name} must be {size}, got {prod(modes)}"
            raise FormatError(
                f"{message}; leave rows and columns out to have them chosen"
            )
    if len(maker.rows) != len(maker.columns):
        message = f"{len(maker.rows)} rows and {len(maker.columns)} columns"
        raise FormatError(f"{message}: as many of both are needed; pad with ones")
    return maker.rows, maker.columns
