"""torch.func, autocast, torch.compile and torch.export treat it as their own."""

import os
import shutil
from contextlib import nullcontext

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
TTLinear = pytest.importorskip("ttalgebra.interop.torch").TTLinear
func = torch.func

LONG = "TTALGEBRA_LONG" in os.environ  # compile with inductor too: 40 s more
COMPILED = [("eager", torch.float32), ("aot_eager", torch.complex128)]
if LONG:
    COMPILED += [("aot_eager", torch.float32), ("eager", torch.complex128)]
    COMPILED += [("inductor", torch.float32), ("inductor", torch.complex128)]
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning"),
    # PyTorch's tracer makes an object that PyTorch deprecates
    pytest.mark.filterwarnings(
        "ignore:.*autograd.function.Function.*:DeprecationWarning"
    ),
]


@pytest.fixture
def layer():
    layer = TTLinear((4, 3, 2), (2, 2, 6), 3, rng=0, dtype=torch.float64)
    torch.nn.init.normal_(layer.bias, generator=torch.manual_seed(0))
    return layer


def batch(*lead, dtype=torch.float64):
    return torch.randn(*lead, 24, dtype=dtype, generator=torch.manual_seed(1))


def loss_of(layer):
    def loss(parameters, x):
        return func.functional_call(layer, parameters, (x,)).sin().sum()

    return loss


def close(a, b):
    return torch.allclose(a, b, rtol=1e-12, atol=1e-12)


def test_gradients_of_each_sample(layer):
    """vmap of grad: their sum is the gradient of the batch."""
    x, parameters = batch(7), dict(layer.named_parameters())
    each = func.vmap(func.grad(loss_of(layer)), (None, 0))(parameters, x)
    whole = func.grad(loss_of(layer))(parameters, x)
    assert set(each) == {"cores.0", "cores.1", "cores.2", "bias"}
    for name, g in each.items():
        assert g.shape == (7, *parameters[name].shape)
        assert close(g.sum(0), whole[name])


def test_ensembles():
    """Layers stacked: vmap over parameters is a loop over layers."""
    layers = [TTLinear((2, 3), (3, 2), 2, rng=k, dtype=torch.float64) for k in range(3)]
    parameters, _ = func.stack_module_state(layers)
    x = torch.ones(5, 6, dtype=torch.float64)

    def call(p, x):
        return func.functional_call(layers[0], p, (x,))

    found = func.vmap(call, (0, None))(parameters, x)
    assert close(found, torch.stack([layer(x) for layer in layers]))


def test_jacobians_and_hessians(layer):
    """Reverse over reverse, forward over reverse, and both the other ways."""
    x, core = batch(2), layer.cores[1].detach()

    def loss(core):
        return loss_of(layer)({"cores.1": core}, x)

    wanted = torch.autograd.functional.hessian(loss, core)
    ways = (func.jacrev, func.jacfwd)
    found = [outer(inner(loss))(core) for outer in ways for inner in ways]
    assert len(found) == 4
    assert all(close(h, wanted) for h in found)
    assert wanted.abs().max() > 0.1


def test_tangents(layer):
    """Linear in each operand: the tangent is the difference, for step 1."""
    x, v = batch(3), batch(3).flip(0)
    y, tangent = func.jvp(layer, (x,), (v,))
    assert close(y, layer(x))
    assert close(tangent, layer(x + v) - layer(x))


def test_autocast():
    """As F.linear: bfloat16 inside and out, float32 gradients; float64 is not cast."""
    layer = TTLinear((4, 3, 2), (2, 2, 6), 3, rng=0)
    dense = torch.nn.Linear(24, 24)
    x = batch(5, dtype=torch.float32)
    wanted = layer(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y, z = layer(x), dense(x)
        again = layer(x.bfloat16())
    assert y.dtype == z.dtype == torch.bfloat16
    assert torch.equal(y, again)
    scale = float(wanted.detach().abs().max())
    assert torch.allclose(y.float(), wanted, atol=30 * scale * 2**-8)
    assert not torch.equal(y.float(), wanted)
    y.float().sum().backward()
    assert {p.grad.dtype for p in layer.parameters()} == {torch.float32}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer.double()(x.double()).dtype == torch.float64
        with torch.autocast("cpu", enabled=False):
            assert layer.float()(x).dtype == torch.float32


def test_gradient_scaling():
    """What GradScaler does, a power of two, changes no bit of the gradients."""
    layer = TTLinear((4, 3, 2), (2, 2, 6), 3, rng=0)
    x, found = batch(5, dtype=torch.float32), []
    for scale in (1.0, 2.0**10):
        loss = layer(x).square().mean() * scale
        found.append([g / scale for g in torch.autograd.grad(loss, layer.parameters())])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize(("backend", "dtype"), COMPILED, ids=str)
def test_compiled_in_one_graph(backend, dtype):
    """Values and gradients of eager mode, for batches of every size; fullgraph."""
    if backend == "inductor" and not (shutil.which("g++") or shutil.which("clang++")):
        pytest.skip("inductor needs a C++ compiler")
    torch.compiler.reset()
    layer = TTLinear((4, 3, 2), (2, 2, 6), 3, rng=0, dtype=dtype, in_features=23)
    sizes, heard = (3, 8, 1, 0), nullcontext()
    if backend == "inductor" and dtype.is_complex:
        sizes = sizes[:3]  # it compiles no sum of empty complex tensors
        heard = pytest.warns(UserWarning, match="complex operators")
    compiled = torch.compile(layer, fullgraph=True, backend=backend)
    with heard:
        for n in sizes:
            found = []
            for call in (compiled, layer):
                x = batch(n, 2, dtype=dtype)[..., :23].requires_grad_()
                y = call(x)
                gradients = torch.autograd.grad(
                    y.abs().square().sum(), [x, *layer.parameters()]
                )
                found.append([y, *gradients])
            for a, b in zip(*found, strict=True):
                assert a.shape == b.shape
                assert torch.allclose(a, b, rtol=1e-4, atol=1e-5)


def test_compiled_few_times(layer):
    """The batch is a symbol: twenty sizes need a few graphs, not twenty."""
    from torch._dynamo.testing import CompileCounter

    torch.compiler.reset()
    counter = CompileCounter()
    compiled = torch.compile(layer, fullgraph=True, backend=counter)
    for n in range(2, 22):
        assert close(compiled(batch(n)), layer(batch(n)))
    assert 1 <= counter.frame_count <= 3


def test_compiled_errors(layer):
    """Refusals survive compilation."""
    torch.compiler.reset()
    compiled = torch.compile(layer, backend="eager")
    with pytest.raises(ValueError, match="its last axis must be 24"):
        compiled(torch.ones(2, 23, dtype=torch.float64))


@pytest.mark.parametrize("strict", [True, False])
def test_exported(layer, strict, tmp_path):
    """A graph with a free batch, on disk and back."""
    n = torch.export.Dim("n")
    shapes = {"x": {0: n}}
    program = torch.export.export(
        layer, (batch(3),), dynamic_shapes=shapes, strict=strict
    )
    torch.export.save(program, tmp_path / "layer.pt2")
    module = torch.export.load(tmp_path / "layer.pt2").module()
    for size in (1, 2, 10):
        assert close(module(batch(size)), layer(batch(size)))
    assert set(program.state_dict) == set(layer.state_dict())
