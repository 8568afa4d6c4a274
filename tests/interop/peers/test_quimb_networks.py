"""What a network of quimb may do to its axes, bonds and scale, and the cores bear."""

import numpy as np
import pytest

from tests.interop.peers.standins import QuimbTensor
from tests.interop.peers.trains import held
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.interop.peers import from_peer


@pytest.mark.parametrize("kind", ["tensor", "matrix"])
def test_axes_are_found_by_name(kind):
    x = held("quimb", kind, 3)
    wanted = from_peer(x).to_dense()
    for tag, tensor in x.tensors.items():
        x.tensors[tag] = QuimbTensor(tensor.data.T, tensor.inds[::-1])
    np.testing.assert_array_equal(from_peer(x).to_dense(), wanted)


def test_a_missing_bond_is_a_rank_of_one():
    x = held("quimb", "tensor", 1)
    x.tensors["I1"] = QuimbTensor(np.array([1.0, 2.0]), ["k1"])
    read = from_peer(x)
    assert read.ranks == (1, 1, 1)
    np.testing.assert_array_equal(read.to_dense(), x.full())


def test_sites_need_not_start_at_zero():
    x = held("quimb", "tensor", 3)
    wanted = from_peer(x).to_dense()
    renamed = {f"I{k + 5}": x.tensors[f"I{k}"] for k in range(3)}
    for k in range(3):
        old = renamed[f"I{k + 5}"]
        inds = [f"k{k + 5}" if name == f"k{k}" else name for name in old.inds]
        renamed[f"I{k + 5}"] = QuimbTensor(old.data, inds)
    x.tensors, x.gen_sites_present = renamed, lambda: iter((5, 6, 7))
    np.testing.assert_array_equal(from_peer(x).to_dense(), wanted)


@pytest.mark.parametrize("exponent", [3.0, -4.5, 60.0])
def test_the_exponent_is_multiplied_in(exponent):
    """To roundoff: ``e ln 10`` of the power, and a few of each of three cores."""
    x = held("quimb", "matrix", 3)
    x.exponent = exponent
    found, wanted = from_peer(x).to_dense(), x.full()
    for tensor in x.tensors.values():
        tensor.data = abs(tensor.data)
    eps = np.finfo(float).eps * (12 + abs(exponent) * np.log(10))
    assert np.all(abs(found - wanted) <= eps * x.full())
    assert np.any(wanted)


def test_an_exponent_out_of_range_is_refused():
    x = held("quimb", "matrix", 3)
    x.exponent = -500.0
    with pytest.raises(ShapeError, match=r"10\*\*-500.0 is out of range of 3 cores"):
        from_peer(x)


def test_a_periodic_network_is_refused():
    x = held("quimb", "tensor", 3)
    for tag in ("I0", "I2"):
        tensor = x.tensors[tag]
        data = np.stack([tensor.data, tensor.data])
        x.tensors[tag] = QuimbTensor(data, ["around", *tensor.inds])
    with pytest.raises(ShapeError, match="open a periodic network first"):
        from_peer(x)


def test_two_bonds_between_neighbours_are_refused():
    x = held("quimb", "tensor", 3)
    for tag in ("I0", "I1"):
        tensor = x.tensors[tag]
        data = np.stack([tensor.data, tensor.data])
        x.tensors[tag] = QuimbTensor(data, ["second", *tensor.inds])
    with pytest.raises(ShapeError, match="one bond to each neighbour"):
        from_peer(x)


def test_two_tensors_at_a_site_are_refused():
    x = held("quimb", "tensor", 3)
    x.tensors["I1"] = (x.tensors["I1"], x.tensors["I1"])
    with pytest.raises(TypeError, match="2 tensors at site 1 of the network; contract"):
        from_peer(x)


def test_data_of_no_array_library_are_refused():
    x = held("quimb", "tensor", 1)
    x.tensors["I0"].data = "blocks"
    with pytest.raises(TypeError, match="each core must be an array, got str"):
        from_peer(x)
