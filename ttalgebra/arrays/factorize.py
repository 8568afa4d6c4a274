"""QR and SVD that either are right or say so: fallbacks, finite checks, size checks.

Factorisations come from here and nowhere else. LAPACK never sees NaN or Inf (on
some builds it would not return), nor a matrix beyond its 32-bit integers.
"""

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ttalgebra.arrays.checks import require_finite
from ttalgebra.arrays.contract import matmul
from ttalgebra.arrays.errors import ConvergenceError, TooLargeError
from ttalgebra.arrays.namespace import (
    adjoint,
    eps_of,
    from_numpy,
    has_values,
    is_numpy,
    namespace_of,
    on_host,
    to_numpy,
)
from ttalgebra.arrays.scaling import times_power
from ttalgebra.arrays.typing import Array

LAPACK_LIMIT = 2**31 - 1  # elements; beyond it 32-bit builds crash (scipy #14001)

# MKL adds up a column in the order in which it stands: of 200,000 x 16 numbers of equal
# size in single precision its QR is orthonormal to 9e-4, its SVD to 3e-3; in blocks of
# so many rows both are to 8e-6. Blocks stay in cache and take a third of the time, too;
# below LONG of them one factorisation is as quick, and as right.
ROWS, LONG = 512, 8


class SVD(NamedTuple):
    """``matrix = u @ diag(s) @ vh``, and the driver that found it.

    ``values`` is ``s`` on the host, the one vector that has to cross for a rank to be
    chosen; None where there are no values yet, see `has_values`.
    """

    u: Array
    s: Array
    vh: Array
    driver: str
    values: np.ndarray | None

    @property
    def known(self) -> np.ndarray:
        """The ``values``, for those who cannot go on without: TypeError for None."""
        if self.values is None:
            message = "singular values are asked for that are not there yet, in jax.jit"
            raise TypeError(f"{message}; compute them outside")
        return self.values


def qr(matrix: Array) -> tuple[Array, Array]:
    """``matrix = q @ r`` with orthonormal columns in ``q``, reduced.

    Rank deficiency is normal. Raises NonFiniteError, where looking does not stop a
    device (NaN then gives NaN), and TooLargeError.
    Cost ``O(m n min(m, n))``; ``norm(q^H q - 1) <= c eps m``.
    """
    require_factorable(matrix, "qr")
    return _in_blocks(matrix)


def triangle(matrix: Array) -> Array:
    """The ``r`` of a QR factorisation, whose ``q`` is never formed."""
    require_factorable(matrix, "qr")
    if is_numpy(matrix):
        return np.linalg.qr(matrix, mode="r")
    return _in_blocks(matrix)[1]


def squares(gram: Array) -> tuple[Array, Array]:
    """``(w, V^H)`` with ``gram = V diag(w) V^H``: from the largest ``w``, none below 0.

    For Hermitian matrices without negative eigenvalues but for roundoff, which may then
    be zero or positive. Takes less than half of the time of their SVD, which is the
    fallback. Raises as `svd`.
    """
    require_factorable(gram, "eigh")
    xp = namespace_of(gram)
    if (parts := _tried(xp.linalg.eigh, gram)) is None:
        found = svd(gram)
        return found.s, found.vh
    values, vectors = xp.flip(parts[0]), parts[1]
    return xp.where(values > 0, values, 0 * values), xp.flip(adjoint(vectors), axis=0)


def _in_blocks(matrix: Array) -> tuple[Array, Array]:
    """The QR factorisation, a long one from blocks of rows and their triangles.

    Roundoff grows with the length of a block and the logarithm of their number.
    Source: Demmel, Grigori, Hoemmen, Langou (2012), TSQR.
    """
    xp, (rows, columns) = namespace_of(matrix), matrix.shape
    if not _is_long(rows, columns):
        q, r = xp.linalg.qr(matrix)
        return q, r
    step = max(ROWS, 4 * columns)
    count = rows // step
    whole, rest = matrix[: count * step, :], matrix[count * step :, :]
    q, r = xp.linalg.qr(xp.reshape(whole, (count, step, columns)))
    stacked = xp.concat((xp.reshape(r, (count * columns, columns)), rest), axis=0)
    outer, r = _in_blocks(stacked)
    turns = xp.reshape(outer[: count * columns, :], (count, columns, columns))
    whole = xp.reshape(matmul(q, turns), whole.shape)
    return xp.concat((whole, outer[count * columns :, :]), axis=0), r


def _is_long(rows: int, columns: int) -> bool:
    return bool(rows >= LONG * max(ROWS, 4 * columns))


def least(matrix: np.ndarray) -> float:
    """At most the least singular value of a square matrix, and at least a part of it.

    That part is ``1 / sqrt(n)``, or nothing where roundoff hides the value.
    """
    try:
        with np.errstate(over="ignore"):
            inverse = np.linalg.inv(matrix)
        return 1 / math.sqrt(np.vdot(inverse, inverse).real)
    except np.linalg.LinAlgError:
        return 0.0


def svd(matrix: Array, exponent: Array = 0) -> SVD:
    """The reduced singular value decomposition, by the first driver that is right.

    NumPy's gesdd is tried first, then LAPACK's gesvd, then the SVD of the QR's
    triangle; what a fallback returns is checked against ``matrix``. Other libraries
    fall back to the host, with a warning. Raises ConvergenceError when all fail,
    NonFiniteError and TooLargeError before LAPACK is called; on a device NonFiniteError
    comes after, since looking first would stop it. ``values`` alone are those of
    ``2**exponent * matrix``.
    """
    require_factorable(matrix, "svd")
    if found := _reduced(matrix, exponent):
        return found
    require_finite(matrix, "svd")
    warnings.warn("svd: the device failed; repeating it on the host", stacklevel=2)
    host = svd(to_numpy(matrix), int(exponent))
    u, s, vh = (from_numpy(part, like=matrix) for part in host[:3])
    return SVD(u, s, vh, f"host {host.driver}", host.values)


def _reduced(matrix: Array, exponent: Array) -> SVD | None:
    """The SVD, None where a device fails; a long matrix becomes its triangle first."""
    rows, columns = matrix.shape
    if _is_long(columns, rows):
        found = _reduced(adjoint(matrix), exponent)
        return found and found._replace(u=adjoint(found.vh), vh=adjoint(found.u))
    if _is_long(rows, columns):
        q, r = _in_blocks(matrix)
        found = _reduced(r, exponent)
        return found and found._replace(u=matmul(q, found.u))
    by = _host_svd if is_numpy(matrix) else _native_svd
    return by(matrix, exponent)


def _native_svd(matrix: Array, exponent: Array) -> SVD | None:
    """The library's own SVD; None where it answers with NaN or a LinAlgError."""
    decompose = namespace_of(matrix).linalg.svd
    if (parts := _tried(decompose, matrix, full_matrices=False)) is None:
        return None
    (u, s, vh), values = parts, None
    if has_values(s):
        values = to_numpy(times_power(s, exponent)).astype(np.float64)
    if values is None or np.isfinite(values).all():
        return SVD(u, s, vh, "native", values)
    return None


def _tried(decompose: Callable[..., Any], matrix: Array, **options: Any) -> Any:
    """The parts of ``matrix``; None for a LinAlgError: each library has its own."""
    try:
        return decompose(matrix, **options)
    except Exception as error:
        if type(error).__name__.endswith("LinAlgError"):
            return None
        raise


def _host_svd(matrix: np.ndarray, exponent: int) -> SVD:
    for driver, factorise in DRIVERS.items():
        try:
            u, s, vh = factorise(matrix)
        except np.linalg.LinAlgError:
            continue
        values = np.ldexp(s.astype(np.float64), exponent)
        found = SVD(u, s, vh, driver, values)
        if driver == "gesdd" or _reproduces(found, matrix):
            return found
    size = float(np.abs(matrix).max())
    message = (
        f"svd of a {matrix.shape} matrix (largest entry {size:.3g}) did not converge"
    )
    raise ConvergenceError(
        f"{message} with any of {', '.join(DRIVERS)}; rescale the data"
    )


def _gesdd(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    u, s, vh = np.linalg.svd(matrix, full_matrices=False)
    return u, s, vh


def _gesvd(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    import scipy.linalg

    u, s, vh = scipy.linalg.svd(
        matrix.copy(), full_matrices=False, lapack_driver="gesvd", check_finite=False
    )
    return u, s, vh


def _qr_gesdd(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    q, r = np.linalg.qr(matrix)
    u, s, vh = np.linalg.svd(r, full_matrices=False)
    return q @ u, s, vh


DRIVERS: dict[str, Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]]] = {
    "gesdd": _gesdd,
    "gesvd": _gesvd,
    "qr+gesdd": _qr_gesdd,
}


def _reproduces(found: SVD, matrix: np.ndarray) -> bool:
    """Whether ``u @ diag(s) @ vh`` is ``matrix`` to rounding (scipy #10032 was not)."""
    unit = eps_of(matrix) * max(matrix.shape) * float(found.s[0])
    return bool(np.abs((found.u * found.s) @ found.vh - matrix).max() <= 30 * unit)


def require_factorable(matrix: Array, verb: str) -> None:
    """Raise TooLargeError beyond LAPACK's integers, on the host NonFiniteError."""
    rows, columns = matrix.shape
    if rows * columns > LAPACK_LIMIT:
        message = f"{verb}: {rows} x {columns} elements exceed LAPACK's {LAPACK_LIMIT}"
        raise TooLargeError(f"{message}; lower the ranks or split the modes")
    if on_host(matrix):  # a device answers NaN with NaN; LAPACK can hang
        require_finite(matrix, verb)
