"""A dense matrix becomes a sum of Tucker terms: alternating least squares.

The matrix is seen as a tensor with one axis ``(m_k n_k)`` for each mode. One block at a
time meets what the others leave: each of its factors in turn becomes the leading left
singular vectors of the residual projected on its other factors, which is the best
factor *and* core that those others allow. So no sweep makes the error larger.

The problem is not convex, and for several blocks the result depends on the start. The
first start is the HOSVD of the matrix, then of what is left of it, and so on; others
are drawn.

Source: De Lathauwer, De Moor, Vandewalle (2000), "best rank-(R1, ..., RN)"; De
Lathauwer (2008), part III, who updates all blocks at once instead.
"""

from dataclasses import dataclass
from math import prod
from typing import NamedTuple, TypeAlias

import numpy as np

from ttalgebra.arrays.contract import contract
from ttalgebra.arrays.factorize import qr, svd
from ttalgebra.arrays.namespace import adjoint, conj, from_numpy, namespace_of, to_numpy
from ttalgebra.arrays.random import normal
from ttalgebra.arrays.scaling import scalar_times_power, times_power, unit_scaled
from ttalgebra.arrays.typing import Array, Cores, Generator
from ttalgebra.cores.block_term.blocks import Block, Blocks
from ttalgebra.cores.chain import reshape
from ttalgebra.decompose.unfolding import compressed

Modes: TypeAlias = tuple[tuple[int, int], ...]
STALLED = 1e-6  # a sweep that gains less than this part of the error is the last


@dataclass(frozen=True)
class BlockFit:
    """What a fit did, as ``return_info=True`` reports it.

    ``error`` is the relative Frobenius error of what is returned, computed from the
    difference itself; ``norm`` that of what was fitted. ``errors`` are those of the
    best start and after each of its sweeps, ``starts`` the last error of every start.
    ``converged`` says that ``tol`` was reached, or that the last sweep gained less than
    a millionth of the error.
    """

    error: float
    tol: float | None
    tol_met: bool
    norm: float
    converged: bool
    errors: tuple[float, ...]
    starts: tuple[float, ...]


class _Term(NamedTuple):
    """A Tucker term of the tensor: factors ``(p, r)`` with orthonormal columns."""

    core: Array
    factors: Cores


class _Run(NamedTuple):
    """Where one start has led to."""

    terms: list[_Term]
    errors: list[float]
    converged: bool


def fit(
    W: Array,
    modes: Modes,
    n_blocks: int,
    ranks: tuple[int, ...],
    *,
    tol: float | None,
    sweeps: int,
    starts: int,
    rng: Generator,
) -> tuple[Blocks, BlockFit]:
    """``n_blocks`` Tucker terms of ``ranks`` that are close to ``W``, ``(M, N)``.

    ``modes`` are ``((m_1, n_1), ...)``; ``ranks`` are at most ``m_k n_k`` and the
    product of the others. Cost ``O(M N sum_k r_k)`` flops for each block, factor and
    sweep; memory three times ``W``.
    """
    unit, exponent = unit_scaled(W)
    T = _tensor(unit, modes)
    norm = _norm(T)
    target = (tol or 0.0) * norm
    runs: list[_Run] = []
    for start in range(starts):
        made = _drawn(T, n_blocks, ranks, rng) if start else _hosvds(T, n_blocks, ranks)
        runs.append(_refined(T, made, sweeps, target))
        if runs[-1].errors[-1] <= target:
            break
    best = min(runs, key=lambda run: run.errors[-1])
    error = _relative(_norm(T - _sum(best.terms)), norm)
    info = BlockFit(
        error=error,
        tol=tol,
        tol_met=tol is None or error <= tol,
        norm=scalar_times_power(norm, int(exponent)),
        converged=best.converged,
        errors=tuple(_relative(e, norm) for e in best.errors),
        starts=tuple(_relative(run.errors[-1], norm) for run in runs),
    )
    return tuple(_block(term, modes, exponent) for term in best.terms), info


def feasible(modes: Modes, ranks: tuple[int, ...]) -> tuple[int, ...]:
    """``ranks`` cut to ``m_k n_k`` and to the product of the others."""
    cut = [min(r, m * n) for r, (m, n) in zip(ranks, modes, strict=True)]
    while True:
        others = [prod(cut[:k] + cut[k + 1 :]) for k in range(len(cut))]
        smaller = [min(pair) for pair in zip(cut, others, strict=True)]
        if smaller == cut:
            return tuple(cut)
        cut = smaller


def _refined(T: Array, terms: list[_Term], sweeps: int, target: float) -> _Run:
    """Sweeps over the blocks until ``target`` or until nothing is gained."""
    terms, rest = list(terms), T - _sum(terms)
    errors, converged = [_norm(rest)], False
    while len(errors) <= sweeps and not converged:
        for n, term in enumerate(terms):
            rest = rest + _full(term)
            terms[n] = _improved(rest, term)
            rest = rest - _full(terms[n])
        errors.append(_norm(rest))
        gained = errors[-2] - errors[-1]
        converged = errors[-1] <= target or gained <= STALLED * errors[-2]
    return _Run(terms, errors, converged)


def _improved(rest: Array, term: _Term) -> _Term:
    """Each factor in turn the best that the others allow; then the best core."""
    factors = list(term.factors)
    for k, factor in enumerate(factors):
        seen = _projected(rest, factors, skip=k)
        factors[k] = _leading(seen, k, factor.shape[1])
    return _Term(_projected(rest, factors), tuple(factors))


def _hosvds(T: Array, n_blocks: int, ranks: tuple[int, ...]) -> list[_Term]:
    """The truncated HOSVD of the tensor, then of what is left of it, and so on."""
    terms: list[_Term] = []
    for _ in range(n_blocks):
        core, factors = T, []
        for k, r in enumerate(ranks):
            factors.append(_leading(core, k, r))
            core = _met(conj(factors[k]), core, k)
        terms.append(_Term(core, tuple(factors)))
        T = T - _full(terms[-1])
    return terms


def _drawn(
    T: Array, n_blocks: int, ranks: tuple[int, ...], rng: Generator
) -> list[_Term]:
    """Random subspaces, and zero cores: the first sweep finds the others."""
    dtype = to_numpy(reshape(T, prod(T.shape))[:1]).dtype
    zero = from_numpy(np.zeros(ranks, dtype), like=T)
    terms = []
    for _ in range(n_blocks):
        shapes = zip(T.shape, ranks, strict=True)
        drawn = [normal(shape, dtype=dtype, rng=rng) for shape in shapes]
        factors = tuple(qr(from_numpy(matrix, like=T))[0] for matrix in drawn)
        terms.append(_Term(zero, factors))
    return terms


def _leading(x: Array, k: int, rank: int) -> Array:
    """The leading left singular vectors of the unfolding by axis ``k``, ``(p, r)``."""
    b, p, t = prod(x.shape[:k]), x.shape[k], prod(x.shape[k + 1 :])
    digits = namespace_of(x).permute_dims(reshape(x, b, p, t), (1, 0, 2))
    found = svd(compressed(adjoint(reshape(digits, p, b * t))))
    return adjoint(found.vh[:rank, :])


def _projected(x: Array, factors: list[Array], skip: int = -1) -> Array:
    """``x`` in the coordinates of all orthonormal factors but one."""
    for k, factor in enumerate(factors):
        if k != skip:
            x = _met(conj(factor), x, k)
    return x


def _met(factor: Array, x: Array, k: int) -> Array:
    """Axis ``k``, of size ``p``, becomes one of size ``r``."""
    before, after = x.shape[:k], x.shape[k + 1 :]
    x = contract(
        "pa,bpt->bat", factor, reshape(x, prod(before), x.shape[k], prod(after))
    )
    return reshape(x, *before, factor.shape[1], *after)


def _full(term: _Term) -> Array:
    """The tensor of one term."""
    x = term.core
    xp = namespace_of(x)
    for k, factor in enumerate(term.factors):
        x = _met(xp.matrix_transpose(factor), x, k)
    return x


def _sum(terms: list[_Term]) -> Array:
    parts = [_full(term) for term in terms]
    return sum(parts[1:], start=parts[0])


def _tensor(W: Array, modes: Modes) -> Array:
    """``(M, N)`` with the row and the column digit of each mode as one axis."""
    d = len(modes)
    digits = reshape(W, *(m for m, _ in modes), *(n for _, n in modes))
    axes = tuple(axis for k in range(d) for axis in (k, d + k))
    paired = namespace_of(W).permute_dims(digits, axes)
    return reshape(paired, *(m * n for m, n in modes))


def _block(term: _Term, modes: Modes, exponent: Array) -> Block:
    pairs = zip(term.factors, modes, strict=True)
    factors = tuple(reshape(U, m, n, U.shape[1]) for U, (m, n) in pairs)
    return Block(times_power(term.core, exponent), factors)


def _norm(x: Array) -> float:
    return float(to_numpy(namespace_of(x).linalg.vector_norm(x)))


def _relative(error: float, norm: float) -> float:
    return error / norm if norm else 0.0
