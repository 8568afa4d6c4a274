"""Contractions by letters: opt_einsum plans the order, matmul does the work.

``contract("aijb,pajt->pibt", core, state)`` is planned once per shape. A plan is
data: a tuple of steps, each of which is permute, reshape, ``matmul``, reshape,
permute. Three forms of a step avoid moving the larger operand; docs/notation.md
has the letters.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from math import prod

import numpy as np

from ttalgebra.arrays.namespace import full_precision, is_numpy, namespace_of
from ttalgebra.arrays.typing import Array

Shape = tuple[int, ...]
Sizes = dict[str, int]

# Adding up 2,500 products of 16xT by Tx10 loses to one permuted GEMM only while T is
# small: 0.51 against 0.34 ms at T = 2, 0.66 against 0.87 at 16, 0.59 against 2.3 at 32.
NARROW = 16


@dataclass(frozen=True)
class Operand:
    """How an operand enters ``matmul``."""

    permutation: Shape | None
    shape: Shape


@dataclass(frozen=True)
class Step:
    """One pairwise product: ``matmul(first, second)``, summed over its batch or not."""

    positions: tuple[int, int]
    first: Operand
    second: Operand
    sum_batch: bool
    result: Operand  # its shape first, then its permutation


def contract(subscripts: str, *operands: Array) -> Array:
    """The sum of products that ``subscripts`` spells, as in einsum.

    Every letter stands once in an operand, in at most two operands (three only if
    it is kept), and letters that are summed stand in two. Cost: that of the best
    pairwise order.
    """
    xp = namespace_of(*operands)
    remaining = list(operands)
    for step in plan(subscripts, *(tuple(x.shape) for x in operands)):
        i, j = step.positions
        first, second = remaining[i], remaining[j]
        for position in sorted((i, j), reverse=True):
            del remaining[position]
        product = matmul(_enter(first, step.first), _enter(second, step.second))
        if step.sum_batch:
            product = xp.sum(product, axis=0)
        remaining.append(_leave(product, step.result))
    return remaining[0]


def matmul(first: Array, second: Array) -> Array:
    """The matrix product, silent where NaN or Inf meet what they meet.

    Never in fewer digits than its factors have, whatever autocast says. Some BLAS
    kernels raise the flag for finite single-precision operands too.
    """
    if is_numpy(first) and is_numpy(second):
        if first.ndim == second.ndim == 2:
            return np.dot(first, second)  # which looks at no flags: 1 us, not 3
        with np.errstate(invalid="ignore"):
            return np.matmul(first, second)
    xp = namespace_of(first, second)
    with np.errstate(invalid="ignore"), full_precision(first):
        return xp.matmul(first, second)


def _enter(x: Array, how: Operand) -> Array:
    return reshaped(_permuted(x, how.permutation), how.shape)


def _leave(x: Array, how: Operand) -> Array:
    return _permuted(reshaped(x, how.shape), how.permutation)


def _permuted(x: Array, permutation: Shape | None) -> Array:
    if permutation is None:
        return x
    if is_numpy(x):  # its methods take a fifth of the time: small cores are many
        return x.transpose(permutation)
    return namespace_of(x).permute_dims(x, permutation)


def reshaped(x: Array, shape: Shape) -> Array:
    """``x`` with another shape in C order; NumPy's own method is the quickest."""
    return x.reshape(shape) if is_numpy(x) else namespace_of(x).reshape(x, shape)


@lru_cache(maxsize=4096)
def plan(subscripts: str, *shapes: Shape) -> tuple[Step, ...]:
    """The steps of ``contract(subscripts, ...)`` for operands of these ``shapes``."""
    inputs, output = subscripts.split("->")
    remaining = inputs.split(",")
    sizes = _sizes(remaining, shapes)
    steps = []
    for i, j in _path(subscripts, shapes):
        first, second = remaining[i], remaining[j]
        for position in sorted((i, j), reverse=True):
            del remaining[position]
        wanted = set(output).union(*remaining)
        kept = output if not remaining else _natural(first, second, wanted)
        steps.append(_step((i, j), first, second, kept, sizes))
        remaining.append(kept)
    return tuple(steps)


def _sizes(inputs: list[str], shapes: tuple[Shape, ...]) -> Sizes:
    sizes: Sizes = {}
    for letters, shape in zip(inputs, shapes, strict=True):
        for letter, size in zip(letters, shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                message = f"contract: {letter!r} is {sizes[letter]} in one operand"
                raise ValueError(
                    f"{message} and {size} in another ({inputs}, {shapes})"
                )
    return sizes


def _path(subscripts: str, shapes: tuple[Shape, ...]) -> list[tuple[int, int]]:
    if len(shapes) == 2:
        return [(0, 1)]
    import opt_einsum

    path, _ = opt_einsum.contract_path(
        subscripts, *shapes, shapes=True, optimize="optimal"
    )
    return [(min(pair), max(pair)) for pair in path]


def _natural(first: str, second: str, wanted: set[str]) -> str:
    """Kept letters in the order in which the streamed form would leave them."""
    left = [x for x in first if x in wanted]
    return "".join(left + [x for x in second if x in wanted and x not in left])


def _step(
    positions: tuple[int, int], first: str, second: str, out: str, sizes: Sizes
) -> Step:
    """The first form that fits; the larger operand is the second."""
    i, j = positions
    if _size(first, sizes) > _size(second, sizes):
        i, j, first, second = j, i, second, first
    batch = _thick((x for x in first if x in second and x in out), sizes)
    summed = _thick((x for x in second if x in first and x not in out), sizes)
    left = _thick((x for x in first if x not in second), sizes)
    right = _thick((x for x in second if x not in first), sizes)
    if not batch and _thick(second, sizes).endswith(
        summed
    ):  # the second operand is the left factor
        a = _operand(second, (right, summed), sizes)
        b = _operand(first, (summed, left), sizes)
        return Step((j, i), a, b, False, _result(right + left, out, sizes))
    if not batch:
        if form := _streamed(first, second, left, summed, out, sizes):
            return Step((i, j), *form)
        if form := _split(first, second, left, summed, right, out, sizes):
            return Step((i, j), *form)
    a = _operand(first, (batch, left, summed), sizes)
    b = _operand(second, (batch, summed, right), sizes)
    return Step((i, j), a, b, False, _result(batch + left + right, out, sizes))


Form = tuple[Operand, Operand, bool, Operand]


def _streamed(
    first: str, second: str, left: str, summed: str, out: str, sizes: Sizes
) -> Form | None:
    """``(left, summed) @ (before, summed, after)``: the second operand is not moved."""
    before, found, after = (
        _thick(second, sizes).partition(summed) if summed else ("", "", "")
    )
    if not found:
        return None
    a = _operand(first, (left, summed), sizes)
    b = _operand(second, (before, summed, after), sizes)
    return a, b, False, _result(before + left + after, out, sizes)


def _split(
    first: str, second: str, left: str, summed: str, right: str, out: str, sizes: Sizes
) -> Form | None:
    """``(head, left, tail) @ (head, tail, right)``, added up over the head.

    Summed letters lead and close both operands: neither is moved.
    """
    ends = _thick(first, sizes), _thick(second, sizes)
    aligned = takewhile(
        lambda x: x[0] == x[1] == x[2], zip(*ends, summed, strict=False)
    )
    head = "".join(letter for letter, _, _ in aligned)
    tail = summed[len(head) :]
    closed = all(letters.endswith(tail) for letters in ends)
    if not (head and closed and _size(tail, sizes) >= NARROW):
        return None
    products = _size(head, sizes) * _size(left, sizes) * _size(right, sizes)
    if products > _size(first, sizes) + _size(second, sizes):
        return None
    a = _operand(first, (head, left, tail), sizes)
    b = _operand(second, (head, tail, right), sizes)
    return a, b, True, _result(left + right, out, sizes)


def _thick(letters: Iterable[str], sizes: Sizes) -> str:
    """The letters of more (or less) than one value: the others move freely."""
    return "".join(x for x in letters if sizes[x] != 1)


def _operand(letters: str, groups: tuple[str, ...], sizes: Sizes) -> Operand:
    order = "".join(groups)
    order += "".join(x for x in letters if x not in order)
    permutation = tuple(letters.index(x) for x in order)
    shape = tuple(_size(group, sizes) for group in groups)
    return Operand(None if order == letters else permutation, shape)


def _result(letters: str, out: str, sizes: Sizes) -> Operand:
    letters += "".join(x for x in out if x not in letters)
    permutation = tuple(letters.index(x) for x in out)
    shape = tuple(sizes[x] for x in letters)
    return Operand(None if letters == out else permutation, shape)


def _size(letters: str, sizes: Sizes) -> int:
    return prod(sizes[x] for x in letters)
