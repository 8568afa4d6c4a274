"""Inference on packed weights: exact integers, the bound, and where it is zero."""

import numpy as np
import pytest

from tests.backends import here
from ttalgebra.arrays.errors import FormatError, NonFiniteError, ShapeError
from ttalgebra.layers import (
    DeepShiftPS,
    DeepShiftQ,
    Dense,
    PackedShift,
    ReLU,
    Sequential,
    Stepwise,
    load,
    pack_shifts,
    save,
    shifted,
)
from ttalgebra.layers.shift import Clamped
from ttalgebra.layers.shift.integers.codes import Powers, from_codes, to_codes
from ttalgebra.layers.shift.integers.sums import shifted_sums
from ttalgebra.learning import SGD

on_host = pytest.mark.host("integer shifts run in NumPy")
every = pytest.mark.parametrize("bits", [2, 3, 4, 5])
both = pytest.mark.parametrize("kind", [DeepShiftQ, DeepShiftPS])


@on_host
@every
@pytest.mark.parametrize("ternary", [False, True])
@pytest.mark.parametrize("columns", [1, 3, 8, 13])
def test_every_code_and_back(bits, ternary, columns, rng):
    largest = 2 ** (bits - 1) - 1
    powers = [s * 2.0**-k for k in range(largest + (not ternary)) for s in (1, -1)]
    powers += [0.0] * ternary
    weight = rng.choice(powers, (40, columns))
    weight[: len(powers), 0] = powers  # all of them are there
    codes = to_codes(weight, bits, ternary=ternary)
    assert codes.shape == (40, -(-columns * bits // 8))
    w = from_codes(codes, columns, bits, ternary=ternary)
    again = np.where(w.negative, -1.0, 1.0) * np.ldexp(1.0, -w.shifts) * w.nonzero
    np.testing.assert_array_equal(again, weight)


@on_host
def test_a_code_by_hand():
    """+2^-3 and -2^-5 in five bits: 0 0011 and 1 0101, then six bits of nothing."""
    codes = to_codes(np.array([[2.0**-3, -(2.0**-5)]]), 5, ternary=False)
    assert codes.tolist() == [[0b00011101, 0b01000000]]


@on_host
@pytest.mark.parametrize("n", [0, 1, 5, 130])
@pytest.mark.parametrize(("M", "N"), [(1, 1), (7, 33), (300, 40)])
def test_sums_of_python_ints(n, M, N, rng):
    x = rng.integers(-(2**31), 2**31, (n, N))
    shape = (M, N)
    w = Powers(rng.integers(0, 16, shape), rng.random(shape) < 0.5,
               rng.random(shape) < 0.7)  # fmt: skip
    found = shifted_sums(x, w)
    assert found.shape == (n, M)
    for k in {0, n // 2, n - 1} & set(range(n)):
        for j in {0, M // 2, M - 1}:
            terms = zip(x[k].tolist(), *(a[j].tolist() for a in w), strict=True)
            wanted = sum(
                (-(t >> s) if m else t >> s) for t, s, m, alive in terms if alive
            )
            assert found[k, j] == wanted


@on_host
def test_the_shift_of_the_notes():
    w = Powers(np.array([[3]]), np.array([[False]]), np.array([[True]]))
    assert shifted_sums(np.array([[100], [-100]]), w).tolist() == [[12], [-13]]


@on_host
@every
@both
def test_the_bound_holds_and_is_met(kind, bits, rng):
    """``2^15 - 1`` units, shifted by any ``k``, lose all ``1 - 2^-k`` of one."""
    layer = kind.random(60, 9, bits=bits, rng=rng, dtype="f8")
    small, w = PackedShift.of(layer), layer.power
    x = rng.standard_normal((50, 60)) * 2.0 ** rng.integers(-12, 6, (50, 60))
    assert (abs(small(x)[0] - layer(x)[0]) <= small.bound).all()
    lost = {}
    for sign in (1, -1):
        worst = np.where(np.sign(w) == sign, (2**15 - 1) * 2.0**-16, 0)  # for each row
        lost[sign] = sign * np.diag(layer(worst)[0] - small(worst)[0])
        terms = np.where(np.sign(w) == sign, 1 - abs(w), 0)
        np.testing.assert_array_equal(lost[sign], terms.sum(axis=1) * 2.0**-16)
    np.testing.assert_array_equal(np.maximum(lost[1], lost[-1]), small.bound)


@on_host
@pytest.mark.parametrize("guard", [0, 3, 9])
def test_the_bound_shrinks_with_the_guard(guard, rng):
    layer = DeepShiftQ.random(60, 9, rng=rng, dtype="f8")
    small, x = PackedShift.of(layer, guard=guard), rng.standard_normal((50, 60))
    assert (abs(small(x)[0] - layer(x)[0]) <= small.bound).all()
    assert (small.bound <= 60 * 2.0 ** -(16 + guard)).all()


def exact_pairs(rng):
    """Layers, guards and inputs for which no shift drops a bit."""
    x = rng.standard_normal((30, 50)) * 4
    yield DeepShiftPS.random(50, 8, bits=2, rng=rng, dtype="f8"), 0, x
    yield DeepShiftQ.random(50, 8, bits=3, rng=rng, dtype="f8"), 3, x
    yield DeepShiftQ.random(50, 8, bits=5, rng=rng, dtype="f8"), 15, x
    yield DeepShiftPS.random(50, 8, bits=5, rng=rng, dtype="f8"), 14, x
    multiples = rng.integers(-200, 200, (30, 50)) / 2.0  # of 2^-16 2^15
    yield DeepShiftQ.random(50, 8, bits=5, rng=rng, dtype="f8"), 0, multiples


@on_host
def test_equal_where_nothing_is_dropped(rng):
    bounds = []
    for layer, guard, x in exact_pairs(rng):
        small = PackedShift.of(layer, guard=guard)
        bounds.append(small.bound.max())
        np.testing.assert_array_equal(small(x)[0], layer(x)[0])
    assert bounds[:4] == [0] * 4
    assert bounds[4] > 0  # the bound is for all inputs, these are multiples of 2^15


@on_host
@both
def test_a_network_with_a_guard_is_equal_to_the_last_bit(kind, rng):
    sizes = ((30, 20), (20, 20), (20, 4))
    layers = [kind.random(*size, rng=rng, dtype="f8") for size in sizes]
    model = Sequential([layers[0], ReLU(), Sequential([layers[1], ReLU()]), layers[2]])
    x = rng.standard_normal((200, 30)) * 3
    np.testing.assert_array_equal(pack_shifts(model, guard=15)(x)[0], model(x)[0])
    assert (pack_shifts(model)(x)[0] != model(x)[0]).any()


@on_host
def test_saturated_inputs(rng):
    """Both clip to the same ends, and 64 bits hold the largest sums."""
    layer = DeepShiftQ(np.ones((1, 1000)), np.array([1e9]))
    small = PackedShift.of(layer, guard=15)
    for end in (1e30, -1e30):
        x = np.full((2, 1000), end)
        np.testing.assert_array_equal(small(x)[0], layer(x)[0])
    assert small(np.zeros((0, 1000)))[0].shape == (0, 1)


@on_host
def test_five_bits_a_weight(tmp_path, rng):
    layer = DeepShiftQ.random(784, 512, rng=0)
    model = pack_shifts(Sequential([layer, ReLU()]))
    assert model.layers[0].codes.nbytes == 784 * 512 * 5 // 8
    assert model.layers[0].nbytes == 784 * 512 * 5 // 8 + 512 * 8
    save(model, tmp_path / "model.npz")
    assert (tmp_path / "model.npz").stat().st_size < 256_000 + 4096
    x = rng.standard_normal((5, 784)).astype("f4")
    again = load(tmp_path / "model.npz")
    found = again(x)[0]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, model(x)[0])
    assert again.layers[0].config == model.layers[0].config
    with pytest.raises(ValueError, match="read-only"):
        again.layers[0].codes[0, 0] = 0


@on_host
def test_a_damaged_layer_is_no_model(tmp_path):
    from ttalgebra.storage import write

    entry = {"layer": "PackedShift", "n_in": 9, "bits": 5, "ternary": False}
    arrays = {"0.codes": np.zeros((2, 5), np.uint8), "0.offsets": np.zeros(2, np.int64)}
    write(tmp_path / "model.npz", arrays, {"kind": "model", "layers": [entry]})
    with pytest.raises(
        FormatError, match=r"codes has shape \(2, 5\), expected \(M, 6\)"
    ):
        load(tmp_path / "model.npz")


def test_packs_layers_of_any_library():
    drawn = DeepShiftPS.random(20, 3, rng=0, dtype="f8")
    moved = PackedShift.of(here(drawn))
    np.testing.assert_array_equal(moved.codes, PackedShift.of(drawn).codes)
    np.testing.assert_array_equal(moved.offsets, PackedShift.of(drawn).offsets)


def test_runs_in_numpy_only(xp):
    layer, x = PackedShift.of(DeepShiftPS.random(20, 3, rng=0)), here(np.ones((2, 20)))
    if xp.is_numpy:
        assert layer(x)[0].shape == (2, 3)
    else:
        with pytest.raises(TypeError, match=r"x is an array of .* NumPy only: convert"):
            layer(x)
    assert layer.to("numpy") is layer
    with pytest.raises(TypeError, match="NumPy only, not in 'torch'; move the layer"):
        layer.to("torch")


CODES, OFFSETS = np.zeros((2, 2), np.uint8), np.zeros(2, np.int64)


def small(codes=CODES, offsets=OFFSETS, bits=5, ternary=False, **options):
    return PackedShift(codes, offsets, 3, bits, ternary, **options)


@on_host
@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: PackedShift.of(ReLU()), TypeError, "shift layer is needed, got ReLU"),
        (lambda: PackedShift.of(DeepShiftQ([[1.0, 0.0]], [0.0])), ShapeError,
         r"weight at \(0, 1\) is 0, .* convert to DeepShiftPS"),
        (lambda: small(guard=16), ShapeError, "guard is 16, at most 15"),
        (lambda: small(ternary=1), TypeError, "ternary must be a bool, got int"),
        (lambda: small(CODES * 1.0), TypeError, "codes is float64, uint8 is needed"),
        (lambda: small([[0]]), TypeError, "codes is list, uint8 is needed"),
        (lambda: small(CODES[:0], OFFSETS[:0]), ShapeError,
         r"codes has shape \(0, 2\)"),
        (lambda: small(offsets=OFFSETS[:1]), ShapeError,
         r"offsets has shape \(1,\), expected \(2\)"),
        (lambda: small(bits=9), ShapeError, "from 2 to 5, got 9"),
        (lambda: small()(np.ones((1, 3)))[1](np.ones((1, 2))), TypeError,
         "has no backward; train the layer"),
        (lambda: small()(np.ones((1, 4))), ShapeError,
         "x has 4 features, the weight expects 3"),
        (lambda: small()(1j * np.ones((1, 3))), TypeError,
         "x is complex128; a real array is needed"),
    ],
)  # fmt: skip
def test_refuses(call, error, says):
    with pytest.raises(error, match=says):
        call()


@on_host
def test_sums_that_could_leave_63_bits_are_refused():
    """131,073 numbers of 2^31, 15 bits higher: the sum of the first 2^17 just fits."""
    for n, fits in ((2**17 - 1, True), (2**17 + 1, False)):
        layer = DeepShiftQ(np.ones((1, n)), [0.0])
        x = np.full((1, n), -32768.0)
        if fits:
            small = PackedShift.of(layer, guard=15)
            assert np.array_equal(small(x)[0], layer(x)[0])
        else:
            with pytest.raises(ShapeError, match="need more than 63; lower the guard"):
                PackedShift.of(layer, guard=15)


@on_host
def test_nan_is_no_integer():
    small = PackedShift.of(DeepShiftQ.random(5, 3, rng=0))
    x = np.zeros((1, 5))
    x[0, 2] = np.nan
    with pytest.raises(NonFiniteError, match="x has NaN"):
        small(x)
    x[0, 2] = np.inf
    assert np.isfinite(small(x)[0]).all()


@on_host
@both
def test_the_dtype_is_that_of_the_layer(kind, rng):
    layer = kind.random(64, 4, bits=2, rng=rng, dtype="f8")
    x = (100 * rng.standard_normal((5, 64))).astype("f4")
    small = PackedShift.of(layer)
    y, wanted = small(x)[0], layer(x)[0]
    assert y.dtype == wanted.dtype == np.float64
    assert (abs(y - wanted) <= small.bound).all()


@on_host
def test_layers_within_others_are_found():
    model = Sequential([Stepwise(DeepShiftQ.random(4, 3, rng=0))])
    assert pack_shifts(model).layers[0].layer.name == "PackedShift"
    dense = Sequential([Stepwise(Dense.random(4, 3, rng=0))])
    assert shifted(dense, DeepShiftPS).layers[0].layer.name == "DeepShiftPS"
    rule = Clamped(SGD(1.0), model)
    up = {name: -9 + 0 * x for name, x in model.parameters.items()}
    new, _ = rule.update(model.parameters, up, rule.init(model.parameters))
    assert abs(new["0.weight"]).max() == 1
    for kind in ("Q", Dense):
        with pytest.raises(TypeError, match="DeepShiftQ or DeepShiftPS"):
            shifted(dense, kind)


@on_host
def test_a_sequence_asks_its_layers_before_it_moves():
    model = Sequential([DeepShiftQ.random(4, 3, rng=0), ReLU()])
    assert pack_shifts(model).to("numpy").layers[0].name == "PackedShift"
    small = pack_shifts(model)
    for packed in (small, Sequential([small]), Stepwise(small)):
        with pytest.raises(TypeError, match="runs in NumPy only"):
            packed.to("array_api_strict")
