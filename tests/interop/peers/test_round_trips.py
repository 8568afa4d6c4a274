"""There and back through each library that is installed (the extra ``peers``)."""

import importlib
import math
import warnings

import numpy as np
import pytest

import ttalgebra as tt
from tests.interop.peers.trains import KINDS, SIZES, train
from tests.reference import LIMIT, norm, unit
from ttalgebra.interop.peers import PEERS, from_peer, to_peer

# what the peers warn of in their own code is not for us to mend
pytestmark = pytest.mark.filterwarnings("ignore")


def library(name):
    """The module of a peer; the test is skipped where it is not installed."""
    reason = f"{name} is not installed ({PEERS[name].install})"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(PEERS[name].module or name, reason=reason)


def numpy(x):
    """Arrays of torch and tensors of TensorFlow, in NumPy."""
    return np.asarray(x.numpy() if hasattr(x, "numpy") else x)


def torchtt_dense(x):
    T = numpy(x.full())
    return T.reshape(math.prod(x.M), -1) if x.is_ttm else T


def tensorly_dense(x):
    return numpy(x.to_matrix() if hasattr(x, "to_matrix") else x.to_tensor())


DENSE = {
    "ttpy": lambda x: x.full(),
    "torchtt": torchtt_dense,
    "t3f": lambda x: numpy(importlib.import_module("t3f").full(x)),
    "tensorly": tensorly_dense,
    "tntorch": lambda x: x.torch().numpy(),
    "teneva": lambda x: importlib.import_module("teneva").full(x),
    "scikit_tt": lambda x: x.matricize(),
    "quimb": lambda x: x.to_dense(),
}
FORMED = [(name, kind) for name in PEERS for kind in KINDS]
FORMED.remove(("teneva", "matrix"))  # of 2 x 2 digits only, in F order: tested below


def flat(name, kind, dense):
    """A matrix as it is, a tensor as the flat vector that the peer's matrices meet."""
    return dense if kind == "matrix" else dense.ravel(order=PEERS[name].order)


@pytest.mark.parametrize("d", SIZES)
@pytest.mark.parametrize(("name", "kind"), FORMED)
def test_the_peer_forms_the_same_dense_array(name, kind, d):
    library(name)
    A = train(kind, d)
    found = flat(name, kind, DENSE[name](to_peer(A, name)))
    wanted = A.to_dense() if kind == "matrix" else A.to_dense().ravel()
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("d", SIZES)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PEERS)
def test_there_and_back(name, kind, dtype, d):
    library(name)
    A = train(kind, d, dtype)
    back = from_peer(to_peer(A, name))
    assert type(back) is type(A)
    assert back.backend == (PEERS[name].arrays or "numpy")
    kept = A.dtype if name != "ttpy" else np.result_type(A.dtype, np.float64)
    assert back.to("numpy").dtype == kept
    for core, again in zip(A.cores, back.to("numpy").cores, strict=True):
        np.testing.assert_array_equal(again, core)


def random_ttpy(tt_, kind):
    if kind == "tensor":
        return tt_.rand([2, 3, 4], 3, [1, 2, 3, 1])
    return tt_.matrix(tt_.rand([6, 3, 8], 3, [1, 2, 3, 1]), n=[2, 3, 4], m=[3, 1, 2])


def random_t3f(t3f, kind):
    W = np.random.default_rng(0).standard_normal((24, 6))
    if kind == "tensor":
        return t3f.to_tt_tensor(W.reshape(4, 6, 6), max_tt_rank=3)
    return t3f.to_tt_matrix(W, ((2, 3, 4), (3, 1, 2)), max_tt_rank=3)


def random_torchtt(torchtt, kind):
    modes = [2, 3, 4] if kind == "tensor" else [(2, 3), (3, 1), (4, 2)]
    return torchtt.random(modes, [1, 2, 3, 1])


def random_tensorly(tensorly, kind):
    if kind == "tensor":
        random = importlib.import_module("tensorly.random")
        return random.random_tt((2, 3, 4), [1, 2, 3, 1])
    decomposition = importlib.import_module("tensorly.decomposition")
    W = np.random.default_rng(0).standard_normal((2, 3, 4, 3, 1, 2))
    return decomposition.tensor_train_matrix(tensorly.tensor(W), 3)


def random_tntorch(tntorch, kind):
    if kind == "tensor":
        return tntorch.rand([2, 3, 4], ranks_tt=[2, 3])
    torch = importlib.import_module("torch")
    return tntorch.TTMatrix(torch.randn(24, 6), [3, 3], [2, 3, 4], [3, 1, 2])


def random_teneva(teneva, kind):
    if kind == "tensor":
        return teneva.rand([2, 3, 4], 3, seed=0)
    return teneva.matrix_delta(4, 5, 11, 3.0)


def random_scikit_tt(tensor_train, kind):
    columns = [1, 1, 1] if kind == "tensor" else [3, 1, 2]
    return tensor_train.rand([2, 3, 4], columns, [1, 2, 3, 1])


def random_quimb(tensor, kind):
    """Made and changed by the library: axes move, a norm is split off."""
    if kind == "tensor":
        x = tensor.MPS_rand_state(5, 4, seed=1)
        x.canonicalize(2)
        x.exponent = 1.5
        return x
    x = tensor.MPO_ham_heis(5).apply(tensor.MPO_rand(5, 3, seed=1), compress=True)
    assert x.max_bond() > 3
    return x


RANDOM = {name: globals()[f"random_{name}"] for name in PEERS}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PEERS)
def test_what_the_peer_makes_is_read(name, kind):
    """Their dense form and ours round differently: a few units of roundoff."""
    module = library(name)
    x = RANDOM[name](module, kind)
    order = "F" if (name, kind) == ("teneva", "matrix") else None
    read = from_peer(x, order=order)
    dense = module.full_matrix(x) if order else DENSE[name](x)
    wanted = flat(name, kind, dense)
    found = read.to("numpy").to_dense()
    found = found if kind == "matrix" else found.ravel()
    assert norm(found - wanted.reshape(found.shape)) <= LIMIT * unit(read.cores)
    assert norm(wanted) > 0


TIMES = {
    "ttpy": lambda A, x: importlib.import_module("tt").matvec(A, x),
    "torchtt": lambda A, x: A @ x,
    "t3f": lambda A, x: importlib.import_module("t3f").matmul(A, x),
    "scikit_tt": lambda A, x: A @ x,
    "quimb": lambda A, x: A.apply(x),
}


@pytest.mark.parametrize("name", TIMES)
def test_products_of_the_peer_are_ours(name):
    """All modes are 2, so that a site in the wrong place would raise nothing."""
    library(name)
    A, x = train("matrix", 4), train("tensor", 4)
    operand = x
    if name == "t3f":  # which multiplies matrices alone: x as a matrix of one column
        operand = tt.TTMatrix([core[:, :, None, :] for core in x.cores])
    product = TIMES[name](to_peer(A, name), to_peer(operand, name))
    found = from_peer(product).to("numpy").to_dense().ravel()
    np.testing.assert_array_equal(found, (A @ x).to_dense().ravel())


def test_matrices_of_teneva_count_in_f_order():
    teneva = library("teneva")
    A = train("matrix", 4)
    x = to_peer(A, "teneva", order="F")
    np.testing.assert_array_equal(teneva.full_matrix(x), A.to_dense())


def test_merged_digits_of_teneva():
    """Its ``svd_matrix`` keeps a pair of digits as one, ``i + 2 j``."""
    teneva = library("teneva")
    W = np.random.default_rng(0).standard_normal((16, 16))
    x = teneva.svd_matrix(W, 1e-14)
    split = [G.reshape(len(G), 2, 2, -1, order="F") for G in x]
    read = from_peer(split, order="F")
    assert norm(read.to_dense() - teneva.full_matrix(x)) <= LIMIT * unit(read.cores)


def test_tensorly_makes_factors_in_its_own_backend():
    tensorly = library("tensorly")
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    A = train("matrix", 3, "f4")
    with tensorly.backend_context("pytorch"):
        made = to_peer(A, "tensorly")
        assert all(isinstance(core, torch.Tensor) for core in made.factors)
        np.testing.assert_array_equal(numpy(made.to_matrix()), A.to_dense())
        assert from_peer(made).backend == "torch"


def test_torch_trains_go_through_quimb_as_they_are():
    library("quimb")
    pytest.importorskip("torch", reason="PyTorch is not installed")
    A = train("matrix", 3).to("torch")
    assert from_peer(to_peer(A, "quimb")).backend == "torch"


def test_a_ring_of_tensorly_is_refused():
    library("tensorly")
    random = importlib.import_module("tensorly.random")
    ring = random.random_tr((2, 3, 4), [2, 3, 2, 2])
    with pytest.raises(tt.errors.ShapeError, match="outer ranks are 2 and 2"):
        from_peer(ring)


def test_formats_of_tensorly_that_are_no_trains_are_refused():
    library("tensorly")
    random = importlib.import_module("tensorly.random")
    for x in (
        random.random_cp((2, 3, 4), 2),
        random.random_tucker((2, 3, 4), [2, 2, 2]),
    ):
        with pytest.raises(TypeError):
            from_peer(x)


def test_a_periodic_state_of_quimb_is_refused():
    tensor = library("quimb")
    with pytest.raises(tt.errors.ShapeError, match="open a periodic network first"):
        from_peer(tensor.MPS_rand_state(4, 3, cyclic=True, seed=1))


def test_a_lattice_of_quimb_is_refused():
    tensor = library("quimb")
    with pytest.raises(tt.errors.ShapeError, match="not of a train"):
        from_peer(tensor.PEPS.rand(2, 3, 2, seed=1))


def test_other_formats_of_tntorch_are_refused_and_tt_mends_them():
    tntorch = library("tntorch")
    for x in (
        tntorch.rand([4, 5, 6], ranks_tt=2, ranks_tucker=3),
        tntorch.rand([4, 5, 6], ranks_cp=2),
    ):
        with pytest.raises(TypeError, match=r"x.tt\(\) turns it into a train"):
            from_peer(x)
        read = from_peer(x.tt())
        found, wanted = read.to("numpy").to_dense(), x.torch().numpy()
        assert norm(found - wanted) <= LIMIT * unit(read.cores)


def test_a_batch_of_t3f_is_refused():
    t3f = library("t3f")
    x = train("tensor", 3)
    batch = t3f.TensorTrainBatch([core[None] for core in x.cores])
    with pytest.raises(TypeError, match="a batch of trains is not a train"):
        from_peer(batch)
    one = from_peer([core[0] for core in batch.tt_cores])
    np.testing.assert_array_equal(one.to_dense(), x.to_dense())
