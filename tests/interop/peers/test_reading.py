"""Every importer on a stand-in of its peer: the same dense array, to the last bit."""

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import host
from tests.interop.peers.standins import MAKE
from tests.interop.peers.trains import DTYPES, KINDS, SIZES, arrays_of, held, train
from ttalgebra.interop.peers import PEERS, from_peer

ORDERS = {name: "F" if name == "ttpy" else "C" for name in MAKE}
TORCH = [name for name in MAKE if name not in ("ttpy", "t3f")]  # these hold no torch


def test_every_peer_has_a_stand_in():
    assert set(MAKE) == set(PEERS)


@pytest.mark.parametrize("d", SIZES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MAKE)
def test_the_dense_form_is_that_of_the_peer(name, kind, d):
    x = held(name, kind, d)
    read = from_peer(x)
    assert isinstance(read, tt.TTMatrix if kind == "matrix" else tt.TTTensor)
    wanted = x.full()
    if kind == "tensor":  # the flat vector: what the peer's matrices multiply
        wanted = wanted.ravel(order=ORDERS[name])
    assert np.any(wanted)
    np.testing.assert_array_equal(read.to_dense().reshape(wanted.shape), wanted)


@pytest.mark.parametrize("name", MAKE)
def test_in_c_order_sites_stay_where_they_are(name):
    x, A = held(name, "tensor", 3), held(name, "matrix", 3)
    read = from_peer(x, order="C")
    assert read.modes == (2, 3, 4)
    np.testing.assert_array_equal(read.to_dense(), x.full())
    read = from_peer(A, order="C")
    assert (read.row_modes, read.col_modes) == ((2, 3, 4), (3, 1, 2))
    assert read.ranks == (1, 2, 3, 1)


@pytest.mark.parametrize("name", MAKE)
def test_the_other_order_is_the_same_digits_counted_from_the_other_end(name):
    A = held(name, "matrix", 3)
    C, F = from_peer(A, order="C").to_dense(), from_peer(A, order="F").to_dense()
    digits = C.reshape(2, 3, 4, 3, 1, 2).transpose(2, 1, 0, 5, 4, 3)
    np.testing.assert_array_equal(F, digits.reshape(24, 6))
    assert not np.array_equal(C, F)


@pytest.mark.parametrize("order", [None, "C", "F"])
@pytest.mark.parametrize("name", MAKE)
def test_reading_commutes_with_products(name, order):
    """``A`` and ``x`` meet also where all modes are 2 and a wrong site is no error."""
    A = from_peer(held(name, "matrix", 4), order=order)
    x = from_peer(held(name, "tensor", 4), order=order)
    wanted = A.to_dense() @ x.to_dense().ravel()
    np.testing.assert_array_equal((A @ x).to_dense().ravel(), wanted)


def test_ttpy_products_are_those_of_its_dense_forms():
    A, x = held("ttpy", "matrix", 4), held("ttpy", "tensor", 4)
    wanted = A.full() @ x.full().ravel(order="F")
    found = (from_peer(A) @ from_peer(x)).to_dense().ravel()
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", MAKE)
def test_dtypes_stay(name, dtype):
    x = held(name, "matrix", 3, dtype)
    read = from_peer(x)
    assert read.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(read.to_dense(), x.full())


@pytest.mark.parametrize("name", MAKE)
def test_nothing_is_shared(name):
    x = held(name, "tensor", 3)
    read = from_peer(x)
    wanted, before = read.to_dense(), x.full()
    for core in [x.core] if name == "ttpy" else PEERS[name].read(x):
        array = core.numpy() if name == "t3f" else core
        array[...] = 7
    assert np.all(x.full() != before)
    np.testing.assert_array_equal(read.to_dense(), wanted)


@pytest.mark.parametrize("name", TORCH)
@pytest.mark.parametrize("kind", KINDS)
def test_torch_stays_torch(name, kind):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    cores = [torch.asarray(np.array(core)) for core in train(kind, 3, "f4").cores]
    cores = [core.requires_grad_() for core in cores]
    x = MAKE[name](arrays_of(name, cores))
    read = from_peer(x)
    assert read.backend == "torch"
    assert all(core.dtype == torch.float32 for core in read.cores)
    assert not any(core.requires_grad for core in read.cores)
    for core in cores:
        core.detach().fill_(7.0)
    np.testing.assert_array_equal(host(read.to_dense()), train(kind, 3).to_dense())


def test_integers_become_floats():
    read = from_peer([np.ones((1, 2, 1), dtype=np.int64)])
    assert read.dtype == np.float64
