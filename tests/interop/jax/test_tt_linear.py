"""The TT-layer as pure functions: the numbers of the layer, and a fit under jit."""

import numpy as np
import pytest

import ttalgebra as tt
from ttalgebra.layers import TTLinear
from ttalgebra.learning import Adam

jax = pytest.importorskip("jax", reason="JAX is not installed: the layer is in it")
jnp = jax.numpy
neighbour = pytest.importorskip("ttalgebra.interop.jax")
init_tt_linear, tt_linear = neighbour.init_tt_linear, neighbour.tt_linear
SIZES = (4, 2, 3), (2, 3, 2), 3


@pytest.mark.parametrize("bias", [True, False])
def test_init_draws_the_numbers_of_the_layer(bias):
    parameters = init_tt_linear(*SIZES, bias=bias, rng=5)
    layer = TTLinear.random(*SIZES, bias=bias, rng=5)
    assert list(parameters) == list(layer.parameters)
    for name, x in parameters.items():
        assert isinstance(x, jax.Array)
        assert np.array_equal(x, layer.parameters[name])
    restored = TTLinear.restored(
        {name: np.asarray(x) for name, x in parameters.items()}
    )
    assert tt.same(restored.weight, layer.weight)


@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_forward_and_backward_are_those_of_the_layer(dtype, x64, rng):
    layer = TTLinear.random(*SIZES, rng=rng, dtype=dtype)
    layer = layer.with_arrays({"bias": rng.standard_normal(24).astype(dtype)})
    x, dy = rng.standard_normal((2, 5, 24)).astype(dtype)
    x = x[:, :12]
    y, backward = layer(x)
    dx, gradients = backward(dy)
    parameters = {name: jnp.asarray(p) for name, p in layer.parameters.items()}

    @jax.jit
    def both(parameters, x, dy):
        y, pullback = jax.vjp(tt_linear, parameters, x)
        return y, *pullback(jnp.conj(dy))

    found, dparameters, found_dx = both(parameters, x, dy)
    pairs = [(y, found), (dx, np.conj(found_dx))]
    pairs += [(gradients[name], np.conj(g)) for name, g in dparameters.items()]
    assert set(dparameters) == set(gradients)
    for ours, theirs in pairs:
        assert ours.dtype == theirs.dtype
        assert np.abs(ours - theirs).max() <= 1e-13 * np.abs(ours).max()


def test_our_optimizers_step_under_jit(x32):
    """``init`` and ``update`` of optimizers are pure, so one jitted step is enough."""
    optimizer, target = Adam(2e-2), init_tt_linear((4, 4), (4, 4), 2, rng=1)
    parameters = init_tt_linear((4, 4), (4, 4), 2, rng=2)
    x = jnp.asarray(np.random.default_rng(3).standard_normal((256, 16)), "float32")

    def loss(parameters):
        return jnp.mean((tt_linear(parameters, x) - tt_linear(target, x)) ** 2)

    @jax.jit
    def step(parameters, state):
        value, gradients = jax.value_and_grad(loss)(parameters)
        return *optimizer.update(parameters, gradients, state), value

    state, values = optimizer.init(parameters), []
    for _ in range(400):
        parameters, state, value = step(parameters, state)
        values.append(float(value))
    assert values[-1] < 1e-4 * values[0]
    assert int(state["step"]) == 400
    assert all(p.dtype == np.float32 for p in parameters.values())


def test_refusals():
    parameters = init_tt_linear(*SIZES, rng=0)
    x = jnp.ones((2, 12))
    del parameters["cores.1"]
    with pytest.raises(tt.errors.ShapeError, match=r"no parameter is named 'cores.1'"):
        tt_linear(parameters, x)
    with pytest.raises(tt.errors.ShapeError, match=r"'cores.0'; there are: bias"):
        tt_linear({"bias": jnp.ones(3)}, x)
    with pytest.raises(tt.errors.ShapeError, match=r"'cores.0'; there are: none"):
        tt_linear({}, x)
