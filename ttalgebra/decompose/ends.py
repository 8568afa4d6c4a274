"""The last sites of a large array, cut off in passes over blocks that stay in cache.

A pass reduces an unfolding to a small factor with the same right singular vectors; the
bonds inside the modes that the unfolding merges are cut on that factor. One more pass
projects the array on what is kept::

    array (A, columns) --factor--> (columns, columns) --> last cores
                       --project-> (A, r)             --> other cores

Passes that would leave more than a quarter of the array leave nothing: the next one
projects each block again. So memory is the array and a quarter of it.

Where the array is in double precision, one pass of Gram matrices does not know what is
below ``sqrt(eps) norm``. So ``tol`` is not believed to be kept but measured, as
``norm(x - x Q^H Q)`` while the array is projected on ``Q``; where it is not kept, a
second pass finds what the first has missed.

Source: Oseledets (2011), Algorithm 1, mirrored; the reduction and the projection of
Rohrig-Zollner, Thies, Basermann (2022).
"""

import math
from collections.abc import Callable, Iterator
from copy import copy
from functools import partial, reduce
from itertools import chain as chained
from math import prod

import numpy as np

from ttalgebra.arrays.contract import matmul
from ttalgebra.arrays.namespace import adjoint, eps_of, is_numpy, namespace_of
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain, reshaping
from ttalgebra.cores.truncation import Budget
from ttalgebra.decompose import gram
from ttalgebra.decompose.sweep import Modes, halves, sweep
from ttalgebra.decompose.unfolding import (
    SLAB,
    left_over,
    norm_of_all,
    peel,
    slabs,
    triangle_of,
)

WIDTH = 32  # columns up to which modes are merged, so that a pass pays
TALL = 4  # how many times more rows than columns make a matrix tall
STORED = 4  # how many times smaller what is left must be to be stored
FINEST = 1e-14  # tol from which on two passes of Gram matrices know enough


def cut_ends(rest: Array, modes: Modes, budget: Budget) -> tuple[Array, Cores]:
    """What is left of ``rest``, ``(A, B, r)``, and the cores of its last ``modes``.

    As many as have tall unfoldings of more than a block. Within ``budget``, as in
    `sweep.sweep`, of which this is the quick form for large arrays.
    """
    done: Cores = ()
    while prod(rest.shape) > SLAB and _merged(modes, rest.shape[-1], prod(rest.shape)):
        rest, ends = _cut_end(rest, modes, budget)
        done, modes = (*ends, *done), modes[: -len(ends)]
    return rest, done


def cut_inside(factor: Array, modes: Modes, budget: Budget) -> Cores:
    """Right-orthonormal cores of ``modes``, from a factor of their unfolding alone.

    ``factor`` is ``(rows, M N r)``, as `peel` gives it for the merged modes ``(M, N)``.
    """
    rows, columns = (int(n) for n in factor.shape)
    first, *others = columns_of(modes)
    rank = columns // prod((first, *others))
    rest = chain.reshape(factor, rows * first, *others, rank)
    return sweep(rest, modes, lambda matrix: halves(matrix, budget))[1]


def columns_of(tail: Modes) -> tuple[int, ...]:
    """The merged modes ``(n,)`` or ``(m, n)``."""
    return tuple(prod(digits) for digits in zip(*tail, strict=True))


def _cut_end(rest: Array, modes: Modes, budget: Budget) -> tuple[Array, Cores]:
    """The sites that one projection cuts off, by the quickest route that is right."""
    single = eps_of(rest) > gram.EPS
    if budget.tol and not single and (found := _measured(rest, modes, budget)):
        return found
    fine = not budget.tol or budget.tol >= FINEST
    factor = gram.once if single else gram.twice if fine else _triangle
    ends = _found(rest, modes, budget, factor)
    return _projected(rest, ends)[0], ends


def _measured(rest: Array, modes: Modes, budget: Budget) -> tuple[Array, Cores] | None:
    """What one pass of Gram matrices finds; None where that breaks ``tol``."""
    trial = copy(budget)
    trial.spent, trial.spectra = [*budget.spent], [*budget.spectra]
    trial.drivers, trial.bound_bit = [*budget.drivers], False
    ends = _found(rest, modes, trial, gram.once)
    if trial.bound_bit:
        return None
    left, missed = _projected(rest, ends, measured=True)
    share = len(ends) / (len(budget.bounds) - len(budget.spent))
    if missed**2 > share * budget.rest:
        return None
    budget.rest -= missed**2
    budget.spent += [missed] + [0.0] * (len(ends) - 1)
    budget.spectra, budget.drivers = trial.spectra, trial.drivers
    return left, ends


def _triangle(blocks: gram.Blocks) -> Array:
    return triangle_of(blocks())


def _found(
    rest: Array, modes: Modes, budget: Budget, factor: Callable[[gram.Blocks], Array]
) -> Cores:
    """The cores of as many last sites as leave a quarter of ``rest``, or of all."""
    xp, size = namespace_of(rest), prod(rest.shape)
    ends: Cores = ()
    rank, left = int(rest.shape[-1]), size
    while count := _merged(modes, rank, left):
        group, modes = modes[-count:], modes[:-count]
        reduced = factor(partial(_unfolded, rest, ends, columns_of(group)))
        found = cut_inside(xp.astype(reduced, rest.dtype, copy=False), group, budget)
        ends = (*found, *ends)
        left = left // (prod(columns_of(group)) * rank) * int(found[0].shape[0])
        rank = int(found[0].shape[0])
        if STORED * left <= size:
            break
    return ends


def _merged(modes: Modes, rank: int, size: int) -> int:
    """How many of the last sites make the next unfolding; 0 if none makes a tall one.

    As many as reach ``WIDTH`` columns; one that has more by itself is not merged.
    """
    count, columns = 0, rank
    for sizes in reversed(modes[1:]):
        wider = columns * prod(sizes)
        if TALL * wider**2 > size or (count and wider > WIDTH):
            break
        count, columns = count + 1, wider
    return count


def _unfolded(rest: Array, ends: Cores, sizes: tuple[int, ...]) -> Iterator[Array]:
    """The unfolding of ``rest``, projected on ``ends``, in tall blocks of rows."""
    if not ends:
        return (peel(slab, sizes) for slab in slabs(rest, sizes))
    inner = columns_of(chain.modes(ends))
    basis = _basis(rows_of(ends))
    whole = tuple(m * n for m, n in zip(sizes, inner, strict=True))
    return (
        peel(left_over(matmul(peel(slab, inner), basis), slab.shape[:-1], inner), sizes)
        for slab in slabs(rest, whole)
    )


def _projected(
    rest: Array, ends: Cores, *, measured: bool = False
) -> tuple[Array, float]:
    """``X Q^H``, ``(A, B, r)``, and ``norm(X - X Q^H Q)`` if it is to be measured."""
    sizes, rows = columns_of(chain.modes(ends)), rows_of(ends)
    basis, missed = _basis(rows), [0.0]

    def project(block: Array) -> Array:
        part = matmul(block, basis)
        if measured:
            missed.append(norm_of_all([matmul(part, rows) - block]))
        return part

    count = prod(rest.shape) // int(rows.shape[1])
    found = _stacked(map(project, _unfolded(rest, (), sizes)), count, rest)
    return left_over(found, rest.shape[:-1], sizes), math.hypot(*missed)


def _stacked(parts: Iterator[Array], rows: int, like: Array) -> Array:
    """Blocks of rows as one matrix; NumPy's are not held twice."""
    if not is_numpy(like):
        return namespace_of(like).concat(list(parts), axis=0)
    first = next(parts)
    found, start = np.empty((rows, first.shape[1]), dtype=first.dtype), 0
    for part in chained((first,), parts):
        found[start : start + len(part)] = part
        start += len(part)
    return found


def _basis(rows: Array) -> Array:
    """``Q^H``; in C order a product with it takes half of the time."""
    return np.ascontiguousarray(adjoint(rows)) if is_numpy(rows) else adjoint(rows)


def rows_of(ends: Cores) -> Array:
    """``(r, columns)``: the rows of cores whose first rank is ``r``, all in one."""
    return chain.right_unfold(reduce(reshaping.merge, ends))
