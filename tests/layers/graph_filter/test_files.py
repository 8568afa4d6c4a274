"""Filters through files: the graph goes with the layer."""

import numpy as np
import pytest

from tests.layers.graph_filter.dense import SHIFT
from ttalgebra.arrays.errors import FormatError
from ttalgebra.layers import (
    EdgeVarying,
    GraphAttention,
    GraphConvolution,
    HybridEdgeVarying,
    NodeVarying,
    ReLU,
    Sequential,
    load,
    save,
)
from ttalgebra.storage import read, write

pytestmark = pytest.mark.host("files are NumPy's")


def model():
    wanted = {"rng": 0, "dtype": "f8"}
    return Sequential([
        NodeVarying.random(SHIFT, 1, 2, 1, blocks=[1, 0, 1, 1], **wanted),
        ReLU(),
        Sequential([
            HybridEdgeVarying.random(SHIFT, 2, 3, 2, selected=[2, 0], **wanted),
            EdgeVarying.random(SHIFT, 3, 2, 2, **wanted),
        ]),
        GraphAttention.random(SHIFT, 2, 2, 2, heads=2, first=0, **wanted),
        GraphConvolution.random(SHIFT, 4, 1, 3, first=2, **wanted),
    ])  # fmt: skip


@pytest.mark.parametrize("name", ["model.npz", "model.safetensors"])
def test_the_graph_comes_back(name, tmp_path, rng):
    save(model(), tmp_path / name)
    again = load(tmp_path / name)
    x = rng.standard_normal((3, 4))
    assert (again(x)[0] == model()(x)[0]).all()
    filters = (again.layers[0], *again.layers[2].layers, *again.layers[3:])
    for layer in filters:
        assert (layer.graph.to_scipy().toarray() == SHIFT).all()
    assert filters[0].blocks.tolist() == [1, 0, 1, 1]
    assert filters[1].selected.tolist() == [0, 2]
    assert (filters[3].first, filters[4].first) == (0, 2)


def test_the_graph_moves_with_the_layer(rng):
    moved = model().to("array_api_strict").to("numpy")
    x = rng.standard_normal((3, 4))
    assert (moved(x)[0] == model()(x)[0]).all()


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("0.graph.indices", lambda a: a + 4, "of 4 nodes they are 0 to 3"),
        ("0.graph.indices", lambda a: a.astype("f8"), "integers are needed"),
        ("0.graph.indptr", lambda a: a[:-1], "of 3 nodes they are 0 to 2"),
        ("0.graph.data", lambda a: a[1:], "no compressed rows"),
        ("0.graph.data", lambda a: np.append(a[1:], np.inf), "not finite"),
        ("0.graph.data", None, "there is no array 'graph.data'"),
        ("0.blocks", lambda a: a - 5, "blocks reach from -5"),
        ("0.blocks", lambda a: a[1:], "blocks have shape"),
        ("2.0.selected", lambda a: a + 9, "selected is 9, not one of"),
        ("2.1.edges", lambda a: a[..., 1:], "edges has shape"),
        ("2.1.edges", None, "edges"),
    ],
)
def test_forged_graphs_are_refused(name, change, says, tmp_path):
    save(model(), tmp_path / "model.npz")
    arrays, header = read(tmp_path / "model.npz")
    array = arrays.pop(name)
    if change is not None:
        arrays[name] = change(array)
    write(tmp_path / "forged.npz", arrays, header)
    with pytest.raises(FormatError, match=says):
        load(tmp_path / "forged.npz")
