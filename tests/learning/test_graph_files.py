"""Graphs from files: the data as published, and files damaged in several ways."""

import io
import os
import zipfile

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from ttalgebra.arrays.errors import FormatError
from ttalgebra.learning import graphs

pytestmark = pytest.mark.host("graphs are SciPy's and live on the host")
FOLDER = os.environ.get("TTALGEBRA_DATA")
needs_data = pytest.mark.skipif(not FOLDER, reason="TTALGEBRA_DATA is not set")


@needs_data
def test_facebook():
    A = graphs.facebook()
    assert A.shape == (234, 234)
    assert A.nnz == 2 * 4008
    assert (A != A.T).nnz == 0
    assert connected_components(A)[0] == 1
    assert graphs.spectral_radius(A) == pytest.approx(56.934493207696306, rel=1e-14)


@needs_data
def test_cora():
    data = graphs.cora()
    assert data.A.shape == (2708, 2708)
    assert data.A.nnz == 2 * 5278
    assert data.x.shape == (2708, 1433)
    assert data.x.sum() == 49216
    assert [len(part) for part in data[3:]] == [140, 500, 1000]
    assert np.bincount(data.labels[data.train]).tolist() == [20] * 7
    assert len(np.unique(np.concatenate(data[3:]))) == 1640


def small(**changes):
    """A file like Cora's of three papers, with some arrays changed or left out."""
    parts = {
        "shape": np.array([3, 2]), "feat_row": np.array([0, 2]),
        "feat_col": np.array([1, 0]), "label": np.array([1, 0, 1], "u1"),
        "edges": np.array([[0, 1], [1, 2]]), "train": np.array([0]),
        "val": np.array([1]), "test": np.array([2]),
    }  # fmt: skip
    parts |= changes
    file = io.BytesIO()
    np.savez(file, **{k: v for k, v in parts.items() if v is not None})
    return file.getvalue()


def test_small_files(tmp_path):
    (tmp_path / "graphs").mkdir()
    (tmp_path / "graphs" / "cora.npz").write_bytes(small())
    data = graphs.cora(tmp_path)
    assert data.A.toarray().tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert data.x.tolist() == [[0, 1], [0, 0], [1, 0]]
    assert data.labels.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not the file that is wanted"),
        (small()[:-9], "not the file"),
        (b"\x93NUMPY" + small(), "not the file"),
        (small(edges=None), "edges"),
        (small(edges=np.array([[0, 3]])), "not the file"),
        (small(edges=np.array([[0, 1], [1, 0]])), "an edge is given twice"),
        (small(edges=np.array([0, 1, 2])), "not the file"),
        (small(feat_col=np.array([1, 2])), "out of bounds"),
        (small(test=np.array([3])), "for 3 nodes"),
        (small(label=np.array([1])), r"labels of shape \(1,\) for 3 nodes"),
        (small(shape=np.array([{}, {}], object)), "allow_pickle"),
    ],
)
def test_damaged_files_are_refused(content, says, tmp_path):
    (tmp_path / "cora.npz").write_bytes(content)
    with pytest.raises(FormatError, match=says):
        graphs.cora(tmp_path)


def test_a_bomb_is_refused_by_its_size(tmp_path):
    with zipfile.ZipFile(tmp_path / "facebook_ego.npz", "w") as file:
        file.writestr("edges.npy", b"")
    whole = bytearray((tmp_path / "facebook_ego.npz").read_bytes())
    place = whole.index(b"PK\x01\x02") + 24  # the size in the central directory
    whole[place : place + 4] = (2**31).to_bytes(4, "little")
    (tmp_path / "facebook_ego.npz").write_bytes(whole)
    with pytest.raises(FormatError, match="2147483648 bytes > limit 268435456"):
        graphs.facebook(tmp_path)


def test_missing_files_are_named(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"facebook_ego\.npz is not in"):
        graphs.facebook(tmp_path)
    monkeypatch.delenv("TTALGEBRA_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match="TTALGEBRA_DATA is not set"):
        graphs.cora()
