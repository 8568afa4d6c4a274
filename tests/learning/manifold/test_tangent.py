"""The projection, against the dense one, and the steps that it makes."""

from math import prod

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import here, host
from ttalgebra.arrays.errors import NonFiniteError, ShapeError
from ttalgebra.layers import Dense, Sequential, Tanh, TTLinear
from ttalgebra.learning import SGD, Adam, RiemannianSGD, SquaredError, fit
from ttalgebra.learning.manifold.riemannian import stepped, trains
from ttalgebra.learning.manifold.tangent import Frame, retracted

SHAPES = [
    (((3, 2), (2, 3)), (1, 2, 1)),
    (((2, 2), (3, 1), (2, 2)), (1, 2, 3, 1)),
    (((2, 1), (2, 2), (1, 3), (2, 1)), (1, 2, 3, 2, 1)),
    (((2, 3),), (1, 1)),
]
shapes = pytest.mark.parametrize(("modes", "ranks"), SHAPES)
kinds = pytest.mark.parametrize("dtype", ["f8", "c16"])


def drawn(rng, shape, dtype):
    x = rng.standard_normal(shape)
    return x + 1j * rng.standard_normal(shape) if dtype == "c16" else x


def train(rng, modes, ranks, dtype="f8"):
    sizes = zip(ranks, modes, ranks[1:], strict=False)
    return tuple(drawn(rng, (r, *pair, s), dtype) for r, pair, s in sizes)


def dense(cores):
    return tt.TTMatrix(host(cores)).to_dense()


def jacobian(cores):
    """What each entry of each core does to the dense matrix: columns."""
    columns = []
    for k, core in enumerate(cores):
        for place in np.ndindex(core.shape):
            unit = np.zeros_like(core)
            unit[place] = 1
            columns.append(dense((*cores[:k], unit, *cores[k + 1 :])).ravel())
    return np.array(columns).T


def gradients_of(cores, Z):
    """``J^H Z``, core by core: what backward gives for ``dL/dW = Z``."""
    flat, found = jacobian(cores).conj().T @ Z.ravel(), []
    for core in cores:
        found.append(flat[: core.size].reshape(core.shape))
        flat = flat[core.size :]
    return tuple(found)


def projection(cores, Z):
    """``T`` of `tangent`, dense."""
    frame = Frame.at(here(cores))
    return dense(frame.tangent(frame.projected(here(gradients_of(cores, Z)))))


def turned(rng, cores, dtype="f8"):
    """The same train in another gauge, whose condition is about 100."""
    cores = list(cores)
    for k in range(len(cores) - 1):
        r = cores[k].shape[-1]
        A = drawn(rng, (r, r), dtype) + 3 * np.eye(r)
        A = A * np.geomspace(1, 30, r)
        cores[k] = cores[k] @ A
        cores[k + 1] = np.tensordot(np.linalg.inv(A), cores[k + 1], 1)
    return tuple(cores)


@shapes
@kinds
def test_projection_is_the_dense_one(modes, ranks, dtype, rng):
    """The tangent space is the span of the Jacobian, by its singular vectors."""
    cores = train(rng, modes, ranks, dtype)
    Z = drawn(rng, dense(cores).shape, dtype)
    u, s, _ = np.linalg.svd(jacobian(cores), full_matrices=False)
    basis = u[:, s > 1e-10 * s[0]]
    wanted = (basis @ (basis.conj().T @ Z.ravel())).reshape(Z.shape)
    np.testing.assert_allclose(projection(cores, Z), wanted, rtol=1e-9, atol=1e-11)
    sizes = [
        prod((r, *pair, s)) for r, pair, s in zip(ranks, modes, ranks[1:], strict=False)
    ]
    assert basis.shape[1] == sum(sizes) - sum(r**2 for r in ranks[1:-1])


@shapes
@kinds
def test_projection_is_idempotent_and_self_adjoint(modes, ranks, dtype, rng):
    cores = train(rng, modes, ranks, dtype)
    Y, Z = (drawn(rng, dense(cores).shape, dtype) for _ in range(2))
    PY, PZ = projection(cores, Y), projection(cores, Z)
    np.testing.assert_allclose(projection(cores, PZ), PZ, rtol=1e-9, atol=1e-11)
    assert np.vdot(PY, Z) == pytest.approx(np.vdot(Y, PZ), rel=1e-10)
    assert abs(np.vdot(PZ, Z - PZ)) < 1e-11 * np.vdot(Z, Z).real
    X = dense(cores)  # a point is in its own tangent space
    np.testing.assert_allclose(projection(cores, X), X, rtol=1e-9, atol=1e-11)


@shapes
def test_terms_are_gauged_and_orthogonal(modes, ranks, rng):
    cores = train(rng, modes, ranks)
    frame = Frame.at(here(cores))
    Z = rng.standard_normal(dense(cores).shape)
    D = frame.projected(here(gradients_of(cores, Z)))
    for U, change in zip(host(frame.left)[:-1], host(D)[:-1], strict=True):
        flat = U.reshape(-1, U.shape[-1])
        np.testing.assert_allclose(flat.T @ flat, np.eye(U.shape[-1]), atol=1e-14)
        inner = flat.T @ change.reshape(-1, U.shape[-1])
        np.testing.assert_allclose(inner, 0, atol=1e-12)
    T = dense(frame.tangent(D))
    squares = sum((change**2).sum() for change in host(D))
    assert (T**2).sum() == pytest.approx(squares, rel=1e-12)
    moved = dense(frame.moved(D, 0.25))
    np.testing.assert_allclose(moved, dense(cores) + T / 4, rtol=1e-12, atol=1e-12)


@shapes
@kinds
def test_a_step_is_the_same_in_every_gauge(modes, ranks, dtype, rng):
    cores = train(rng, modes, ranks, dtype)
    other = turned(rng, cores, dtype)
    Z = drawn(rng, dense(cores).shape, dtype)
    one, two = (
        dense(stepped(here(c), here(gradients_of(c, Z)), 0.1)) for c in (cores, other)
    )
    np.testing.assert_allclose(one, two, rtol=1e-8, atol=1e-9)
    plain = [
        dense([G - 0.1 * g for G, g in zip(c, gradients_of(c, Z), strict=True)])
        for c in (cores, other)
    ]  # where there is a gauge, gradient descent on cores depends on it
    assert (np.abs(plain[0] - plain[1]).max() > 1e-3) == (len(cores) > 1)


@shapes
def test_retraction_is_of_first_order(modes, ranks, rng):
    """``R(X + t T) = X + t T + O(t^2)``; half the step, a quarter of the distance."""
    cores = train(rng, modes, ranks)
    frame = Frame.at(here(cores))
    Z = rng.standard_normal(dense(cores).shape)
    D, distances = frame.projected(here(gradients_of(cores, Z))), []
    for t in (2e-3, 1e-3):
        moved = frame.moved(D, t)
        back = retracted(moved, like=here(cores))
        assert [c.shape for c in host(back)] == [c.shape for c in cores]
        distances.append(np.abs(dense(back) - dense(moved)).max())
    if len(cores) == 1:
        assert max(distances) < 1e-15
    else:
        assert 3 < distances[0] / distances[1] < 5


def test_ranks_that_are_less_than_they_seem(rng):
    """A column twice, rows of zeros: the tangent space is that of the true ranks."""
    a, b = train(rng, ((2, 3), (3, 2)), (1, 2, 1))
    cores = (np.concatenate([a, a[..., :1]], -1), np.concatenate([b, 0 * b[:1]], 0))
    Z = rng.standard_normal((6, 6))
    found, wanted = projection(cores, Z), projection((a, b), Z)
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)
    step = host(stepped(here(cores), here(gradients_of(cores, Z)), 0.1))
    assert [c.shape for c in step] == [c.shape for c in cores]
    assert tt.TTMatrix(step).round().ranks == (1, 3, 1)  # the free rank is used


def test_a_zero_weight_without_gradients_stays(rng):
    cores = [np.zeros_like(c) for c in train(rng, ((2, 3), (3, 2)), (1, 2, 1))]
    step = host(stepped(here(tuple(cores)), here(tuple(cores)), 0.1))
    assert not dense(step).any()
    assert [c.shape for c in step] == [c.shape for c in cores]


def recovery(rng, start):
    """200 samples of a TT-matrix of ranks 2; ``start`` has a large and a small core."""
    truth = TTLinear.random((3, 3, 2), (3, 3, 2), 2, rng=0, dtype="f8", bias=False)
    x = rng.standard_normal((200, 18))
    first, *others = start.cores
    unbalanced = TTLinear((30 * first, *others[:-1], others[-1] / 30))
    return truth, x, here(unbalanced), here(x), here(host(truth(x)[0]))


def errors(truth, model, x, y, optimizer, epochs):
    try:
        model, history = fit(model, x, y, loss=SquaredError(), optimizer=optimizer,
                             epochs=epochs, batch_size=200, rng=0)  # fmt: skip
    except NonFiniteError:
        return np.inf, []
    difference = tt.TTMatrix(host(model.cores)) - truth.weight
    return difference.norm() / truth.weight.norm(), history["loss"]


def test_it_converges_linearly_where_sgd_does_not(rng):
    """No rate of SGD comes to 10 % in as many steps: cores of sizes 30 and 1/30."""
    start = TTLinear.random((3, 3, 2), (3, 3, 2), 2, rng=1, dtype="f8", bias=False)
    truth, _, model, x, y = recovery(rng, start)
    error, losses = errors(truth, model, x, y, RiemannianSGD(1.0), 60)
    assert error < 1e-13
    halves = np.array(losses[10:30]) / np.array(losses[9:29])
    assert halves.max() < 0.5  # of every loss, step by step
    rates = [10 ** (k / 2) for k in range(-12, 1)]
    found = [errors(truth, model, x, y, SGD(rate), 60)[0] for rate in rates]
    assert min(found) > 0.1
    assert found[-1] == np.inf  # no larger ones are worth a try


def test_others_have_their_own_optimizer(rng):
    """Biases and dense layers move as theirs says, trains as ours."""
    model = Sequential([
        TTLinear.random((2, 2), (3, 2), 2, rng=0, dtype="f8"), Tanh(),
        Dense.random(4, 1, rng=1, dtype="f8"),
    ])  # fmt: skip
    model = here(model)
    adam, mixed = Adam(0.1), RiemannianSGD(0.1, others=Adam(0.1))
    gradients = here(
        {n: rng.standard_normal(p.shape) for n, p in model.parameters.items()}
    )
    state = mixed.init(model.parameters)
    moved, after = mixed.update(model.parameters, gradients, state)
    wanted, _ = adam.update(model.parameters, gradients, adam.init(model.parameters))
    assert list(moved) == list(model.parameters)
    assert after["step"] == 1
    assert set(after) == set(state)
    for name in ("0.bias", "2.weight", "2.bias"):
        assert (host(moved[name]) == host(wanted[name])).all()
    cores = tuple(model.parameters[n] for n in ("0.cores.0", "0.cores.1"))
    given = tuple(gradients[n] for n in ("0.cores.0", "0.cores.1"))
    for k, core in enumerate(stepped(cores, given, 0.1)):
        assert (host(moved[f"0.cores.{k}"]) == host(core)).all()


@pytest.mark.host("names only")
def test_trains_are_found_by_their_names():
    names = [
        "0.cores.10",
        "0.cores.2",
        "bias",
        "gates.cores.0",
        "cores.0",
        "x.scores.0",
    ]
    assert trains(dict.fromkeys(names, 0)) == {
        "0.cores": ("0.cores.2", "0.cores.10"),
        "gates.cores": ("gates.cores.0",),
        "cores": ("cores.0",),
    }


@pytest.mark.host("refusals at the door")
def test_what_is_refused():
    with pytest.raises(ShapeError, match="RiemannianSGD: rate must be"):
        RiemannianSGD(0.0)
    with pytest.raises(TypeError, match="others is float; use SGD or its like"):
        RiemannianSGD(1.0, others=0.1)
    p = {"cores.0": np.ones((1, 2, 2, 1))}
    rule = RiemannianSGD(1.0)
    with pytest.raises(ShapeError, match=r"no gradient is named 'cores\.0'"):
        rule.update(p, {}, rule.init(p))
