"""The worked numbers for Hubara et al. (2016), recomputed from their formulas."""

import numpy as np

from tests.backends import here, host
from ttalgebra.layers import BinaryLinear, ShiftBatchNorm
from ttalgebra.layers.binary.binarize import power_of_two
from ttalgebra.learning import SquaredHinge


def test_powers_of_two():
    x = [0.3, 0.36, 0.7, 0.71, 1.4, 1.5, 3, -5.7, 6, -0.09, 0, -0.0]
    wanted = [0.25, 0.5, 0.5, 1, 1, 2, 4, -8, 8, -0.125, 0, 0]
    assert host(power_of_two(here(np.array(x)))).tolist() == wanted


def test_every_power_of_two_is_its_own():
    for dtype, lowest, highest in (("f4", -126, 127), ("f8", -1022, 1023)):
        octaves = np.arange(lowest, highest + 1)
        powers = np.ldexp(np.ones(octaves.size, dtype), octaves)
        np.testing.assert_array_equal(host(power_of_two(here(powers))), powers)


X = [[0.3, -1.2, 2.5], [1.7, 0.4, -0.6], [-0.9, 2.2, 0.8], [0.5, -0.1, 1.9]]
WANTED = [[0, 0.7625, 1.15], [1.4, -0.0375, -1.95], [-1.2, -0.9375, -0.55]]
WANTED += [[0.2, 0.2125, 0.55]]


def test_shift_batch_norm(rng):
    scale, shift = np.array([1.3, -0.6, 0.9]), np.array([0.1, 0, -0.2])
    norm = ShiftBatchNorm(scale, shift, 0 * scale, 0 * scale, eps=1e-5, momentum=1.0)
    y, backward = here(norm).training(rng)(here(np.array(X)))
    found = host(backward(y)[1])
    np.testing.assert_allclose(host(y), WANTED, atol=1e-15)
    np.testing.assert_allclose(found["mean"], [0.4, 0.325, 1.15], rtol=1e-15)
    variance = [0.65625, 1.754296875, 1.421875]
    np.testing.assert_allclose(found["variance"], variance, rtol=1e-15)


def test_squared_hinge_is_the_mean_of_the_papers_over_samples_the_sum_over_classes():
    y = np.array([[0.5, -2, 0.3], [0.2, 1.5, -1.1]])
    value, dy = SquaredHinge()(here(y), here(np.array([0, 1])))
    assert abs(value / 3 - 0.5633333333) < 1e-10
    wanted = [[-1 / 6, 0, 0.4333333], [0.4, 0, 0]]
    np.testing.assert_allclose(host(dy) / 3, wanted, atol=1e-7)


def test_limits_are_the_inverse_of_the_published_rate_scales():
    for n_in, n_out, scale in ((784, 4096, 57.038), (4096, 10, 52.3195)):
        layer = here(BinaryLinear.random(n_in, n_out, rng=0))
        assert abs(1 / layer.limit - scale) < 5e-5 * 10
        largest = float(abs(host(layer.weight)).max())
        assert 0.999 * layer.limit < largest <= layer.limit * (1 + 1e-7)


def test_parameters_of_the_published_networks():
    for width, wanted in ((4096, 36_806_656), (2048, 10_014_720)):
        sizes = [784, width, width, width, 10]
        shapes = zip(sizes[1:], sizes[:-1], strict=True)
        weight = here(np.zeros((1, 1), "f4"))
        layer = BinaryLinear(weight)
        assert layer.n_parameters == 1
        assert sum(m * n for m, n in shapes) == wanted
