"""The pullback is ours: against autograd of einsum, ttalgebra, and exact integers."""

from math import prod

import pytest

import ttalgebra as tt

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
TTLinear = pytest.importorskip("ttalgebra.interop.torch").TTLinear
applied = pytest.importorskip("ttalgebra.interop.torch.sweep").applied
grouping = pytest.importorskip("ttalgebra.interop.torch.grouping").grouping
cases_of = pytest.importorskip("tests.interop.torch.cases")

draw, numbers = cases_of.draw, cases_of.numbers
plain, same = cases_of.plain, cases_of.same
DTYPES = (torch.float64, torch.complex128)
both = pytest.mark.parametrize("dtype", DTYPES, ids=str)
tangents = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")


def ours(cores, x):
    groups = grouping([tuple(core.shape) for core in cores])
    rows = prod(core.shape[1] for core in cores)
    return applied(cores, x, groups, rows)


def one_by_one(cores, x):
    """Without merging neighbours."""
    rows = prod(core.shape[1] for core in cores)
    return applied(cores, x, (1,) * len(cores), rows)


def leaves(tensors):
    return [x.clone().requires_grad_() for x in tensors]


@both
def test_like_autograd_of_einsum(dtype, rng):
    """100 cases, first derivatives and Hessian times a vector, to 1e-12."""
    cases = 0
    for _ in range(100):
        cores, x = draw(rng, dtype)
        operands = leaves([*cores, x])
        y, wanted = (
            ours(operands[:-1], operands[-1]),
            plain(operands[:-1], operands[-1]),
        )
        assert same(y, wanted, 1e-12)
        dy = numbers(rng, y.shape, dtype).requires_grad_()
        first = [
            torch.autograd.grad(out, operands, dy, create_graph=True)
            for out in (y, wanted)
        ]
        v = [numbers(rng, g.shape, dtype) for g in first[0]]
        second = [
            torch.autograd.grad(g, [*operands, dy], v, materialize_grads=True)
            for g in first
        ]
        for a, b in zip(*first, strict=True):
            assert same(a, b, 1e-12)
        for a, b in zip(*second, strict=True):
            assert same(a, b, 1e-12)
        cases += len(x) > 0
    assert cases > 50


@both
def test_like_ttalgebra(dtype, rng):
    """The vjp of the TTMatrix in NumPy, and the kernels on the same tensors."""
    for _ in range(50):
        cores, x = draw(rng, dtype)
        layer = TTLinear.from_train(tt.TTMatrix(cores))
        x.requires_grad_()
        y = layer(x)
        dy = numbers(rng, y.shape, dtype)
        found = torch.autograd.grad(y, [*layer.cores, x], dy)
        for backend in ("numpy", "torch"):
            A = layer.weight.to(backend)
            here = x.detach().numpy() if backend == "numpy" else x.detach()
            there = dy.numpy() if backend == "numpy" else dy
            Y, pullback = A.vjp(here)
            dcores, dX = pullback(there)
            assert same(y.detach(), torch.as_tensor(Y), 1e-13)
            for a, b in zip(found, [*dcores, dX], strict=True):
                assert same(a, torch.as_tensor(b), 1e-12)


def value(cores, x, dy):
    return float((plain(cores, x) * dy).sum())


@pytest.mark.parametrize("apply", [ours, one_by_one], ids=["merged", "one by one"])
def test_exact_on_integers(apply, rng):
    """``<dy, y>`` is linear in each operand: differences of step 1 are derivatives."""
    checked = 0
    for _ in range(30):
        cores, x = draw(rng, integers=True, most=3)
        operands = leaves([*cores, x])
        y = apply(operands[:-1], operands[-1])
        dy = numbers(rng, y.shape, torch.float64, integers=True)
        first = torch.autograd.grad(y, operands, dy)
        for k, g in enumerate(first):
            if not g.numel():
                continue
            place = tuple(int(rng.integers(n)) for n in g.shape)
            here = value(cores, x, dy)
            step = torch.zeros(g.shape, dtype=g.dtype)
            step[place] = 1
            moved = [*cores, x]
            moved[k] = moved[k] + step
            assert float(g[place]) == value(moved[:-1], moved[-1], dy) - here
            checked += 1
    assert checked > 60


def test_exact_second_derivatives_on_integers(rng):
    """``d^2 <dy, y> / dG[u] dH[v]`` by differences of differences, exactly."""
    checked = 0
    for _ in range(30):
        cores, x = draw(rng, integers=True, most=3)
        if len(cores) < 2 or not len(x):
            continue
        operands = leaves(cores)
        dy = numbers(
            rng, (len(x), plain(cores, x).shape[1]), torch.float64, integers=True
        )
        first = torch.autograd.grad(ours(operands, x), operands, dy, create_graph=True)
        k, m = rng.choice(len(cores), size=2, replace=False)
        u = tuple(int(rng.integers(n)) for n in cores[k].shape)
        second = torch.autograd.grad(first[k][u], operands[m])[0]
        v = tuple(int(rng.integers(n)) for n in cores[m].shape)

        def moved(by_u, by_v, cores=cores, places=((k, u), (m, v)), x=x, dy=dy):
            fresh = [core.clone() for core in cores]
            for (site, place), by in zip(places, (by_u, by_v), strict=True):
                fresh[site][place] += by
            return value(fresh, x, dy)

        wanted = moved(1, 1) - moved(1, 0) - moved(0, 1) + moved(0, 0)
        assert float(second[v]) == wanted
        checked += 1
    assert checked > 10


@both
@tangents
def test_gradcheck(dtype, rng):
    """Backward, forward mode, batched; the same bits each time."""
    for shapes in (
        [(1, 2, 3, 2), (2, 3, 1, 1)],
        [(1, 1, 2, 2), (2, 2, 1, 3), (3, 2, 2, 1)],
        [(1, 3, 2, 1)],
    ):
        N = prod(shape[2] for shape in shapes)
        operands = [numbers(rng, shape, dtype) for shape in [*shapes, (2, N)]]
        for apply in (ours, one_by_one):

            def function(*operands, apply=apply):
                return apply(operands[:-1], operands[-1])

            options = {"nondet_tol": 0.0, "check_batched_grad": True}
            assert torch.autograd.gradcheck(
                function, leaves(operands), check_forward_ad=True, **options
            )
            assert torch.autograd.gradgradcheck(function, leaves(operands), **options)


def test_graph_and_memory(rng):
    """One node of ours for each product, which keeps its operands and no more."""
    shapes = [(1, 4, 4, 3), (3, 4, 4, 3), (3, 4, 4, 1)]
    cores = leaves([numbers(rng, shape, torch.float64) for shape in shapes])
    x, kept = numbers(rng, (5, 64), torch.float64), []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: kept.append(t), lambda t: t
    ):
        y = one_by_one(cores, x)
    nodes, pending = [], [y.grad_fn]
    while pending:
        node = pending.pop()
        nodes.append(node.name())
        pending += [after for after, _ in node.next_functions if after is not None]
    assert sum(name.startswith("Step") for name in nodes) == 3
    states = 5 * (64 + 3 * 64 + 3 * 64)
    assert sum(t.numel() for t in kept) == states + sum(core.numel() for core in cores)


def test_large_ranks_and_one_sample(rng):
    """No tensor on the way is larger than the states, or than the largest core."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Largest(TorchDispatchMode):
        size = 0

        def __torch_dispatch__(self, call, types, args=(), kwargs=None):
            result = call(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor):
                stored = result.untyped_storage().nbytes() // result.itemsize
                self.size = max(self.size, stored)
            return result

    r = 16
    shapes = [(1, 4, 4, r), *[(r, 4, 4, r)] * 3, (r, 4, 4, 1)]
    cores = leaves([numbers(rng, shape, torch.float32) for shape in shapes])
    x = numbers(rng, (1, 4**5), torch.float32)
    for apply in (ours, one_by_one):
        with Largest() as seen:
            torch.autograd.grad(apply(cores, x).sum(), cores)
        assert seen.size <= r * 4**5


def test_only_what_is_asked_for(rng, monkeypatch):
    """Frozen cores and inputs without gradient cost no product."""
    step = pytest.importorskip("ttalgebra.interop.torch.step")
    calls = []
    kernels = {name: getattr(step, name) for name in ("_outer", "_times")}
    for name, kernel in kernels.items():

        def counted(*operands, name=name, kernel=kernel):
            calls.append(name)
            return kernel(*operands)

        monkeypatch.setattr(step, name, counted)
    cores = [numbers(rng, (1, 2, 3, 2), torch.float64)]
    cores.append(numbers(rng, (2, 2, 3, 1), torch.float64).requires_grad_())
    y = one_by_one(cores, numbers(rng, (4, 9), torch.float64))
    assert calls == ["_times"] * 2
    y.sum().backward()
    assert calls == ["_times"] * 2 + ["_outer"]
    assert cores[1].grad is not None


def test_same_bits_each_time(rng):
    cores, x = draw(rng, torch.float32, most=6)
    found = []
    for _ in range(3):
        operands = leaves([*cores, x])
        y = ours(operands[:-1], operands[-1])
        found.append([y, *torch.autograd.grad(y.square().sum(), operands)])
    for again in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], again, strict=True))
