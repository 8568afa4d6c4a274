"""GRUs, dense and compressed: the formulas, sample by sample, and their limits."""

import numpy as np
import pytest

from tests.backends import here, host
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.layers import GRU, LSTM, Dense, Sequential, TTLinear, load, save, tt_gru
from ttalgebra.layers.recurrent.gru import step
from ttalgebra.learning import Adam, CrossEntropy, accuracy, fit

KINDS = {
    "dense": lambda **o: GRU.random(12, 4, rng=0, dtype="f8", **o),
    "tt": lambda **o: tt_gru((2, 2), (3, 4), 2, rng=0, dtype="f8", **o),
}
kinds = pytest.mark.parametrize("kind", list(KINDS))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def written_out(W, b, U, x):
    """One sample after the other, gate by gate, as the formulas are printed."""
    (Wr, Wz, Wg), (br, bz, bg) = np.split(W, 3), np.split(b, 3)
    Ur, Uz, Ug = np.split(U, 3)
    states = np.zeros((len(x), x.shape[1], U.shape[1]))
    for sample in range(len(x)):
        h = np.zeros(U.shape[1])
        for t, now in enumerate(x[sample]):
            r = sigmoid(Wr @ now + Ur @ h + br)
            z = sigmoid(Wz @ now + Uz @ h + bz)
            h = z * h + (1 - z) * np.tanh(Wg @ now + bg + Ug @ (r * h))
            states[sample, t] = h
    return states


@kinds
def test_states_are_those_of_the_formulas(kind, rng):
    gru, x = KINDS[kind](sequences=True), rng.standard_normal((3, 5, 12))
    bias = rng.standard_normal(12)
    gru = gru.with_arrays({"gates.bias": bias})
    weight = gru.gates.weight
    W = weight if kind == "dense" else weight.to_dense()
    wanted = written_out(W, bias, gru.recurrent, x)
    found = host(gru.with_arrays(here(gru.arrays))(here(x))[0])
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)
    last = GRU(gru.gates, gru.recurrent)
    last = last.with_arrays(here(last.arrays))
    assert np.array_equal(host(last(here(x))[0]), found[:, -1])


def test_gates_at_their_ends_are_exact():
    """A closed update gate keeps the state; an open one, reset, takes the candidate."""
    U = np.array([[0.5], [0.25], [-3.0]])
    met = np.array([[0.0, 1e4, 0.7], [-1e4, -1e4, 0.7]])
    after, _, pullback = step(here(met), here(np.array([[0.625], [0.625]])), here(U))
    after = host(after)
    assert after[0, 0] == 0.625
    assert after[1, 0] == pytest.approx(np.tanh(0.7), rel=1e-15)
    dh, dgates, dg = (host(d) for d in pullback(here(np.ones((2, 1)))))
    assert dh[:, 0].tolist() == [1.0, 0.0]
    assert not dgates.any()
    assert dg[0, 0] == 0.0
    assert dg[1, 0] == pytest.approx(1 - np.tanh(0.7) ** 2, rel=1e-14)


@pytest.mark.host("files hold NumPy arrays")
@kinds
def test_it_comes_back_from_a_file(kind, tmp_path, rng):
    model, x = Sequential([KINDS[kind]()]), rng.standard_normal((2, 3, 12))
    save(model, tmp_path / "model.npz")
    again = load(tmp_path / "model.npz")
    assert type(again.layers[0]) is GRU
    assert np.array_equal(again(x)[0], model(x)[0])


@pytest.mark.host("sizes, and draws on the host")
def test_it_has_three_quarters_of_an_lstm():
    gru, lstm = GRU.random(5, 4, rng=0), LSTM.random(5, 4, rng=0)
    assert gru.n_parameters * 4 == lstm.n_parameters * 3
    for block in np.split(np.array(gru.recurrent, "f8"), 3):
        np.testing.assert_allclose(block.T @ block, np.eye(4), atol=1e-6)
    assert not gru.gates.bias.any()


@pytest.mark.host("refusals at the door of the constructor")
def test_what_makes_no_gru_is_refused(rng):
    with pytest.raises(ShapeError, match=r"GRU: recurrent has shape .*\(3 h, h\)"):
        GRU(Dense.random(2, 6, rng=0), np.ones((8, 2)))
    with pytest.raises(ShapeError, match="GRU: Dense gives 8 gates, recurrent has 6"):
        GRU(Dense.random(2, 8, rng=0), np.ones((6, 2)))(np.ones((1, 1, 2)))
    with pytest.raises(ShapeError, match="GRU: x has no steps; at least one is needed"):
        GRU.random(2, 2, rng=0)(np.ones((1, 0, 2)))
    with pytest.raises(TypeError, match="GRU: gates is int, not a layer"):
        GRU(3, np.ones((6, 2)))


@pytest.mark.host("a whole run of training")
def test_it_learns_which_end_is_larger():
    """The first against the last of six steps: it has to be remembered."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((400, 6, 1))
    target = (x[:, 0, 0] > x[:, -1, 0]).astype(int)
    gates = TTLinear.fitting(1, 24, 2, order=2, rng=0)
    model = Sequential([GRU.around(gates, 8, rng=1), Dense.random(8, 2, rng=2)])
    model, _ = fit(model, x, target, loss=CrossEntropy(), optimizer=Adam(0.02),
                   epochs=30, rng=0)  # fmt: skip
    assert accuracy(model, x, target) > 0.95
