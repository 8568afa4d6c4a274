"""NaN and Inf: refused where something is factorised, carried where it is applied."""

import re

import numpy as np
import pytest

import ttalgebra as tt
from tests import made
from tests.backends import here, host

NAN, INF = float("nan"), float("inf")
PLACES = [(0, 0), (1, 2), (3, 3), (5, 0), (5, 5)]


@pytest.mark.parametrize("bad", [NAN, INF, -INF], ids=str)
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_non_finite_arrays_are_refused_by_place(bad, place):
    array = np.ones((6, 6))
    array[place] = bad
    array[5, 5] = bad
    array = here(array)
    doors = [lambda: tt.TTTensor.from_dense(array)]
    doors.append(lambda: tt.TTMatrix.from_dense(array, (2, 3), (3, 2)))
    for door in doors:
        with pytest.raises(tt.errors.NonFiniteError, match=re.escape(str(place))):
            door()


@pytest.mark.parametrize("part", [complex(0, NAN), complex(INF, 1), complex(1, -INF)])
def test_either_part_of_a_complex_number_counts(part):
    array = np.ones((3, 3), complex)
    array[2, 1] = part
    with pytest.raises(tt.errors.NonFiniteError, match=r"\(2, 1\)"):
        tt.TTTensor.from_dense(here(array))


def test_first_bad_core_is_named():
    good, bad = np.ones((1, 2, 1)), np.ones((1, 2, 1))
    bad[0, 1, 0] = NAN
    with pytest.raises(tt.errors.NonFiniteError, match=r"core 2.*\(0, 1, 0\).*nan"):
        tt.TTTensor(here([good, good, bad, bad]))


def test_non_finite_samples_stay_in_their_row(rng):
    """matvec is no factorisation: NaN and Inf pass, each in its own sample."""
    B = made.random_matrix((2, 3), (3, 2), 2, rng=rng)
    X = rng.standard_normal((4, 6))
    clean = host(B.apply(here(X)))
    X[1, 2], X[3, 0] = NAN, INF
    y = host(B.apply(here(X)))
    assert np.array_equal(y[[0, 2]], clean[[0, 2]])
    assert not np.isfinite(y[[1, 3]]).any()
    assert not np.isfinite(host(B.vjp(here(X))[0])[[1, 3]]).any()
