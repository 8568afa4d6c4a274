"""TTLinear as a module: names, copies, files, devices, dtypes, exchange with ours."""

import copy
import io
import pickle

import numpy as np
import pytest

import ttalgebra as tt
from ttalgebra.layers import TTLinear as Layer
from ttalgebra.layers import he

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
TTLinear = pytest.importorskip("ttalgebra.interop.torch").TTLinear

MODES = (4, 3, 2), (2, 2, 6)
DTYPES = (torch.float32, torch.float64, torch.complex64, torch.complex128)


@pytest.fixture
def layer():
    return TTLinear(*MODES, 3, rng=0)


def batch(*lead, dtype=torch.float32, features=24):
    return torch.randn(*lead, features, dtype=dtype, generator=torch.manual_seed(1))


def test_names_and_shapes(layer):
    shapes = {name: tuple(p.shape) for name, p in layer.named_parameters()}
    cores = {f"cores.{k}": core.shape for k, core in enumerate(layer.weight.cores)}
    assert shapes == {"bias": (24,)} | {k: tuple(s) for k, s in cores.items()}
    assert list(TTLinear(*MODES, 3, bias=False).state_dict()) == list(cores)
    assert "modes=(4x2 3x2 2x6), ranks=(1, 3, 3, 1), bias=True" in repr(layer)
    assert all(p.requires_grad for p in layer.parameters())


@pytest.mark.parametrize("lead", [(), (5,), (2, 3), (0,), (2, 0, 3), (1, 1, 1, 2)])
def test_any_leading_axes(layer, lead):
    x = batch(*lead)
    y = layer(x)
    assert y.shape == (*lead, 24)
    assert y.is_contiguous()
    wanted = x @ layer.weight.to_dense().T + layer.bias
    assert torch.allclose(y, wanted, rtol=1e-4, atol=1e-5)
    y.sum().backward()
    assert all(p.grad.isfinite().all() for p in layer.parameters())


def test_the_input_is_not_changed(layer):
    """Nor is it aliased, for strided inputs and the identity too."""
    x = batch(24).mT[::2, :]
    before = x.clone()
    y = layer(x)
    y.zero_()
    one = TTLinear.from_train(tt.identity((1,)).to("torch"))
    z = torch.ones(3, 1, dtype=torch.float64)
    one(z).zero_()
    assert torch.equal(x, before)
    assert torch.equal(z, torch.ones_like(z))


@pytest.mark.parametrize("variance", [None, he])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_draws_what_ttalgebra_draws(dtype, variance):
    """The same seed, the same numbers; from a Generator too."""
    chosen = {} if variance is None else {"variance": variance}
    name = str(dtype).removeprefix("torch.")
    wanted = Layer.random(*MODES, 3, rng=7, dtype=name, **chosen)
    for rng in (7, np.random.default_rng(7)):
        found = TTLinear(*MODES, 3, rng=rng, dtype=dtype, **chosen)
        for a, b in zip(found.cores, wanted.cores, strict=True):
            assert np.array_equal(a.detach().numpy(), b)
        assert found.bias.dtype == dtype
        assert not found.bias.any()


def test_seeded_by_torch():
    """By its global generator, which moves on, or by one that is given."""
    draws = []
    for _ in range(2):
        torch.manual_seed(3)
        draws.append([TTLinear(*MODES, 3).cores[0] for _ in range(2)])
    assert torch.equal(draws[0][0], draws[1][0])
    assert torch.equal(draws[0][1], draws[1][1])
    assert not torch.equal(draws[0][0], draws[0][1])
    given = [TTLinear(*MODES, 3, rng=torch.Generator().manual_seed(5)) for _ in "ab"]
    assert torch.equal(given[0].cores[1], given[1].cores[1])


def test_variance_of_the_weight():
    """About ``2 / (M + N)`` over many draws: 200 layers of 24 x 24 entries."""
    draws = [TTLinear(*MODES, 4, rng=k, dtype=torch.float64) for k in range(200)]
    found = np.mean([np.mean(m.weight.to_dense().numpy() ** 2) for m in draws])
    assert found == pytest.approx(2 / 48, rel=0.15)


def test_default_dtype_and_device():
    assert TTLinear(*MODES, 2).cores[0].dtype == torch.get_default_dtype()
    with torch.device("meta"):
        layer = TTLinear(*MODES, 2)
    assert {p.device.type for p in layer.parameters()} == {"meta"}
    assert layer(torch.empty(5, 24, device="meta")).shape == (5, 24)


def test_from_meta_to_values():
    """The way of large models: built without values, then drawn in place."""
    layer = TTLinear(*MODES, 3, device="meta").to_empty(device="cpu")
    kept = layer.cores[0]
    layer.reset_parameters(rng=0)
    assert layer.cores[0] is kept
    for name, value in TTLinear(*MODES, 3, rng=0).state_dict().items():
        assert torch.equal(layer.state_dict()[name], value)


def test_state_dict_pickle_and_copies(layer):
    x = batch(5)
    y = layer(x)
    fresh, stored = TTLinear(*MODES, 3), io.BytesIO()
    torch.save(layer.state_dict(), stored)
    stored.seek(0)
    fresh.load_state_dict(torch.load(stored, weights_only=True))
    for other in (fresh, pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer)):
        assert torch.equal(other(x), y)
        with torch.no_grad():
            other.cores[0].add_(1)
        assert torch.equal(layer(x), y)
        assert not torch.equal(other(x), y)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_exchange_with_layers(dtype):
    """There and back with the same bits, and the same values on the way."""
    layer = TTLinear(*MODES, 3, rng=0, dtype=dtype)
    torch.nn.init.normal_(layer.bias)
    ours = layer.to_layer()
    back = TTLinear.from_layer(ours)
    for a, b in zip(layer.parameters(), back.parameters(), strict=True):
        assert torch.equal(a, b)
        assert a.dtype == b.dtype
    x = batch(5, dtype=dtype)
    y, backward = ours(x.numpy())
    tol = 1e-5 if torch.finfo(dtype).eps > 1e-10 else 1e-13
    assert np.allclose(layer(x).detach().numpy(), y, rtol=tol, atol=tol)
    _, gradients = backward(y)
    layer(x).backward(torch.as_tensor(y))
    for name, p in layer.named_parameters():
        assert np.allclose(p.grad.numpy(), gradients[name], rtol=tol, atol=9 * tol)
    bare = TTLinear(*MODES, 2, bias=False).to_layer()
    assert bare.bias is None
    assert TTLinear.from_layer(bare).bias is None


@pytest.mark.parametrize("library", ["numpy", "torch", "array_api_strict"])
def test_from_train_copies(library):
    if library == "array_api_strict":
        pytest.importorskip("array_api_strict", reason="it is not installed")
    A = tt.random_matrix(*MODES, 3, rng=0).to(library)
    layer = TTLinear.from_train(A, np.arange(24.0))
    x = batch(4, dtype=torch.float64)
    wanted = A.to("numpy").apply(x.numpy()) + np.arange(24.0)
    assert np.allclose(layer(x).detach().numpy(), wanted, rtol=1e-12)
    assert tt.same(layer.weight.to(library), A)
    norm = A.norm()
    with torch.no_grad():
        layer.cores[1].zero_()
    assert A.norm() == norm
    assert layer.weight.norm() == 0


def test_the_weight_is_a_copy_without_history(layer):
    W = layer.weight
    assert not any(core.requires_grad for core in W.cores)
    before = W.norm()
    with torch.no_grad():
        layer.cores[0].zero_()
    assert W.norm() == before


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_narrow_floats(dtype):
    """Near float32; the gradients are narrow too; the weight is given in float32."""
    layer = TTLinear(*MODES, 3, rng=0)
    narrow = copy.deepcopy(layer).to(dtype)
    x, eps = batch(8), torch.finfo(dtype).eps
    y, z = layer(x), narrow(x.to(dtype))
    assert z.dtype == dtype
    assert torch.allclose(z.float(), y, atol=30 * eps * float(y.detach().abs().max()))
    z.sum().backward()
    assert {p.grad.dtype for p in narrow.parameters()} == {dtype}
    assert narrow.weight.dtype == torch.float32
    assert narrow.to_layer().bias.dtype == np.float32
    assert TTLinear(*MODES, 3, rng=0, dtype=dtype).cores[0].dtype == dtype


@pytest.mark.parametrize("shape", [(13, 11), (24, 24), (997, 16), (7, 1), (1, 1)])
@pytest.mark.parametrize("bias", [True, False])
def test_from_linear_without_loss(shape, bias):
    """Modes as suggested, padded where needed: the same map, to roundoff."""
    M, N = shape
    linear = torch.nn.Linear(N, M, bias=bias, dtype=torch.float64)
    layer = TTLinear.from_linear(linear)
    assert (layer.in_features, layer.out_features) == (N, M)
    assert (layer.row_modes, layer.col_modes) == tt.suggest_modes(M, N, pad=True)
    x = torch.randn(5, N, dtype=torch.float64, requires_grad=True)
    y, wanted = layer(x), linear(x)
    assert y.is_contiguous()
    assert torch.allclose(y, wanted, rtol=1e-10, atol=1e-12)
    dy = torch.randn_like(y)
    found = torch.autograd.grad(y, x, dy)[0]
    assert torch.allclose(found, torch.autograd.grad(wanted, x, dy)[0], atol=1e-10)
    assert (layer.bias is None) is not bias


def test_from_linear_with_a_tolerance():
    """Given modes, given tolerance; the error is the one reported."""
    linear = torch.nn.Linear(24, 24)
    layer, info = TTLinear.from_linear(linear, *MODES, tol=0.5, return_info=True)
    assert (layer.row_modes, layer.col_modes) == MODES
    gap = layer.weight.to_dense() - linear.weight.detach()
    size = torch.linalg.vector_norm(linear.weight.detach())
    found = float(torch.linalg.vector_norm(gap) / size)
    assert 0 < info.error <= 0.5
    assert info.error == pytest.approx(found, rel=1e-4)
    assert TTLinear.from_linear(linear, *MODES, max_rank=2).ranks == (1, 2, 2, 1)


def test_from_linear_keeps_flags_and_values():
    linear = torch.nn.Linear(16, 16).eval()
    linear.weight.requires_grad_(False)
    layer = TTLinear.from_linear(linear)
    assert not layer.training
    assert [p.requires_grad for p in layer.cores] == [False] * len(layer.cores)
    assert layer.bias.requires_grad
    with torch.no_grad():
        layer.bias.fill_(3)
    assert not (linear.bias == 3).any()


def test_errors_of_narrow_weights_are_those_of_what_is_stored():
    """Rounding cores to 8 bits costs more than tol=1e-4: said, not hidden."""
    i, j = torch.arange(64.0)[:, None], torch.arange(64.0)
    linear = torch.nn.Linear(64, 64)
    linear.weight.data = (1 / (1 + (i - j).abs())).to(torch.bfloat16)
    layer, info = TTLinear.from_linear(linear, tol=1e-4, return_info=True)
    W = linear.weight.detach().float()
    gap = layer.weight.to_dense() - W
    found = float(torch.linalg.vector_norm(gap) / torch.linalg.vector_norm(W))
    assert info.error == pytest.approx(found, rel=1e-5)
    assert info.error > 1e-4
    assert not info.tol_met


def test_padding_is_never_seen():
    """A padded layer is the corner of the larger one; dx and db have its sizes."""
    layer = TTLinear(*MODES, 3, in_features=20, out_features=17, rng=0)
    assert layer.bias.shape == (17,)
    W = layer.weight.to_dense()[:17, :20]
    x = batch(5, features=20).requires_grad_()
    y = layer(x)
    assert torch.allclose(y, x @ W.T, atol=1e-6)
    assert torch.autograd.grad(y.sum(), x)[0].shape == (5, 20)


def test_an_optimizer_learns_it():
    """A TT-matrix is found again from samples of what it does."""
    torch.manual_seed(0)
    truth = TTLinear((4, 4), (4, 4), 2, rng=1, bias=False)
    layer = TTLinear((4, 4), (4, 4), 2, rng=2)
    x = torch.randn(64, 16)
    y = truth(x).detach()
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=60)
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = (layer(x) - y).square().mean()
        loss.backward()
        losses.append(float(loss.detach()))
        return loss

    optimizer.step(closure)
    assert losses[-1] < 1e-3 * losses[0]
