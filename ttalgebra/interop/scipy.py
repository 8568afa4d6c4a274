"""Needs SciPy, which is installed with ttalgebra: a TT-matrix as its operator.

The methods of ``scipy.sparse.linalg`` that multiply by a matrix and no more take a
TTMatrix as it is: ``cg``, ``gmres``, ``minres``, ``lsqr``, ``eigsh``, ``svds``. Those
that compute with it, such as ``expm_multiply``, take what is made here.

``S @ A`` with a sparse matrix of SciPy on the left is a dense product: SciPy asks for
``np.asarray(A)``, which is refused above 2 GiB. ``TTMatrix.from_sparse(S, ...) @ A``
stays a train.
"""

from typing import Any

from scipy.sparse import linalg
from scipy.sparse.linalg import LinearOperator

from ttalgebra.trains.matrix import TTMatrix


def aslinearoperator(A: TTMatrix) -> "LinearOperator[Any]":
    """``A`` as a ``LinearOperator``: same shape and dtype, never formed.

    Each product costs what ``A.matvec`` costs. Raises TypeError unless ``A`` is a
    TTMatrix in NumPy.

    >>> import numpy as np, ttalgebra as tt
    >>> from scipy.sparse.linalg import expm_multiply
    >>> A = tt.identity((2, 3))
    >>> S = tt.interop.scipy.aslinearoperator(A)
    >>> y = expm_multiply(S, np.ones(6), traceA=A.trace())
    >>> np.allclose(y, np.e)
    True
    """
    if not isinstance(A, TTMatrix):
        kind = type(A).__name__
        raise TypeError(f"aslinearoperator: a TTMatrix is needed, got {kind}")
    if A.backend != "numpy":
        message = f"aslinearoperator: A is in {A.backend} and SciPy computes in NumPy"
        raise TypeError(f'{message}; use A.to("numpy")')
    return linalg.aslinearoperator(A)
