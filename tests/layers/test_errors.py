"""What a layer refuses: the class, and the numbers in the message."""

import numpy as np
import pytest

from tests.backends import here
from ttalgebra.arrays.errors import NonFiniteError, ShapeError
from ttalgebra.layers import BatchNorm, Dense, Dropout, ReLU, Sequential, TTLinear


def ones(*shape):
    return here(np.ones(shape))


def test_the_message_of_the_style_guide():
    layer = TTLinear.random((2, 2, 2), (4, 3, 2), 2, rng=0)
    says = r"^TTLinear: x has 23 features, the weight expects 24 = 4 \* 3 \* 2$"
    with pytest.raises(ShapeError, match=says):
        layer(here(np.ones((5, 23))))


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (
            lambda: Dense(ones(2, 3), ones(3)),
            ShapeError,
            "bias has 3 entries, the weight 2 rows",
        ),
        (
            lambda: Dense(ones(2), ones(2)),
            ShapeError,
            r"weight has shape \(2,\), expected 2 axes",
        ),
        (lambda: Dense(ones(0, 2), ones(0)), ShapeError, r"shape \(0, 2\)"),
        (
            lambda: Dense(np.nan * ones(1, 1), ones(1)),
            NonFiniteError,
            r"Dense: weight: the value at index \(0, 0\) is nan",
        ),
        (
            lambda: TTLinear(ones(1, 2, 3, 1)),
            TypeError,
            "cores must be a list or tuple, got (ndarray|Array|Tensor)",
        ),
        (
            lambda: TTLinear([ones(1, 2, 3, 1)], ones(3)),
            ShapeError,
            "bias has 3 entries, the weight 2 rows",
        ),
        (
            lambda: TTLinear([ones(1, 2, 3, 1), ones(2, 1, 1, 1)]),
            ShapeError,
            "do not connect",
        ),
        (
            lambda: TTLinear([ones(1, 2, 3, 1) * np.inf]),
            NonFiniteError,
            "core 0: the value at index .* is inf",
        ),
        (
            lambda: TTLinear.from_dense(ones(3, 4), None, (2,), (4,)),
            ShapeError,
            r"\(3, 4\)",
        ),
        (
            lambda: BatchNorm(ones(2), ones(2), ones(2), -ones(2)),
            ShapeError,
            "variance has a negative entry, -1.0",
        ),
        (
            lambda: BatchNorm(ones(2), ones(2), ones(2), ones(3)),
            ShapeError,
            r"have \[2, 3\] entries",
        ),
        (
            lambda: BatchNorm(ones(2), ones(2), here(1j * np.ones(2)), ones(2)),
            TypeError,
            "mean is .*complex128",
        ),
        (
            lambda: here(BatchNorm.new(2)).training(None)(ones(1, 2)),
            ShapeError,
            "a batch of 1 has no variance",
        ),
        (
            lambda: here(Dense.random(1, 1)).to("nowhere_at_all"),
            TypeError,
            "nowhere_at_all",
        ),
    ],
)
def test_refuses(call, error, says):
    with pytest.raises(error, match=says):
        call()


@pytest.mark.host("what is no array, or of a dtype that NumPy alone has")
@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (
            lambda: Dense("no", [0.0]),
            TypeError,
            "Dense: weight must be an array, got str",
        ),
        (lambda: Dense(np.ones((1, 1), "f2"), [0.0]), TypeError, "float16"),
        (lambda: Dense.random(0, 2), ShapeError, "n_in must be at least 1, got 0"),
        (lambda: Dense.random(2, 2.5), TypeError, "n_out must be an int, got float"),
        (lambda: Dense.random(2, 2, dtype="f2"), TypeError, "float16"),
        (lambda: Dense.random(2, 2, rng="seed"), TypeError, "rng must be an int"),
        (lambda: TTLinear([]), ShapeError, "at least one core"),
        (
            lambda: TTLinear.random((2, 2), (2,), 2),
            ShapeError,
            "row_modes has 2 entries and col_modes 1",
        ),
        (lambda: TTLinear.random((2, 2), (2, 2), 0), ShapeError, "at least 1, got 0"),
        (
            lambda: Dropout(1.0),
            ShapeError,
            "rate must be at least 0 and below 1, got 1.0",
        ),
        (lambda: Dropout(float("nan")), NonFiniteError, "rate must be finite, got nan"),
        (lambda: Dropout("half"), TypeError, "rate must be a number, got str"),
        (lambda: Dropout(True), TypeError, "rate must be a number, got bool"),
        (lambda: BatchNorm.new(0), ShapeError, "features must be at least 1, got 0"),
        (
            lambda: BatchNorm.new(2, momentum=0.0),
            ShapeError,
            "momentum must be above 0 and at most 1, got 0.0",
        ),
        (
            lambda: BatchNorm.new(2, eps=-1.0),
            ShapeError,
            "eps must be above 0 and at most 1, got -1.0",
        ),
        (
            lambda: Sequential(ReLU()),
            TypeError,
            "layers must be a list or tuple, got ReLU",
        ),
        (
            lambda: Sequential([ReLU(), ReLU]),
            TypeError,
            "entry 1 is ABCMeta, not a layer",
        ),
        (lambda: ReLU()(np.ma.ones((1, 2))), TypeError, "ReLU: x is a masked array"),
    ],
)
def test_refuses_before_it_meets_an_array(call, error, says):
    with pytest.raises(error, match=says):
        call()


@pytest.mark.host("there is nothing to move, and NumPy's arrays can be locked")
def test_layers_cannot_be_changed():
    assert isinstance(ReLU().to("nowhere_at_all"), ReLU)
    layer = Dense.random(2, 2, rng=0)
    with pytest.raises(AttributeError):
        layer.weight = np.ones((2, 2))
    with pytest.raises(ValueError, match="read-only"):
        layer.weight[0, 0] = 1
