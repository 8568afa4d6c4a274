"""Roots of Gram matrices: right in every column, of few rows where columns depend."""

import numpy as np
import pytest

from tests.backends import here, host
from tests.reference import eps, norm, wide
from ttalgebra.arrays.errors import NonFiniteError
from ttalgebra.arrays.namespace import on_host
from ttalgebra.arrays.roots import root
from ttalgebra.arrays.roots.root import NOISE, WIDE

DTYPES = ["f4", "f8", "c8", "c16"]


def normal(rng, shape, dtype):
    values = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    return (values if np.dtype(dtype).kind == "c" else values.real).astype(dtype)


MATRICES = {
    "tall": lambda rng, dtype: normal(rng, (400, 60), dtype),
    "square": lambda rng, dtype: normal(rng, (60, 60), dtype),
    "wide": lambda rng, dtype: normal(rng, (30, 60), dtype),
    "narrow": lambda rng, dtype: normal(rng, (400, 5), dtype),
    "dependent": lambda rng, dtype: (
        normal(rng, (400, 20), dtype) @ normal(rng, (20, 60), dtype)
    ),
    "alike": lambda rng, dtype: (
        normal(rng, (400, 1), dtype) + normal(rng, (400, 60), dtype) * 1e-3
    ),
    "graded": lambda rng, dtype: (
        normal(rng, (400, 60), dtype) * 10.0 ** (-np.arange(60) / 4)
    ),
    "decaying": lambda rng, dtype: (
        (normal(rng, (400, 60), dtype) * 2.0 ** -np.arange(60))
        @ normal(rng, (60, 60), dtype)
    ).astype(dtype),
    "zero": lambda rng, dtype: 0 * normal(rng, (400, 60), dtype),
    "zero columns": lambda rng, dtype: (
        normal(rng, (400, 60), dtype) * (np.arange(60) % 2).astype(dtype)
    ),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", MATRICES)
def test_every_column_is_right(kind, dtype, xp, rng, ratios):
    """``|R^H R - A^H A|`` by entry, relative to the lengths of both columns."""
    matrix = MATRICES[kind](rng, dtype).astype(dtype)
    found = xp.numpy(root(xp.asarray(matrix)))
    assert found.shape[0] <= min(matrix.shape)
    assert found.dtype == matrix.dtype
    error = np.abs(wide(found).conj().T @ wide(found) - _gram(matrix))
    sizes = np.sqrt(np.diagonal(_gram(matrix)).real)
    both = np.outer(sizes, sizes)
    assert not error[both == 0].any()
    unit = eps(dtype) * max(matrix.shape)
    ratios.check("root", float((error / np.where(both, both, 1)).max()), unit)


def _gram(matrix):
    return wide(matrix).conj().T @ wide(matrix)


@pytest.mark.host("only NumPy's is condensed")
@pytest.mark.parametrize("dtype", DTYPES)
def test_dependent_columns_leave_no_rows(dtype, rng):
    for rank in (1, 7, 20, 40):
        matrix = normal(rng, (300, rank), dtype) @ normal(rng, (rank, 80), dtype)
        assert root(matrix).shape == (rank, 80)
    assert root(matrix[:, : WIDE - 1]).shape == (WIDE - 1, WIDE - 1)


@pytest.mark.host("only NumPy's is condensed")
def test_what_is_above_roundoff_stays(rng):
    """A column that depends on others but for ``part`` of itself keeps that part."""
    matrix = normal(rng, (300, 50), "f8")
    left = normal(rng, (300, 1), "f8")
    for part in (1e-3, 1e-7, 1e-11, 1e-13):
        last = matrix @ np.ones((50, 1)) / 7
        found = root(np.hstack([matrix, last + part * left]))
        assert len(found) == 51
    threshold = NOISE * np.finfo(float).eps * np.sqrt(51)
    assert threshold < 1e-14
    again = root(np.hstack([matrix, last]))
    assert len(again) == 50
    assert norm(again[:, :50].T @ again[:, 50:] - matrix.T @ last) < 1e-10


@pytest.mark.parametrize("columns", [3, 60])
def test_nan_is_refused(columns, rng):
    matrix = normal(rng, (100, columns), "f8")
    matrix[7, 2] = np.nan
    if on_host(here(matrix)):  # looking would stop a device: there NaN gives NaN
        with pytest.raises(NonFiniteError, match=r"\(7, 2\)"):
            root(here(matrix))
    assert host(root(here(np.nan_to_num(matrix)))).shape == (columns, columns)
