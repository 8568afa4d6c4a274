"""Shift operators: an adjacency matrix, scaled so that its powers stay in range."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ttalgebra.arrays.errors import ConvergenceError, ShapeError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

DENSE = 500  # nodes up to which all eigenvalues are computed: 0.1 s


def spectral(A: Any) -> "csr_array":
    """``A / rho``, ``rho`` the largest modulus of an eigenvalue.

    >>> import numpy as np
    >>> from ttalgebra.learning import graphs
    >>> graphs.spectral(np.array([[0, 2], [2, 0]])).toarray()
    array([[0., 1.],
           [1., 0.]])
    """
    from scipy.sparse import csr_array

    rho = spectral_radius(A)
    if rho == 0:
        raise ShapeError("spectral: every eigenvalue is 0; the graph needs a cycle")
    return csr_array(csr_array(A, dtype=np.float64) * (1 / rho))


def spectral_radius(A: Any) -> float:
    """The largest modulus of an eigenvalue, to ``1e-14`` relative if ``A = A^T``.

    Up to 500 nodes from all eigenvalues, above that by Lanczos or Arnoldi iterations
    that start from ones; ConvergenceError where they do not converge.
    """
    from scipy.sparse import csr_array

    A = csr_array(A, dtype=np.float64)
    if A.shape[0] != A.shape[1]:
        raise ShapeError(f"spectral_radius: A has shape {A.shape}; it must be square")
    symmetric = (A != A.T).nnz == 0
    if A.shape[0] <= DENSE:
        solve = np.linalg.eigvalsh if symmetric else np.linalg.eigvals
        return float(np.abs(solve(A.toarray())).max())
    return _iterated(A, symmetric)


def _iterated(A: "csr_array", symmetric: bool) -> float:
    from scipy.sparse.linalg import ArpackError, eigs, eigsh

    solve, ones = eigsh if symmetric else eigs, np.ones(A.shape[0])
    try:
        values = solve(A, k=1, which="LM", v0=ones, return_eigenvectors=False)
    except ArpackError as error:
        message = f"spectral_radius: {error}"
        raise ConvergenceError(f"{message}; scale by a norm of A instead") from error
    return float(np.abs(values[0]))


def renormalised(A: Any) -> "csr_array":
    """``D^-1/2 (A + I) D^-1/2``, ``D`` the row sums of ``A + I``, for ``A >= 0``.

    Source: Kipf & Welling (2017), equation 8.

    >>> import numpy as np
    >>> from ttalgebra.learning import graphs
    >>> graphs.renormalised(np.array([[0, 1], [1, 0]])).toarray()
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    from scipy.sparse import csr_array, diags_array, eye_array

    A = csr_array(A, dtype=np.float64)
    if A.shape[0] != A.shape[1] or (A.nnz and A.data.min() < 0):
        message = f"renormalised: A has shape {A.shape}"
        raise ShapeError(f"{message}; it must be square, with no weight below 0")
    looped = A + eye_array(A.shape[0])
    scale = diags_array(looped.sum(axis=1) ** -0.5)
    return csr_array(scale @ looped @ scale)
