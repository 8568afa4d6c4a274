"""Rows of a TT-table: those of the dense one, exact gradients, indices checked."""

from math import prod

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import here, host
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.layers import LSTM, Sequential, TTEmbedding, load, save
from ttalgebra.learning import Adam, CrossEntropy, accuracy, fit

SIZES = [((5,), (3,), 1), ((3, 4), (2, 3), 2), ((2, 3, 1), (1, 4, 2), 3)]
sizes = pytest.mark.parametrize(("rows", "columns", "rank"), SIZES)


def integers(rng, rows, columns, rank):
    ranks = (1, *(rank,) * (len(rows) - 1), 1)
    shapes = zip(ranks, rows, columns, ranks[1:], strict=False)
    return tuple(rng.integers(-3, 4, shape).astype("f8") for shape in shapes)


@sizes
def test_rows_are_those_of_the_dense_table(rows, columns, rank, rng):
    cores = integers(rng, rows, columns, rank)
    E = tt.TTMatrix(cores).to_dense()
    x = rng.integers(len(E), size=(4, 3))
    y = host(TTEmbedding(here(cores))(here(x))[0])
    assert (y == E[x]).all()


@sizes
def test_gradients_are_exact_on_integers(rows, columns, rank, rng):
    """A core enters ``E`` linearly: move one entry by one, and see what it meets."""
    cores = integers(rng, rows, columns, rank)
    x = rng.integers(prod(rows), size=(5, 2))
    dy = rng.integers(-9, 9, (5, 2, prod(columns))).astype("f8")
    dx, gradients = TTEmbedding(here(cores))(here(x))[1](here(dy))
    dE = np.zeros((prod(rows), prod(columns)))
    np.add.at(dE, x, dy)  # repeated indices add up
    assert not host(dx).any()
    for k, core in enumerate(cores):
        for place in np.ndindex(core.shape):
            unit = np.zeros_like(core)
            unit[place] = 1
            moved = tt.TTMatrix((*cores[:k], unit, *cores[k + 1 :])).to_dense()
            assert host(gradients[f"cores.{k}"])[place] == (dE * moved).sum()


def test_a_large_table_is_never_formed():
    """10^12 words of 4,096 numbers would be 16 PB."""
    table = TTEmbedding.random((100,) * 6, (4,) * 6, 2, rng=0, dtype="f8")
    index = 123456789012
    digits = np.unravel_index(index, (100,) * 6)
    found = host(table.with_arrays(here(table.arrays))(here(np.array([[index]])))[0])
    row = np.ones((1, 1))
    for core, digit in zip(table.cores, digits, strict=True):
        row = np.einsum("qa,ajb->qjb", row, core[:, digit]).reshape(-1, core.shape[-1])
    np.testing.assert_allclose(found[0, 0], row[:, 0], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    ("x", "says"),
    [
        ([[0, 5]], r"x is 5 at \(0, 1\); an index is a whole number from 0 to 4"),
        ([[-1, 0]], r"x is -1 at \(0, 0\)"),
        ([[0, 1], [2, 0.5]], r"x is 0.5 at \(1, 1\)"),
        ([[np.nan, 0]], r"x is nan at \(0, 0\)"),
        ([[0, np.inf]], r"x is inf at \(0, 1\)"),
        ([0, 1], r"x has shape \(2,\), expected two axes"),
    ],
)
def test_what_is_no_index_is_refused(x, says):
    table = TTEmbedding.random((3, 2), (2, 2), 2, words=5, rng=0)
    table = table.with_arrays(here(table.arrays))
    with pytest.raises(ShapeError, match=says):
        table(here(np.array(x)))


@pytest.mark.host("refusals at the door of the constructor")
def test_what_makes_no_table_is_refused():
    cores = TTEmbedding.random((3, 2), (2, 2), 2, rng=0).cores
    with pytest.raises(ShapeError, match="words is 7, the cores have 6 rows"):
        TTEmbedding(cores, 7)
    with pytest.raises(ShapeError, match="words must be at least 1, got 0"):
        TTEmbedding(cores, 0)
    with pytest.raises(TypeError, match="cores must be a list or tuple, got ndarray"):
        TTEmbedding(cores[0])
    with pytest.raises(ShapeError, match=r"cores and words make it, got cores\.1"):
        TTEmbedding.restored({"cores.1": cores[1]})


@pytest.mark.host("files hold NumPy arrays")
def test_words_are_kept_in_a_file(tmp_path):
    table = TTEmbedding.fitting(997, 12, 3, order=2, rng=0)
    assert prod(table.weight.row_modes) == 1000
    save(Sequential([table]), tmp_path / "table.npz")
    again = load(tmp_path / "table.npz").layers[0]
    assert again.words == 997
    with pytest.raises(ShapeError, match="from 0 to 996"):
        again([[997]])


@pytest.mark.host("a whole run of training")
def test_a_table_in_front_of_an_lstm_learns_a_word():
    """Is word 3 among four of twelve? Only the table tells the words apart."""
    rng = np.random.default_rng(3)
    x = rng.integers(12, size=(400, 4))
    target = (x == 3).any(axis=1).astype(int)
    model = Sequential([
        TTEmbedding.random((3, 4), (2, 4), 3, rng=0),
        LSTM.random(8, 2, rng=1),
    ])  # fmt: skip
    model, _ = fit(model, x, target, loss=CrossEntropy(), optimizer=Adam(0.03),
                   epochs=40, rng=0)  # fmt: skip
    assert accuracy(model, x, target) == 1.0
