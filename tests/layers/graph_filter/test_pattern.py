"""Sparse products in rectangles, against SciPy and on the shapes that could break."""

import numpy as np
import pytest
from scipy.sparse import coo_array

from tests.backends import here, host
from ttalgebra.layers.graph_filter.pattern import Pattern


def star(n):
    """A hub and its leaves: one row of ``n`` entries, the others of two."""
    leaves = np.arange(1, n)
    rows = np.concatenate([np.zeros(n, int), leaves, leaves])
    columns = np.concatenate([np.arange(n), np.zeros(n - 1, int), leaves])
    return rows, columns, n


def scattered(n, share, rng):
    """Any pattern, empty rows and columns among them, in no order."""
    rows, columns = np.nonzero(rng.random((n, n)) < share)
    order = rng.permutation(rows.size)
    return rows[order], columns[order], n


def patterns(rng):
    return [
        star(9),
        star(200),
        (np.array([0]), np.array([0]), 1),
        (np.array([3]), np.array([0]), 5),
        scattered(30, 0.02, rng),
        scattered(40, 0.4, rng),
    ]


def test_products_on_integers(rng):
    for rows, columns, n in patterns(rng):
        of = Pattern.of(rows, columns, n).near(here(np.zeros(1)))
        values = rng.integers(-9, 10, (2, rows.size)).astype("f8")
        z, left = rng.integers(-9, 10, (2, 2, n, 3)).astype("f8")
        forward, back = (
            of.product(here(values), here(z)),
            of.adjoint(here(values), here(z)),
        )
        outer, sums = of.outer(here(left), here(z)), of.across.sums(here(values))
        for c in range(2):
            S = coo_array((values[c], (rows, columns)), shape=(n, n)).tocsr()
            assert (host(forward)[c] == S @ z[c]).all()
            assert (host(back)[c] == S.T @ z[c]).all()
            assert (host(outer)[c] == (left[c] @ z[c].T)[rows, columns]).all()
            assert (host(sums)[c] == S.sum(axis=1)).all()


def test_the_largest_of_each_row(rng):
    rows, columns, n = star(9)
    of = Pattern.of(rows, columns, n).near(here(np.zeros(1)))
    values = -1 - rng.random((2, rows.size))
    found = host(of.across.largest(here(values)))
    wanted = [[v[rows == i].max() for i in range(n)] for v in values]
    assert (found == wanted).all()


@pytest.mark.host("counts")
def test_at_most_twice_as_many_places_as_entries(rng):
    for rows, columns, n in patterns(rng):
        of = Pattern.of(rows, columns, n)
        for way in (of.across, of.down):
            places = sum(part.entries.size for part in way.rectangles)
            assert rows.size <= places < 2 * rows.size


def test_nan_stays_with_its_neighbours():
    """An empty place of a rectangle must not carry it to others."""
    rows, columns, n = star(6)
    z = np.ones((1, n, 1))
    z[0, 3, 0] = np.nan
    of = Pattern.of(rows, columns, n).near(here(z))
    y = host(of.product(here(np.ones((1, rows.size))), here(z)))
    assert np.flatnonzero(np.isnan(y[0, :, 0])).tolist() == [0, 3]
