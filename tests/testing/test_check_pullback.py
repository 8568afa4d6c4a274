"""The check itself: it passes what is right and finds what is wrong."""

import numpy as np
import pytest

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.cores import gradients
from ttalgebra.testing import central, check_pullback, complex_step, linear

WAYS = (linear, complex_step, central)


def product(W, X):
    return W @ X, lambda dY: (dY @ X.conj().T, W.conj().T @ dY)


@pytest.mark.parametrize("way", WAYS)
def test_passes_an_exact_pullback(rng, way):
    for _ in range(20):
        W, X = rng.standard_normal((3, 4)), rng.standard_normal((4, 5))
        check_pullback(product, W, X, rng=rng, difference=way)


@pytest.mark.parametrize("way", [linear, central])
def test_complex_arguments_obey_the_convention(rng, way):
    W, X = (
        rng.standard_normal((4, 4)) + 1j * rng.standard_normal((4, 4)) for _ in "WX"
    )
    check_pullback(product, W, X, rng=rng, difference=way)

    def holomorphic(W, X):
        return W @ X, lambda dY: (dY @ X.T, W.T @ dY)  # the conjugates are forgotten

    with pytest.raises(AssertionError, match="array 0: the function moves by"):
        check_pullback(holomorphic, W, X, rng=rng, difference=way)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("error", [1e-5, 0.5, -2.0])
def test_finds_a_wrong_factor_in_either_argument(rng, way, error):
    W, X = rng.standard_normal((3, 4)), rng.standard_normal((4, 5))
    for k in (0, 1):

        def wrong(W, X, k=k):
            Y, pullback = product(W, X)

            def spoiled(dY):
                pair = list(pullback(dY))
                pair[k] = pair[k] * (1 + error)
                return tuple(pair)

            return Y, spoiled

        with pytest.raises(AssertionError, match=f"array {k}: the function moves"):
            check_pullback(wrong, W, X, rng=rng, difference=way)


def test_finds_one_wrong_entry_almost_surely(rng):
    found = 0
    for _ in range(100):
        x = rng.standard_normal(50)

        def wrong(x):
            def pullback(dy):
                dx = 2 * x * dy
                dx[7] *= 1.001
                return dx

            return x * x, pullback

        try:
            check_pullback(wrong, x, rng=rng, difference=complex_step)
        except AssertionError:
            found += 1
    assert found == 100


def test_finds_a_pullback_that_is_not_linear():
    calls = []

    def right_only_once(dy):
        calls.append(dy)
        return 2 * dy * len(calls)

    with pytest.raises(AssertionError, match="array 0: the pullback is not linear"):
        check_pullback(
            lambda x: (2 * x, right_only_once), np.ones(3), difference=linear
        )


def test_finds_a_wrong_layout(rng):
    with pytest.raises(
        AssertionError, match=r"have shapes \[\(3,\)\], their cotangents"
    ):
        check_pullback(lambda x: (x, lambda dy: dy[:2]), np.ones(3))


def test_trees_of_arrays_and_kernels(rng):
    cores = tuple(rng.standard_normal(s) for s in ((1, 2, 3, 2), (2, 3, 2, 1)))
    X = rng.standard_normal((6, 4))
    for way in WAYS:
        check_pullback(gradients.matmat, cores, X, rng=rng, difference=way)

    def of_dict(p):
        def pullback(dy):
            return {"b": 3 * dy, "a": 2 * p["a"] * dy}  # the order of names is free

        return p["a"] ** 2 + 3 * p["b"], pullback

    values = {"a": rng.standard_normal(3), "b": rng.standard_normal(3)}
    check_pullback(of_dict, values, rng=rng, difference=complex_step)


def test_needs_an_argument():
    with pytest.raises(ShapeError, match="there is no argument"):
        check_pullback(lambda: (0, None))
