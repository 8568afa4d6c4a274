"""Padding of matrices with zeros, and its removal."""

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import here
from ttalgebra.arrays.errors import ShapeError, TooLargeError
from ttalgebra.decompose.modes import cropped, padded


@pytest.mark.parametrize("shape", [(5, 7), (6, 7), (6, 8), (9, 7)])
def test_padding_is_undone(xp, shape, rng):
    W = rng.standard_normal((5, 7))[: shape[0], : shape[1]]
    wider = padded(xp.asarray(W), shape)
    assert tuple(wider.shape) == shape
    assert np.array_equal(xp.numpy(cropped(wider, W.shape)), W)
    assert np.count_nonzero(xp.numpy(wider)) == W.size


def test_padding_refuses_what_does_not_fit():
    for verb, shape in ((padded, (2, 9)), (cropped, (4, 3))):
        with pytest.raises(ShapeError, match=verb.__name__):
            verb(here(np.ones((3, 3))), shape)


@pytest.mark.parametrize("verb", [padded, cropped])
def test_padding_takes_arrays_and_lists(xp, verb):
    """Lists and integers become arrays of floats, as everywhere; nothing is shared."""
    W = here(np.ones((2, 3)))
    found = verb(W, [2, 3])
    assert np.array_equal(xp.numpy(found), np.ones((2, 3)))
    assert found is not W
    if xp.is_numpy:
        assert not np.shares_memory(found, W)
    assert np.array_equal(verb([[1, 2]], np.array([1, 2])), [[1.0, 2.0]])
    for shape in ((2, 3), (10**12, 10**12), (2, 10**20)) if verb is padded else ():
        with pytest.raises(TooLargeError, match="padded"):
            verb(W, shape, max_bytes=1)


@pytest.mark.parametrize("verb", [padded, cropped])
def test_padding_at_the_door(verb):
    W = here(np.ones((3, 3)))
    for wrong in (np.ones(3), np.ones((3, 3, 1)), np.zeros((0, 3)), [[1], [1, 2]], 1.0):
        with pytest.raises(ShapeError):
            verb(here(wrong), (3, 3))
    for wrong in (None, "W", {}, object(), np.ma.ones((3, 3)), [["a"]]):
        with pytest.raises(TypeError):
            verb(wrong, (3, 3))
    with pytest.raises(TypeError, match="to_dense"):
        verb(tt.identity((3,)), (3, 3))
    for wrong in ((3,), (3, 3, 3), (), (-1, 2), (0, 3), (3, -(10**5000))):
        with pytest.raises(ShapeError, match=verb.__name__):
            verb(W, wrong)
    for wrong in (None, 3, "33", (3.0, 3), (True, 3), ("3", "3")):
        with pytest.raises(TypeError, match=verb.__name__):
            verb(W, wrong)
    smaller, larger = (3, 10**5000), (3, 2)
    with pytest.raises(tt.errors.TTError):
        verb(W, smaller)
    if verb is padded:
        with pytest.raises(ShapeError):
            verb(W, larger)
