"""Functions of several trains: dot, same, kron, linear_combination, concatenate."""

from collections.abc import Sequence
from math import inf, log2
from typing import Literal, NamedTuple, TypeVar, overload

import numpy as np

from ttalgebra.arrays.checks import as_index, as_tol
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import eps_of
from ttalgebra.arrays.scaling import exponent_of, scalar_times_power, times_power
from ttalgebra.arrays.typing import RNG, Cores, Ranks, Scalar
from ttalgebra.cores import arithmetic, chain, orthogonalize, products
from ttalgebra.cores.truncation import Truncation, announce
from ttalgebra.trains.doors import cost, rounding
from ttalgebra.trains.doors.pairing import paired, promoted, require_joinable
from ttalgebra.trains.shared.rounded import AbstractTrain

Train = TypeVar("Train", bound=AbstractTrain)


def dot(x: AbstractTrain, y: AbstractTrain) -> Scalar:
    """``<x, y>``, conjugating ``x``: a float, or a complex number.

    Raises ShapeError where the modes differ. Error at most ``c eps W Gamma_x
    Gamma_y``: for the norm of a small difference use `norm`, which is accurate.
    Cost ``O(d n r^3)``. Source: Oseledets (2011), Algorithm 4.

    >>> import ttalgebra as tt
    >>> tt.dot(tt.ones((2, 3, 4)), tt.ones((2, 3, 4)))
    24.0
    """
    _require_alike((x, y), "dot")
    return products.dot(*paired(x.cores, y.cores, "dot"))


class Comparison(NamedTuple):
    """What `same` found; true where the trains are equal within ``tol``.

    ``distance`` is relative to the larger of the norms, ``roundoff`` bounds its error.
    ``certified`` says that no roundoff could change the answer.
    """

    equal: bool
    certified: bool
    distance: float
    roundoff: float

    def __bool__(self) -> bool:
        return self.equal


def same(x: Train, y: Train, tol: float = 0.0) -> Comparison:
    """Whether ``norm(x - y) <= tol * max(norm(x), norm(y))``, whatever their cores.

    The distance comes from a QR sweep through the difference. Its error is at most 30
    units ``eps W Gamma``, within which of ``tol`` nothing is certified; for long trains
    that is far more than the ``eps W`` of the norms that a sweep does make, and within
    that of ``tol`` equal is the answer. Cost ``O(d n (r_x + r_y)^3)``.

    >>> import ttalgebra as tt
    >>> x = tt.random_tensor((3, 4, 5), 3, rng=0)
    >>> bool(tt.same(x, x.round())), bool(tt.same(x, 1.001 * x))
    (True, False)
    """
    _require_alike((x, y), "same")
    tol = as_tol(tol, "same") or 0.0
    chains = _in_range(*paired(x.cores, y.cores, "same"))
    difference = (x._of(chains[0]) - y._of(chains[1])).cores
    norms = [orthogonalize.norm_parts(cores) for cores in chains]
    larger = norms.index(max(norms, key=_magnitude))
    size, scale = norms[larger]
    distance = _over(orthogonalize.norm_parts(difference), size, scale)
    roundoff = _unit_over(difference, size, scale)
    roundoff += distance * _unit_over(chains[larger], size, scale)
    certified = abs(distance - tol) > roundoff or distance == roundoff == 0
    usual = 60 * orthogonalize.width(difference) * eps_of(difference[0])
    equal = distance <= tol + min(roundoff, usual)
    return Comparison(equal, certified, distance, roundoff)


def _in_range(x: Cores, y: Cores) -> tuple[Cores, Cores]:
    """Both times the power of two that keeps the difference of single cores in range.

    Chains of more cores put theirs side by side, and nothing is added.
    """
    if len(x) > 1:
        return x, y
    top = max(int(exponent_of(x[0])), int(exponent_of(y[0])))
    return (times_power(x[0], -top),), (times_power(y[0], -top),)


def _unit_over(cores: Cores, size: float, scale: int) -> float:
    unit, exponent = orthogonalize.unit_parts(cores)
    return _over((30 * unit, exponent), size, scale)


def _magnitude(parts: tuple[float, int]) -> float:
    value, exponent = parts
    return log2(value) + exponent if value else -inf


def _over(parts: tuple[float, int], size: float, scale: int) -> float:
    value, exponent = parts
    return scalar_times_power(value / size, exponent - scale) if size else value


def kron(x: Train, y: Train) -> Train:
    """The Kronecker product of two matrices, or outer product of two tensors.

    One chain behind the other, as ``numpy.kron`` orders rows and columns; exact, the
    bond between them has rank 1. Cost: the copies of the cores.

    >>> import ttalgebra as tt
    >>> tt.kron(tt.identity((2, 3)), tt.ones((4,), (5,))).shape
    (24, 30)
    """
    _require_alike((x, y), "kron")
    cost.kron(x.cores, y.cores).require("kron", "round the operands first")
    return x._of(promoted(*x.cores, *y.cores))


@overload
def linear_combination(
    coefficients: Sequence[Scalar],
    trains: Sequence[Train],
    tol: float | None = ...,
    max_rank: Ranks | None = ...,
    *,
    method: str = ...,
    atol: float | None = ...,
    rng: RNG = ...,
    strict: bool = ...,
    return_info: Literal[False] = ...,
) -> Train: ...


@overload
def linear_combination(
    coefficients: Sequence[Scalar],
    trains: Sequence[Train],
    tol: float | None = ...,
    max_rank: Ranks | None = ...,
    *,
    method: str = ...,
    atol: float | None = ...,
    rng: RNG = ...,
    strict: bool = ...,
    return_info: Literal[True],
) -> tuple[Train, Truncation]: ...


def linear_combination(
    coefficients: Sequence[Scalar],
    trains: Sequence[Train],
    tol: float | None = None,
    max_rank: Ranks | None = None,
    *,
    method: str = "svd",
    atol: float | None = None,
    rng: RNG = None,
    strict: bool = False,
    return_info: bool = False,
) -> Train | tuple[Train, Truncation]:
    """``sum_i c_i x_i`` rounded, without the sum, whose ranks add up, being formed.

    ``tol`` (relative to the sum, however much of it cancels), ``atol`` (which is not,
    so that noise may vanish where all cancels), ``max_rank``, ``rng``, ``strict`` and
    ``return_info`` as in `round`. ``method`` is "svd", whose error report is the error
    itself, or "random", a sketch that is verified, with "svd" behind it. Raises
    ShapeError where the modes differ.

    >>> import ttalgebra as tt
    >>> x = tt.random_tensor((4, 5, 6), 3, rng=0)
    >>> tt.linear_combination([2.0, -1.0], [x, x], tol=1e-6).ranks == x.ranks
    True
    """
    _require_alike(trains, "linear_combination")
    if not isinstance(coefficients, (list, tuple, np.ndarray)):
        kind = type(coefficients).__name__
        raise TypeError(f"linear_combination: coefficients must be a list, got {kind}")
    cores, info = rounding.combined(
        coefficients,
        _alike(trains),
        tol,
        max_rank,
        method=method,
        atol=atol,
        rng=rng,
    )
    announce(info, "linear_combination", strict=strict)
    result: Train = trains[0]._of(cores)
    return (result, info) if return_info else result


def concatenate(trains: Sequence[Train], axis: int = 0, *, site: int = 0) -> Train:
    """The trains one after the other, along one mode; all their other modes agree.

    Tensors are joined along mode ``axis``. Matrices are stacked (``axis=0``) or put
    side by side (``axis=1``) by the digit of ``site``, the first one unless you say
    so. Exact; ranks add up.

    >>> import ttalgebra as tt
    >>> tt.concatenate([tt.ones((2, 3)), tt.zeros((2, 1))], axis=1).to_dense()
    array([[1., 1., 1., 0.],
           [1., 1., 1., 0.]])
    """
    _require_alike(trains, "concatenate")
    first, tensors = trains[0], trains[0].n_modes == 1
    axis = as_index(axis, first.order if tensors else 2, "concatenate: axis")
    site = as_index(site, first.order, "concatenate: site")
    place, mode = (axis, 0) if tensors else (site, axis)
    for other in trains[1:]:
        require_joinable(first.cores, other.cores, place, mode)
    chains = [chain.tame(cores)[0] for cores in _alike(trains)]
    advice = "round the trains first"
    cost.concatenate(chains, place, mode).require("concatenate: the result", advice)
    joined: Train = first._of(arithmetic.concatenate(chains, place, mode))
    return joined


def _alike(trains: Sequence[AbstractTrain]) -> list[Cores]:
    """Their cores in one dtype."""
    given = iter(promoted(*(core for train in trains for core in train.cores)))
    return [tuple(next(given) for _ in train.cores) for train in trains]


def _require_alike(trains: Sequence[object], verb: str) -> None:
    if not isinstance(trains, (list, tuple)):
        kind = type(trains).__name__
        raise TypeError(f"{verb}: a list or tuple of trains is needed, got {kind}")
    if not trains:
        raise ShapeError(f"{verb}: no trains were given; one at least is needed")
    kinds = {type(train).__name__: isinstance(train, AbstractTrain) for train in trains}
    if len(kinds) > 1 or not all(kinds.values()):
        names = " and ".join(kinds)
        raise TypeError(f"{verb}: tensors only or matrices only, got {names}")
