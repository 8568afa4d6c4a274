"""Which operations are predicted, each told what its method is told."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ttalgebra.arrays.checks import (
    as_index,
    as_max_rank,
    as_positive,
    as_sites,
    require_one_of,
)
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.typing import Cores, Ranks
from ttalgebra.cores.rounding import PRODUCTS, SUMS
from ttalgebra.trains.doors import modes as doors
from ttalgebra.trains.doors.cost import dense, exact, sweeps
from ttalgebra.trains.doors.cost.operands import (
    after,
    alike,
    columns,
    is_train,
    like,
    matrix,
    samples,
    tensor,
)
from ttalgebra.trains.doors.cost.prediction import Cost
from ttalgebra.trains.doors.pairing import require_joinable


def of(
    operation: str, cores: Cores, operands: Sequence[Any], options: Mapping[str, Any]
) -> Cost:
    """What ``operation`` costs; ShapeError where it is not predicted."""
    if operation not in OPERATIONS:
        names = ", ".join(OPERATIONS)
        raise ShapeError(f"cost: {operation!r} is not predicted; there are: {names}")
    predict = OPERATIONS[operation]
    try:
        inspect.signature(predict).bind(cores, *operands, **options)
    except TypeError as error:
        raise TypeError(f"cost: {operation!r}: {error}") from None
    return predict(cores, *operands, **options)


def _product(
    A: Cores, x: Cores, kind: str, max_rank: Ranks | None, method: str | None
) -> Cost:
    """Exact, or rounded without being formed where one of both is given."""
    if max_rank is None and method is None:
        return (exact.hadamard if kind == "hadamard" else exact.matmul)(A, x)
    from ttalgebra.trains.doors.cost import compressed

    method = "exact" if method is None else method
    require_one_of(method, PRODUCTS, f"cost: {kind}")
    bounds = as_max_rank(max_rank, len(A), f"cost: {kind}")
    return compressed.product(A, x, kind, bounds, method)


def _hadamard(
    x: Cores, y: Any, *, max_rank: Ranks | None = None, method: str | None = None
) -> Cost:
    return _product(x, like(x, y), "hadamard", max_rank, method)


def _matvec(
    A: Cores, x: Any, *, max_rank: Ranks | None = None, method: str | None = None
) -> Cost:
    if not is_train(x):
        return dense.matmat(A, columns(A, x))
    kind = "matmat" if x.cores[0].ndim == 4 else "matvec"
    return _product(A, after(A, x), kind, max_rank, method)


def _combination(
    x: Cores, *others: Any, max_rank: Ranks | None = None, method: str = "svd"
) -> Cost:
    from ttalgebra.trains.doors.cost import compressed

    chains = [x, *(like(x, other) for other in others)]
    require_one_of(method, SUMS, "cost: linear_combination")
    bounds = as_max_rank(max_rank, len(x), "cost: linear_combination")
    return compressed.combination(chains, bounds, method)


def _concatenate(x: Cores, *others: Any, axis: int = 0, site: int = 0) -> Cost:
    tensors = x[0].ndim == 3
    place = as_index(axis, len(x) if tensors else 2, "cost: axis")
    site = as_index(site, len(x), "cost: site")
    place, mode = (place, 0) if tensors else (site, place)
    chains = [x, *(alike(x, other) for other in others)]
    for other in chains[1:]:
        require_joinable(x, other, place, mode)
    return exact.concatenate(chains, place, mode)


def _sum(x: Cores, places: Any = None) -> Cost:
    if places is not None and x[0].ndim == 4:
        return exact.summed(x, as_index(places, 2, "cost: axis"))
    return exact.closed(x, as_sites(places, len(x), "cost: mode"))


def _partial_trace(A: Cores, sites: Any) -> Cost:
    return exact.closed(matrix(A), as_sites(sites, len(A), "cost: site"))


def _round(x: Cores, *, max_rank: Ranks | None = None) -> Cost:
    return sweeps.rounding(x, as_max_rank(max_rank, len(x), "cost: round"))


def _split(x: Cores, site: Any, *sizes: Any) -> Cost:
    place, digits = doors.digits_of_split(x, site, sizes)
    whole = [[core.shape[1:-1]] for core in x]
    return sweeps.split(x, [*whole[:place], digits, *whole[place + 1 :]])


def _permute(x: Cores, order: Any, *, max_rank: Ranks | None = None) -> Cost:
    bounds = as_max_rank(max_rank, len(x), "cost: permute_modes")
    return sweeps.permute(x, doors.order_of(order, len(x)), bounds)


OPERATIONS: dict[str, Callable[..., Cost]] = {
    "add": lambda x, y: exact.add(x, like(x, y)),
    "matmul": lambda A, x: exact.matmul(A, after(A, x)),
    "hadamard": _hadamard,
    "kron": lambda x, y: exact.kron(x, alike(x, y)),
    "concatenate": _concatenate,
    "linear_combination": _combination,
    "entries": lambda x, n: dense.entries(
        x, as_positive(n, "cost: the number of entries")
    ),
    "from_diagonal": lambda x: exact.from_diagonal(tensor(x)),
    "to_dense": lambda x: dense.to_dense(x),
    "apply": lambda A, X: dense.apply(A, samples(A, X)),
    "matvec": _matvec,
    "matmat": _matvec,
    "vjp": lambda A, X: dense.vjp(A, samples(A, X)),
    "dot": lambda x, y: sweeps.dot(x, like(x, y)),
    "norm": lambda x: sweeps.orthogonalize(x),
    "sum": _sum,
    "trace": lambda A: exact.closed(matrix(A), range(len(A))),
    "partial_trace": _partial_trace,
    "orthogonalize": lambda x: sweeps.orthogonalize(x),
    "canonical": lambda x: sweeps.canonical(x),
    "round": _round,
    "split_modes": _split,
    "merge_modes": lambda x, first, last: exact.merge(
        x, *doors.stretch_of(x, first, last)
    ),
    "permute_modes": _permute,
    "to_qtt": lambda x, base=2: sweeps.split(x, doors.digits_of_qtt(x, base)),
}
