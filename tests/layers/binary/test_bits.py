"""Bits in words: the worked example, and products against those of integers."""

import numpy as np
import pytest

from ttalgebra.layers.binary.bits import byte_products, packed, sign_products

pytestmark = pytest.mark.host("bits are counted by NumPy")
WIDTHS = (1, 7, 8, 63, 64, 65, 70, 128, 200)


def test_worked_example():
    i = np.arange(70)
    a, b = np.cos(0.7 * i) >= 0, np.sin(1.3 * i + 0.2) >= 0
    assert (a.sum(), b.sum()) == (38, 36)
    words = packed(np.stack([a, b]))
    assert [hex(word) for word in words[0]] == ["0xe1f0f87c3e1f0f87", "0x3"]
    assert [hex(word) for word in words[1]] == ["0x9cc6319ce6318ce7", "0x33"]
    assert np.bitwise_count(words[0] ^ words[1]).sum() == 32
    assert sign_products(words[1:].T, words[:1], 70).tolist() == [[6]]


@pytest.mark.parametrize("features", WIDTHS)
def test_sign_products_are_those_of_integers(features, rng):
    x, w = rng.random((5, features)) < 0.5, rng.random((3, features)) < 0.5
    wanted = np.where(x, 1, -1) @ np.where(w, 1, -1).T
    found = sign_products(packed(w).T, packed(x), features)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("features", WIDTHS)
def test_byte_products_are_those_of_integers(features, rng):
    x = rng.integers(0, 256, (5, features), dtype=np.uint8)
    x[0], x[1] = 0, 255
    w = rng.random((3, features)) < 0.5
    wanted = x.astype(int) @ np.where(w, 1, -1).T
    np.testing.assert_array_equal(byte_products(packed(w).T, x), wanted)


def test_sums_that_need_more_than_one_block():
    """1,100 words of 64 equal signs: 16 bits could not add them up."""
    features = 64 * 1100
    ones = packed(np.ones((1, features), bool))
    assert sign_products(ones.T, ~ones, features).tolist() == [[-features]]
    bytes_ = np.full((1, features), 255, np.uint8)
    assert byte_products(ones.T, bytes_).tolist() == [[255 * features]]


def test_many_rows_and_no_samples(rng):
    x, w = rng.random((2, 130)) < 0.5, rng.random((40_000, 130)) < 0.5
    wanted = np.where(x, 1, -1) @ np.where(w, 1, -1).T
    words = np.ascontiguousarray(packed(w).T)
    np.testing.assert_array_equal(sign_products(words, packed(x), 130), wanted)
    assert sign_products(words, packed(x[:0]), 130).shape == (0, 40_000)
    assert byte_products(words, np.zeros((0, 130), np.uint8)).shape == (0, 40_000)
