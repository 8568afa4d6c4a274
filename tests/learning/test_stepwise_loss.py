"""The loss of every step is that of the steps one after the other."""

import numpy as np
import pytest

from tests.backends import here, host
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.learning import CrossEntropy, SquaredError, StepwiseLoss


@pytest.mark.parametrize("loss", [CrossEntropy(), SquaredError(mean=False)])
def test_stepwise_is_the_loss_of_each_step(loss, rng):
    """The mean over steps of the means over samples; sums are sums of sums."""
    y = rng.standard_normal((3, 5, 4))
    labelled = isinstance(loss, CrossEntropy)
    target = rng.integers(0, 4, (3, 5)) if labelled else rng.standard_normal(y.shape)
    value, dy = StepwiseLoss(loss)(here(y), here(target))
    parts = [loss(here(y[:, t]), here(target[:, t])) for t in range(5)]
    share = 1 / 5 if loss.mean else 1
    assert abs(value - share * sum(v for v, _ in parts)) < 1e-13 * abs(value)
    for t, (_, part) in enumerate(parts):
        np.testing.assert_allclose(host(dy)[:, t], share * host(part), rtol=1e-13)


@pytest.mark.parametrize(
    ("y", "target"),
    [((3, 4), (3,)), ((3, 5, 4), (3,)), ((3, 5, 4), (3, 4)), ((3, 5, 4), (5, 3))],
)
def test_stepwise_refuses_other_steps(y, target):
    loss = StepwiseLoss(CrossEntropy())
    with pytest.raises(ShapeError, match=r"\(samples, steps, ...\), the same samples"):
        loss(here(np.zeros(y)), here(np.zeros(target, int)))
