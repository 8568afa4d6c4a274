"""What stands between brackets: integers close a site, slices and lists shorten it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ttalgebra.arrays.checks import as_index, spelled
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import device_of, from_numpy, namespace_of, to_numpy
from ttalgebra.arrays.scaling import scalar_times_power
from ttalgebra.arrays.typing import Array, Cores, Scalar
from ttalgebra.cores import chain, ranged, selection
from ttalgebra.trains.doors.digits import is_list, listed

Closers = Mapping[int, Callable[[Array], Array]]
Key = tuple[Any, ...]


def key_of(key: Any, order: int) -> Key:
    """One part for each of ``order`` modes, None between them; ``...`` fills up."""
    parts = key if isinstance(key, tuple) else (key,)
    if (dots := sum(part is Ellipsis for part in parts)) > 1:
        raise ShapeError("indexing: more than one Ellipsis; one is enough")
    count = sum(part is not None and part is not Ellipsis for part in parts)
    if not dots:
        parts = (*parts, Ellipsis)
    place = next(k for k, part in enumerate(parts) if part is Ellipsis)
    if count > order:
        raise ShapeError(f"indexing: {count} indices for {order} modes")
    if sum(map(is_list, parts)) > 1:
        message = "indexing: several lists of indices, one at a time may stand here"
        raise ShapeError(f"{message}; use entries for entries at pairs of them")
    return (*parts[:place], *(slice(None),) * (order - count), *parts[place + 1 :])


def sliced(cores: Cores, key: Key) -> Cores | Scalar:
    """The chain of what ``key`` leaves open, or the entry where it leaves nothing."""
    closers: dict[int, Callable[[Array], Array]] = {}
    kept: list[Array] = []
    sites = iter(enumerate(cores))
    for part in key:
        if part is None:
            kept.append(_unit_mode(kept[-1].shape[-1] if kept else 1, like=cores[0]))
            continue
        k, core = next(sites)
        name = f"indexing: index {k}"
        if is_list(part):
            kept.append(_taken(core, listed(part, core.shape[1], name)))
        elif isinstance(part, slice):
            kept.append(_shortened(core, part, k))
        else:
            index = as_index(part, core.shape[1], name)
            closers[len(kept)] = partial(selection.indexed, index=index)
            kept.append(core)
    return opened(tuple(kept), closers, "indexing")


def opened(cores: Cores, closers: Closers, verb: str) -> Cores | Scalar:
    """``cores`` with some sites closed: a chain, or a number where none is left.

    Raises NonFiniteError where the cores that are left cannot hold the result.
    """
    left, exponent = selection.close(cores, closers)
    if len(closers) < len(cores):
        return ranged.shared(left, exponent, verb)
    return number(to_numpy(left[0])[0, 0].item(), int(exponent))


def number(value: Scalar, exponent: int) -> Scalar:
    """``2**exponent * value`` as a Python number."""
    if not isinstance(value, complex):
        return scalar_times_power(value, exponent)
    real, imag = (scalar_times_power(x, exponent) for x in (value.real, value.imag))
    return complex(real, imag)


def _shortened(core: Array, part: slice, site: int) -> Array:
    picked = range_of(part, core.shape[1], f"mode {site}")
    if picked.step < 0:  # not every library slices backwards
        return _taken(core, picked)
    return core[:, picked.start : picked.stop : picked.step, :]


def range_of(part: slice, size: int, where: str) -> range:
    """The indices that a slice picks; ShapeError where there are none."""
    try:
        picked = range(*part.indices(size))
    except (TypeError, ValueError) as error:
        raise TypeError(f"indexing: {part} of {where}: {error}") from None
    if not picked:
        message = f"indexing: {part} of {where} (size {spelled(size)}) is empty"
        raise ShapeError(f"{message}; one index at least is needed")
    return picked


def _taken(core: Array, picked: Sequence[int]) -> Array:
    return namespace_of(core).take(core, from_numpy(np.asarray(picked), core), axis=1)


def _unit_mode(rank: int, like: Array) -> Array:
    """``(r, 1, r)``, the identity: a mode of size 1 between two cores."""
    eye = namespace_of(like).eye(rank, dtype=like.dtype, device=device_of(like))
    return chain.reshape(eye, rank, 1, rank)
