"""TT-layers of any size: zeros in front of the cores, the rest left out behind them."""

from math import prod

import numpy as np
import pytest

from tests.backends import here, host
from ttalgebra.arrays.errors import FormatError, ShapeError
from ttalgebra.layers import LSTM, Sequential, TTLinear, glorot, he, lecun, load, save
from ttalgebra.storage import write

SIZES = [(7, 5), (8, 5), (7, 6), (13, 1), (1, 11), (8, 6)]


def layer_of(n_in, n_out, rng):
    """Of integers, in a TT-matrix of 8 x 12."""
    cores = [rng.integers(-3, 4, s).astype("f8") for s in ((1, 4, 3, 2), (2, 2, 4, 1))]
    cores = cores if n_in < 13 else [np.concatenate([cores[0]] * 2, axis=2), cores[1]]
    cores = cores if n_out < 9 else [np.concatenate([cores[0]] * 2, axis=1), cores[1]]
    return TTLinear(here(cores), here(rng.integers(-9, 9, n_out)), n_in, n_out)


@pytest.mark.parametrize(("n_in", "n_out"), SIZES)
def test_the_corner_of_the_weight_acts_exactly(n_in, n_out, rng):
    layer = layer_of(n_in, n_out, rng)
    W = host(layer.weight.to_dense())[:n_out, :n_in]
    x, dy = rng.integers(-9, 9, (4, n_in)), rng.integers(-9, 9, (4, n_out))
    y, backward = layer(here(x))
    dx, gradients = backward(here(dy))
    assert (host(y) == x @ W.T + host(layer.bias)).all()
    assert (host(dx) == dy @ W).all()
    assert (host(gradients["bias"]) == dy.sum(axis=0)).all()
    corner = np.zeros(layer.weight.shape)
    corner[:n_out, :n_in] = dy.T @ x
    for name, core in layer.parameters.items():
        if name == "bias":
            continue
        for place in np.ndindex(tuple(core.shape)):
            unit = np.zeros(tuple(core.shape))
            unit[place] = 1
            moved = host(layer.with_arrays({name: here(unit)}).weight.to_dense())
            assert host(gradients[name])[place] == (corner * moved).sum()


@pytest.mark.host("sizes only")
@pytest.mark.parametrize("n_in", [1, 2, 97, 784, 997])
@pytest.mark.parametrize("n_out", [1, 10, 101])
def test_every_size_has_a_layer(n_in, n_out):
    layer = TTLinear.fitting(n_in, n_out, 3, rng=0)
    M, N = layer.weight.shape
    assert n_out <= M <= max(1.1 * n_out, 11)
    assert n_in <= N <= max(1.1 * n_in, 11)
    assert layer(np.ones((2, n_in)))[0].shape == (2, n_out)
    assert prod(layer.inputs) == n_in
    assert layer.bias.shape == (n_out,)


@pytest.mark.host("files hold NumPy arrays")
def test_sizes_are_kept_in_files_where_they_matter(tmp_path):
    whole, part = (
        TTLinear.random((2, 3), (3, 4), 2, rng=0),
        TTLinear.fitting(997, 10, 2),
    )
    assert whole.config == {}
    assert (whole.n_in, whole.n_out) == (12, 6)
    assert part.config == {"n_in": 997, "n_out": 10}
    save(Sequential([part]), tmp_path / "model.npz")
    again, x = load(tmp_path / "model.npz"), np.ones((2, 997))
    assert np.array_equal(again(x)[0], part(x)[0])
    header = {"kind": "model", "layers": [{"layer": "TTLinear", "n_in": "many"}]}
    write(tmp_path / "bad.npz", {"0.cores.0": np.ones((1, 2, 2, 1))}, header)
    with pytest.raises(FormatError, match="n_in must be an int, got str"):
        load(tmp_path / "bad.npz")


@pytest.mark.host("the bias that an LSTM sets")
def test_gates_of_any_size():
    lstm = LSTM.around(TTLinear.fitting(13, 20, 2, order=2, rng=0), 5, rng=0)
    assert lstm.gates.bias.tolist() == [0.0] * 5 + [1.0] * 5 + [0.0] * 10
    assert lstm(np.ones((2, 3, 13)))[0].shape == (2, 5)


def test_sizes_are_refused_by_number():
    cores = here([np.ones((1, 2, 3, 1))])
    with pytest.raises(
        ShapeError, match="n_in is 4, the weight has 3 columns; take la"
    ):
        TTLinear(cores, None, 4)
    with pytest.raises(ShapeError, match="n_out is 3, the weight has 2 rows"):
        TTLinear(cores, None, 3, 3)
    with pytest.raises(ShapeError, match="n_in must be at least 1, got 0"):
        TTLinear(cores, None, 0)
    with pytest.raises(ShapeError, match="bias has 2 entries, the weight 1 rows"):
        TTLinear(cores, here(np.ones(2)), 3, 1)
    with pytest.raises(ShapeError, match=r"x has 3 features, the weight expects 2$"):
        TTLinear(cores, None, 2)(here(np.ones((1, 3))))


@pytest.mark.host("random numbers are drawn on the host")
@pytest.mark.parametrize("dtype", ["f8", "c16"])
@pytest.mark.parametrize("variance", [glorot, he, lecun])
def test_entries_have_the_derived_variance(variance, dtype):
    """Within five deviations: ``E |W|^4 = prod_k (1 + 2 / r_k) (E |W|^2)^2``.

    A normal core of variance ``t`` maps a row ``v`` to one of ``|v'|^2 = t |v|^2 X``
    with ``X`` chi-squared of ``r_k`` degrees, whose square has mean ``r_k (r_k + 2)``;
    if complex, of ``2 r_k`` degrees, which makes ``1 / r_k`` of ``2 / r_k``.
    """
    ranks, draws = (1, 4, 5, 1), 1000
    kurtosis = prod(1 + (2 if dtype == "f8" else 1) / r for r in ranks[1:])
    options = {"variance": variance, "dtype": dtype, "n_in": 10}
    entries = np.array([
        TTLinear.random((2,) * 3, (3,) * 3, ranks, rng=seed, **options).weight[0, 0]
        for seed in range(draws)
    ])  # fmt: skip
    spread = ((kurtosis - 1) / draws) ** 0.5
    found = (np.abs(entries) ** 2).mean() / variance(8, 10)
    assert abs(found - 1) < 5 * spread < 0.4
