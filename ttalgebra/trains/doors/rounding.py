"""The doors to rounding: which route, to which accuracy, at which price.

The routes are imported when they are asked for; the reference, `by_svd`, is at hand.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ttalgebra.arrays.checks import as_max_rank, as_positive, as_scalar, as_tol
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.scaling import scalar_times_power
from ttalgebra.arrays.typing import RNG, Cores, Ranks
from ttalgebra.cores import chain, orthogonalize
from ttalgebra.cores.rounding.svd import by_svd
from ttalgebra.cores.truncation import Truncation
from ttalgebra.trains.doors import cost

Rounded = tuple[Cores, Truncation]
ROUTES = ("svd", "gram", "random")
PRODUCTS = ("exact", "zipup", "random", "fit")


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
    _require_one_of(method, ROUTES, "round")
    generator(rng)
    if atol is not None:
        tol = max(tol or 0.0, _relative(cores, as_tol(atol, "round") or 0.0))
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


def _relative(cores: Cores, atol: float) -> float:
    """``atol`` over the norm, which may be out of range; 0 for a zero chain."""
    value, exponent = orthogonalize.norm_parts(cores)
    return min(scalar_times_power(atol / value, -exponent), 1e300) if value else 0.0


def combined(
    coefficients: Sequence[Any],
    chains: Sequence[Cores],
    tol: float | None,
    max_rank: Ranks | None,
    *,
    method: str,
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
    for k, cores in enumerate(chains[1:], start=1):
        if chain.modes(cores) != chain.modes(chains[0]):
            message = f"{verb}: train {k} has modes {chain.modes(cores)}"
            raise ShapeError(f"{message}, the first has {chain.modes(chains[0])}")
    bounds, tol = as_max_rank(max_rank, len(chains[0]), verb), as_tol(tol, verb)
    _require_one_of(method, ("random", "svd"), verb)
    from ttalgebra.cores.rounding.unformed import sum_rounded

    return sum_rounded(
        factors, chains, tol=tol, max_rank=bounds, method=method, rng=rng
    )


def multiplied(
    A: Cores,
    x: Cores,
    kind: str,
    tol: float | None,
    max_rank: Ranks | None,
    *,
    method: str,
    rng: RNG,
) -> Rounded:
    """``A x`` ("matvec"), ``A B`` ("matmat") or ``x * y`` ("entrywise"), rounded."""
    bounds, tol = as_max_rank(max_rank, len(A), kind), as_tol(tol, kind)
    _require_one_of(method, PRODUCTS, kind)
    if method == "exact":
        formed = cost.hadamard if kind == "entrywise" else cost.matmul
        advice = "with tol of 1e-6 or more, another method never forms it"
        formed(A, x).require(f"{kind}: the product", advice)
    from ttalgebra.cores.rounding.unformed import product_rounded

    return product_rounded(
        A, x, kind=kind, tol=tol, max_rank=bounds, method=method, rng=rng
    )


def _require_one_of(method: Any, names: Sequence[str], verb: str) -> None:
    if not isinstance(method, str):
        raise TypeError(f"{verb}: method must be a name, got {type(method).__name__}")
    if method not in names:
        raise ShapeError(f"{verb}: no method {method!r}; there are: {', '.join(names)}")
