"""The exact linear algebra that tensors and matrices share."""

from collections.abc import Sequence
from numbers import Number
from typing import Any, Self

import numpy as np

from ttalgebra.arrays.checks import as_index, as_scalar, is_sparse
from ttalgebra.arrays.namespace import is_array
from ttalgebra.arrays.typing import Cores
from ttalgebra.cores import arithmetic, chain, orthogonalize, products, ranged
from ttalgebra.trains.doors import cost
from ttalgebra.trains.doors import modes as doors
from ttalgebra.trains.doors.cost import Cost
from ttalgebra.trains.doors.pairing import paired
from ttalgebra.trains.shared.base import Value


class Algebra(Value):
    """What is exact: sums and products let ranks grow, nothing is rounded."""

    __slots__ = ()

    def __add__(self, other: object) -> Self:
        if type(other) is not type(self):
            return NotImplemented
        return self._of(_sum(self.cores, other.cores, "+"))

    def __sub__(self, other: object) -> Self:
        if type(other) is not type(self):
            return NotImplemented
        return self._of(_sum(self.cores, arithmetic.negative(other.cores), "-"))

    def __neg__(self) -> Self:
        return self._of(arithmetic.negative(self.cores))

    def __mul__(self, factor: object) -> Self:
        if isinstance(factor, Algebra):
            name = f"{type(self).__name__} * {type(factor).__name__}"
            raise TypeError(
                f"{name}: use hadamard for entrywise products, @ for others"
            )
        if not _is_number(factor):
            return NotImplemented
        return self._of(arithmetic.scale(self.cores, as_scalar(factor, "the factor")))

    __rmul__ = __mul__

    def __truediv__(self, divisor: object) -> Self:
        if not _is_number(divisor):
            return NotImplemented
        return self._of(
            arithmetic.divide(self.cores, as_scalar(divisor, "the divisor"))
        )

    def _require_kind(self, other: object) -> None:
        if type(other) is not type(self):
            kinds = f"{type(self).__name__} and {type(other).__name__}"
            raise TypeError(f"hadamard: two of a kind are needed, got {kinds}")

    def hadamard(self, other: Self) -> Self:
        """The product entry by entry, exact; ranks multiply.

        Raises ShapeError where the modes differ, TooLargeError. Cost ``O(d n r^4)``.
        Source: Oseledets (2011), section 4.2.
        """
        self._require_kind(other)
        x, y = paired(self.cores, other.cores, "hadamard")
        advice = "round the operands first"
        cost.hadamard(x, y).require("hadamard: the product", advice)
        return self._of(ranged.product(products.hadamard, x, y, "hadamard"))

    def conj(self) -> Self:
        """The complex conjugate; the same value where the dtype is real."""
        return self._of(arithmetic.conjugate(self.cores))

    def split_modes(self, site: int, *sizes: Sequence[int]) -> Self:
        """The same numbers with one site split into several, its first digit slowest.

        ``sizes`` are the new modes, for a matrix those of rows and those of columns.
        Only roundoff is lost. Raises ShapeError where the sizes do not multiply to
        the modes.

        >>> import ttalgebra as tt
        >>> tt.ones((12, 5)).split_modes(0, (3, 4)).modes
        (3, 4, 5)
        >>> tt.identity((12,)).split_modes(0, (3, 4), (3, 4)).row_modes
        (3, 4)
        """
        return self._of(doors.split(self.cores, site, sizes))

    def merge_modes(self, first: int, last: int) -> Self:
        """The same numbers with the sites from ``first`` to ``last`` as one; exact.

        >>> import ttalgebra as tt
        >>> tt.ones((3, 4, 5)).merge_modes(0, 1).modes
        (12, 5)
        """
        return self._of(doors.merge(self.cores, first, last))

    def to_qtt(self, base: int = 2) -> Self:
        """The same numbers in digits of ``base``, of which each mode is a power.

        Only roundoff is lost. Raises ShapeError for another mode.

        >>> import numpy as np, ttalgebra as tt
        >>> x = tt.TTTensor.from_dense(np.exp(np.linspace(0, 1, 1024)))
        >>> x.to_qtt().max_rank
        1
        """
        return self._of(doors.quantized(self.cores, base))

    def cost(self, operation: str, *operands: Any, **options: Any) -> Cost:
        """What an operation will cost, before it is paid: flops, peak bytes, ranks.

        ``operation`` is the name of a method, or of a function of trains of which this
        is the first; what follows is what that takes: trains, sites, and for products
        with dense arrays the array or its number of columns. With ``max_rank``, and
        for products ``method``, the rounded operation is predicted: its sweeps and its
        check, not a fall back to the exact route.

        >>> import ttalgebra as tt
        >>> A = tt.random_matrix((4,) * 10, (4,) * 10, 5, rng=0)
        >>> A.cost("matmul", A).ranks[1:3], A.cost("matvec", 1).flops
        ((25, 25), 1593861120)
        >>> x = tt.random_tensor((4,) * 10, 5, rng=0)
        >>> A.cost("matvec", x, max_rank=5, method="zipup").ranks[4:6]
        (5, 5)
        """
        from ttalgebra.trains.doors.cost import table

        return table.of(operation, self.cores, operands, options)

    def norm(self) -> float:
        """The Frobenius norm, by a QR sweep; inf or 0.0 only if that is out of range.

        Error at most ``c eps W Gamma``. Cost ``O(d n r^3)``.
        """
        return orthogonalize.norm(self.cores)

    def log_norm(self) -> float:
        """The natural logarithm of the norm, finite for any train but zero (-inf)."""
        return orthogonalize.log_norm(self.cores)

    def normalize(self) -> Self:
        """The train of norm 1 in the same direction, even if the norm is out of range.

        Raises ZeroDivisionError for a zero train, which has no direction.

        >>> import ttalgebra as tt
        >>> round(tt.ones((10,) * 1000).normalize().norm(), 12)
        1.0
        """
        value, exponent = orthogonalize.norm_parts(self.cores)
        return self._of(arithmetic.divide(self.cores, value, exponent))

    def orthogonalize(self, site: int = 0) -> Self:
        """The same value, left-orthonormal before ``site``, right-orthonormal after it.

        The core at ``site`` then carries the norm. Cost ``O(d n r^3)``. Raises
        ShapeError where there is no such site (negative ones count from the end),
        and NonFiniteError where one core cannot hold a norm so large.
        """
        place = as_index(site, self.order, "orthogonalize: site")
        return self._of(orthogonalize.at_site(self.cores, place))


def _is_number(x: object) -> bool:
    """Whether ``x`` is for `as_scalar`, which refuses what is sparse, to judge."""
    return isinstance(x, Number) or is_sparse(x) or (is_array(x) and np.ndim(x) == 0)  # type: ignore[arg-type]


def _sum(x: Cores, y: Cores, sign: str) -> Cores:
    x, y = paired(x, y, sign)
    advice = "round first, or use linear_combination, which never forms the sum"
    cost.add(x, y).require(f"{sign}: the sum", advice)
    return arithmetic.add(chain.tame(x)[0], chain.tame(y)[0])
