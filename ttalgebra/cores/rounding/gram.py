"""Rounding by Gram matrices: BLAS 3 where the reference route runs QR and SVD.

Source: Al Daas, Ballard, Manning (2022), Parallel tensor train rounding using Gram
SVD, IPDPS; cut from the right. A Gram matrix squares the singular values,
so those below ``sqrt(eps)`` are lost in it.
"""

from ttalgebra.arrays.contract import matmul
from ttalgebra.arrays.factorize import svd
from ttalgebra.arrays.namespace import adjoint, device_of, eps_of, namespace_of
from ttalgebra.arrays.scaling import norm_of, times_power, unit_scaled
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain, ranged
from ttalgebra.cores.chain import (
    absorb_left,
    absorb_right,
    left_unfold,
    right_fold,
    right_unfold,
)
from ttalgebra.cores.rounding.certify import (
    SHARE,
    Certificate,
    Rounded,
    fall_back,
    report,
    unsuited,
)
from ttalgebra.cores.rounding.networks import plain
from ttalgebra.cores.rounding.svd import by_svd
from ttalgebra.cores.truncation import Budget

Bounds = tuple[int | None, ...]


def by_gram(cores: Cores, *, tol: float | None = None, max_rank: Bounds) -> Rounded:
    """Round by Gram matrices of all left interfaces, and verify the error.

    ``norm(x - rounded) <= info.error * norm(x)`` and ``info.error <= tol``. Falls back
    to `by_svd` where ``tol`` is None or below the floor (1e-6 in double, 1e-2 in single
    precision), or where the check fails. Cost ``O(d n r^3)``, in GEMMs but for
    factorisations of ``r x r`` matrices.
    """

    def exact() -> Rounded:
        return by_svd(cores, tol=tol, max_rank=max_rank)

    network = plain(cores)
    reason = "tol is None" if tol is None else unsuited(network, tol, max_rank)
    if tol is None or reason:
        return fall_back(exact, "gram", str(reason))
    certificate = Certificate.of(network)
    if reason := certificate.refusal(tol):
        return fall_back(exact, "gram", reason)
    rounded, exponent, budget, scale = _cut(cores, SHARE * tol, max_rank)
    account = budget.report(chain.ranks(rounded), scale)
    y = ranged.held(rounded, exponent, "round")
    info = report(certificate, y, account, method="gram", tol=tol)
    if info.tol_met:
        return y, info
    return fall_back(exact, "gram", f"verified error {info.error:.2g} exceeds tol")


def _cut(
    cores: Cores, tol: float, max_rank: Bounds
) -> tuple[Cores, Array, Budget, Array]:
    """The sweep to the left, ``(cores, exponent, budget)``.

    Let ``A B`` be the unfolding at a bond, ``L = A^H A`` and ``R = B B^H``. The small
    ``sqrt(L) sqrt(R)`` has its singular values, and its right singular vectors times
    ``R^(-1/2) B`` are those of the unfolding.
    """
    units = [unit_scaled(core) for core in cores]
    center, exponent = units[-1]
    budget, base, done = None, None, []
    for (preceding, shift), (gram, scale) in zip(
        units[-2::-1], _left_grams(units), strict=True
    ):
        matrix = right_unfold(center)
        left, _ = _roots(gram)
        right, inverse = _roots(matmul(matrix, adjoint(matrix)))
        base = exponent + scale if base is None else base
        small = times_power(matmul(adjoint(left), right), exponent + scale - base)
        budget = Budget(norm_of(small), tol, max_rank) if budget is None else budget
        rows = budget.cut(small).right
        new = matmul(matmul(rows, inverse), matrix)
        done.append(right_fold(new, like=center))
        center = absorb_right(preceding, matmul(right, adjoint(rows)))
        center, growth = unit_scaled(center)
        exponent = exponent + shift + growth
    budget = Budget(norm_of(center), tol, max_rank) if budget is None else budget
    scale = exponent if base is None else base
    return (center, *reversed(done)), exponent, budget, scale


def _left_grams(units: list[tuple[Array, Array]]) -> list[tuple[Array, Array]]:
    """``L`` of each bond, from the last, with ``k`` such that it is ``4**k L``."""
    xp = namespace_of(units[0][0])
    like = units[0][0]
    gram, exponent = (
        xp.eye(1, dtype=like.dtype, device=device_of(like)),
        0 * units[0][1],
    )
    found = []
    for core, shift in units[:-1]:
        met = left_unfold(absorb_left(gram, core))
        gram, growth = unit_scaled(matmul(adjoint(left_unfold(core)), met))
        exponent = exponent + 2 * shift + growth
        odd = exponent % 2
        found.append((times_power(gram, odd), (exponent - odd) // 2))
    return found[::-1]


def _roots(gram: Array) -> tuple[Array, Array]:
    """``(root, inverse)``: ``gram = root root^H`` and ``inverse root = 1``.

    Of a positive matrix the SVD is the eigendecomposition. Eigenvalues below
    ``eps r`` times the largest are noise, some of them negative, and left out.
    """
    xp = namespace_of(gram)
    found = svd(gram)
    u, s, values = found.u, found.s, found.known
    rank = max(1, int((values > eps_of(gram) * len(values) * values[0]).sum()))
    u, s = u[:, :rank], xp.astype(xp.sqrt(s[:rank]), gram.dtype)
    return u * s, adjoint(u / s)
