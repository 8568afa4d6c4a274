"""Every exporter: its stand-in, made of the cores, has the dense form of the train."""

import sys

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import host
from tests.interop.peers.standins import MAKE
from tests.interop.peers.trains import DTYPES, KINDS, SIZES, train
from ttalgebra.interop.peers import PEERS, cores_for, from_peer, to_peer


@pytest.mark.parametrize("d", SIZES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MAKE)
def test_the_peer_has_the_dense_form_of_the_train(name, kind, d):
    A = train(kind, d)
    x = MAKE[name](cores_for(A, name))
    found = x.full()
    if kind == "tensor":
        found = found.ravel(order="F" if name == "ttpy" else "C")
    np.testing.assert_array_equal(found.ravel(), A.to_dense().ravel())


@pytest.mark.parametrize("order", [None, "C", "F"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MAKE)
def test_there_and_back_is_the_same_cores(name, kind, dtype, order):
    A = train(kind, 3, dtype)
    back = from_peer(MAKE[name](cores_for(A, name, order=order)), order=order)
    assert type(back) is type(A)
    assert back.dtype == A.dtype
    assert len(back.cores) == 3
    for core, again in zip(A.cores, back.cores, strict=True):
        np.testing.assert_array_equal(again, core)


def test_layouts():
    A, x = train("matrix", 3), train("tensor", 3)
    shapes = [core.shape for core in cores_for(A, "quimb")]
    assert shapes == [(2, 3, 2), (2, 3, 1, 3), (3, 4, 2)]
    assert [core.shape for core in cores_for(x, "quimb")] == [(2, 2), (2, 3, 3), (3, 4)]
    shapes = [core.shape for core in cores_for(x, "scikit_tt")]
    assert shapes == [(1, 2, 1, 2), (2, 3, 1, 3), (3, 4, 1, 1)]
    shapes = [core.shape for core in cores_for(A, "ttpy")]
    assert shapes == [(1, 4, 2, 3), (3, 3, 1, 2), (2, 2, 3, 1)]
    shapes = [core.shape for core in cores_for(A, "torchTT")]
    assert shapes == [core.shape for core in A.cores]


@pytest.mark.parametrize("name", MAKE)
def test_cores_may_be_written_to_and_the_train_stays(name):
    A = train("tensor", 3)
    wanted = A.to_dense()
    for core in cores_for(A, name):
        core[...] = 7
    np.testing.assert_array_equal(A.to_dense(), wanted)


@pytest.mark.parametrize("name", MAKE)
def test_cores_stay_in_their_library(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    A = train("matrix", 3, "f4").to("torch")
    arrays = cores_for(A, name)
    assert all(isinstance(array, torch.Tensor) for array in arrays)
    back = [host(array) for array in arrays]
    for array, again in zip(cores_for(train("matrix", 3), name), back, strict=True):
        np.testing.assert_array_equal(array, again)


def test_one_column_is_a_tensor_in_scikit_tt():
    """The library does not tell them apart; what is read is the tensor."""
    A = tt.TTMatrix([core[:, :, None, :] for core in train("tensor", 3).cores])
    read = from_peer(MAKE["scikit_tt"](cores_for(A, "scikit_tt")))
    assert read.modes == A.row_modes
    np.testing.assert_array_equal(read.to_dense().ravel(), A.to_dense().ravel())


def test_a_train_of_teneva_is_a_list_and_needs_no_teneva(monkeypatch):
    monkeypatch.setitem(sys.modules, "teneva", None)
    x = train("tensor", 3)
    made = to_peer(x, "teneva")
    assert type(made) is list
    assert type(made[0]) is np.ndarray
    for core, again in zip(x.cores, made, strict=True):
        np.testing.assert_array_equal(again, core)


@pytest.mark.parametrize("name", [name for name in PEERS if PEERS[name].module])
def test_a_missing_library_says_how_to_install_it(name, monkeypatch):
    monkeypatch.setitem(sys.modules, PEERS[name].module, None)
    with pytest.raises(ImportError, match=r"to_peer: .* cannot be imported") as caught:
        to_peer(train("tensor", 3), name)
    assert f"({PEERS[name].install}); cores_for(A, {name!r})" in str(caught.value)
