"""compress_module: replaces what pays, leaves the rest, says why, changes nothing."""

import copy

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
interop = pytest.importorskip("ttalgebra.interop.torch")
nn = torch.nn

TTLinear, compress_module = interop.TTLinear, interop.compress_module


def smooth(n_in, n_out, **options):
    """A Linear layer that compresses: a kernel, and noise of size 1e-4."""
    linear = nn.Linear(n_in, n_out, **options)
    i, j = torch.linspace(0, 1, n_out)[:, None], torch.linspace(0, 1, n_in)
    noise = torch.randn(n_out, n_in, generator=torch.manual_seed(0))
    linear.weight.data.copy_(1 / (1 + i + j) + 1e-5 * noise)
    return linear


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(
        smooth(128, 256), nn.ReLU(), nn.Linear(256, 64), nn.Linear(64, 3)
    )


def test_each_layer_has_its_decision(model):
    before = copy.deepcopy(model)
    small, report = compress_module(model, tol=1e-3)
    first, second, third = report.layers
    assert [row.name for row in report.layers] == ["0", "2", "3"]
    assert [row.replaced for row in report.layers] == [True, False, False]
    assert (first.reason, second.reason) == ("smaller", "its TT-form is no smaller")
    assert third.reason == "192 weights, below min_parameters=4096"
    assert first.before == 128 * 256 + 256
    assert first.after == sum(p.numel() for p in small[0].parameters())
    assert second.after >= second.before == 256 * 64 + 64
    assert third.after is third.error is None
    assert (first.row_modes, first.col_modes) == (
        small[0].row_modes,
        small[0].col_modes,
    )
    assert first.ranks == small[0].ranks
    W = model[0].weight.detach()
    gap = small[0].weight.to_dense() - W
    error = torch.linalg.vector_norm(gap) / torch.linalg.vector_norm(W)
    assert float(error) == pytest.approx(first.error, rel=1e-2)
    assert first.error <= 1e-3
    assert report.before == sum(p.numel() for p in model.parameters())
    assert report.after == sum(p.numel() for p in small.parameters())
    assert report.after == report.before - first.before + first.after
    assert report.replaced == (first,)
    assert isinstance(small[0], TTLinear)
    assert type(small[2]) is type(small[3]) is nn.Linear
    x = torch.rand(7, 128)
    assert torch.allclose(small(x), model(x), rtol=1e-2, atol=1e-2)
    for name, p in before.state_dict().items():
        assert torch.equal(p, model.state_dict()[name])
    assert [type(m) for m in before.modules()] == [type(m) for m in model.modules()]


def test_the_report_is_a_table(model):
    _, report = compress_module(model, tol=1e-3)
    lines = str(report).splitlines()
    assert lines[0].split() == [
        "layer", "shape", "modes", "ranks", "parameters", "error", "decision",
    ]  # fmt: skip
    assert lines[1].startswith("0      256x128  ")
    assert lines[1].endswith("replaced: smaller")
    assert lines[3].endswith("left: 192 weights, below min_parameters=4096")
    assert lines[-1].startswith(
        f"1 of 3 replaced; the model had {report.before:,} para"
    )
    assert len({line.find("parameters") for line in lines[:1]}) == 1
    with pytest.raises(AttributeError):
        report.layers[0].replaced = False


def test_nothing_is_shared_with_the_model(model):
    small, _ = compress_module(model, tol=1e-3)
    theirs = {p.data_ptr() for p in model.parameters()}
    assert theirs.isdisjoint({p.data_ptr() for p in small.parameters()})


def test_max_rank(model):
    """Without tol, whatever is smaller; with it, what is close enough as well."""
    small, report = compress_module(model, max_rank=3)
    assert [row.replaced for row in report.layers] == [True, True, False]
    assert max(small[2].ranks) == 3
    assert report.layers[1].error > 0.5
    _, report = compress_module(model, tol=1e-3, max_rank=3)
    assert [row.replaced for row in report.layers] == [True, False, False]
    assert report.layers[1].reason == "its error is above tol=0.001"


def test_keep_and_min_parameters():
    parts = {
        "body": nn.Sequential(smooth(64, 64), smooth(64, 64)),
        "head": smooth(64, 64),
    }
    model = nn.ModuleDict(parts)
    _, report = compress_module(model, tol=1e-2, keep=["body"])
    assert [row.reason for row in report.layers] == ["named in keep"] * 2 + ["smaller"]
    _, report = compress_module(model, tol=1e-2, min_parameters=4097)
    assert not report.replaced
    _, report = compress_module(model, tol=1e-2, min_parameters=4096)
    assert len(report.replaced) == 3


def test_the_model_may_be_the_layer():
    small, report = compress_module(smooth(64, 128), tol=1e-3)
    assert isinstance(small, TTLinear)
    assert report.layers[0].names == ("",)
    assert "(the model)  128x64" in str(report)


def test_shared_layers_stay_shared():
    layer = smooth(64, 64)
    model = nn.Sequential(layer, nn.Tanh(), layer, nn.ModuleList([layer]))
    small, report = compress_module(model, tol=1e-3)
    assert small[0] is small[2] is small[3][0]
    assert isinstance(small[0], TTLinear)
    assert [row.names for row in report.layers] == [("0", "2", "3.0")]
    assert report.after == sum(p.numel() for p in small[0].parameters())


def test_tied_weights_are_left():
    """An embedding that shares its weight with the output layer."""
    model = nn.ModuleDict({"embed": nn.Embedding(128, 64), "out": smooth(64, 128)})
    model["embed"].weight = model["out"].weight
    small, report = compress_module(model, tol=1e-3)
    assert report.layers[0].reason == "its weight is tied to another parameter"
    assert small["embed"].weight is small["out"].weight


def test_tied_biases_stay_tied():
    model = nn.Sequential(smooth(64, 64), smooth(64, 64))
    model[1].bias = model[0].bias
    small, report = compress_module(model, tol=1e-3)
    assert len(report.replaced) == 2
    assert small[0].bias is small[1].bias
    assert small[0].bias is not model[0].bias


def test_what_others_reach_into_is_left():
    """Subclasses, hooks, parametrizations, no numbers: each with its reason."""

    class Mine(nn.Linear):
        pass

    hooked, wrong = smooth(64, 64), smooth(64, 64)
    hooked.register_forward_hook(lambda *_: None)
    normed = nn.utils.parametrizations.weight_norm(smooth(64, 64))
    absent = nn.Linear(64, 64, device="meta")
    wrong.weight.data[3, 4] = torch.inf
    layers = [Mine(64, 64), hooked, normed, wrong, absent]
    small, report = compress_module(nn.Sequential(*layers), tol=0.1)
    reasons = [row.reason for row in report.layers]
    assert reasons == [
        "a subclass, Mine, whose owner may use its weight",
        "it has hooks",
        "a subclass, ParametrizedLinear, whose owner may use its weight",
        "its weight is not finite",
        "its weight is on the meta device and has no values",
    ]
    assert [type(m) for m in small] == [type(m) for m in layers]


def test_pruned_models():
    """Computed weights cannot be copied by PyTorch; made permanent, all is well."""
    from torch.nn.utils import prune

    model = nn.Sequential(smooth(64, 64))
    prune.l1_unstructured(model[0], "weight", amount=0.3)
    with pytest.raises(TypeError, match=r"cannot copy.*prune\.remove"):
        compress_module(model, tol=0.1)
    prune.remove(model[0], "weight")
    assert compress_module(model, tol=0.1)[1].layers[0].error is not None


def test_computed_weights_are_left():
    linear = smooth(64, 64)
    weight = linear.weight.detach()
    del linear.weight
    linear.weight = weight
    _, report = compress_module(nn.Sequential(linear), tol=0.1)
    assert report.layers[0].reason == "its weight is computed from other parameters"


def test_flags_dtypes_and_mode():
    model = nn.Sequential(smooth(64, 64).double(), smooth(64, 64).bfloat16()).eval()
    model[0].weight.requires_grad_(False)
    small, report = compress_module(model, tol=0.1)
    assert len(report.replaced) == 2
    assert not small[0].training
    assert not any(core.requires_grad for core in small[0].cores)
    assert small[0].bias.requires_grad
    assert [m.cores[0].dtype for m in small] == [torch.float64, torch.bfloat16]


def test_models_without_linear_layers():
    small, report = compress_module(nn.Sequential(nn.ReLU()), tol=0.1)
    assert report.layers == ()
    assert report.before == report.after == 0
    assert len(str(report).splitlines()) == 2
    assert isinstance(small[0], nn.ReLU)


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.filterwarnings("ignore:.*nested tensors:UserWarning")
def test_transformers(nested):
    """The encoder's fused path reads weights as tensors: it is switched off."""
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(64, 4, 256, dropout=0.0, batch_first=True)
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=nested)
    for part in model.layers:
        part.linear1, part.linear2 = smooth(64, 256), smooth(256, 64)
        part.linear2.weight.data -= part.linear2.weight.data.mean()
    small, report = compress_module(model, tol=1e-4)
    assert [row.name for row in report.replaced] == [
        f"layers.{k}.linear{n}" for k in range(2) for n in (1, 2)
    ]
    assert {row.reason.partition(",")[0] for row in report.layers} == {
        "smaller",
        "a subclass",
    }
    x = torch.randn(3, 5, 64)
    mask = torch.tensor([[0] * 5, [0, 0, 0, 1, 1], [0, 0, 0, 0, 1]], dtype=torch.bool)
    for training in (True, False):
        small.train(training), model.train(training)
        with torch.set_grad_enabled(training):
            y = small(x, src_key_padding_mask=mask)
            wanted = model(x, src_key_padding_mask=mask)
        keep = ~mask[..., None]
        assert torch.allclose(y * keep, wanted * keep, atol=1e-2)
    assert model.layers[0].activation_relu_or_gelu == 1
