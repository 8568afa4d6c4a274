"""LSTMs, dense and compressed: the formulas, time by time, and that they learn."""

import numpy as np
import pytest

from tests.backends import here, host
from ttalgebra.arrays.errors import FormatError, ShapeError
from ttalgebra.layers import (
    LSTM,
    BTLinear,
    Dense,
    Dropout,
    Layer,
    Sequential,
    TTLinear,
    bt_lstm,
    load,
    save,
    tt_lstm,
)
from ttalgebra.layers.recurrent.cell import step
from ttalgebra.learning import Adam, CrossEntropy, accuracy, digits, fit
from ttalgebra.storage import write
from ttalgebra.testing import check_pullback, complex_step

FEATURES = 12
KINDS = {
    "dense": lambda **o: LSTM.random(FEATURES, 4, rng=0, dtype="f8", **o),
    "tt": lambda **o: tt_lstm((2, 2), (3, 4), 2, rng=0, dtype="f8", **o),
    "bt": lambda **o: bt_lstm(
        (2, 2), (3, 4), n_blocks=2, ranks=2, rng=0, dtype="f8", **o
    ),
}
kinds = pytest.mark.parametrize("kind", list(KINDS))


def moved(lstm):
    """The layer with its arrays in the library of this run."""
    return lstm.with_arrays({name: here(a) for name, a in lstm.arrays.items()})


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def written_out(W, b, U, x):
    """One sample after the other, gate by gate, as the formulas are printed."""
    n, h = len(x), U.shape[1]
    (Wi, Wf, Wo, Wg), (bi, bf, bo, bg) = np.split(W, 4), np.split(b, 4)
    Ui, Uf, Uo, Ug = np.split(U, 4)
    states = np.zeros((n, x.shape[1], h), x.dtype)
    for sample in range(n):
        c, s = np.zeros(h), np.zeros(h)
        for t, now in enumerate(x[sample]):
            i = sigmoid(Wi @ now + Ui @ s + bi)
            f = sigmoid(Wf @ now + Uf @ s + bf)
            o = sigmoid(Wo @ now + Uo @ s + bo)
            c = f * c + i * np.tanh(Wg @ now + Ug @ s + bg)
            s = o * np.tanh(c)
            states[sample, t] = s
    return states


@kinds
def test_states_are_those_of_the_formulas(kind, rng):
    lstm, x = KINDS[kind](sequences=True), rng.standard_normal((3, 5, FEATURES))
    weight = lstm.gates.weight
    W = weight if kind == "dense" else weight.to_dense()
    wanted = written_out(W, lstm.gates.bias, lstm.recurrent, x)
    found = host(moved(lstm)(here(x))[0])
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)
    last = LSTM(lstm.gates, lstm.recurrent)
    assert np.array_equal(host(moved(last)(here(x))[0]), found[:, -1])


@kinds
@pytest.mark.parametrize("sequences", [False, True], ids=["last", "all"])
@pytest.mark.parametrize("steps", [1, 6])
def test_back_through_time_against_complex_steps(kind, sequences, steps, rng):
    """Every array and every step of the input, relative to 1e-12."""
    lstm = moved(KINDS[kind](sequences=sequences))
    x = here(rng.standard_normal((2, steps, FEATURES)))

    def function(x, arrays):
        y, backward = lstm.with_arrays(arrays)(x)
        return y, lambda dy: backward(dy)[:2]

    check_pullback(function, x, lstm.arrays, rng=rng, difference=complex_step)


def test_a_loss_at_one_step_reaches_no_later_one(rng):
    lstm = moved(KINDS["bt"](sequences=True))
    y, backward = lstm(here(rng.standard_normal((2, 6, FEATURES))))
    dy = np.zeros(y.shape)
    dy[:, 3] = 1.0
    dx = host(backward(here(dy))[0])
    assert not dx[:, 4:].any()
    assert (np.abs(dx[:, :4]).max(axis=(0, 2)) > 0).all()


def test_gradients_of_all_steps_add_up(rng):
    """Linear in ``dy``: what each step alone gives, summed, is what all give."""
    lstm, x = moved(KINDS["tt"](sequences=True)), rng.standard_normal((2, 4, FEATURES))
    y, backward = lstm(here(x))
    dy = rng.standard_normal(y.shape)
    dx, found = backward(here(dy))
    parts = []
    for t in range(4):
        alone = np.zeros(y.shape)
        alone[:, t] = dy[:, t]
        parts.append(backward(here(alone)))
    total = sum(host(part) for part, _ in parts)
    np.testing.assert_allclose(host(dx), total, rtol=1e-12, atol=1e-14)
    for name, gradient in found.items():
        total = sum(host(gradients[name]) for _, gradients in parts)
        np.testing.assert_allclose(host(gradient), total, rtol=1e-12, atol=1e-13)


def test_an_open_forget_gate_keeps_the_memory():
    """With gates driven to their ends an LSTM is a register: exact in any number."""
    z = np.array([[-1e4, 1e4, 1e4, 0.3]])
    state, memory, pullback = step(here(z), here(np.array([[0.625]])))
    assert host(memory).tolist() == [[0.625]]
    assert host(state)[0, 0] == pytest.approx(np.tanh(0.625), rel=1e-15)
    dz, dc = pullback(here(np.zeros((1, 1))), here(np.ones((1, 1))))
    assert host(dz).tolist() == [[0.0] * 4]
    assert host(dc).tolist() == [[1.0]]


@pytest.mark.host("what is drawn at the start")
@kinds
def test_start(kind):
    lstm = KINDS[kind]()
    parts = np.split(lstm.recurrent, 4)
    for U in parts:
        np.testing.assert_allclose(U @ U.T, np.eye(4), rtol=0, atol=1e-14)
    assert len({U.tobytes() for U in parts}) == 4
    np.testing.assert_array_equal(lstm.gates.bias, np.repeat([0, 1, 0, 0], 4))
    again, other = KINDS[kind](), LSTM.random(FEATURES, 4, rng=1)
    for name, array in lstm.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array)
    assert other.recurrent.dtype == np.float32
    assert LSTM.random(2, 3, rng=0, dtype="c16").recurrent.dtype == np.complex128


@pytest.mark.host("the order of rows")
def test_gates_are_fused_in_the_first_row_mode(rng):
    """Rows of the fused map, seen as (gate, state): each gate is a train by itself."""
    lstm = KINDS["tt"]()
    first, *others = lstm.gates.cores
    x = rng.standard_normal((3, FEATURES))
    z = lstm.gates(x)[0]
    for gate in range(4):
        part = TTLinear([first[:, 2 * gate : 2 * gate + 2], *others])
        bias = lstm.gates.bias[4 * gate : 4 * gate + 4]
        expected = z[:, 4 * gate : 4 * gate + 4] - bias
        np.testing.assert_allclose(part(x)[0], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.host("tednet's shapes")
def test_published_shapes(rng):
    lstm = bt_lstm((3, 3), (2, 3), n_blocks=2, ranks=(6, 6), rng=0)
    assert lstm.gates.weight.shape == (36, 6)
    y, _ = lstm(rng.standard_normal((16, 4, 6)).astype("f4"))
    assert y.shape == (16, 9)


@pytest.mark.host("a training form of its map")
def test_dropout_inside_the_map_is_drawn_once_a_step_of_training(rng):
    gates = Sequential([Dropout(0.5), Dense.random(FEATURES, 16, rng=0, dtype="f8")])
    lstm = LSTM.around(gates, 4, rng=0, dtype="f8")
    x = np.ones((2, 3, FEATURES))
    drawn = lstm.training(np.random.default_rng(0))
    assert type(drawn.gates.layers[0]).__name__ == "DrawnDropout"
    assert (drawn(x)[0] != lstm(x)[0]).any()
    np.testing.assert_array_equal(drawn(x)[0], drawn(x)[0])


@pytest.mark.host("files hold NumPy arrays")
@kinds
def test_a_model_of_sequences_through_a_file(kind, tmp_path, rng):
    model = Sequential([KINDS[kind](), Dense.random(4, 2, rng=0)])
    save(model, tmp_path / "model.npz")
    again, x = load(tmp_path / "model.npz"), rng.standard_normal((2, 3, FEATURES))
    np.testing.assert_array_equal(again(x)[0], model(x)[0])
    assert type(again.layers[0].gates) is type(model.layers[0].gates)
    moved = again.to("array_api_strict").to("numpy")
    np.testing.assert_array_equal(moved(x)[0], model(x)[0])


def entry(**changes):
    return {"layer": "LSTM", "gates": {"layer": "Dense"}, "sequences": False} | changes


GOOD = {"gates.weight": np.ones((4, 2)), "gates.bias": np.ones(4)}
GOOD |= {"recurrent": np.ones((4, 1))}


@pytest.mark.host("forged files")
@pytest.mark.parametrize(
    ("arrays", "layer", "says"),
    [
        (GOOD, entry(gates=None), "no layer is called None"),
        (GOOD, entry(gates={"layer": "Exec"}), "no layer is called 'Exec'"),
        (GOOD, entry(sequences="yes"), "sequences must be a bool, got str"),
        (GOOD, entry(extra=1), "unexpected keyword argument 'extra'"),
        (GOOD | {"junk": np.ones(1)}, entry(), "recurrent is its one array, got"),
        (GOOD | {"gates.junk": np.ones(1)}, entry(), "unexpected keyword argument"),
        ({"recurrent": np.ones((4, 1))}, entry(), "missing 2 required"),
        (GOOD, entry(gates=entry(gates={"layer": "Tanh"})), "recurrent is its one"),
        (GOOD | {"recurrent": np.ones((3, 1))}, entry(), r"expected \(4 h, h\)"),
    ],
)
def test_forged_files(arrays, layer, says, tmp_path):
    path = tmp_path / "forged.npz"
    named = {f"0.{name}": array for name, array in arrays.items()}
    write(path, named, {"kind": "model", "layers": [layer]})
    with pytest.raises(FormatError, match=says):
        load(path)


@pytest.mark.host("forged files")
def test_maps_within_maps_come_to_an_end(tmp_path):
    layer = {"layer": "Tanh"}
    for _ in range(40):
        layer = entry(gates=layer)
    write(tmp_path / "deep.npz", {}, {"kind": "model", "layers": [layer]})
    with pytest.raises(FormatError, match="nested more than 8 deep"):
        load(tmp_path / "deep.npz")


class Sevens(Layer):
    """A layer with another number of outputs than any LSTM wants."""

    def forward(self, x):
        return x[:, :7], None


@pytest.mark.host("errors at the door")
@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: LSTM(np.ones((4, 1)), np.ones((4, 1))), TypeError, "not a layer"),
        (
            lambda: LSTM(KINDS["tt"](), np.ones((4, 1))),
            ShapeError,
            "gates is a LSTM, which meets sequences",
        ),
        (
            lambda: LSTM(Dropout(0.5), np.ones((3, 1))),
            ShapeError,
            r"recurrent has shape \(3, 1\), expected \(4 h, h\)",
        ),
        (lambda: LSTM(Dropout(0.5), np.ones((4, 1)), 1), TypeError, "bool, got int"),
        (
            lambda: LSTM(Sevens(), np.ones((8, 2)))(np.ones((1, 2, 9))),
            ShapeError,
            "Sevens gives 7 gates, recurrent has 8 rows",
        ),
        (
            lambda: KINDS["dense"]()(np.ones((2, 0, FEATURES))),
            ShapeError,
            "x has no steps; at least one is needed",
        ),
        (lambda: LSTM.random(0, 2), ShapeError, "n_in must be at least 1, got 0"),
        (lambda: LSTM.random(2, 0), ShapeError, "n must be at least 1, got 0"),
        (lambda: tt_lstm((), (2,), 1), ShapeError, "state_modes is empty"),
        (
            lambda: bt_lstm((2,), (2, 2), n_blocks=1, ranks=1),
            ShapeError,
            "row_modes has 1 entries and col_modes 2",
        ),
    ],
)
def test_refuses(call, error, says):
    with pytest.raises(error, match=says):
        call()


def in_rows(x):
    """Images of 8 x 8 pixels as 8 steps of a row."""
    return x.reshape(-1, 8, 8)


@pytest.mark.host("a training on digits")
@pytest.mark.parametrize("kind", ["dense", "tt", "bt"])
def test_learns_to_read_digits_row_by_row(kind):
    """1,437 images to fit, 360 to test, 6 epochs; chance is 0.1."""
    pytest.importorskip("sklearn", reason="scikit-learn ships the digits")
    lstm = {
        "dense": lambda: LSTM.random(8, 32, rng=0),
        "tt": lambda: tt_lstm((4, 8), (4, 2), 4, rng=0),
        "bt": lambda: bt_lstm((4, 8), (4, 2), n_blocks=2, ranks=3, rng=0),
    }[kind]()
    data = digits()
    model = Sequential([lstm, Dense.random(32, 10, rng=0)])
    model, history = fit(
        model,
        in_rows(data.x),
        data.labels,
        loss=CrossEntropy(),
        optimizer=Adam(0.02),
        epochs=6,
        batch_size=64,
        rng=0,
    )
    assert accuracy(model, in_rows(data.x_test), data.labels_test) > 0.85
    assert history["loss"][-1] < history["loss"][0] / 3
    compressed = {"dense": Dense, "tt": TTLinear, "bt": BTLinear}[kind]
    assert isinstance(model.layers[0].gates, compressed)
