"""quimb: a network whose axes have names; the outer bonds of a chain do not exist.

Axes are found by name, so that gauging, ``apply`` and ``compress``, which reorder them,
make no difference. The factor ``10**exponent`` beside the tensors is multiplied in.
"""

from collections.abc import Sequence
from itertools import pairwise
from types import ModuleType
from typing import Any

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.interop.peers.values import values

_LARGEST = 30  # the decimal power that a core may take: one that float32 can hold


def is_one(x: Any) -> bool:
    """Whether ``x`` is a network with a name for the index of each site."""
    named = hasattr(x, "site_ind") or hasattr(x, "upper_ind")
    return named and hasattr(x, "gen_sites_present")


def read(x: Any) -> list[Array]:
    """Cores ``(r, n, s)`` of an MPS, ``(r, upper, lower, s)`` of an MPO."""
    sites = list(x.gen_sites_present())
    tensors = [_tensor_at(x, site) for site in sites]
    bonds = [set(a.inds) & set(b.inds) for a, b in pairwise(tensors)]
    ends = zip([set(), *bonds], [*bonds, set()], strict=True)
    cores = [
        _core(tensor, _open_inds(x, site), left, right)
        for site, tensor, (left, right) in zip(sites, tensors, ends, strict=True)
    ]
    return _scaled(cores, float(getattr(x, "exponent", 0.0)))


def _open_inds(x: Any, site: Any) -> tuple[str, ...]:
    if hasattr(x, "upper_ind"):
        return x.upper_ind(site), x.lower_ind(site)
    return (x.site_ind(site),)


def _tensor_at(x: Any, site: Any) -> Any:
    tensor = x[x.site_tag(site)]
    if isinstance(tensor, tuple):
        message = f"from_peer: {len(tensor)} tensors at site {site} of the network"
        raise TypeError(f"{message}; contract them first: one for each site is needed")
    return tensor


def _core(
    tensor: Any, modes: tuple[str, ...], left: set[str], right: set[str]
) -> Array:
    """The data with the axes ``(left, *modes, right)``; a missing bond has size 1."""
    order = (*left, *modes, *right)
    if sorted(order) != sorted(tensor.inds) or max(len(left), len(right)) > 1:
        message = f"from_peer: the tensor with indices {tensor.inds} is not of a train"
        raise ShapeError(
            f"{message}: {modes} and one bond to each neighbour are wanted; open a "
            "periodic network first, as in from_dense of its dense form"
        )
    data = values(tensor.data)
    xp = namespace_of(data)
    core = xp.permute_dims(data, tuple(map(tensor.inds.index, order)))
    core = core if left else xp.expand_dims(core, axis=0)
    return core if right else xp.expand_dims(core, axis=-1)


def _scaled(cores: list[Array], exponent: float) -> list[Array]:
    """``10**exponent`` times the chain, an equal share in each core."""
    power = exponent / max(1, len(cores))
    if abs(power) > _LARGEST:
        message = f"from_peer: 10**{exponent} is out of range of {len(cores)} cores"
        raise ShapeError(f"{message}; set the exponent of the network to 0.0 first")
    return [core * 10.0**power for core in cores] if power else cores


def write(cores: Cores) -> Sequence[Array]:
    """Cores ``(r, *modes, s)``, the first without its ``r``, the last without ``s``."""
    arrays = list(cores)
    arrays[0] = arrays[0][0, ...]
    arrays[-1] = arrays[-1][..., 0]
    return arrays


def make(tensor: ModuleType, arrays: list[Array], matrix: bool) -> Any:
    """A ``MatrixProductOperator``, the upper indices its rows, or an MPS."""
    if matrix:
        return tensor.MatrixProductOperator(arrays, shape="ludr")
    return tensor.MatrixProductState(arrays, shape="lpr")
