"""Sums and products that are rounded without ever being formed.

A sum of many chains, a matrix applied to a chain, an entrywise product: each is a
network. A sketch or a sweep finds a chain for it, a certificate verifies the error,
and where that fails the exact route forms the whole.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

from ttalgebra.arrays.checks import require_room, require_values
from ttalgebra.arrays.namespace import namespace_of, nbytes_of
from ttalgebra.arrays.scaling import times_power
from ttalgebra.arrays.typing import RNG, Array, Cores, Scalar
from ttalgebra.cores import arithmetic, products
from ttalgebra.cores.orthogonalize import left_orthogonalize
from ttalgebra.cores.rounding.certify import (
    SHARE,
    Certificate,
    Exact,
    Rounded,
    double_of,
    examined,
    fall_back,
    report,
)
from ttalgebra.cores.rounding.networks import Network, product, total
from ttalgebra.cores.rounding.sites import Pair, Plain
from ttalgebra.cores.rounding.sketch import sketched
from ttalgebra.cores.rounding.svd import by_svd, leveled, rounded
from ttalgebra.cores.rounding.sweeps import Bounds, fit, zip_up

FORMS = {
    "matvec": products.matvec,
    "matmat": products.compose,
    "hadamard": products.hadamard,
}
SMALL = 2**14  # entries of a core
WIDEST = 4096  # ranks of a sum whose Gram matrices (128 MiB) still fit beside it


def sum_rounded(
    coefficients: Sequence[Scalar],
    chains: Sequence[Cores],
    *,
    tol: float | None = None,
    atol: float | None = None,
    max_rank: Bounds,
    method: str = "svd",
    rng: RNG = None,
) -> Rounded:
    """``sum_i c_i x_i``, rounded; one chain at least, all of the same modes.

    ``method`` is "svd", the sweeps of `by_svd` through the unformed sum, or "random",
    a sketch of it that is verified. ``tol`` and ``info.error`` are relative to the sum,
    however much of it cancels; ``atol`` is not. Cost, with ``R`` the sum of the ranks
    ``r`` and ``l`` the ranks that roundoff leaves: ``O(d n R l (r + R))``; with ``l``
    columns that of the sketch is ``O(d n r R l)`` and of its check ``O(d n r R^2)``.
    """
    terms, exponent = _comparable(coefficients, chains)
    network = total(terms, exponent)

    def exact() -> Rounded:
        verb = "linear_combination"
        return rounded(network, tol=tol, atol=atol, max_rank=max_rank, verb=verb)

    if method == "svd" or len(terms) == 1:
        return exact()
    if max(network.ranks) > WIDEST:
        reason = f"ranks of {max(network.ranks)} in all exceed {WIDEST}"
        return fall_back(exact, "random", reason)
    truth = network.cast(double_of(terms[0][0]))
    found = examined(truth, network, tol, atol, max_rank)
    if isinstance(found, str):
        return fall_back(exact, "random", found)
    return sketched(network, exact, *found, max_rank, rng)


def _comparable(
    coefficients: Sequence[Scalar], chains: Sequence[Cores]
) -> tuple[list[Cores], Array]:
    """``c_i x_i`` in one dtype and in units of ``2**exponent``.

    All left interfaces are near one, whatever the scales of the chains, so a term whose
    last core vanishes here would be negligible in the sum. Zeros are left out.
    """
    given = zip(coefficients, chains, strict=True)
    scaled = [arithmetic.scale(x, c) for c, x in given]
    for cores in scaled:
        require_values(cores[0], "linear_combination")
    scaled = _cast(scaled, _dtype_of(scaled))
    found = [leveled(cores) for cores in scaled]
    kept = [(cores, exponent) for cores, exponent, norm in found if norm]
    if not kept:
        return [tuple(0 * core[:1, ..., :1] for core in scaled[0])], found[0][1]
    top = max((exponent for _, exponent in kept), key=int)
    terms = [
        (*cores[:-1], times_power(cores[-1], exponent - top))
        for cores, exponent in kept
    ]
    return terms, top


def product_rounded(
    A: Cores,
    x: Cores,
    *,
    kind: str,
    tol: float | None = None,
    atol: float | None = None,
    max_rank: Bounds,
    method: str = "exact",
    rng: RNG = None,
) -> Rounded:
    """``A x``, ``A B`` or an entrywise product, rounded.

    ``kind`` is "matvec", "matmat" or "hadamard". ``method`` is "exact" (form, then
    `by_svd`), "zipup", "random" (a sketch) or "fit" (zip-up improved by alternating
    least squares). All but "exact" verify the error and fall back to it where ``tol``
    is below the floor of the check, or is missed. Costs for ranks ``r`` of ``A``,
    ``s`` of ``x`` and ``l`` of the result: ``O(d n r^3 s^3)`` exact, ``O(d n r s l
    (r + s + l))`` the others, ``O(d n r^2 s^2 (r + s))`` the check.
    """
    dtype = _dtype_of([A, x])
    A, x = _cast([A, x], dtype)

    def exact() -> Rounded:
        _require_room(A, x, kind)
        found = _with_small_sites_formed(product(A, x, kind), kind)
        cores, info = rounded(found, tol=tol, atol=atol, max_rank=max_rank, verb=kind)
        return cores, replace(info, method="exact")

    if method == "exact":
        return exact()
    truth = product(A, x, kind)
    network = _product_of_orthogonal(A, x, kind)
    found = examined(truth, network, tol, atol, max_rank)
    if isinstance(found, str):
        return fall_back(exact, method, found)
    certificate, tol = found
    if method == "random":
        return sketched(network, exact, certificate, tol, max_rank, rng)
    return _swept(network, exact, certificate, tol, max_rank, method)


def _with_small_sites_formed(network: Network, kind: str) -> Network:
    """One core where that takes less time than two: 1.0 instead of 1.5 s of 10,000."""
    sites = (
        Plain(FORMS[kind]((site.first,), (site.second,))[0])
        if prod(site.shape) <= SMALL
        else site
        for site in network.sites
        if isinstance(site, Pair)
    )
    return replace(network, sites=tuple(sites))


def _require_room(A: Cores, x: Cores, kind: str) -> None:
    """Raise TooLargeError before a product is formed after all."""
    entries = 0
    for G, H in zip(A, x, strict=True):
        modes = prod(H.shape[1:-1])
        modes = modes if kind == "hadamard" else modes // H.shape[1] * G.shape[1]
        entries += G.shape[0] * H.shape[0] * modes * G.shape[-1] * H.shape[-1]
    advice = "raise tol above 1e-6, the floor of the other methods, or round first"
    itemsize = nbytes_of(A[0][(slice(1),) * A[0].ndim])
    require_room((entries,), itemsize, f"{kind}: the exact product", advice)


def _product_of_orthogonal(A: Cores, x: Cores, kind: str) -> Network:
    """The gauge in which a zip-up cuts where it should.

    Its roundoff is that of ``norm(A) norm(x)``, which may be far above ``norm(A x)``:
    so results are verified against the product of what was given.
    """
    (A, shift), (x, growth) = left_orthogonalize(A), left_orthogonalize(x)
    found = product(A, x, kind)
    return replace(found, exponent=found.exponent + shift + growth)


def _swept(
    network: Network,
    exact: Exact,
    certificate: Certificate,
    tol: float | None,
    max_rank: Bounds,
    method: str,
) -> Rounded:
    """Zip-up, sweeps of "fit", the final cut, the check."""
    y = zip_up(network, tol=tol, max_rank=max_rank)
    if method == "fit":
        y = fit(network, y)
    y, account = by_svd(y, tol=tol and SHARE * tol, max_rank=max_rank)
    info = report(certificate, y, account, method=method, tol=tol)
    if info.tol_met and certificate.floor < 1:
        return y, info
    return fall_back(exact, method, f"verified error {info.error:.2g} exceeds tol")


def _dtype_of(chains: Sequence[Cores]) -> Any:
    arrays = [core for cores in chains for core in cores]
    return namespace_of(*arrays).result_type(*(core.dtype for core in arrays))


def _cast(chains: Sequence[Cores], dtype: Any) -> list[Cores]:
    xp = namespace_of(*chains[0])
    return [tuple(xp.astype(core, dtype, copy=False) for core in x) for x in chains]
