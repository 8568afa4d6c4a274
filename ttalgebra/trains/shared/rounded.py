"""What tensors and matrices approximate, each time with the error that it makes."""

from collections.abc import Sequence
from typing import Any, Literal, Self, TypeVar, overload

import numpy as np

from ttalgebra.arrays.scaling import scalar_times_power
from ttalgebra.arrays.typing import RNG, Cores, Ranks
from ttalgebra.cores.truncation import Truncation, announce
from ttalgebra.trains.doors import modes, rounding
from ttalgebra.trains.doors.pairing import paired
from ttalgebra.trains.shared.algebra import Algebra

Train = TypeVar("Train", bound="AbstractTrain")


class AbstractTrain(Algebra):
    """A tensor or a matrix in tensor-train format.

    Addition and products are exact and let ranks grow; only `round`, and products
    and sums that are given ``tol`` or ``max_rank``, approximate.
    """

    __slots__ = ()

    @overload
    def round(
        self,
        tol: float | None = ...,
        max_rank: Ranks | None = ...,
        *,
        method: str = ...,
        atol: float | None = ...,
        n_parameters: int | None = ...,
        rng: RNG = ...,
        strict: bool = ...,
        return_info: Literal[False] = ...,
    ) -> Self: ...

    @overload
    def round(
        self,
        tol: float | None = ...,
        max_rank: Ranks | None = ...,
        *,
        method: str = ...,
        atol: float | None = ...,
        n_parameters: int | None = ...,
        rng: RNG = ...,
        strict: bool = ...,
        return_info: Literal[True],
    ) -> tuple[Self, Truncation]: ...

    def round(
        self,
        tol: float | None = None,
        max_rank: Ranks | None = None,
        *,
        method: str = "svd",
        atol: float | None = None,
        n_parameters: int | None = None,
        rng: RNG = None,
        strict: bool = False,
        return_info: bool = False,
    ) -> Self | tuple[Self, Truncation]:
        """The same train with smaller ranks: ``norm(A - B) <= tol * norm(A)``.

        Parameters
        ----------
        tol
            Relative Frobenius error of the result. With neither ``tol`` nor
            ``max_rank``, only what roundoff made is dropped.
        max_rank
            One int, or one for each bond. It wins over ``tol``; where it cuts deeper,
            ``info.tol_met`` is False and a ToleranceWarning says so, or, if
            ``strict``, ConvergenceError is raised.
        method
            "svd", whose error report is the error itself; "gram" and "random", which
            verify their error, and fall back to "svd" where their accuracy does not
            reach ``tol``: ``info.method`` and ``info.fallback`` say so.
        atol
            An absolute error that is allowed as well; the larger of the two counts.
        n_parameters
            Instead of these, the best error with at most so many parameters.
        rng
            A seed or a Generator for "random"; ``info.seed`` repeats the draw.
        return_info
            Also return a `Truncation`: error, ranks, singular values of each bond.

        Notes
        -----
        The error is within ``sqrt(d - 1)`` of the best at these ranks. Cost
        ``O(d n r^3)``. Source: Oseledets (2011), Algorithm 2.

        Examples
        --------
        >>> import ttalgebra as tt
        >>> A = tt.random_matrix((4,) * 5, (4,) * 5, 6, rng=0)
        >>> (A + A).round().ranks == A.ranks
        True
        >>> B, info = A.round(n_parameters=500, return_info=True)
        >>> B.n_parameters <= 500, 0 < info.error < 1
        (True, True)
        """
        cores, info = rounding.rounded(
            self.cores,
            tol,
            max_rank,
            method=method,
            atol=atol,
            n_parameters=n_parameters,
            rng=rng,
        )
        announce(info, "round", strict=strict)
        return (self._of(cores), info) if return_info else self._of(cores)

    def hadamard(self, other: Self, **compressing: Any) -> Any:
        """The product entry by entry, exact, so that ranks multiply; or compressed.

        With ``tol``, ``atol``, ``max_rank`` or ``method`` it is rounded without being
        formed, as in `TTMatrix.matvec`. Raises ShapeError where the modes differ,
        TooLargeError.
        Cost ``O(d n r^4)`` exact. Source: Oseledets (2011), section 4.2.

        >>> import ttalgebra as tt
        >>> x = tt.random_tensor((4, 5, 6), 3, rng=0)
        >>> (x * x).ranks, x.hadamard(x, max_rank=2).ranks
        ((1, 9, 9, 1), (1, 2, 2, 1))
        """
        if not compressing:
            return super().hadamard(other)
        self._require_kind(other)
        x, y = paired(self.cores, other.cores, "hadamard")
        return compressed(type(self), x, y, "hadamard", **compressing)

    def permute_modes(
        self,
        order: Sequence[int],
        tol: float | None = None,
        max_rank: Ranks | None = None,
        *,
        strict: bool = False,
        return_info: bool = False,
    ) -> Any:
        """Site ``k`` of the result is site ``order[k]`` of this train.

        Ranks may grow, and only roundoff is lost; with ``tol`` or ``max_rank``, as in
        `round`, they are cut at every exchange of neighbours, so that those on the way
        stay small too. ``info.error`` is then a bound, the sum of what is discarded.
        Raises ShapeError unless each site is named once. Cost ``O(n^3 r^3)`` for each
        pair of sites that change places.

        >>> import ttalgebra as tt
        >>> tt.ones((3, 4, 5)).permute_modes((2, 0, 1)).modes
        (5, 3, 4)
        """
        cores, info = modes.permute(self.cores, order, tol, max_rank)
        announce(info, "permute_modes", strict=strict)
        return (self._of(cores), info) if return_info else self._of(cores)

    def singular_values(self) -> tuple[np.ndarray, ...]:
        """Those of the unfolding at each bond, falling; inf or 0.0 only out of range.

        Error ``c eps W Gamma``. Cost ``O(d n r^3)``.
        """
        from ttalgebra.cores.rounding.spectra import singular_values

        found, exponent = singular_values(self.cores)
        scale = np.vectorize(scalar_times_power, otypes=[float])
        return tuple(scale(values, exponent) for values in found)

    def effective_rank(self) -> float:
        """The one rank that would give all bonds this number of parameters."""
        from ttalgebra.cores.rounding.spectra import effective_rank

        return effective_rank(self.cores)

    def canonical(self) -> Self:
        """The same value in a normal form, so that equal values have equal cores.

        Right-orthonormal from the left, signs fixed, roundoff cut; unique to roundoff
        where the singular values of each bond are distinct. Cost ``O(d n r^3)``.
        """
        from ttalgebra.cores.rounding.spectra import canonical

        return self._of(canonical(self.cores))


def compressed(
    kind_of_train: type[Train],
    A: Cores,
    x: Cores,
    kind: str,
    *,
    tol: float | None = None,
    max_rank: Ranks | None = None,
    method: str = "exact",
    atol: float | None = None,
    rng: RNG = None,
    strict: bool = False,
    return_info: bool = False,
) -> Train | tuple[Train, Truncation]:
    """The rounded product of two chains as a train, and the report if asked for."""
    cores, info = rounding.multiplied(
        A, x, kind, tol, max_rank, method=method, atol=atol, rng=rng
    )
    announce(info, kind, strict=strict)
    result = kind_of_train._of(cores)
    return (result, info) if return_info else result
