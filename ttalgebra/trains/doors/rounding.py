"""The doors to rounding: which route, to which accuracy, at which price.

The routes are imported when they are asked for; the reference, `by_svd`, is at hand.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ttalgebra.arrays.checks import (
    as_max_rank,
    as_positive,
    as_scalar,
    as_tol,
    require_one_of,
)
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG, Cores, Ranks
from ttalgebra.cores import chain, orthogonalize
from ttalgebra.cores.rounding import PRODUCTS, ROUTES, SUMS
from ttalgebra.cores.rounding.svd import by_svd
from ttalgebra.cores.truncation import Truncation
from ttalgebra.trains.doors import cost
from ttalgebra.trains.doors.pairing import require_alike

Rounded = tuple[Cores, Truncation]


def rounded(
    cores: Cores,
    tol: float | None,
    max_rank: Ranks | None,
    *,
    method: str,
    atol: float | None,
    n_parameters: int | None,
    rng: RNG,
) -> Rounded:
    """``cores`` rounded by ``method``, or to at most ``n_parameters``."""
    bounds, tol = as_max_rank(max_rank, len(cores), "round"), as_tol(tol, "round")
    require_one_of(method, ROUTES, "round")
    generator(rng)
    atol = as_tol(atol, "round", "atol")
    tol = orthogonalize.tolerance(tol, atol, lambda: orthogonalize.norm_parts(cores))
    if n_parameters is None:
        return _route(method, rng)(cores, tol=tol, max_rank=bounds)
    if max_rank is not None or tol is not None or method != "svd":
        message = "round: n_parameters was given with another wish"
        raise ShapeError(f"{message}; it chooses ranks and error by itself, by SVD")
    from ttalgebra.cores.rounding.spectra import by_parameters

    return by_parameters(cores, as_positive(n_parameters, "round: n_parameters"))


def _route(method: str, rng: RNG) -> Callable[..., Rounded]:
    if method == "svd":
        return by_svd
    if method == "gram":
        from ttalgebra.cores.rounding.gram import by_gram

        return by_gram
    from ttalgebra.cores.rounding.sketch import by_sketch

    return partial(by_sketch, rng=rng)


def combined(
    coefficients: Sequence[Any],
    chains: Sequence[Cores],
    tol: float | None,
    max_rank: Ranks | None,
    *,
    method: str,
    atol: float | None,
    rng: RNG,
) -> Rounded:
    """``sum_i c_i x_i`` rounded, never formed; the chains have the same modes."""
    verb = "linear_combination"
    if len(coefficients) != len(chains):
        message = f"{verb}: {len(coefficients)} coefficients for {len(chains)} trains"
        raise ShapeError(f"{message}; give one for each")
    factors = [
        as_scalar(c, f"{verb}: coefficient {k}") for k, c in enumerate(coefficients)
    ]
    first = chain.modes(chains[0])
    for k, cores in enumerate(chains[1:], start=1):
        require_alike(first, chain.modes(cores), f"{verb}: trains 0 and {k}")
    bounds, tol = as_max_rank(max_rank, len(chains[0]), verb), as_tol(tol, verb)
    require_one_of(method, SUMS, verb)
    atol = as_tol(atol, verb, "atol")
    generator(rng)
    from ttalgebra.cores.rounding.unformed import sum_rounded

    return sum_rounded(
        factors,
        chains,
        tol=tol,
        atol=atol,
        max_rank=bounds,
        method=method,
        rng=rng,
    )


def multiplied(
    A: Cores,
    x: Cores,
    kind: str,
    tol: float | None,
    max_rank: Ranks | None,
    *,
    method: str,
    atol: float | None,
    rng: RNG,
) -> Rounded:
    """``A x`` ("matvec"), ``A B`` ("matmat") or ``x * y`` ("hadamard"), rounded."""
    bounds, tol = as_max_rank(max_rank, len(A), kind), as_tol(tol, kind)
    require_one_of(method, PRODUCTS, kind)
    atol = as_tol(atol, kind, "atol")
    generator(rng)
    if method == "exact":
        formed = cost.hadamard if kind == "hadamard" else cost.matmul
        advice = "with tol of 1e-6 or more, another method never forms it"
        formed(A, x).require(f"{kind}: the product", advice)
    from ttalgebra.cores.rounding.unformed import product_rounded

    return product_rounded(
        A, x, kind=kind, tol=tol, atol=atol, max_rank=bounds, method=method, rng=rng
    )
