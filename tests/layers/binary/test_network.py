"""A binary network learns the digits, goes through a file, and runs on bits."""

import numpy as np
import pytest

from ttalgebra.layers import (
    BatchNorm,
    BinaryLinear,
    Sequential,
    ShiftBatchNorm,
    Sign,
    load,
    pack,
    save,
)
from ttalgebra.learning import (
    Adam,
    ShiftAdaMax,
    SquaredHinge,
    accuracy,
    digits,
    fit,
    schedules,
)

pytestmark = pytest.mark.host("packed inference is NumPy's")
DECAY = schedules.exponential(3e-3, 0.1, every=276)
RECIPES = [
    (BatchNorm, Sign(), Adam(DECAY)),
    (ShiftBatchNorm, Sign(stochastic=True), ShiftAdaMax(2.0**-8)),
]


@pytest.mark.parametrize(("norm", "sign", "rule"), RECIPES)
def test_learns_digits(norm, sign, rule, tmp_path):
    data, rng = digits(), np.random.default_rng(0)
    x, x_test = 16 * data.x, 16 * data.x_test
    model = Sequential([
        BinaryLinear.random(64, 256, rng=rng), norm.new(256), sign,
        BinaryLinear.random(256, 10, rng=rng), BatchNorm.new(10),
    ])  # fmt: skip
    fitted, _ = fit(
        model, x, data.labels, loss=SquaredHinge(), optimizer=rule, epochs=12,
        batch_size=64, rng=0,
    )  # fmt: skip
    assert accuracy(fitted, x_test, data.labels_test) > 0.9
    for layer in (fitted.layers[0], fitted.layers[3]):
        assert abs(layer.weight).max() <= np.float32(layer.limit)
    save(fitted, tmp_path / "binary.npz")
    bits = pack(load(tmp_path / "binary.npz"))
    np.testing.assert_array_equal(bits(x_test.astype(np.uint8)), fitted(x_test)[0])


def test_layers_of_several_dtypes_are_not_packed():
    """Scores would be those of another network."""
    model = Sequential([
        BinaryLinear.random(8, 8, rng=0, dtype="f4"), BatchNorm.new(8, dtype="f8"),
        Sign(), BinaryLinear.random(8, 3, rng=1, dtype="f4"),
    ])  # fmt: skip
    with pytest.raises(TypeError, match="several dtypes"):
        pack(model)
