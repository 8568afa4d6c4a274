"""What an operation will cost, in exact integers, before anything is paid.

Flops count a complex multiplication as one; bytes are those that the operation itself
allocates at its peak, operands not counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

from ttalgebra.arrays.checks import (
    MAX_BYTES,
    as_array,
    as_positive,
    require_room,
    spelled,
)
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import is_array, namespace_of, nbytes_of
from ttalgebra.arrays.typing import Cores
from ttalgebra.cores import chain
from ttalgebra.trains.doors.pairing import paired

Ranks = tuple[int, ...]
Modes = Sequence[tuple[int, ...]]


@dataclass(frozen=True, repr=False)
class Cost:
    """Predicted work, memory and ranks of one operation.

    ``ranks`` are those of a resulting train, empty for dense results and numbers.
    """

    flops: int
    peak_bytes: int
    result_bytes: int
    ranks: Ranks = ()

    def __repr__(self) -> str:
        work, peak, size = map(
            spelled, (self.flops, self.peak_bytes, self.result_bytes)
        )
        ranks = self.ranks if len(self.ranks) < 14 else f"at most {max(self.ranks)}"
        sizes = f"peak_bytes={peak}, result_bytes={size}, ranks={ranks}"
        return f"Cost(flops={work}, {sizes})"

    def require(self, what: str, advice: str, max_bytes: int = MAX_BYTES) -> None:
        """Raise TooLargeError where the result is above ``max_bytes``."""
        require_room((self.result_bytes,), 1, what, advice, max_bytes)


def add(x: Cores, y: Cores) -> Cost:
    """``x + y``: ranks add up; nothing is computed but zeros are stored."""
    pairs = zip(chain.ranks(x)[1:-1], chain.ranks(y)[1:-1], strict=True)
    ranks = (1, *(a + b for a, b in pairs), 1)
    size = _stored(ranks, chain.modes(x), _itemsize(x, y))
    return Cost(prod(x[0].shape) if len(x) == 1 else 0, 2 * size, size, ranks)


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
    return Cost(work, 2 * size, size, ranks)  # the product, and its axes in order


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
        peak = max(
            peak, (before + 2 * done * s) * item
        )  # the product, its axes in order
    return Cost(work, peak, done * item)


class Dense(NamedTuple):
    """A dense operand: its columns or samples, and the bytes of a number."""

    n: int
    itemsize: int


def matmat(A: Cores, X: Dense) -> Cost:
    """``A @ X`` for dense ``X``: two neighbouring states at the peak."""
    (n, item), work = X, 0
    to_come = prod(core.shape[2] for core in A) * n
    states, done = [to_come], 1
    for a, i, j, b in (core.shape for core in A):
        to_come, done = to_come // j, done * i
        work += 2 * (done // i) * a * i * j * b * to_come
        states.append(done * b * to_come)
    peak = max(before + after for before, after in pairwise(states))
    peak += max(prod(core.shape) for core in A) + states[0]
    return Cost(work, peak * item, states[-1] * item)


def vjp(A: Cores, X: Dense) -> Cost:
    """``A @ X`` and its pullback: three times the work, and every state is kept."""
    forward, (n, item) = matmat(A, X), X
    shapes, done, to_come = [], 1, prod(core.shape[2] for core in A) * n
    for a, i, j, _ in (core.shape for core in A):
        shapes.append(done * a * to_come)
        done, to_come = done * i, to_come // j
    kept = sum(shapes) * item + _stored(chain.ranks(A), chain.modes(A), item)
    return Cost(3 * forward.flops, kept + 2 * forward.peak_bytes, kept)


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
    return Cost(work, 3 * size, size, chain.ranks(x))


def rounding(x: Cores) -> Cost:
    """A QR sweep, an SVD sweep at ``10 m n^2`` for each SVD; ranks at most."""
    sweep = orthogonalize(x)
    work = sweep.flops + 10 * sweep.flops // 4
    return Cost(work, 2 * sweep.peak_bytes, sweep.result_bytes, sweep.ranks)


def from_diagonal(x: Cores) -> Cost:
    """Each mode becomes a pair: ``n`` times as many numbers in a core."""
    modes = [(n, n) for (n,) in chain.modes(x)]
    size = _stored(chain.ranks(x), modes, _itemsize(x))
    return Cost(0, 2 * size, size, chain.ranks(x))


def concatenate(chains: Sequence[Cores], site: int, axis: int) -> Cost:
    """Ranks add up, and so does one mode of one core."""
    ranks = tuple(map(sum, zip(*map(chain.ranks, chains), strict=True)))
    ranks = (1, *ranks[1:-1], 1)
    modes = [list(n) for n in chain.modes(chains[0])]
    modes[site][axis] = sum(chain.modes(cores)[site][axis] for cores in chains)
    size = _stored(ranks, [tuple(n) for n in modes], _itemsize(*chains))
    return Cost(0, 2 * size, size, ranks)


def entries(x: Cores, n: int) -> Cost:
    """``n`` entries at once: a slice of a core for each of them."""
    item = _itemsize(x)
    work = sum(2 * n * core.shape[0] * core.shape[-1] for core in x)
    peak = 2 * n * max(core.shape[0] * core.shape[-1] for core in x) * item
    return Cost(work, peak, peak)


def of(operation: str, cores: Cores, operands: Sequence[Any]) -> Cost:
    """What ``operation`` costs; ShapeError where it is not predicted, or cannot be."""
    if operation not in OPERATIONS:
        names = ", ".join(OPERATIONS)
        raise ShapeError(f"cost: {operation!r} is not predicted; there are: {names}")
    if operation in ("matvec", "matmat") and any(hasattr(x, "cores") for x in operands):
        operation = "matmul"  # with a train, not with a dense array
    wanted, predict = OPERATIONS[operation]
    if len(operands) != len(wanted):
        message = f"cost: {operation!r} takes {len(wanted)} operands beside the train"
        raise TypeError(f"{message}, got {len(operands)}")
    return predict(
        cores, *(take(cores, x) for take, x in zip(wanted, operands, strict=True))
    )


def _like(cores: Cores, other: Any) -> Cores:
    """The cores of a train with the same modes."""
    return paired(cores, _cores_of(other), "cost")[1]


def _kind(cores: Cores, other: Any) -> Cores:
    """The cores of a train of the same kind."""
    found = _cores_of(other)
    if found[0].ndim != cores[0].ndim:
        raise TypeError("cost: two tensors or two matrices are needed, got one of each")
    return found


def _after(cores: Cores, other: Any) -> Cores:
    """The cores of a train that a matrix can be applied to."""
    found = _cores_of(other)
    _require_matrix(cores)
    mine = [n[-1] for n in chain.modes(cores)]
    if mine != [n[0] for n in chain.modes(found)]:
        message = f"cost: the matrix maps from modes {tuple(mine)}"
        raise ShapeError(f"{message}, the operand has {chain.modes(found)}")
    return found


def _columns(cores: Cores, x: Any) -> Dense:
    """A dense operand with its samples last, or their number."""
    return _dense(cores, x, slice(1, None))


def _samples(cores: Cores, x: Any) -> Dense:
    """A dense operand with its samples first, or their number."""
    return _dense(cores, x, slice(None, -1))


def _dense(cores: Cores, x: Any, samples: slice) -> Dense:
    _require_matrix(cores)
    if not is_array(x) or x.ndim == 0:
        return Dense(as_positive(x, "cost: the number of samples"), _itemsize(cores))
    N = prod(core.shape[2] for core in cores)
    if x.shape[0 if samples.stop is None else -1] != N:
        message = f"cost: the operand has shape {tuple(x.shape)}"
        raise ShapeError(f"{message}, the matrix has {spelled(N)} columns")
    return Dense(prod(x.shape[samples]), _itemsize(cores, (as_array(x, "x"),)))


def _count(cores: Cores, n: Any) -> int:  # noqa: ARG001
    return as_positive(n, "cost: the number of entries")


def _cores_of(other: Any) -> Cores:
    cores = getattr(other, "cores", None)
    if not isinstance(cores, tuple):
        kind = type(other).__name__
        raise TypeError(f"cost: the operand must be a train, got {kind}")
    return cores


def _require_matrix(cores: Cores) -> None:
    if cores[0].ndim != 4:
        raise TypeError("cost: this operation is one of matrices, not of tensors")


OPERATIONS: dict[
    str, tuple[tuple[Callable[[Cores, Any], Any], ...], Callable[..., Cost]]
]
OPERATIONS = {
    "add": ((_like,), add),
    "matmul": ((_after,), matmul),
    "hadamard": ((_like,), hadamard),
    "kron": ((_kind,), kron),
    "entries": ((_count,), entries),
    "from_diagonal": ((), from_diagonal),
    "to_dense": ((), dense),
    "apply": ((_samples,), matmat),
    "matvec": ((_columns,), matmat),
    "matmat": ((_columns,), matmat),
    "vjp": ((_samples,), vjp),
    "dot": ((_like,), dot),
    "norm": ((), orthogonalize),
    "orthogonalize": ((), orthogonalize),
    "round": ((), rounding),
}


def _stored(ranks: Ranks, modes: Modes, itemsize: int) -> int:
    sites = zip(pairwise(ranks), modes, strict=True)
    return itemsize * sum(r * prod(n) * s for (r, s), n in sites)


def _itemsize(*chains: Cores) -> int:
    """Of the common dtype: complex64 and float64 make complex128."""
    xp = namespace_of(*(cores[0] for cores in chains))
    kind = xp.result_type(*(cores[0] for cores in chains))
    return nbytes_of(xp.empty(1, dtype=kind))
