"""What every layer promises, row by row."""

import numpy as np
import pytest

from tests import backends
from tests.backends import dtype_of, here, host
from tests.layers.table import ROWS
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import is_complex
from ttalgebra.testing import check_pullback

STEPS = 3  # where a layer meets sequences
AXES = {2: "two", 3: "three"}


def samples(row, rng, n=4, dtype=None):
    if row.words is not None:
        return here(
            rng.integers(row.words, size=(n, row.features)).astype(dtype or "f8")
        )
    steps = (STEPS,) if row.layer.axes == 3 else ()
    x = rng.standard_normal((n, *steps, row.features))
    if any(is_complex(a) for a in row.layer.arrays.values()):
        x = x + 1j * rng.standard_normal(x.shape)
    return here(x.astype(dtype) if dtype else x)


def close(found, wanted, rtol, atol):
    np.testing.assert_allclose(*host((found, wanted)), rtol=rtol, atol=atol)


def equal(found, wanted):
    np.testing.assert_array_equal(*host((found, wanted)))


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
    if row.in_x is None:
        pytest.skip("no derivative: its own tests hold it to exact numbers")

    def function(x):
        y, backward = row.layer(x)
        return y, lambda dy: backward(dy)[0]

    check_pullback(function, samples(row, rng), rng=rng, difference=row.in_x)


def pullback_by_arrays_is_exact(row, rng):
    if row.in_arrays is None:
        pytest.skip("straight through: its own tests hold it to exact numbers")
    x = samples(row, rng)
    for name, array in row.layer.parameters.items():

        def function(moved, name=name):
            y, backward = row.layer.with_arrays({name: moved})(x)
            return y, lambda dy: backward(dy)[1][name]

        check_pullback(function, array, rng=rng, difference=row.in_arrays)


def batch_is_a_map(row, rng):
    x = samples(row, rng)
    y, backward = row.layer(x)
    dx, gradients = backward(y)
    parts = [row.layer(here(sample[None])) for sample in host(x)]
    pulled = [back(part) for part, back in parts]
    close(np.concatenate([host(p) for p, _ in parts]), y, 1e-13, 1e-13)
    close(np.concatenate([host(p) for p, _ in pulled]), dx, 1e-13, 1e-13)
    for name in gradients:
        close(gradients[name], sum(host(g[name]) for _, g in pulled), 1e-12, 1e-13)


def parameters_round_trip(row, rng):
    layer, x = row.layer, samples(row, rng)
    again = layer.with_arrays(layer.arrays)
    assert type(again) is type(layer)
    assert again.config == layer.config
    assert list(again.arrays) == list(layer.arrays)
    equal(again(x)[0], layer(x)[0])
    shapes = {name: a.shape for name, a in layer.arrays.items()}
    other = {name: rng.standard_normal(shape) ** 2 for name, shape in shapes.items()}
    changed = layer.with_arrays(here(other))
    for name in other:
        equal(changed.arrays[name], other[name])
    assert layer.n_parameters == sum(a.size for a in host(layer.parameters).values())
    assert layer.nbytes == sum(a.nbytes for a in host(layer.arrays).values())


def nothing_is_changed_or_aliased(row, rng):
    before = {n: a.copy() for n, a in host(row.layer.arrays).items()}
    given = here(before)
    layer = row.layer.with_arrays(given)
    if backends.current.name not in ("read-only", "jax"):
        for array in given.values():
            array[...] = 77.0
    x = samples(row, rng)
    kept = host(x).copy()
    y, backward = layer(x)
    dy = here(host(y))
    first, second = backward(dy), backward(dy)
    equal(first[0], second[0])
    equal(x, kept)
    equal(dy, y)
    for name, array in before.items():
        equal(layer.arrays[name], array)
        if backends.current.is_numpy:
            assert not layer.arrays[name].flags.writeable


def float32_stays_float32(row, rng):
    single = {n: a.astype("f4") for n, a in host(row.layer.arrays).items()}
    layer, x = row.layer.with_arrays(here(single)), samples(row, rng, dtype="f4")
    y, backward = layer(x)
    dx, gradients = backward(y)
    assert {dtype_of(a) for a in (y, dx, *gradients.values())} == {np.dtype("f4")}
    double = {n: a.astype("f8") for n, a in single.items()}
    exact, _ = row.layer.with_arrays(here(double))(here(host(x).astype("f8")))
    close(y, exact, 1e-4, 1e-5)


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
    assert all(not host(g).any() for g in gradients.values())


def complex_x_meets_real_arrays(row, rng):
    refuses = {
        "tt embedding",
        "tt embedding complex",
        "shift q",
        "shift ps",
        "relu",
        "batch norm",
        "batch norm of batch",
        "sign",
        "sign drawn",
        "shift norm",
        "shift norm of batch",
        "network",
        "network, training",
    }
    x = here(host(samples(row, rng)) + 1j)
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
    axes = AXES[layer.axes]
    with pytest.raises(ShapeError, match=rf"x has shape \(.*\), expected {axes} axes"):
        layer(here(host(x)[0]))
    if layer.inputs:
        with pytest.raises(ShapeError, match=f"x has {row.features + 1} features, the"):
            layer(here(np.ones((*x.shape[:-1], row.features + 1))))
    y, backward = layer(x)
    with pytest.raises(ShapeError, match=r"dy has shape .* y has .*; they must agree"):
        backward(here(host(y)[1:]))
    with pytest.raises(ShapeError, match="no array is named 'nonsense'; there are: "):
        layer.with_arrays({"nonsense": x})
    for name in layer.arrays:
        with pytest.raises(ShapeError, match="has shape"):
            layer.with_arrays({name: here(np.ones((1, 2, 3, 4, 5)))})


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


def concerns(check, row):
    """Samples that are drawn, or measured, together are no map; complex is no f4."""
    if check is batch_is_a_map:
        return not (of_batch(row) or "drawn" in row.name)
    return not (check is float32_stays_float32 and "complex" in row.name)


@pytest.mark.parametrize(
    ("row", "check"),
    [
        pytest.param(row, check, id=f"{row.name}-{check.__name__}")
        for row in ROWS
        for check in CHECKS
        if concerns(check, row)
    ],
)
def test_layer(row, check, rng):
    check(row._replace(layer=here(row.layer)), rng)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_same_on_every_library(row, rng, xp):
    x = samples(row, rng)
    y, backward = row.layer(host(x))
    dx, gradients = backward(y)
    z, pullback = here(row.layer)(x)
    dz, others = pullback(here(y))
    close(xp.numpy(z), y, 1e-12, 1e-13)
    close(xp.numpy(dz), dx, 1e-12, 1e-13)
    for name, gradient in gradients.items():
        close(xp.numpy(others[name]), gradient, 1e-12, 1e-13)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_moves_to_another_library(row, rng):
    moved = here(row.layer).to("array_api_strict")
    kinds = {type(a).__module__ for a in moved.arrays.values()}
    assert all(kind.startswith("array_api_strict") for kind in kinds)
    x = host(samples(row, rng))
    equal(moved.to("numpy")(x)[0], row.layer(x)[0])
