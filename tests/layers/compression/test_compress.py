"""``layers.compress``: exact where a structure is there, honest where none is."""

import json
from itertools import pairwise

import numpy as np
import pytest

from tests.backends import here, host
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.layers import (
    BatchNorm,
    Dense,
    ReLU,
    Sequential,
    TTLinear,
    compress,
    load,
    save,
)
from ttalgebra.layers.compression import CompressionReport
from ttalgebra.learning import SGD, SquaredError, fit

HOST = pytest.mark.host("what is chosen is chosen on the host")


def dense(W, seed=3):
    bias = np.random.default_rng(seed).normal(size=W.shape[0]).astype(W.dtype)
    return Dense(here(W), here(bias))


def kron(n=8, seed=0, dtype=np.float64):
    """Integers; of TT-rank 1 in the modes ``n x n, n x n``."""
    A, B = np.random.default_rng(seed).integers(-3, 4, (2, n, n))
    return np.kron(A, B).astype(dtype)


def noise(M=64, N=64, seed=1, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=(M, N)).astype(dtype)


def low_rank(M=60, N=48, rank=2):
    """Integers; of rank 2, and of full TT-rank in balanced modes."""
    rng = np.random.default_rng(5)
    return (rng.integers(-9, 9, (M, rank)) @ rng.integers(-9, 9, (rank, N))) * 1.0


def network(*weights):
    return Sequential([dense(W) for W in weights])


def error_of(layer, W):
    """The relative Frobenius error, in twice the precision of the weight."""
    wide = np.clongdouble if np.iscomplexobj(W) else np.longdouble
    whole = W.astype(wide)
    difference = host(layer.weight.to_dense()).astype(wide) - whole
    squares = (np.abs(difference) ** 2).sum() / (np.abs(whole) ** 2).sum()
    return float(np.sqrt(squares))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("aim", [{"tol": 1e-5}, {"max_rank": 4}, {"budget": 4000}])
def test_a_kronecker_product_is_found_with_rank_one(dtype, aim):
    W = kron(dtype=dtype)
    small, report = compress(network(W), **aim)
    (decision,) = report.decisions
    unit = np.finfo(dtype).eps
    assert isinstance(small.layers[0], TTLinear)
    assert (decision.row_modes, decision.col_modes) == ((8, 8), (8, 8))
    assert decision.ranks == (1, 1, 1)
    assert decision.predicted_error == 0.0
    assert decision.error <= 30 * unit
    assert error_of(small.layers[0], W) <= 30 * unit
    assert decision.after == decision.predicted_bytes == 128 * W.itemsize
    assert decision.flops == 2 * (8 * 64 + 8 * 64)


@pytest.mark.parametrize("aim", [{"tol": 1e-9}, {"budget": 4000}])
def test_a_product_of_low_rank_is_found(aim):
    W = low_rank()
    small, report = compress(network(W), **aim)
    (decision,) = report.decisions
    assert (decision.row_modes, decision.col_modes) == ((1, 60), (48, 1))
    assert decision.ranks == (1, 2, 1)
    assert decision.flops == 2 * 2 * (60 + 48)
    assert error_of(small.layers[0], W) <= 30 * np.finfo(float).eps


@pytest.mark.parametrize("aim", [{"tol": 0.1}, {"budget": 43_000}, {"max_rank": 64}])
def test_a_random_layer_is_left_dense_and_says_why(aim):
    model = network(kron(), noise())
    small, report = compress(model, **aim)
    decision = report.decisions[1]
    assert small.layers[1] is model.layers[1]
    assert not decision.replaced
    assert (decision.after, decision.error) == (decision.before, 0.0)
    if "budget" in aim:
        assert "the budget has room for it dense; smaller TT errs by 0." in str(report)
    else:
        size = decision.predicted_bytes
        assert size >= decision.before == 64 * 64 * 8
        assert decision.reason.endswith(f"takes {size:,} bytes, dense 32,768")


@HOST
@pytest.mark.parametrize("share", [0.06, 0.1, 0.3, 0.5, 0.9, 1.0, 2.0])
def test_a_budget_holds_in_measured_bytes(share):
    i, j = np.ogrid[:64, :96]
    smooth = 1 / (1.0 + abs(i - j))
    model = network(smooth, noise(96, 64), low_rank(48, 96), noise(10, 48))
    budget = int(share * model.nbytes)
    small, report = compress(model, budget=budget)
    assert small.nbytes == report.after <= budget
    assert report.before == model.nbytes
    assert report.after == sum(d.after for d in report.decisions) + 8 * (64 + 96 + 58)


@HOST
def test_more_budget_never_errs_more():
    i, j = np.ogrid[:64, :64]
    model = network(1 / (1.0 + i + j), noise(seed=2), kron() + 0.1 * noise(seed=4))
    bounds = []
    for share in np.linspace(0.1, 1.0, 19):
        _, report = compress(model, budget=int(share * model.nbytes))
        bounds.append(sum(_bound(d) for d in report.decisions))
    assert all(a >= b for a, b in pairwise(bounds))
    assert bounds[0] > bounds[-1] == 0.0


def _bound(decision):
    return decision.predicted_error**2 if decision.replaced else 0.0


@HOST
def test_a_budget_is_spent_as_well_as_trying_everything_does():
    """Two weights of low rank: all pairs of ranks are tried, the best bound found."""
    scales = 0.5 ** np.arange(8), 0.8 ** np.arange(8)
    weights = []
    for k, scale in enumerate(scales):
        q = np.linalg.qr(noise(seed=k))[0][:, :8]
        weights.append((q * scale) @ q.T)
    model = network(*weights)
    modes = dict.fromkeys("01", ((64, 1), (1, 64)))
    tails = [np.append(np.cumsum((s**2)[::-1])[::-1], 0) / (s**2).sum() for s in scales]
    for room in (3, 5, 8, 11, 14):
        budget = room * 128 * 8 + 2 * 64 * 8
        _, report = compress(model, budget=budget, modes=modes)
        found = sum(_bound(decision) for decision in report.decisions)
        best = min(tails[0][r] + tails[1][room - r] for r in range(1, room)
                   if max(r, room - r) <= 8)  # fmt: skip
        assert found == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("aim", [{"tol": 0.4}, {"max_rank": 3}, {"budget": 0.4}])
def test_errors_are_those_of_the_dense_weights(dtype, aim):
    i, j = np.ogrid[:60, :72]
    turn = 1 + 2j if dtype is np.complex128 else 1
    weights = [turn / (1.0 + abs(i - j)), turn * noise(72, 60)]
    model = network(*(W.astype(dtype) for W in weights))
    if "budget" in aim:
        aim = {"budget": int(aim["budget"] * model.nbytes)}
    small, report = compress(model, **aim)
    unit, layers = np.finfo(dtype).eps, small.layers
    assert report.decisions[0].replaced
    for layer, decision, W in zip(layers, report.decisions, weights, strict=True):
        if decision.replaced:
            assert abs(decision.error - error_of(layer, W.astype(dtype))) <= 30 * unit
            assert decision.error <= decision.predicted_error + 30 * unit
            assert decision.error <= aim.get("tol", 1.0) + 30 * unit
            assert decision.after == layer.weight.nbytes <= decision.predicted_bytes


def test_nested_sequences_keep_their_shape_and_their_values(rng):
    inner = Sequential([dense(kron()), ReLU(), Sequential([dense(kron(seed=7))])])
    model = Sequential([inner, ReLU(), dense(kron(seed=9))])
    small, report = compress(model, tol=1e-12)
    replaced = [decision.name for decision in report.replaced]
    assert replaced == ["0.0", "0.2.0", "2"]
    assert type(small.layers[0].layers[2].layers[0]) is TTLinear
    x = here(rng.integers(-2, 3, (5, 64)) * 1.0)
    y, wanted = host(small(x)[0]), host(model(x)[0])
    assert np.allclose(y, wanted, rtol=0, atol=1e-11 * abs(wanted).max())


def test_the_model_that_was_given_stays(rng):
    model = network(kron(), noise())
    before = {name: host(x).copy() for name, x in model.parameters.items()}
    compress(model, max_rank=1)
    for name, x in model.parameters.items():
        assert np.array_equal(host(x), before[name])


@HOST
def test_other_layers_stay_and_the_report_names_them():
    kept = [TTLinear.random((8, 8), (8, 8), 2, rng=0), BatchNorm.new(64)]
    model = Sequential([*kept, dense(kron())])
    small, report = compress(model, tol=0.1)
    assert list(small.layers[:2]) == kept
    assert report.decisions[0].reason == "a TTLinear; only Dense layers are replaced"
    assert "1 left: a BatchNorm; only Dense layers are replaced" in str(report)
    assert report.after == small.nbytes


@HOST
def test_modes_that_are_given_are_taken():
    model = network(kron())
    small, report = compress(model, tol=1e-9, modes={"0": ((4, 16), (4, 16))})
    assert small.layers[0].inputs == (4, 16)
    assert report.decisions[0].ranks[1] > 1


@HOST
@pytest.mark.parametrize("W", [np.zeros((64, 64)), np.ones((1, 300)), np.ones((2, 2))])
def test_extremes(W):
    for aim in ({"tol": 0.0}, {"max_rank": 1}, {"budget": 10**6}):
        small, report = compress(network(W), **aim)
        assert np.array_equal(small.layers[0].weight.shape, W.shape)
        assert np.isfinite(report.decisions[0].error)
        assert small.nbytes <= network(W).nbytes


@pytest.mark.parametrize("aim", [{"tol": 1e-3}, {"max_rank": 2}, {"budget": 6_000}])
def test_sizes_with_large_primes_are_padded(rng, aim):
    i, j = np.ogrid[:67, :61]
    W = 1 / (1.0 + i + j)
    model = network(W)
    small, report = compress(model, **aim)
    layer, decision = small.layers[0], report.decisions[0]
    assert decision.replaced
    assert decision.shape == (67, 61)
    whole = host(layer.weight.to_dense())[:67, :61]
    truth = np.sqrt(((whole - W) ** 2).sum() / (W**2).sum())
    assert abs(decision.error - truth) <= 30 * np.finfo(float).eps
    x = rng.normal(size=(5, 61))
    wanted = x @ whole.T + host(model.layers[0].bias)
    assert np.allclose(host(small(here(x))[0]), wanted, rtol=0, atol=1e-12)


@HOST
@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e306])
@pytest.mark.parametrize("aim", [{"tol": 1e-6}, {"budget": 4000}, {"max_rank": 1}])
def test_the_scale_of_a_weight_does_not_matter(scale, aim):
    _, wanted = compress(network(kron()), **aim)
    _, report = compress(network(kron() * scale), **aim)
    assert report.decisions[0].ranks == wanted.decisions[0].ranks == (1, 1, 1)
    assert report.decisions[0].error <= 30 * np.finfo(float).eps


@HOST
def test_a_file_holds_the_compressed_model(tmp_path):
    small, report = compress(network(kron(), noise()), tol=0.01)
    for name in ("m.npz", "m.safetensors"):
        save(small, tmp_path / name)
        again = load(tmp_path / name)
        assert again.nbytes == report.after
        x = noise(3, 64)
        assert np.array_equal(again(x)[0], small(x)[0])


@HOST
def test_the_report_is_plain_json_and_comes_back():
    _, report = compress(network(kron(), noise()), tol=0.01)
    text = json.dumps(report.as_dict(), allow_nan=False)
    again = CompressionReport.from_dict(json.loads(text))
    assert str(again) == str(report)
    assert json.dumps(again.as_dict()) == text


@HOST
def test_the_table_has_a_row_for_each_layer():
    _, report = compress(network(kron(), noise()), tol=0.01)
    lines = str(report).splitlines()
    assert lines[0].split()[:3] == ["array", "shape", "modes"]
    assert lines[1].startswith("0      64x64  8x8 8x8  1 1 1")
    assert lines[1].endswith("replaced: smaller")
    assert "left: TT with tol=0.01 takes " in lines[2]
    assert lines[3] == f"tol=0.01: 1 of 2 replaced; 66,560 bytes, now {report.after:,}"


@HOST
def test_fit_takes_the_compressed_model():
    model = network(kron() + 0.01 * noise())
    small, _ = compress(model, max_rank=1)
    x = noise(40, 64)
    _, history = fit(small, x, model(x)[0], loss=SquaredError(), epochs=3,
                     optimizer=SGD(1e-5), batch_size=20, rng=0)  # fmt: skip
    assert history["loss"][-1] < history["loss"][0]


@HOST
@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({}, TypeError, "one of budget=, tol=, max_rank= is needed, none is given"),
        ({"tol": 0.1, "max_rank": 2}, TypeError, "tol and max_rank are given"),
        ({"tol": -1}, ShapeError, "tol must be finite and at least 0"),
        ({"tol": "x"}, TypeError, "tol must be a real number"),
        ({"max_rank": 0}, ShapeError, "max_rank must be at least 1, got 0"),
        ({"budget": 1.5}, TypeError, "budget must be an int"),
        ({"budget": 10}, ShapeError, "is 10 bytes, the least is 1,536, 512 of them"),
        ({"tol": 1, "modes": [1]}, TypeError, "modes must be a dict by layer"),
        ({"tol": 1, "modes": {"7": 1}}, ShapeError, "'7', which is no dense layer"),
        ({"tol": 1, "modes": {"0": 8}}, TypeError, "must be .row_modes, col_modes."),
        (
            {"tol": 1, "modes": {"0": ((8, 8), (8, 4))}},
            ShapeError,
            r"multiply to \(64, 32\), too small for the weight, which is \(64, 64\)",
        ),
    ],
)
def test_what_is_refused(options, error, match):
    with pytest.raises(error, match=match):
        compress(network(kron()), **options)


@HOST
def test_only_sequences_are_compressed():
    with pytest.raises(TypeError, match=r"a Sequential of layers is needed, got .*De"):
        compress(dense(kron()), tol=0.1)
