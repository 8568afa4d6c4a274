"""The layer through time: against its real form, and what its promises say."""

import tracemalloc

import numpy as np
import pytest

from tests.backends import here, host
from tests.layers.unitary import real_form
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.layers.unitary import UnitaryMatrix, UnitaryRNN, recurrence


def layer(n_in, n, rng, bias=0.0, **options):
    rnn = UnitaryRNN.random(n_in, n, rng=rng, dtype="c16", **options)
    arrays = rnn.arrays | {"bias": bias + 0.05 * rng.standard_normal(n)}
    return rnn.with_arrays({name: here(a) for name, a in arrays.items()})


def real_gradients(gradients):
    return real_form.real_parameters(host(gradients))


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("bias", [-0.3, 0.0])
def test_all_gradients_by_complex_steps(bias, recompute, rng):
    rnn = layer(3, 6, rng, bias, sequences=True, recompute=recompute)
    x = rng.standard_normal((2, 9, 3))
    y, backward = rnn(here(x))
    dy = rng.standard_normal(y.shape)
    dx, gradients = backward(here(dy))
    p = real_form.real_parameters(host(rnn.parameters))
    wanted = real_form.states(x, p, rnn.permutation)
    np.testing.assert_allclose(host(y), wanted, rtol=0, atol=1e-13)
    for name, gradient in real_gradients(gradients).items():
        for place in np.ndindex(gradient.shape):
            moved = p[name].astype(complex)
            moved[place] += 1e-30j
            after = real_form.states(x, p | {name: moved}, rnn.permutation)
            derivative = (after * dy).sum().imag / 1e-30
            assert abs(derivative - gradient[place]) < 1e-12 * abs(dy).sum(), name
    v = rng.standard_normal(x.shape)
    after = real_form.states(x + 1e-30j * v, p, rnn.permutation)
    derivative = (after * dy).sum().imag / 1e-30
    assert abs(derivative - (host(dx) * v).sum()) < 1e-12 * abs(dy).sum()


def test_the_last_state_is_the_last_of_all(rng):
    every = layer(2, 5, rng, sequences=True)
    last = UnitaryRNN(**every.arrays, **every.constants)
    x = here(rng.standard_normal((3, 7, 2)))
    y, backward = every(x)
    z, pullback = last(x)
    np.testing.assert_array_equal(host(z), host(y)[:, -1])
    dz = rng.standard_normal(z.shape)
    dy = np.zeros(y.shape)
    dy[:, -1] = dz
    dx, gradients = backward(here(dy))
    dw, others = pullback(here(dz))
    np.testing.assert_allclose(host(dw), host(dx), rtol=1e-13, atol=1e-15)
    for name, gradient in host(gradients).items():
        np.testing.assert_allclose(host(others[name]), gradient, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("sequences", [False, True])
def test_recomputing_changes_nothing(sequences, rng):
    kept = layer(2, 64, rng, sequences=sequences)
    config = {"sequences": sequences, "recompute": True}
    lean = UnitaryRNN(**kept.arrays, **kept.constants, **config)
    x = here(rng.standard_normal((3, 200, 2)))
    (y, backward), (z, pullback) = kept(x), lean(x)
    np.testing.assert_array_equal(host(z), host(y))
    dy = here(rng.standard_normal(y.shape))
    (dx, gradients), (dz, others) = backward(dy), pullback(dy)
    np.testing.assert_allclose(host(dz), host(dx), rtol=0, atol=1e-12)
    for name, gradient in host(gradients).items():
        error = abs(host(others[name]) - gradient).max()
        assert error < 1e-12 * abs(gradient).max(), name


@pytest.mark.host("measures NumPy's memory")
def test_recomputing_keeps_half_the_numbers(rng):
    """Of 2 n and n complex numbers a step and sample, and nothing that grows."""
    n, samples, steps = 64, 8, 300
    x = rng.standard_normal((samples, steps, 1))
    for recompute, vectors in ((False, 2), (True, 1)):
        rnn = layer(1, n, rng, recompute=recompute)
        rnn(x[:, :2])
        tracemalloc.start()
        _, backward = rnn(x)
        held, peak = tracemalloc.get_traced_memory()
        backward(np.ones((samples, 2 * n)))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        numbers = vectors * n * samples * steps * 16
        assert numbers <= held < 1.1 * numbers
        # the states while going on; some blocks of steps while going back
        assert peak < (vectors + 1.6) * numbers / vectors
        assert most < held + numbers / vectors + 40 * 16 * recurrence.BLOCK


@pytest.mark.parametrize("block", [1, 40, 10**9])
def test_blocks_of_steps_change_nothing(block, rng, monkeypatch):
    rnn = layer(2, 5, rng, sequences=True)
    x = here(rng.standard_normal((3, 11, 2)))
    y, backward = rnn(x)
    dx, gradients = backward(y)
    monkeypatch.setattr(recurrence, "BLOCK", block)
    z, pullback = rnn(x)
    dz, others = pullback(y)
    np.testing.assert_allclose(host(z), host(y), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(host(dz), host(dx), rtol=1e-12, atol=1e-13)
    for name, gradient in host(gradients).items():
        np.testing.assert_allclose(host(others[name]), gradient, rtol=1e-11, atol=1e-13)


def test_gradients_neither_vanish_nor_explode(rng):
    """No input, b = 0: norms go unchanged through 1,000 steps, both ways."""
    rnn = UnitaryRNN.random(1, 16, rng=rng, dtype="c16")
    rnn = rnn.with_arrays({name: here(a) for name, a in rnn.arrays.items()})
    y, backward = rnn(here(np.zeros((1, 1000, 1))))
    dy = rng.standard_normal((1, 32))
    _, gradients = backward(here(dy))
    lengths = [np.sqrt((abs(host(a)) ** 2).sum()) for a in (rnn.start, y)]
    assert abs(lengths[0] / lengths[1] - 1) < 1e-12
    pulled = np.sqrt((abs(host(gradients["start"])) ** 2).sum())
    assert abs(pulled / np.sqrt((dy**2).sum()) - 1) < 1e-12


def test_gradients_are_bounded_where_no_bias_is_positive(rng):
    """The bound of the paper: ``|dC/dh_t| <= |dC/dh_T|``."""
    rnn = UnitaryRNN.random(1, 16, rng=rng, dtype="c16")
    arrays = rnn.arrays | {"bias": -0.02 * rng.random(16)}
    rnn = rnn.with_arrays({name: here(a) for name, a in arrays.items()})
    dy, before = rng.standard_normal((1, 32)), np.inf
    for steps in (1, 10, 100):
        x = here(0.1 * rng.standard_normal((1, steps, 1)))
        pulled = host(rnn(x)[1](here(dy))[1]["start"])
        length = np.sqrt((abs(pulled) ** 2).sum())
        assert 0 < length <= min(before, np.sqrt((dy**2).sum()) * (1 + 1e-13))


@pytest.mark.host("random numbers are drawn on the host")
def test_the_start_of_training_is_the_papers():
    rnn = UnitaryRNN.random(3, 2000, rng=0)
    assert rnn.weight.dtype == rnn.start.dtype == np.complex64
    assert not rnn.bias.any()
    np.testing.assert_allclose((abs(rnn.start) ** 2).sum(), 1, rtol=0.05)
    assert abs(rnn.phases).max() <= np.pi
    bounds = {"weight": (6 / 4003) ** 0.5, "start": 1.5**0.5 / 2000**0.5}
    for name, bound in (bounds | {"reflections": 1}).items():
        array = rnn.arrays[name]
        for part in (array.real, array.imag):
            assert 0.99 * bound < abs(part).max() <= bound * (1 + 1e-6)
            np.testing.assert_allclose(part.std(), bound / 3**0.5, rtol=0.05)
    again = UnitaryRNN.random(3, 2000, rng=0)
    np.testing.assert_array_equal(again.permutation, rnn.permutation)


def parts(n=4):
    W = UnitaryMatrix.random(n, rng=0, dtype="c16")
    found = {name: getattr(W, name) for name in ("phases", "reflections")}
    found |= {"weight": np.ones((n, 2)), "bias": np.zeros(n), "start": np.ones(n)}
    return found | {"permutation": W.permutation}


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"weight": np.ones((3, 2))}, ShapeError, "weight has 3 rows, W has 4"),
        ({"weight": np.ones(4)}, ShapeError, "expected 2 axes"),
        ({"bias": np.zeros(5)}, ShapeError, "bias has 5 rows, W has 4"),
        ({"bias": np.zeros(4) * 1j}, TypeError, "bias is complex128; a real array"),
        ({"start": np.ones(1)}, ShapeError, "start has 1 rows"),
        ({"permutation": [0, 1]}, ShapeError, "of 0 to 3 once"),
        ({"sequences": 1}, TypeError, "sequences must be a bool, got int"),
        ({"recompute": "no"}, TypeError, "recompute must be a bool, got str"),
    ],
)
@pytest.mark.host("refusals come before any array library is met")
def test_refuses(change, error, says):
    with pytest.raises(error, match=says):
        UnitaryRNN(**(parts() | change))


@pytest.mark.host("a refusal")
def test_refuses_no_steps():
    with pytest.raises(ShapeError, match="x has no steps; at least one is needed"):
        UnitaryRNN(**parts())(np.ones((2, 0, 2)))


def test_real_arrays_become_complex():
    rnn = UnitaryRNN(**{name: here(a) for name, a in parts().items()})
    assert host(rnn.weight).dtype == host(rnn.start).dtype == np.complex128
    assert host(rnn(here(np.ones((2, 3, 2))))[0]).dtype == np.float64
