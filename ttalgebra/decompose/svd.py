"""TT-SVD: a dense array becomes a chain, one bond at a time, as close as asked.

Source: Oseledets (2011), Algorithm 1, mirrored: from the last mode to the first, so
that in C order each unfolding of a tensor is tall and no transpose is needed. Large
arrays are read in blocks, see `ends`, until what is left is small, see `sweep`.
"""

from ttalgebra.arrays.checks import require_finite
from ttalgebra.arrays.namespace import copied, has_values, is_numpy, on_host
from ttalgebra.arrays.scaling import norm_of, unit_scaled
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain
from ttalgebra.cores.truncation import Budget, Truncation
from ttalgebra.decompose.ends import cut_ends
from ttalgebra.decompose.sweep import Modes, as_first, halves, opened, sweep
from ttalgebra.decompose.unfolding import norm_of_all, slabs

# Norms from 1 / CALM to CALM stay as given, by bytes of a number: Gram matrices and
# their squares are in range then, for what is eps times as large too.
CALM = {8: 2.0**120, 4: 2.0**20}


def tt_svd(
    x: Array,
    modes: Modes,
    *,
    tol: float | None = None,
    max_rank: tuple[int | None, ...],
) -> tuple[Cores, Truncation]:
    """The chain of ``x``, whose core ``k`` has the sizes ``modes[k]``.

    ``x`` is a tensor, or a matrix ``(m_1 ... m_d, n_1 ... n_d)`` for cores with two
    modes. ``norm(x - chain) <= tol * norm(x)`` (Theorem 2.2) up to roundoff, unless
    ``max_rank`` cuts deeper; at most ``sqrt(d - 1)`` times the best error at the
    same ranks (Corollary 2.4), or within ``tol``. Raises NonFiniteError.
    Cost ``O(size * n)`` for the first bond, less for each that follows; memory a
    quarter of ``x`` where ranks are a quarter of what they could be, and one ``x`` more
    where it is not C-contiguous or its norm is beyond ``2**120`` or ``2**-120`` (in
    single precision ``2**20``).
    """
    rest, exponent, norm = _scaled(x, modes)
    budget = Budget(norm, tol, max_rank)
    ends: Cores = ()
    if has_values(rest) and on_host(rest):  # a device wants whole unfoldings
        rest, ends = cut_ends(rest, modes, budget)
    inner = modes[1 : len(modes) - len(ends)]
    rest, done = sweep(rest, inner, lambda matrix: halves(matrix, budget))
    cores = (as_first(rest, modes[0]), *done, *ends)
    info = budget.report(chain.ranks(cores), exponent)
    owned = map(copied, chain.spread(cores, exponent))  # of whole SVDs they are views
    return tuple(owned), info


def _scaled(x: Array, modes: Modes) -> tuple[Array, Array, float]:
    """``(y, e, norm(y))`` with ``x = 2**e * y``, as a sweep starts with it.

    Of NumPy ``x`` itself where its norm is near one: a single pass tells that, the
    norm, and that all is finite; scaling would copy the array.
    """
    rest = opened(x, modes)
    if is_numpy(rest):
        norm, calm = _norm(rest), CALM[rest.real.itemsize]
        if 1 / calm < norm < calm:
            return rest, 0, norm
    require_finite(x, "from_dense")
    unit, exponent = unit_scaled(rest)
    return unit, exponent, _norm(unit) if is_numpy(unit) else norm_of(unit)


def _norm(x: Array) -> float:
    """Of an array in NumPy, without another of its size."""
    return norm_of_all(slabs(x, (1,) * (x.ndim - 1)))
