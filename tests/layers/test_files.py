"""Models through files: the same bits come back, and nothing else is taken for one."""

import numpy as np
import pytest

from tests.backends import here
from tests.layers.table import ROWS
from ttalgebra.arrays.errors import FormatError, ShapeError
from ttalgebra.layers import Dense, Dropout, ReLU, Sequential, TTLinear, load, save
from ttalgebra.storage import write

SAVED = [row for row in ROWS if "drawn" not in row.name and "of batch" not in row.name]
SAVED = [row for row in SAVED if "training" not in row.name]


on_host = pytest.mark.host("files hold NumPy arrays")


@on_host
@pytest.mark.parametrize("row", SAVED, ids=lambda row: row.name)
def test_round_trip(row, tmp_path):
    model = Sequential([row.layer])
    save(model, tmp_path / "model.npz")
    again = load(tmp_path / "model.npz")
    assert list(again.arrays) == list(model.arrays)
    assert type(again.layers[0]) is type(row.layer)
    assert again.layers[0].config == row.layer.config
    for name, array in model.arrays.items():
        assert again.arrays[name].dtype == array.dtype
        assert again.arrays[name].tobytes() == array.tobytes()


def test_arrays_of_any_library_come_back_in_numpy(tmp_path):
    model = Sequential([Dense.random(3, 2, rng=0)])
    save(here(model), tmp_path / "model.npz")
    again = load(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.layers[0].weight, model.layers[0].weight)


@on_host
def test_a_training_form_is_not_a_model(tmp_path, rng):
    with pytest.raises(TypeError, match="DrawnDropout has no place in a file"):
        save(Sequential([Dropout(0.5).training(rng)]), tmp_path / "model.npz")
    with pytest.raises(TypeError, match="a Sequential is needed, got ReLU; wrap it"):
        save(ReLU(), tmp_path / "model.npz")
    assert not list(tmp_path.iterdir())


def nested(depth):
    return {"layer": "Sequential", "layers": [nested(depth - 1)] if depth else []}


def stepwise(depth):
    return {"layer": "Stepwise", "of": stepwise(depth - 1) if depth else None}


@on_host
@pytest.mark.parametrize(
    ("arrays", "header", "says"),
    [
        ({}, {"kind": "TTMatrix"}, "it holds a 'TTMatrix', not a model"),
        ({}, {"kind": "model"}, "not a list"),
        (
            {},
            {"kind": "model", "layers": [{"layer": "Exec"}]},
            "no layer is called 'Exec'",
        ),
        ({}, {"kind": "model", "layers": ["ReLU"]}, "no layer is called None"),
        (
            {},
            {"kind": "model", "layers": [{"layer": "DrawnDropout"}]},
            "no layer is called",
        ),
        ({}, {"kind": "model", "layers": [{"layer": "Dense"}]}, "missing"),
        ({}, {"kind": "model", "layers": [{"layer": "TTLinear"}]}, "at least one core"),
        ({}, {"kind": "model", "layers": [{"layer": "ReLU", "x": 1}]}, "unexpected"),
        ({}, {"kind": "model", "layers": [{"layer": "Dropout", "rate": 2}]}, "got 2.0"),
        ({}, {"kind": "model", "layers": [{"layer": "Dropout", "rate": "x"}]}, "rate"),
        (
            {"0.a": [1.0]},
            {"kind": "model", "layers": [{"layer": "ReLU"}]},
            "unexpected",
        ),
        ({"1.a": [1.0]}, {"kind": "model", "layers": [{"layer": "ReLU"}]}, "none of 1"),
        ({"a": [1.0]}, {"kind": "model", "layers": [{"layer": "ReLU"}]}, "none of 1"),
        (
            {"0.core1": [1.0]},
            {"kind": "model", "layers": [{"layer": "TTLinear"}]},
            "cores.0",
        ),
        ({}, {"kind": "model", "layers": [nested(50)]}, "nested more than 8 deep"),
        ({}, {"kind": "model", "layers": [stepwise(50)]}, "nested more than 8 deep"),
        ({}, {"kind": "model", "layers": [stepwise(1)]}, "no layer is called None"),
        ({}, {"kind": "model", "layers": [{"layer": "UnitaryRNN"}]}, "missing"),
    ],
)
def test_forged_models_are_refused(arrays, header, says, tmp_path):
    path = tmp_path / "model.npz"
    write(path, {name: np.array(x) for name, x in arrays.items()}, header)
    with pytest.raises(FormatError, match=says):
        load(path)


@on_host
def test_missing_and_cut_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.npz")
    path = tmp_path / "model.npz"
    save(Sequential([TTLinear.random((2, 2), (2, 2), 2, rng=0)]), path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(FormatError):
            load(path)


@on_host
def test_what_can_be_saved_can_be_loaded(tmp_path):
    """Sequences within sequences: eight deep come back, nine are refused in time."""
    model = Sequential([Dense.random(2, 2, rng=0)])
    for _ in range(7):
        model = Sequential([model])
    save(model, tmp_path / "deep.npz")
    assert list(load(tmp_path / "deep.npz").arrays) == list(model.arrays)
    with pytest.raises(ShapeError, match="nested more than 8 deep"):
        save(Sequential([model]), tmp_path / "deeper.npz")
    assert not (tmp_path / "deeper.npz").exists()
