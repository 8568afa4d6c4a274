"""Convolutions against six loops, dense and TT kernels, and what they refuse."""

from math import prod

import numpy as np
import pytest

from tests.backends import here, host
from ttalgebra.arrays.errors import FormatError, ShapeError
from ttalgebra.layers import (
    BTLinear,
    Conv2D,
    Dense,
    ReLU,
    Sequential,
    TTLinear,
    load,
    save,
    tt_conv2d,
)
from ttalgebra.layers.tt import convolution
from ttalgebra.storage import write

CASES = [  # image, window, stride, padding
    ((3, 4, 2), (2, 2), 1, 0),
    ((5, 4, 2), (3, 2), 2, 1),
    ((4, 4, 1), (1, 1), 3, 0),  # places that no window covers
    ((2, 3, 2), (3, 3), 1, 2),  # windows larger than the image
    ((3, 3, 1), (2, 2), 4, 3),  # one window, all of it beside the image
]
cases = pytest.mark.parametrize(("image", "window", "stride", "padding"), CASES)


def written_out(W, b, x, image, window, stride, padding):
    """``sum_{a, c, k} W[o, (a, c, k)] x[stride p + a - padding, ..., k]``, by loops."""
    (height, width, c), (la, lb) = image, window
    x = np.pad(
        x.reshape(-1, *image), ((0, 0), (padding, padding), (padding, padding), (0, 0))
    )
    rows = (height + 2 * padding - la) // stride + 1
    columns = (width + 2 * padding - lb) // stride + 1
    kernel, y = W.reshape(-1, la, lb, c), np.zeros((len(x), rows, columns, len(W)))
    for p in range(rows):
        for q in range(columns):
            for i in range(la):
                for j in range(lb):
                    pixel = x[:, stride * p + i, stride * q + j]
                    y[:, p, q] += pixel @ kernel[:, i, j].T
    return (y + b).reshape(len(x), -1)


@cases
def test_a_dense_kernel_is_the_loops_exactly(image, window, stride, padding, rng):
    W = rng.integers(-5, 6, (3, window[0] * window[1] * image[2])).astype("f8")
    b, x = rng.integers(-5, 6, 3), rng.integers(-5, 6, (2, prod(image)))
    layer = Conv2D(Dense(here(W), here(b)), image, window, stride, padding)
    wanted = written_out(W, b, x, image, window, stride, padding)
    y, backward = layer(here(x))
    assert (host(y) == wanted).all()
    assert wanted.shape[1] == prod(layer.outputs)
    dy = rng.integers(-5, 6, wanted.shape).astype("f8")
    dx, gradients = host(backward(here(dy)))
    # linear in x and in W: the derivative by an entry is the value at a unit
    units = np.eye(x.shape[1])
    values = written_out(W, 0, units, image, window, stride, padding)
    assert (dx == dy @ values.T).all()
    for place in np.ndindex(W.shape):
        unit = np.zeros_like(W)
        unit[place] = 1
        value = written_out(unit, 0, x, image, window, stride, padding)
        assert gradients["weight"][place] == (value * dy).sum()
    assert (gradients["bias"] == dy.reshape(-1, 3).sum(axis=0)).all()


def test_a_tt_kernel_is_its_dense_matrix(rng):
    image = (6, 5, 6)
    layer = tt_conv2d(image, (2, 2), (3, 2), 3, window=(3, 2), stride=2, padding=1,
                      rng=0, dtype="f8")  # fmt: skip
    assert layer.outputs == (3, 3, 4)
    assert layer.kernel.weight.row_modes == (1, 2, 2)
    assert layer.kernel.weight.col_modes == (6, 3, 2)
    layer = layer.with_arrays(here({**layer.arrays, "bias": np.arange(4.0)}))
    x = rng.standard_normal((3, 180))
    W = host(layer.kernel.weight.to_dense())
    wanted = written_out(W, np.arange(4.0), x, image, (3, 2), 2, 1)
    found = host(layer(here(x))[0])
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("held", [1, 100, 10**9], ids=["one", "some", "all"])
def test_blocks_change_nothing(held, rng, monkeypatch):
    layer = tt_conv2d((4, 3, 2), (2, 2), (2, 1), 2, padding=1, rng=0, dtype="f8")
    layer = layer.with_arrays(here(layer.arrays))
    x, whole = here(rng.standard_normal((5, 24))), {}
    for size in (10**9, held):
        monkeypatch.setattr(convolution, "HELD", size)
        y, backward = layer(x)
        dx, gradients = backward(y)
        whole[size] = host({"y": y, "dx": dx, **gradients})
    for name, wanted in whole[10**9].items():
        np.testing.assert_allclose(whole[held][name], wanted, rtol=1e-12, atol=1e-13)


@pytest.mark.host("counts what the kernel is given")
def test_patches_never_exist_all_at_once(monkeypatch):
    """Each block but the last has as many samples as fit, at least one."""
    sizes = []
    monkeypatch.setattr(convolution, "HELD", 200)
    original = convolution.patches
    monkeypatch.setattr(
        convolution, "patches", lambda *a: [sizes.append(len(a[0])), original(*a)][1]
    )
    layer = tt_conv2d((4, 4, 1), (2,), (1,), 1, window=(2, 2), rng=0)
    layer(np.ones((12, 16), "f4"))  # 9 patches of 4 numbers: 5 samples
    assert sizes == [5, 5, 2]
    sizes.clear()
    monkeypatch.setattr(convolution, "HELD", 35)  # less than one sample has
    layer(np.ones((3, 16), "f4"))
    assert sizes == [1, 1, 1]


@pytest.mark.host("files hold NumPy arrays")
@pytest.mark.parametrize("kind", ["dense", "tt", "bt"])
def test_every_kernel_comes_back_from_a_file(kind, tmp_path):
    kernel = {
        "dense": lambda: Dense.random(8, 3, rng=0),
        "tt": lambda: TTLinear.fitting(8, 3, 2, order=2, rng=0),
        "bt": lambda: BTLinear.random((3, 1), (2, 4), n_blocks=1, ranks=2, rng=0),
    }[kind]()
    first = Conv2D(kernel, (5, 4, 2), (2, 2))
    model = Sequential([first, ReLU(), Dense.random(36, 2, rng=1)])
    assert first.outputs == (4, 3, 3)
    save(model, tmp_path / "model.npz")
    again, x = load(tmp_path / "model.npz"), np.ones((2, 40), "f4")
    assert again.layers[0].config == first.config
    assert np.array_equal(again(x)[0], model(x)[0])


@pytest.mark.host("a file of numbers")
def test_a_file_without_a_kernel_is_refused(tmp_path):
    header = {"kind": "model", "layers": [{"layer": "Conv2D", "image": [2, 2, 1]}]}
    write(tmp_path / "model.npz", {"0.weight": np.ones((1, 1))}, header)
    with pytest.raises(FormatError, match="no layer is called None"):
        load(tmp_path / "model.npz")


@pytest.mark.host("refusals at the door of the constructor")
@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"kernel": ReLU()}, TypeError, "kernel is ReLU; one of Dense, TTLinear"),
        ({"image": (4, 4)}, ShapeError, r"image is \(4, 4\); \(height, width, chan"),
        ({"window": (2, 2, 2)}, ShapeError, r"window is .*; \(rows, columns\) is"),
        ({"window": (9, 2)}, ShapeError, r"window of \(9, 2\) does not fit into \(4"),
        ({"stride": 0}, ShapeError, "stride must be at least 1, got 0"),
        ({"padding": -1}, ShapeError, "padding must be at least 0, got -1"),
        ({"window": (3, 2)}, ShapeError, r"has 8 inputs, a patch 12 = 3 \* 2 \* 2"),
        ({"stride": 1.5}, TypeError, "stride must be an int, got float"),
    ],
)
def test_what_is_no_convolution_is_refused(change, error, says):
    kernel = Dense.random(8, 3, rng=0)
    given = {"kernel": kernel, "image": (4, 4, 2), "window": (2, 2), **change}
    with pytest.raises(error, match=says):
        Conv2D(**given)
