"""Bad input is refused at the door: what was given, what is wanted, what to do."""

import numpy as np
import pytest

import ttalgebra as tt

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
interop = pytest.importorskip("ttalgebra.interop.torch")

TTLinear, compress_module = interop.TTLinear, interop.compress_module
LINEAR = torch.nn.Linear(16, 16)


@pytest.fixture(params=[torch.float32, torch.float64, torch.complex64], ids=str)
def layer(request):
    return TTLinear((4, 3, 2), (2, 2, 6), 2, rng=0, dtype=request.param)


ONE = torch.ones(2, 24)


@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        (np.ones((2, 24)), TypeError, "numpy.ndarray; use torch.as_tensor"),
        ([[0.0] * 24], TypeError, "builtins.list"),
        (None, TypeError, "NoneType"),
        (ONE.to_sparse(), TypeError, "sparse_coo; use x.to_dense"),
        (
            ONE[:, :23],
            tt.errors.ShapeError,
            r"shape \(2, 23\), its last axis must be 24",
        ),
        (ONE[:, :23], tt.errors.ShapeError, r"\(modes 2 \* 2 \* 6\); reshape x, or"),
        (ONE[0, 0], tt.errors.ShapeError, r"x has shape \(\), its last"),
        (ONE.half(), TypeError, "x has dtype torch.float16, cores.0 has torch"),
        (ONE.int(), TypeError, "x has dtype torch.int32, cores.0 has torch"),
        (ONE.bool(), TypeError, "convert one of them with"),
    ],
)
def test_inputs(layer, x, error, words):
    with pytest.raises(error, match=words):
        layer(x)
    one = ONE.to(layer.cores[0].dtype)
    assert layer(one).shape == (2, 24)
    with pytest.raises(TypeError, match=r"x is on meta, cores\.0 is on cpu; move one"):
        layer(one.to("meta"))


@pytest.mark.parametrize("name", ["cores.1", "bias"])
def test_parameters_that_differ(name):
    """Whichever parameter was moved or converted is named."""
    x = torch.ones(2, 24)
    for change, words in (
        (torch.Tensor.double, f"torch.float32, {name} has torch.float64"),
        (lambda p: p.to("meta"), f"cpu, {name} is on meta"),
    ):
        layer = TTLinear((4, 3, 2), (2, 2, 6), 2, rng=0)
        parent, _, last = name.rpartition(".")
        new = torch.nn.Parameter(change(layer.get_parameter(name).detach()))
        setattr(layer.get_submodule(parent), last, new)
        with pytest.raises(TypeError, match=words):
            layer(x)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: TTLinear((4,), (2, 2), 2), tt.errors.ShapeError, "1 entries and col"),
        (lambda: TTLinear((4, 0), (2, 2), 2), tt.errors.ShapeError, "at least 1"),
        (lambda: TTLinear((4, 2), (2, 2), 0), tt.errors.ShapeError, "at least 1"),
        (lambda: TTLinear((4, 2), (2, 2), 2.5), TypeError, "must be an int"),
        (lambda: TTLinear((4, 2), (2, 2), 2, rng="x"), TypeError, "rng must be"),
        (
            lambda: TTLinear((4, 2), (2, 2), 2, dtype=torch.int32),
            TypeError,
            "floating or complex, got torch.int32",
        ),
        (
            lambda: TTLinear((4, 2), (2, 2), 2, out_features=9),
            tt.errors.ShapeError,
            r"out_features is 9, the modes \(4, 2\) multiply to 8",
        ),
        (
            lambda: TTLinear((4, 2), (2, 2), 2, in_features=True),
            TypeError,
            "in_features must be an int",
        ),
        (lambda: TTLinear.from_train(LINEAR), TypeError, "a TTMatrix is needed, got L"),
        (
            lambda: TTLinear.from_train(tt.identity((2, 2)), np.ones(3)),
            tt.errors.ShapeError,
            r"bias has shape \(3,\), the matrix 4 rows",
        ),
        (lambda: TTLinear.from_layer(LINEAR), TypeError, "layers.TTLinear is needed"),
        (lambda: TTLinear.from_linear(torch.nn.ReLU()), TypeError, "Linear is needed"),
        (
            lambda: TTLinear.from_linear(LINEAR, (4, 4)),
            tt.errors.ShapeError,
            "give both row_modes and col_modes, or neither",
        ),
        (
            lambda: TTLinear.from_linear(LINEAR, (4, 4), (5, 3)),
            tt.errors.ShapeError,
            r"multiply to \(16, 15\), the weight is \(16, 16\)",
        ),
        (lambda: TTLinear.from_linear(LINEAR, tol=-1.0), tt.errors.ShapeError, "tol"),
        (
            lambda: TTLinear.from_linear(torch.nn.Linear(16, 16, device="meta")),
            TypeError,
            "on the meta device",
        ),
        (lambda: compress_module(np.ones(3), tol=0.1), TypeError, "numpy.ndarray"),
        (lambda: compress_module(LINEAR), TypeError, "give tol= or max_rank="),
        (lambda: compress_module(LINEAR, tol="x"), TypeError, "tol must be"),
        (
            lambda: compress_module(LINEAR, tol="x", max_rank=2),
            TypeError,
            "tol must be",
        ),
        (lambda: compress_module(LINEAR, max_rank=0), tt.errors.ShapeError, "least 1"),
        (
            lambda: compress_module(LINEAR, tol=0.1, min_parameters=-1),
            tt.errors.ShapeError,
            "min_parameters must be at least 0",
        ),
        (
            lambda: compress_module(LINEAR, tol=0.1, keep="head"),
            TypeError,
            r"keep=\['head'\]",
        ),
        (
            lambda: compress_module(LINEAR, tol=0.1, keep=["head"]),
            tt.errors.ShapeError,
            "'head', which is no module",
        ),
    ],
)
def test_makers(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_non_finite_weights():
    linear = torch.nn.Linear(16, 16)
    linear.weight.data[3, 5] = torch.nan
    with pytest.raises(tt.errors.NonFiniteError, match=r"\(3, 5\)"):
        TTLinear.from_linear(linear)


def test_nan_stays_in_its_own_sample():
    layer = TTLinear((4, 3, 2), (2, 2, 6), 2, rng=0)
    x = torch.ones(3, 24)
    x[1, 7] = torch.nan
    assert layer(x).isfinite().all(dim=1).tolist() == [True, False, True]


@pytest.mark.parametrize("bias", [True, False])
def test_a_padded_layer_is_one_of_ours(bias):
    layer = TTLinear((4, 2), (2, 2), 2, out_features=7, in_features=3, bias=bias, rng=0)
    ours = layer.to_layer()
    assert (ours.n_in, ours.n_out) == (3, 7)
    x = torch.ones(2, 3)
    y = layer(x).detach().numpy()
    np.testing.assert_allclose(ours(x.numpy())[0], y, rtol=1e-5, atol=1e-6)
    assert torch.equal(TTLinear.from_layer(ours)(x), layer(x))


def test_a_wrong_state_is_refused():
    """Keys and shapes are those of this layer, or PyTorch says so."""
    layer, other = TTLinear((4, 4), (4, 4), 3), TTLinear((4, 4), (4, 4), 2)
    with pytest.raises(RuntimeError, match=r"size mismatch for cores\.0"):
        layer.load_state_dict(other.state_dict())
    with pytest.raises(RuntimeError, match=r"Missing key.*cores\.1"):
        layer.load_state_dict({"cores.0": layer.cores[0]})


def test_lazy_layers_have_no_shape_yet():
    lazy = torch.nn.LazyLinear(64)
    with pytest.raises(TypeError, match="lazy layer has no shape yet; pass a batch"):
        TTLinear.from_linear(lazy)
    _, report = compress_module(torch.nn.Sequential(lazy), tol=0.1)
    assert not report.layers[0].replaced


def test_a_complex_bias_is_no_bias_of_a_real_train():
    with pytest.raises(TypeError, match=r"bias is torch\.complex128, the train"):
        TTLinear.from_train(tt.identity((2, 3)), np.full(6, 1j))


@pytest.mark.parametrize("dtype", ["float32", np.float32])
def test_a_dtype_is_one_of_pytorch(dtype):
    with pytest.raises(TypeError, match="dtype must be one of PyTorch's"):
        TTLinear((2, 2), (2, 2), 2, rng=0, dtype=dtype)
