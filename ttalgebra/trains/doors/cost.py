"""What an operation will cost, in exact integers, before anything is paid.

Flops count a complex multiplication as one; bytes are those that the operation itself
allocates at its peak, operands not counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

from ttalgebra.arrays.checks import MAX_BYTES, require_room
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import nbytes_of
from ttalgebra.arrays.typing import Cores
from ttalgebra.cores import chain

Ranks = tuple[int, ...]
Modes = Sequence[tuple[int, ...]]


@dataclass(frozen=True)
class Cost:
    """Predicted work, memory and ranks of one operation.

    ``ranks`` are those of a resulting train, empty for dense results and numbers.
    """

    flops: int
    peak_bytes: int
    result_bytes: int
    ranks: Ranks = ()

    def require(self, what: str, advice: str, max_bytes: int = MAX_BYTES) -> None:
        """Raise TooLargeError where the result is above ``max_bytes``."""
        require_room((self.result_bytes,), 1, what, advice, max_bytes)


def add(x: Cores, y: Cores) -> Cost:
    """``x + y``: ranks add up; nothing is computed but zeros are stored."""
    pairs = zip(chain.ranks(x)[1:-1], chain.ranks(y)[1:-1], strict=True)
    ranks = (1, *(a + b for a, b in pairs), 1)
    size = _stored(ranks, chain.modes(x), _itemsize(x, y))
    return Cost(prod(x[0].shape) if len(x) == 1 else 0, size, size, ranks)


def matmul(A: Cores, x: Cores) -> Cost:
    """``A @ x`` or ``A @ B``: ranks multiply."""
    pairs = zip(chain.modes(A), chain.modes(x), strict=True)
    return _sitewise(A, x, [(m, *n[1:]) for (m, _), n in pairs], chain.modes(A))


def hadamard(x: Cores, y: Cores) -> Cost:
    """Entry by entry: ranks multiply."""
    return _sitewise(x, y, chain.modes(x), [(1,)] * len(x))


def _sitewise(x: Cores, y: Cores, modes: Modes, inner: Modes) -> Cost:
    ranks = tuple(a * b for a, b in zip(chain.ranks(x), chain.ranks(y), strict=True))
    sites = zip(pairwise(ranks), modes, inner, strict=True)
    work = sum(2 * r * s * prod(mode) * k[-1] for (r, s), mode, k in sites)
    size = _stored(ranks, modes, _itemsize(x, y))
    return Cost(work, size, size, ranks)


def kron(x: Cores, y: Cores) -> Cost:
    """One chain behind the other: only the cores are kept again."""
    size = _stored(chain.ranks(x), chain.modes(x), _itemsize(x, y))
    size += _stored(chain.ranks(y), chain.modes(y), _itemsize(x, y))
    return Cost(0, size, size, (*chain.ranks(x), *chain.ranks(y)[1:]))


def dense(x: Cores) -> Cost:
    """``to_dense``: the last product dominates."""
    item, done, work, peak = _itemsize(x), 1, 0, 0
    for core in x:
        r, *modes, s = core.shape
        before, done = done * r, done * prod(modes)
        work += 2 * before * prod(modes) * s
        peak = max(peak, (before + done * s) * item)
    return Cost(work, peak, done * item)


def matmat(A: Cores, n: int) -> Cost:
    """``A @ X`` for ``n`` dense columns: two neighbouring states at the peak."""
    item, work = _itemsize(A), 0
    to_come = prod(core.shape[2] for core in A) * n
    states, done = [to_come], 1
    for a, i, j, b in (core.shape for core in A):
        to_come, done = to_come // j, done * i
        work += 2 * (done // i) * a * i * j * b * to_come
        states.append(done * b * to_come)
    peak = max(before + after for before, after in pairwise(states))
    return Cost(work, peak * item, states[-1] * item)


def vjp(A: Cores, n: int) -> Cost:
    """``A @ X`` and its pullback: three times the work, and every state is kept."""
    forward, item = matmat(A, n), _itemsize(A)
    shapes, done, to_come = [], 1, prod(core.shape[2] for core in A) * n
    for a, i, j, _ in (core.shape for core in A):
        shapes.append(done * a * to_come)
        done, to_come = done * i, to_come // j
    kept = sum(shapes) * item + _stored(chain.ranks(A), chain.modes(A), item)
    return Cost(3 * forward.flops, kept + forward.peak_bytes, kept)


def dot(x: Cores, y: Cores) -> Cost:
    """``<x, y>``: an ``r x r`` matrix from left to right."""
    work, peak = 0, 0
    for G, H in zip(x, y, strict=True):
        n = prod(G.shape[1:-1])
        (a, b), (c, d) = (G.shape[0], G.shape[-1]), (H.shape[0], H.shape[-1])
        work += 2 * n * c * b * (a + d)
        peak = max(peak, (b * n * c + b * d) * _itemsize(x, y))
    return Cost(work, peak, _itemsize(x, y))


def orthogonalize(x: Cores) -> Cost:
    """A QR sweep: ``4 m n^2`` for each unfolding, as Householder's method takes."""
    unfoldings = [(prod(G.shape[:-1]), G.shape[-1]) for G in x]
    work = sum(4 * max(m, n) * min(m, n) ** 2 for m, n in unfoldings)
    size = sum(prod(G.shape) for G in x) * _itemsize(x)
    return Cost(work, 2 * size, size, chain.ranks(x))


def rounding(x: Cores) -> Cost:
    """A QR sweep, an SVD sweep at ``10 m n^2`` for each SVD; ranks at most."""
    sweep = orthogonalize(x)
    work = sweep.flops + 10 * sweep.flops // 4
    return Cost(work, 2 * sweep.peak_bytes, sweep.result_bytes, sweep.ranks)


OPERATIONS: dict[str, Callable[..., Cost]] = {
    "add": add, "matmul": matmul, "hadamard": hadamard, "kron": kron,
    "to_dense": dense, "apply": matmat, "matvec": matmat, "matmat": matmat,
    "vjp": vjp, "dot": dot, "norm": orthogonalize, "orthogonalize": orthogonalize,
    "round": rounding,
}  # fmt: skip


def of(operation: str, cores: Cores, operands: Sequence[Any]) -> Cost:
    """What ``operation`` costs; ShapeError where it is not predicted."""
    if operation not in OPERATIONS:
        names = ", ".join(OPERATIONS)
        raise ShapeError(f"cost: {operation!r} is not predicted; there are: {names}")
    given = [_operand(x) for x in operands]
    try:
        return OPERATIONS[operation](cores, *given)
    except TypeError as error:
        message = f"cost: {operation!r} does not take {len(given)} such operands"
        raise TypeError(f"{message} beside the train itself") from error


def _operand(x: Any) -> Any:
    """The cores of a train, the number of columns of a dense array, or a number."""
    if hasattr(x, "cores"):
        return x.cores
    shape = getattr(x, "shape", None)
    return x if shape is None else prod(shape[1:])


def _stored(ranks: Ranks, modes: Modes, itemsize: int) -> int:
    sites = zip(pairwise(ranks), modes, strict=True)
    return itemsize * sum(r * prod(n) * s for (r, s), n in sites)


def _itemsize(*chains: Cores) -> int:
    return max(
        nbytes_of(core[(slice(1),) * core.ndim]) for core in (c[0] for c in chains)
    )
