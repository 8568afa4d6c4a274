"""The peers, a row each: what tells their trains, where the cores are, who takes them.

A library whose cores are not just ``(r, n, s)`` and ``(r, m, n, s)`` has its own file.
"""

from operator import attrgetter
from types import ModuleType
from typing import Any

from ttalgebra.arrays.typing import Array
from ttalgebra.interop.peers import quimb, scikit_tt, tntorch, ttpy
from ttalgebra.interop.peers.row import Peer, has, refuse_batch


def _of_t3f(x: Any) -> Any:
    if hasattr(x, "batch_size"):
        raise refuse_batch("tt_cores")
    return x.tt_cores


def _in_tensorly(tensorly: ModuleType, cores: list[Array], matrix: bool) -> Any:
    factors = [tensorly.tensor(core) for core in cores]  # in the backend of the day
    if matrix:
        return tensorly.tt_matrix.TTMatrix(factors)
    return tensorly.tt_tensor.TTTensor(factors)


PEERS = {
    "ttpy": Peer(
        install="pip install ttpy",
        module="tt",
        is_one=lambda x: has("core", "ps", "r", "n")(getattr(x, "tt", x)),
        read=ttpy.read,
        make=ttpy.make,
        order="F",
    ),
    "torchtt": Peer(
        install="pip install torchTT",
        module="torchtt",
        is_one=has("cores", "is_ttm", "R"),
        read=attrgetter("cores"),
        make=lambda torchtt, cores, _: torchtt.TT(cores),
        arrays="torch",
    ),
    "t3f": Peer(
        install="pip install t3f tensorflow",
        module="t3f",
        is_one=has("tt_cores", "get_tt_ranks"),
        read=_of_t3f,
        make=lambda t3f, cores, _: t3f.TensorTrain(cores),
    ),
    "tensorly": Peer(
        install="pip install tensorly",
        module="tensorly",
        is_one=has("factors", "rank", "to_tensor"),
        read=attrgetter("factors"),
        make=_in_tensorly,
        arrays=None,
    ),
    "tntorch": Peer(
        install="pip install tntorch",
        module="tntorch",
        is_one=lambda x: (
            has("cores", "batch")(x) and (hasattr(x, "Us") or hasattr(x, "input_dims"))
        ),
        read=tntorch.read,
        make=tntorch.make,
        arrays="torch",
    ),
    "teneva": Peer(
        install="pip install teneva",
        module=None,  # its trains are plain lists
        is_one=lambda x: isinstance(x, (list, tuple)),
        read=list,
        make=lambda _, cores, __: cores,
    ),
    "scikit_tt": Peer(
        install="pip install git+https://github.com/PGelss/scikit_tt",
        module="scikit_tt.tensor_train",
        is_one=has("cores", "row_dims", "col_dims"),
        read=scikit_tt.read,
        write=scikit_tt.write,
        make=lambda tensor_train, cores, _: tensor_train.TT(cores),
    ),
    "quimb": Peer(
        install="pip install quimb",
        module="quimb.tensor",
        is_one=quimb.is_one,
        read=quimb.read,
        write=quimb.write,
        make=quimb.make,
        arrays=None,
    ),
}
