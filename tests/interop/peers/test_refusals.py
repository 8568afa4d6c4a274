"""What is no train is refused, with what was given, what is wanted and what to do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.interop.peers.standins import (
    MAKE,
    T3f,
    Tensorly,
    TntorchTensor,
    TtpyMatrix,
    TtpyVector,
)
from tests.interop.peers.trains import train
from ttalgebra.arrays.errors import NonFiniteError, ShapeError
from ttalgebra.interop.peers import PEERS, cores_for, from_peer, to_peer

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("x", [None, 3, "cores", {}, np.ones((1, 2, 1)), object()])
def test_what_is_no_train(x):
    wanted = f"ttpy, .*quimb or a list of cores is needed, got {type(x).__name__}"
    with pytest.raises(TypeError, match=wanted):
        from_peer(x)


def test_a_train_of_ours_is_no_peer():
    with pytest.raises(TypeError, match="got TTTensor"):
        from_peer(train("tensor", 3))


def test_cores_that_are_no_arrays():
    with pytest.raises(TypeError, match="each core must be an array, got str"):
        from_peer(["G1", "G2"])


@pytest.mark.parametrize("shape", [(), (3,), (3, 2), (1, 2, 2, 2, 1)])
def test_cores_of_another_number_of_axes(shape):
    with pytest.raises(TypeError, match=r"core 0 has shape .* have \(r, n, s\) in a"):
        from_peer([np.ones(shape)])


def test_tensor_and_matrix_cores_do_not_mix():
    cores = [np.ones((1, 2, 2, 1)), np.ones((1, 2, 1))]
    with pytest.raises(TypeError, match=r"core 1 has shape \(1, 2, 1\)"):
        from_peer(cores)


def test_no_cores():
    with pytest.raises(ShapeError, match="at least one core"):
        from_peer([])


@pytest.mark.parametrize("name", ["teneva", "torchtt", "tensorly", "tntorch", "t3f"])
def test_a_ring(name):
    cores = [np.ones((3, 2, 2)), np.ones((2, 4, 3))]
    wanted = "outer ranks are 3 and 3, those of a train are 1; make a train of a ring"
    with pytest.raises(ShapeError, match=wanted):
        from_peer(MAKE[name](cores))


def test_cores_that_do_not_connect():
    with pytest.raises(ShapeError, match="cores 0 and 1 do not connect"):
        from_peer(Tensorly([np.ones((1, 2, 2)), np.ones((3, 4, 1))]))


def test_non_finite_values():
    with pytest.raises(NonFiniteError, match="core 1"):
        from_peer([np.ones((1, 2, 1)), np.full((1, 2, 1), np.nan)])


def test_factors_of_a_decomposition_that_is_no_train():
    with pytest.raises(TypeError, match="have"):
        from_peer(Tensorly([np.ones((4, 2)), np.ones((5, 2))]))  # CP


def test_tucker_and_cp_factors_of_tntorch():
    cores = [np.array(core) for core in train("tensor", 3).cores]
    tucker = TntorchTensor(cores, Us=[np.ones((5, 2)), None, None])
    mixed = TntorchTensor([np.ones((2, 2)), *cores[1:]])
    for x in (tucker, mixed):
        with pytest.raises(TypeError, match=r"x.tt\(\) turns it into a train"):
            from_peer(x)


def test_batches():
    cores = [np.array(core)[None] for core in train("tensor", 3).cores]
    with pytest.raises(TypeError, match=r"\[core\[k\] for core in x.cores\]"):
        from_peer(TntorchTensor(cores, batch=True))
    batch = T3f(cores)
    batch.batch_size = 1
    with pytest.raises(TypeError, match=r"\[core\[k\] for core in x.tt_cores\]"):
        from_peer(batch)


@pytest.mark.parametrize("spoil", ["n", "r", "ps", "core"])
def test_ttpy_sizes_that_disagree(spoil):
    x = TtpyVector([np.array(core) for core in train("tensor", 3).cores])
    setattr(x, spoil, getattr(x, spoil)[:-1])
    with pytest.raises(
        ShapeError, match="n, r, ps and core of the ttpy object disagree"
    ):
        from_peer(x)


def test_the_empty_objects_of_ttpy():
    x = TtpyVector.__new__(TtpyVector)
    x.n, x.r, x.ps, x.core = np.array([0]), np.array([1]), np.array([0]), np.zeros(1)
    A = TtpyMatrix.__new__(TtpyMatrix)
    A.n, A.m, A.tt = 0, 0, x
    for empty in (x, A):
        with pytest.raises(ShapeError, match="disagree"):
            from_peer(empty)


@pytest.mark.parametrize("verb", [cores_for, to_peer])
@pytest.mark.parametrize("name", ["numpy", "", None, 3])
def test_unknown_peers(verb, name):
    wanted = f"{verb.__name__}: no peer {name!r}; there are: ttpy, torchtt, t3f"
    with pytest.raises(ShapeError, match=wanted):
        verb(train("tensor", 3), name)


@pytest.mark.parametrize("verb", [cores_for, to_peer])
def test_only_trains_of_ours_are_written(verb):
    with pytest.raises(TypeError, match="a TTTensor or TTMatrix is needed, got list"):
        verb([np.ones((1, 2, 1))], "quimb")


@pytest.mark.parametrize("order", ["K", "c", 1, False])
def test_unknown_orders(order):
    x = train("tensor", 3)
    with pytest.raises(ShapeError, match=f"no order {order!r}; there are: C, F"):
        from_peer([np.ones((1, 2, 1))], order=order)
    for verb in (cores_for, to_peer):
        with pytest.raises(ShapeError, match=f"no order {order!r}; there are: C, F"):
            verb(x, "teneva", order=order)


def test_no_peer_is_imported():
    program = """
import sys, json, numpy as np, ttalgebra as tt
from ttalgebra.interop import peers
x = peers.from_peer([np.ones((1, 2, 1)), np.ones((1, 3, 1))])
for name in peers.PEERS:
    peers.cores_for(x, name), peers.cores_for(tt.identity((2, 3)), name)
print(json.dumps(sorted(sys.modules)))
"""
    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    loaded = {name.partition(".")[0] for name in json.loads(child.stdout)}
    modules = {(peer.module or "teneva").partition(".")[0] for peer in PEERS.values()}
    assert len(modules) == 8
    assert loaded.isdisjoint(modules | {"torch", "tensorflow", "jax"})


def test_the_page_has_a_row_for_each_peer():
    page = (ROOT / "docs" / "neighbours" / "peers.md").read_text()
    for name in PEERS:
        assert f"| `{name}` |" in page
