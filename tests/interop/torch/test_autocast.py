"""Trains under PyTorch's autocast, which would round the factors of their products."""

import pytest

import ttalgebra as tt

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
interop = pytest.importorskip("ttalgebra.interop.torch")
DIGITS = (4,) * 3


@pytest.fixture
def weight():
    i = torch.arange(64.0)
    return 1 / (1 + (i[:, None] - i).abs())


@pytest.fixture
def autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        yield


def error_of(A, W):
    with torch.autocast("cpu", enabled=False):
        return float(torch.linalg.matrix_norm(A.to_dense() - W) / W.norm())


def test_a_reported_error_is_true(weight, autocast):
    A, info = tt.TTMatrix.from_dense(weight, DIGITS, DIGITS, tol=1e-5, return_info=True)
    assert abs(error_of(A, weight) - info.error) < 30 * torch.finfo(torch.float32).eps


def test_products_keep_their_dtype_and_digits(weight, autocast):
    A = tt.TTMatrix.from_dense(weight, DIGITS, DIGITS)
    x = torch.linspace(-1, 1, 64)
    found = {"vector": A @ x, "square": (A @ A) @ x, "rounded": (A + A).round() @ x}
    with torch.autocast("cpu", enabled=False):
        y = weight @ x
        wanted = {"vector": y, "square": weight @ y, "rounded": 2 * y}
    for name, vector in found.items():
        assert vector.dtype == torch.float32, name
        assert torch.allclose(vector, wanted[name], rtol=1e-4, atol=1e-4), name
    assert isinstance(A.norm(), float)


def test_a_layer_made_from_a_linear_one_is_as_close_as_asked(weight, autocast):
    linear = torch.nn.Linear(64, 64)
    linear.weight.data.copy_(weight)
    layer, info = interop.TTLinear.from_linear(
        linear, DIGITS, DIGITS, tol=1e-5, return_info=True
    )
    A = tt.TTMatrix([core.detach() for core in layer.cores])
    assert error_of(A, weight) <= 1e-5
    assert info.tol_met
