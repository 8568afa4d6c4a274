"""`cost` against what operations then really make, count and allocate."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given

import ttalgebra as tt
from tests import made
from tests.algebra.chains import draw, draw_modes, dtypes, kinds, modes_of, seeds, train
from tests.backends import here, host
from ttalgebra.arrays import contract
from ttalgebra.cores.sweep import operands, run
from ttalgebra.cores.sweep.plan import planned

MADE = {  # operation -> what it really makes of a train and another of the same kind
    "add": lambda x, y: x + y,
    "hadamard": lambda x, y: x.hadamard(y),
    "kron": tt.kron,
}


@given(seeds, kinds, dtypes)
def test_ranks_and_bytes_of_trains(seed, n_modes, dtype):
    rng, x = draw(seed, n_modes, dtype)
    y = train(rng, modes_of(x), ("f4", "f8", "c8", "c16")[seed % 4])
    for name, make in MADE.items():
        cost, result = x.cost(name, y), make(x, y)
        assert cost.ranks == result.ranks
        assert cost.result_bytes == result.nbytes


@given(seeds, dtypes)
def test_ranks_and_bytes_of_products(seed, dtype):
    rng, A = draw(seed, 2, dtype, limit=200)
    B = train(rng, [(n, m) for m, n in modes_of(A)], "f8")
    x = train(rng, [(n,) for n in A.col_modes], dtype)
    for other in (B, x):
        cost, result = A.cost("matmul", other), A @ other
        assert (cost.ranks, cost.result_bytes) == (result.ranks, result.nbytes)
    assert A.cost("to_dense").result_bytes == host(A.to_dense()).nbytes
    assert x.cost("to_dense").result_bytes == host(x.to_dense()).nbytes
    assert A.cost("orthogonalize").ranks == A.ranks
    rounded = A.round()
    assert all(
        r <= s for r, s in zip(rounded.ranks, A.cost("round").ranks, strict=True)
    )


@given(seeds, dtypes)
def test_bytes_of_dense_products(seed, dtype):
    """An array operand has its own dtype, and its own place for the samples."""
    _, A = draw(seed, 2, dtype, limit=200)
    M, N = A.shape
    n = seed % 5 + 1
    plain = n * M * dtype.itemsize
    for name in ("apply", "matmat"):
        assert A.cost(name, n).result_bytes == plain
    for kind in ("f4", "f8", "c16"):
        X, cube = here((np.ones((N, n), kind), np.ones((2, n, N), kind)))
        for name, make, operand in (
            ("matmat", A.matmat, X),
            ("matvec", A.matvec, X[:, 0]),
            ("apply", A.apply, X.T),
            ("apply", A.apply, X[:, 0]),
            ("apply", A.apply, cube),
        ):
            assert A.cost(name, operand).result_bytes == host(make(operand)).nbytes
        item = np.result_type(kind, dtype).itemsize
        way = planned(A.cores, n, item, rows=True, gradients=True)
        assert A.cost("vjp", X.T).flops == way.flops


def one_by_one(cores, n):
    """Multiplications and additions of the loops over all indices, core by core."""
    total, done = 0, 1
    to_come = [math.prod(c.shape[2] for c in cores[k + 1 :]) for k in range(len(cores))]
    for (a, i, j, b), rest in zip((c.shape for c in cores), to_come, strict=True):
        for _ in range(a * b):
            total += 2 * i * j * done * rest * n
        done *= i
    return total


def counted(monkeypatch, function):
    """What the products that ``function`` asks for multiply and add."""
    total = 0

    def matmul(first, second):
        nonlocal total
        product = contract.matmul(first, second)
        total += 2 * math.prod(product.shape) * first.shape[-1]
        return product

    with monkeypatch.context() as patch:
        for module in (run, operands):
            patch.setattr(module, "matmul", matmul)
        function()
    return total


def test_flops_of_dense_products_by_counting(rng, monkeypatch):
    for _ in range(20):
        modes = draw_modes(rng, 2, limit=100)
        A = here(train(rng, modes, "f8"))
        n = int(rng.integers(1, 5))
        X, dy = here([rng.standard_normal((n, side)) for side in A.shape[::-1]])
        for name, work in (
            ("apply", lambda A=A, X=X: A.apply(X)),
            ("matmat", lambda A=A, X=X: A @ X.T),
            ("vjp", lambda A=A, X=X, dy=dy: A.vjp(X)[1](dy)),
        ):
            assert A.cost(name, n).flops == counted(monkeypatch, work), name
        merging = 2 * sum(step.merging for step in A.plan(n).steps)
        assert A.plan(n).flops - merging <= one_by_one(A.cores, n)


def test_flops_by_counting(rng):
    for _ in range(20):
        modes = draw_modes(rng, 2, limit=100)
        A = train(rng, modes, "f8")
        B = train(rng, [(n, 2) for _, n in modes], "f8")
        pairs = zip(A.cores, B.cores, strict=True)
        count = 0
        for (a, i, k, b), (c, _, j, d) in ((G.shape, H.shape) for G, H in pairs):
            count += 2 * a * b * c * d * i * j * k
        assert A.cost("matmul", B).flops == count
        pairs = zip(A.cores, A.cores, strict=True)
        count = sum(2 * math.prod(G.shape) * H.shape[0] * H.shape[-1] for G, H in pairs)
        assert A.cost("hadamard", A).flops in (count, count // 2)
    assert made.ones((5,)).cost("add", made.ones((5,))).flops == 5
    assert A.cost("kron", A).flops == 0


def test_flops_of_dot():
    x, y = made.random_tensor((7,), 1, rng=0), made.random_tensor((7,), 1, rng=0)
    assert x.cost("dot", y).flops in (2 * 7, 4 * 7)
    G = made.random_tensor((3, 5), 2, rng=0)
    exact = 2 * 3 * 2 + 2 * 3 * 2 * 2 + 2 * 5 * 2 * (2 + 1)
    assert exact / 2 <= G.cost("dot", G).flops <= 2 * exact


def peak(function):
    function()  # plans and imports are paid once
    tracemalloc.start()
    try:
        result = function()
        return tracemalloc.get_traced_memory()[1], result
    finally:
        tracemalloc.stop()


BIG = {
    "add": lambda A, B, x, X: ("add", (A, B), lambda: A + B),
    "add tensors": lambda A, B, x, X: ("add", (x, x), lambda: x + x),
    "matmul": lambda A, B, x, X: ("matmul", (A, B), lambda: A @ B),
    "matmul tensor": lambda A, B, x, X: ("matmul", (A, x), lambda: A @ x),
    "hadamard": lambda A, B, x, X: ("hadamard", (A, B), lambda: A.hadamard(B)),
    "hadamard tensors": lambda A, B, x, X: ("hadamard", (x, x), lambda: x * x),
    "to_dense": lambda A, B, x, X: ("to_dense", (A,), A.to_dense),
    "to_dense tensor": lambda A, B, x, X: ("to_dense", (x,), x.to_dense),
    "matmat": lambda A, B, x, X: ("matmat", (A, 8), lambda: A @ X),
    "apply": lambda A, B, x, X: ("apply", (A, 8), lambda: A.apply(X.T)),
    "matvec": lambda A, B, x, X: ("matvec", (A, 1), lambda: A.matvec(X[:, 0])),
    "vjp": lambda A, B, x, X: (
        "vjp",
        (A, 8),
        lambda: (lambda y, pull: pull(y))(*A.vjp(X.T)),
    ),
    "orthogonalize": lambda A, B, x, X: (
        "orthogonalize",
        (A,),
        lambda: A.orthogonalize(2),
    ),
    "norm": lambda A, B, x, X: ("norm", (A,), A.norm),
    "round": lambda A, B, x, X: ("round", (A,), A.round),
    "dot": lambda A, B, x, X: ("dot", (A, B), lambda: tt.dot(A, B)),
}
OVERHEAD = 2**16  # Python objects: tuples, views, plans


@pytest.mark.host("tracemalloc sees what NumPy allocates, nobody else")
@pytest.mark.parametrize("name", BIG)
def test_peak_is_predicted_within_a_factor_of_three(name):
    """From above: what is predicted suffices. From below: a third of it is needed."""
    rng = np.random.default_rng(0)
    A, B = (tt.random_matrix((8,) * 4, (8,) * 4, 24, rng=rng) for _ in range(2))
    if name in ("matmul", "hadamard"):
        A, B = (tt.random_matrix((4,) * 5, (4,) * 5, 12, rng=rng) for _ in range(2))
    x = tt.random_tensor(A.col_modes, 24, rng=rng)
    X = rng.standard_normal((A.shape[1], 8))
    operation, (first, *others), call = BIG[name](A, B, x, X)
    predicted = first.cost(operation, *others).peak_bytes
    measured, _ = peak(call)
    said = f"{name}: predicted {predicted}, measured {measured}"
    assert measured <= predicted + OVERHEAD, said
    assert predicted <= 3 * measured + OVERHEAD, said


def test_costs_of_what_nobody_can_pay():
    """Exact integers, at once, for trains of 10^4 cores and for googols of rows."""
    A = made.identity((2,) * 10_000)
    cost = A.cost("matvec", 1)
    assert cost.result_bytes == 8 * 2**10_000
    assert type(cost.flops) is int
    assert cost.flops == 10_000 * 2 * 2 * 2**10_000
    assert A.cost("kron", A).ranks == (1,) * 20_001
