"""What every layer promises, row by row."""

import numpy as np
import pytest

from tests.layers.table import ROWS
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import is_complex
from ttalgebra.testing import check_pullback


def samples(row, rng, n=4, dtype=None):
    x = rng.standard_normal((n, row.features))
    if any(is_complex(a) for a in row.layer.arrays.values()):
        x = x + 1j * rng.standard_normal(x.shape)
    return x.astype(dtype) if dtype else x


def learned(gradients, layer):
    return {name: gradients[name] for name in layer.parameters}


def of_batch(row):
    return "training" in row.name or "of batch" in row.name


def shapes_agree(row, rng):
    x = samples(row, rng)
    y, backward = row.layer(x)
    dx, gradients = backward(y)
    assert y.shape[0] == 4
    assert dx.shape == x.shape
    assert dx.dtype == x.dtype
    assert set(gradients) == set(row.layer.parameters) | (
        set(row.layer.statistics) if of_batch(row) else set()
    )
    for name, gradient in gradients.items():
        assert gradient.shape == row.layer.arrays[name].shape
        assert gradient.dtype == row.layer.arrays[name].dtype


def pullback_by_x_is_exact(row, rng):
    def function(x):
        y, backward = row.layer(x)
        return y, lambda dy: backward(dy)[0]

    check_pullback(function, samples(row, rng), rng=rng, difference=row.in_x)


def pullback_by_arrays_is_exact(row, rng):
    x = samples(row, rng)
    for name, array in row.layer.parameters.items():

        def function(moved, name=name):
            y, backward = row.layer.with_arrays({name: moved})(x)
            return y, lambda dy: backward(dy)[1][name]

        check_pullback(function, array, rng=rng, difference=row.in_arrays)


def batch_is_a_map(row, rng):
    if of_batch(row) or row.name == "dropout drawn":
        return  # the samples of a batch are drawn, or measured, together
    x = samples(row, rng)
    y, backward = row.layer(x)
    dx, gradients = backward(y)
    parts = [row.layer(x[k : k + 1]) for k in range(4)]
    pulled = [back(part) for part, back in parts]
    np.testing.assert_allclose(
        np.concatenate([p for p, _ in parts]), y, rtol=1e-13, atol=1e-14
    )
    np.testing.assert_allclose(
        np.concatenate([p for p, _ in pulled]), dx, rtol=1e-13, atol=1e-14
    )
    for name in gradients:
        total = sum(g[name] for _, g in pulled)
        np.testing.assert_allclose(gradients[name], total, rtol=1e-12, atol=1e-13)


def parameters_round_trip(row, rng):
    layer, x = row.layer, samples(row, rng)
    again = layer.with_arrays(layer.arrays)
    assert type(again) is type(layer)
    assert again.config == layer.config
    assert list(again.arrays) == list(layer.arrays)
    np.testing.assert_array_equal(again(x)[0], layer(x)[0])
    other = {n: rng.standard_normal(a.shape) ** 2 for n, a in layer.arrays.items()}
    changed = layer.with_arrays(other)
    for name in other:
        np.testing.assert_array_equal(changed.arrays[name], other[name])
    sizes = [a.size for a in layer.parameters.values()]
    assert layer.n_parameters == sum(sizes)
    assert layer.nbytes == sum(a.nbytes for a in layer.arrays.values())


def nothing_is_changed_or_aliased(row, rng):
    given = {n: np.array(a) for n, a in row.layer.arrays.items()}
    layer = row.layer.with_arrays(given)
    before = {n: a.copy() for n, a in given.items()}
    for array in given.values():
        array[...] = 77.0
    x = samples(row, rng)
    x.flags.writeable = False
    kept = x.copy()
    y, backward = layer(x)
    dy = np.array(y)
    dy.flags.writeable = False
    first = backward(dy)
    second = backward(dy)
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(x, kept)
    for name, array in before.items():
        np.testing.assert_array_equal(layer.arrays[name], array)
        assert not layer.arrays[name].flags.writeable


def float32_stays_float32(row, rng):
    if "complex" in row.name:
        return
    single = {n: np.asarray(a, "f4") for n, a in row.layer.arrays.items()}
    layer, x = row.layer.with_arrays(single), samples(row, rng, dtype="f4")
    y, backward = layer(x)
    dx, gradients = backward(y)
    assert y.dtype == dx.dtype == np.float32
    assert all(g.dtype == np.float32 for g in gradients.values())
    double = row.layer.with_arrays({n: a.astype("f8") for n, a in single.items()})
    exact, _ = double(x.astype("f8"))
    np.testing.assert_allclose(y, exact, rtol=1e-4, atol=1e-5)


def empty_batch_works(row, rng):
    x = samples(row, rng, n=0)
    if of_batch(row):
        with pytest.raises(ShapeError, match="batch of 0 has no variance"):
            row.layer(x)
        return
    y, backward = row.layer(x)
    dx, gradients = backward(y)
    assert y.shape[0] == 0
    assert dx.shape == x.shape
    assert all(not g.any() for g in gradients.values())


def complex_x_meets_real_arrays(row, rng):
    refuses = {
        "relu",
        "batch norm",
        "batch norm of batch",
        "network",
        "network, training",
    }
    x = samples(row, rng) + 1j
    if row.name in refuses:
        with pytest.raises(TypeError, match="complex128; a real array is needed"):
            row.layer(x)
        return
    y, backward = row.layer(x)
    _, gradients = backward(y)
    for name, gradient in gradients.items():
        assert gradient.dtype == row.layer.arrays[name].dtype


def wrong_inputs_are_refused(row, rng):
    layer, x = row.layer, samples(row, rng)
    with pytest.raises(ShapeError, match=r"x has shape \(\d+,\), expected two axes"):
        layer(x[0])
    if layer.inputs:
        with pytest.raises(ShapeError, match=f"x has {row.features + 1} features, the"):
            layer(np.ones((2, row.features + 1)))
    y, backward = layer(x)
    with pytest.raises(ShapeError, match=r"dy has shape .* y has .*; they must agree"):
        backward(y[1:])
    with pytest.raises(ShapeError, match="no array is named 'nonsense'; there are: "):
        layer.with_arrays({"nonsense": x})
    for name in layer.arrays:
        with pytest.raises(ShapeError, match="has shape"):
            layer.with_arrays({name: np.ones((1, 2, 3, 4, 5))})


CHECKS = (
    shapes_agree,
    pullback_by_x_is_exact,
    pullback_by_arrays_is_exact,
    batch_is_a_map,
    parameters_round_trip,
    nothing_is_changed_or_aliased,
    float32_stays_float32,
    empty_batch_works,
    complex_x_meets_real_arrays,
    wrong_inputs_are_refused,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_layer(row, check, rng):
    check(row, rng)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_same_on_every_library(row, rng, xp):
    x = samples(row, rng)
    y, backward = row.layer(x)
    dx, gradients = backward(y)
    moved = {name: xp.asarray(a) for name, a in row.layer.arrays.items()}
    z, pullback = row.layer.with_arrays(moved)(xp.asarray(x))
    dz, others = pullback(xp.asarray(y))
    np.testing.assert_allclose(xp.numpy(z), y, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(xp.numpy(dz), dx, rtol=1e-12, atol=1e-13)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(
            xp.numpy(others[name]), gradient, rtol=1e-12, atol=1e-13
        )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_moves_to_another_library(row, rng):
    moved = row.layer.to("array_api_strict")
    kinds = {type(a).__module__ for a in moved.arrays.values()}
    assert all(kind.startswith("array_api_strict") for kind in kinds)
    back = moved.to("numpy")
    x = samples(row, rng)
    np.testing.assert_array_equal(back(x)[0], row.layer(x)[0])
