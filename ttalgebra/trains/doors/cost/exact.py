"""What exact operations on trains cost: sums, products, joins, closed sites."""

from collections.abc import Collection, Sequence
from math import prod

from ttalgebra.arrays.typing import Cores
from ttalgebra.cores import chain
from ttalgebra.trains.doors.cost.prediction import Cost, Layout, layout_of


def add(x: Cores, y: Cores) -> Cost:
    """``x + y``: ranks add up; nothing is computed but zeros are stored."""
    pairs = zip(chain.ranks(x)[1:-1], chain.ranks(y)[1:-1], strict=True)
    made = layout_of(x, y)._replace(ranks=(1, *(a + b for a, b in pairs), 1))
    flops = prod(x[0].shape) if len(x) == 1 else 0
    return Cost(flops, 2 * made.nbytes, made.nbytes, made.ranks)


def matmul(A: Cores, x: Cores) -> Cost:
    """``A @ x`` or ``A @ B``: ranks multiply."""
    pairs = zip(chain.modes(A), chain.modes(x), strict=True)
    return _sitewise(A, x, [(m, *n[1:]) for (m, _), n in pairs], chain.modes(A))


def hadamard(x: Cores, y: Cores) -> Cost:
    """Entry by entry: ranks multiply."""
    return _sitewise(x, y, chain.modes(x), [(1,)] * len(x))


def _sitewise(
    x: Cores,
    y: Cores,
    modes: Sequence[tuple[int, ...]],
    inner: Sequence[tuple[int, ...]],
) -> Cost:
    ranks = tuple(a * b for a, b in zip(chain.ranks(x), chain.ranks(y), strict=True))
    made = layout_of(x, y)._replace(ranks=ranks, modes=modes)
    pairs = zip(made.sites, inner, strict=True)
    work = sum(2 * r * n * s * k[-1] for (r, n, s), k in pairs)
    size = made.nbytes
    return Cost(work, 2 * size, size, ranks)  # the product, and its axes in order


def kron(x: Cores, y: Cores) -> Cost:
    """One chain behind the other: only the cores are kept again."""
    size = layout_of(x, y).nbytes + layout_of(y, x).nbytes
    return Cost(0, size, size, (*chain.ranks(x), *chain.ranks(y)[1:]))


def from_diagonal(x: Cores) -> Cost:
    """Each mode becomes a pair: ``n`` times as many numbers in a core."""
    own = layout_of(x)
    made = own._replace(modes=[(n, n) for (n,) in own.modes])
    return Cost(0, 2 * made.nbytes, made.nbytes, made.ranks)


def concatenate(chains: Sequence[Cores], site: int, axis: int) -> Cost:
    """Ranks add up, and so does one mode of one core; all is copied twice, in pairs."""
    ranks = tuple(map(sum, zip(*map(chain.ranks, chains), strict=True)))
    modes = [list(n) for n in chain.modes(chains[0])]
    modes[site][axis] = sum(chain.modes(cores)[site][axis] for cores in chains)
    own = layout_of(*chains)
    made = Layout((1, *ranks[1:-1], 1), [tuple(n) for n in modes], own.itemsize)
    return Cost(0, 2 * made.nbytes + made.largest, made.nbytes, made.ranks)


def merge(x: Cores, first: int, last: int) -> Cost:
    """The product of some neighbours, and its axes in order; the others are kept."""
    own, work = layout_of(x), 0
    (r, done, _), *others = list(own.sites)[first : last + 1]
    for s, n, t in others:
        work += 2 * r * done * s * n * t
        done *= n
    joined = tuple(
        prod(sizes) for sizes in zip(*own.modes[first : last + 1], strict=True)
    )
    modes = [*own.modes[:first], joined, *own.modes[last + 1 :]]
    ranks = (*own.ranks[: first + 1], *own.ranks[last + 1 :])
    made = own._replace(ranks=ranks, modes=modes)
    core = own.itemsize * r * done * own.ranks[last + 1]
    return Cost(work, 2 * core + own.nbytes, made.nbytes, ranks)


def closed(x: Cores, sites: Collection[int]) -> Cost:
    """``sites`` summed, traced or picked: matrices that go to the next open core."""
    own, flops, carried = layout_of(x), 0, 0
    for k, (r, n, s) in enumerate(own.sites):
        if k in sites:
            flops += r * n * s + 2 * carried * r * s
            carried = carried or r
        else:
            flops += 2 * carried * r * n * s
            last, carried = r * n, 0
    kept = [k for k in range(len(x)) if k not in sites]
    if not kept:
        return Cost(flops, 2 * own.largest, own.itemsize)
    flops += 2 * last * carried
    ranks = (1, *(own.ranks[k + 1] for k in kept[:-1]), 1)
    made = own._replace(ranks=ranks, modes=[own.modes[k] for k in kept])
    return Cost(flops, 2 * made.nbytes + 3 * own.largest, made.nbytes, ranks)


def summed(A: Cores, axis: int) -> Cost:
    """The rows, or the columns, of a matrix added up, core by core."""
    own = layout_of(A)
    made = own._replace(modes=[(pair[1 - axis],) for pair in own.modes])
    flops = own.nbytes // own.itemsize
    return Cost(flops, made.nbytes, made.nbytes, own.ranks)
