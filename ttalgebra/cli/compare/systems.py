"""The six systems: what each network is made of, how it is trained, how it is kept.

Each has one hidden layer. Low-rank, TT and block-term ones have nearly equally many
parameters, those of a TT-layer of ranks 8, and end in a dense layer; binary and shift
networks are binary and shifts throughout.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ttalgebra import layers, learning
from ttalgebra.cli.compare.stored import Stored, as_arrays, as_bits, as_shifts
from ttalgebra.decompose.modes import suggest_modes
from ttalgebra.layers.shift import Clamped
from ttalgebra.trains.create import random_matrix

CLASSES = 10
RANK, BLOCKS, BITS = 8, 2, 5
Draw: TypeAlias = np.random.Generator
Model: TypeAlias = layers.Sequential


def _as_it_is(adam: learning.Optimizer, model: Model) -> learning.Optimizer:  # noqa: ARG001
    return adam


@dataclass(frozen=True)
class System:
    """A network and its stored form; the rest is what its training needs.

    Parameters
    ----------
    loss, rate
        What is minimised, and the rate of Adam's first step.
    rule
        ``rule(adam, model)`` is the optimizer.
    scale
        Multiplies the pixels, which are from 0 to 1.
    """

    name: str
    about: str
    network: Callable[[Draw], Model]
    stored: Callable[[Model], Stored] = as_arrays
    loss: Callable[[], Any] = learning.CrossEntropy
    rate: float = 1e-2
    rule: Callable[[Any, Model], Any] = _as_it_is
    scale: int = 1


def systems(N: int, M: int, levels: int) -> list[System]:
    """The six for ``N`` pixels, multiples of ``1 / levels``, and ``M`` hidden units."""

    def dense(g: Draw) -> layers.Layer:
        return layers.Dense.random(N, M, rng=g)

    return [
        _floats("dense", "", M, dense),
        *_compressed(N, M),
        _binary(N, M, levels),
        _shift(N, M),
    ]


def _floats(
    name: str, about: str, M: int, hidden: Callable[[Draw], layers.Layer]
) -> System:
    """The hidden layer, ReLU, and a dense layer for the classes."""

    def network(g: Draw) -> Model:
        first, last = hidden(g), layers.Dense.random(M, CLASSES, rng=g)
        return Model([first, layers.ReLU(), last])

    return System(name, f"{about}float32", network)


def _compressed(N: int, M: int) -> list[System]:
    """Low-rank, TT, block-term."""
    rows, cols = suggest_modes(M, N)
    pairs = list(zip(rows, cols, strict=True))
    modes = " ".join(f"{m}x{n}" for m, n in pairs)
    W = random_matrix(rows, cols, RANK, rng=0)
    rank = min(M, N, max(1, round(W.n_parameters / (M + N))))
    ranks = _block_ranks(W.n_parameters, [m * n for m, n in pairs])

    def low_rank(g: Draw) -> layers.Layer:  # a train of two cores
        return layers.TTLinear.random((1, M), (N, 1), rank, rng=g)

    def train(g: Draw) -> layers.Layer:
        return layers.TTLinear.random(rows, cols, RANK, rng=g)

    def blocks(g: Draw) -> layers.Layer:
        return layers.BTLinear.random(rows, cols, n_blocks=BLOCKS, ranks=ranks, rng=g)

    about = f"modes {modes}, {BLOCKS} blocks of ranks {ranks}, "
    return [
        _floats("low-rank", f"rank {rank}, ", M, low_rank),
        _floats("TT", f"modes {modes}, ranks {W.max_rank}, ", M, train),
        _floats("block-term", about, M, blocks),
    ]


def _block_ranks(budget: int, sizes: list[int]) -> int:
    """The largest with which the blocks have ``budget`` parameters at most, or 1.

    ``sizes`` are those of the modes of factors, rows times columns.
    """
    ranks = 1
    while BLOCKS * ((ranks + 1) ** len(sizes) + (ranks + 1) * sum(sizes)) <= budget:
        ranks += 1
    return ranks


def _binary(N: int, M: int, levels: int) -> System:
    def network(g: Draw) -> Model:
        first = layers.BinaryLinear.random(N, M, rng=g)
        last = layers.BinaryLinear.random(M, CLASSES, rng=g)
        norms = layers.BatchNorm.new(M), layers.BatchNorm.new(CLASSES)
        return Model([first, norms[0], layers.Sign(), last, norms[1]])

    loss, rate = learning.SquaredHinge, 3e-2
    about = f"1 bit a weight; squared hinge, rate {rate:g}, pixels 0 to {levels}"
    return System("binary", about, network, as_bits, loss, rate, scale=levels)


def _shift(N: int, M: int) -> System:
    def network(g: Draw) -> Model:
        first = layers.DeepShiftQ.random(N, M, bits=BITS, rng=g)
        last = layers.DeepShiftQ.random(M, CLASSES, bits=BITS, rng=g)
        return Model([first, layers.ReLU(), last])

    about = f"{BITS} bits a weight, DeepShift-Q; weights clamped after each step"
    return System("shift", about, network, as_shifts, rule=Clamped)
