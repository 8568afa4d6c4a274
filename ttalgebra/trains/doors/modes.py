"""Other modes for the same train: what may be split, merged and exchanged."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ttalgebra.arrays.checks import (
    as_index,
    as_max_rank,
    as_modes,
    as_positive,
    as_sites,
    as_tol,
    require_room,
    spelled,
)
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import nbytes_of
from ttalgebra.arrays.typing import Array, Cores, Ranks
from ttalgebra.cores import chain, ranged, reshaping
from ttalgebra.cores.orthogonalize import left_orthogonalize
from ttalgebra.cores.rounding.svd import by_svd
from ttalgebra.cores.truncation import Truncation

Digits = tuple[tuple[int, ...], ...]


def split(cores: Cores, site: Any, sizes: Sequence[Any]) -> Cores:
    """Site ``site`` as several, ``sizes`` holding the new modes for each old one.

    The ranks are cut back to those of the whole; roundoff alone is lost.
    """
    place, digits = digits_of_split(cores, site, sizes)
    orthogonal, exponent = left_orthogonalize(cores)  # so a QR of one is one of all
    pieces = reshaping.split(orthogonal[place], digits)
    whole = (*orthogonal[:place], *pieces, *orthogonal[place + 1 :])
    whole = ranged.shared(whole, exponent, "split_modes")
    return by_svd(whole, max_rank=(None,) * (len(whole) - 1))[0]


def digits_of_split(
    cores: Cores, site: Any, sizes: Sequence[Any]
) -> tuple[int, Digits]:
    """The site, and the modes of each core that it becomes."""
    place = as_index(site, len(cores), "split_modes: site")
    modes = chain.modes(cores)[place]
    if len(sizes) != len(modes):
        message = f"split_modes: {len(sizes)} sequences of sizes"
        raise ShapeError(f"{message}, a core here has {len(modes)} modes")
    digits = [as_modes(new, "split_modes: sizes") for new in sizes]
    for new, old in zip(digits, modes, strict=True):
        if prod(new) != old:
            message = f"split_modes: the sizes multiply to {spelled(prod(new))}"
            raise ShapeError(f"{message}, the mode at site {place} has size {old}")
    if len({len(new) for new in digits}) > 1:
        counts = " and ".join(str(len(new)) for new in digits)
        message = f"split_modes: rows and columns become {counts} digits"
        raise ShapeError(f"{message}; pad the shorter with ones")
    return place, tuple(zip(*digits, strict=True))


def merge(cores: Cores, first: Any, last: Any) -> Cores:
    """The sites from ``first`` to ``last``, both included, as one; exact."""
    start, stop = stretch_of(cores, first, last)
    _require_room(cores[start : stop + 1])
    return ranged.mapped(lambda x: _merged(x, start, stop), cores, "merge_modes")


def stretch_of(cores: Cores, first: Any, last: Any) -> tuple[int, int]:
    """The first and the last site of a stretch, counted from 0."""
    start = as_index(first, len(cores), "merge_modes: site")
    stop = as_index(last, len(cores), "merge_modes: site")
    if stop < start:
        message = f"merge_modes: the last site {stop} comes before the first, {start}"
        raise ShapeError(f"{message}; give them in order")
    return start, stop


def _merged(cores: Cores, start: int, stop: int) -> Cores:
    core = cores[start]
    for following in cores[start + 1 : stop + 1]:
        core = reshaping.merge(core, following)
    return (*cores[:start], core, *cores[stop + 1 :])


def _require_room(cores: Cores) -> None:
    entries = prod(prod(core.shape[1:-1]) for core in cores)
    shape = (cores[0].shape[0], entries, cores[-1].shape[-1])
    itemsize = nbytes_of(cores[0][:1, ..., :1]) // prod(cores[0].shape[1:-1])
    require_room(shape, itemsize, "merge_modes: the core", "merge fewer sites")


def permute(
    cores: Cores, order: Sequence[Any], tol: float | None, max_rank: Ranks | None
) -> tuple[Cores, Truncation]:
    """Site ``k`` of the result is site ``order[k]`` of ``cores``; and the report."""
    bounds = as_max_rank(max_rank, len(cores), "permute_modes")
    tol = as_tol(tol, "permute_modes")
    places = order_of(order, len(cores))
    return reshaping.permute(cores, places, tol=tol, max_rank=bounds)


def order_of(order: Sequence[Any], count: int) -> list[int]:
    """Every site once, counted from 0."""
    if not isinstance(order, (list, tuple, range, np.ndarray)):
        kind = type(order).__name__
        raise TypeError(f"permute_modes: order must be a sequence of ints, got {kind}")
    if len(order) != count:
        message = f"permute_modes: order names {len(order)} sites of {count}"
        raise ShapeError(f"{message}; name each site once")
    places = [as_index(site, count, "permute_modes: site") for site in order]
    as_sites(places, count, "permute_modes: site")
    return places


def quantized(cores: Cores, base: Any) -> Cores:
    """Every mode as digits of ``base``, of which it must be a power."""
    pieces: list[Array] = []
    digits = digits_of_qtt(cores, base)
    orthogonal, exponent = left_orthogonalize(cores)  # so a QR of one is one of all
    for core, new in zip(orthogonal, digits, strict=True):
        pieces += reshaping.split(core, new)
    whole = ranged.shared(tuple(pieces), exponent, "to_qtt")
    return by_svd(whole, max_rank=(None,) * (len(whole) - 1))[0]


def digits_of_qtt(cores: Cores, base: Any) -> list[Digits]:
    """The modes, all ``base`` or 1, of the cores that each core becomes."""
    base, found = as_positive(base, "to_qtt: base"), []
    for site, core in enumerate(cores):
        counts = [_digit_count(n, base, site) for n in core.shape[1:-1]]
        longest = max(1, *counts)
        digits = [(1,) * (longest - count) + (base,) * count for count in counts]
        found.append(tuple(zip(*digits, strict=True)))
    return found


def _digit_count(n: int, base: int, site: int) -> int:
    count, power = 0, 1
    while power < n and base > 1:
        count, power = count + 1, power * base
    if power != n:
        message = f"to_qtt: mode {n} at site {site} is no power of {base}"
        raise ShapeError(f"{message}; pad it, or use split_modes")
    return count
