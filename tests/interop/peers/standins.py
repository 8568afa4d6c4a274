"""Small classes that hold cores as the peers do, each with the peer's dense form.

Every class is made from what the constructor of the peer takes, keeps the attributes
that the peer keeps, and forms its dense array in `full` from those attributes alone: a
tensor as an array of its modes, a matrix as ``(M, N)`` in the peer's order of digits.
"""

import math

import numpy as np

from tests.backends import host


def product(cores):
    """``T[i_1, j_1, ..., i_d, j_d]`` from cores ``(r, *modes, s)``."""
    state = host(cores[0])[0]
    for core in cores[1:]:
        state = np.tensordot(state, host(core), axes=1)
    return state[..., 0]


def full(cores, order="C"):
    """The tensor itself, or the matrix whose rows are counted in ``order``."""
    T = product(cores)
    if np.ndim(host(cores[0])) == 3:
        return T
    d = T.ndim // 2
    rows, columns = range(0, 2 * d, 2), range(1, 2 * d, 2)
    M = math.prod(T.shape[axis] for axis in rows)
    return T.transpose(*rows, *columns).reshape(M, -1, order=order)


class TtpyVector:
    """``tt.vector``: one flat vector of cores, their places counted from 1."""

    def __init__(self, cores):
        self.d = len(cores)
        self.n = np.array([core.shape[1] for core in cores], dtype=np.int32)
        self.r = np.array([1, *(core.shape[-1] for core in cores)], dtype=np.int32)
        self.core = np.concatenate([core.flatten(order="F") for core in cores])
        sizes = self.n * self.r[:-1] * self.r[1:]
        self.ps = np.cumsum([1, *sizes]).astype(np.int32)

    def shaped(self, *modes):
        """The cores, by the definition: entry ``(a, i, b)`` at ``a + r (i + n b)``."""
        cores = []
        for k in range(self.d):
            shape = (self.r[k], *(sizes[k] for sizes in modes), self.r[k + 1])
            core = np.empty(shape, dtype=self.core.dtype)
            for place in np.ndindex(*shape):
                offset = 0
                for size, index in zip(shape[::-1], place[::-1], strict=True):
                    offset = offset * size + index
                core[place] = self.core[self.ps[k] - 1 + offset]
            cores.append(core)
        return cores

    def full(self):
        return full(self.shaped(self.n))


class TtpyMatrix:
    """``tt.matrix``: row modes ``n``, column modes ``m``, the cores in ``tt``."""

    def __init__(self, cores):
        merged = [
            core.reshape(core.shape[0], -1, core.shape[-1], order="F") for core in cores
        ]
        self.tt = TtpyVector(merged)
        self.n = np.array([core.shape[1] for core in cores], dtype=np.int32)
        self.m = np.array([core.shape[2] for core in cores], dtype=np.int32)

    def full(self):
        return full(self.tt.shaped(self.n, self.m), order="F")


def ttpy(arrays):
    return (TtpyVector if arrays[0].ndim == 3 else TtpyMatrix)(arrays)


class TorchTT:
    """``torchtt.TT``."""

    def __init__(self, cores):
        self.cores = cores
        self.is_ttm = cores[0].ndim == 4
        self.R = [1, *(core.shape[-1] for core in cores)]

    def full(self):
        return full(self.cores)


class Eager:
    """A tensor of TensorFlow: no array library that the array API knows."""

    def __init__(self, data):
        self.data = data

    def numpy(self):
        return self.data


class T3f:
    """``t3f.TensorTrain``, whose cores become tensors of TensorFlow."""

    def __init__(self, cores):
        self.tt_cores = tuple(map(Eager, cores))

    def get_tt_ranks(self):
        return [1, *(core.numpy().shape[-1] for core in self.tt_cores)]

    def full(self):
        return full([core.numpy() for core in self.tt_cores])


class Tensorly:
    """``TTTensor``, ``TTMatrix`` and ``TRTensor`` of tensorly."""

    def __init__(self, factors):
        self.factors = factors
        self.rank = (*(core.shape[0] for core in factors), factors[-1].shape[-1])

    def to_tensor(self):
        return product(self.factors)

    def full(self):
        return full(self.factors)


class TntorchTensor:
    """``tntorch.Tensor``; factors of Tucker where ``Us`` are."""

    def __init__(self, cores, Us=None, batch=False):
        self.cores = cores
        self.Us = Us or [None] * len(cores)
        self.batch = batch

    def full(self):
        return full(self.cores)


class TntorchMatrix:
    """``tntorch.TTMatrix``."""

    def __init__(self, cores, ranks, input_dims, output_dims):
        assert ranks == [core.shape[-1] for core in cores[:-1]]
        self.cores, self.ranks, self.batch = cores, ranks, False
        self.input_dims, self.output_dims = input_dims, output_dims

    def full(self):
        return full(self.cores)


def tntorch(arrays):
    if arrays[0].ndim == 3:
        return TntorchTensor(arrays)
    _, rows, columns, ranks = zip(*(core.shape for core in arrays), strict=True)
    return TntorchMatrix(arrays, list(ranks[:-1]), list(rows), list(columns))


class Teneva(list):
    """A list of cores, and no more."""

    def full(self):
        return full(self)


class ScikitTT:
    """``scikit_tt.tensor_train.TT``: four axes always, one column in a tensor."""

    def __init__(self, cores):
        assert all(core.ndim == 4 for core in cores)
        self.cores = cores
        self.row_dims = [core.shape[1] for core in cores]
        self.col_dims = [core.shape[2] for core in cores]

    def full(self):
        matrix = full(self.cores)
        if any(n > 1 for n in self.col_dims):
            return matrix
        return matrix.reshape(self.row_dims)


class QuimbTensor:
    """``quimb.tensor.Tensor``: data, and a name for each axis."""

    def __init__(self, data, inds):
        assert data.ndim == len(inds)
        self.data, self.inds = data, tuple(inds)


class QuimbMPS:
    """``MatrixProductState`` of arrays "lpr", the outer bonds absent."""

    def __init__(self, arrays):
        self.tensors, self.exponent = {}, 0.0
        for k, array in enumerate(arrays):
            left = [f"bond{k}"] if k else []
            right = [f"bond{k + 1}"] if k + 1 < len(arrays) else []
            inds = [*left, *self.open_inds(k), *right]
            self.tensors[f"I{k}"] = QuimbTensor(array, inds)

    def open_inds(self, k):
        return [self.site_ind(k)]

    def site_ind(self, site):
        return f"k{site}"

    def site_tag(self, site):
        return f"I{site}"

    def gen_sites_present(self):
        return iter(range(len(self.tensors)))

    def __getitem__(self, tag):
        return self.tensors[tag]

    def full(self):
        """Axes by their names, as quimb has them; then rows and columns in C order."""
        letters, operands = {}, []
        for tensor in self.tensors.values():
            axes = [letters.setdefault(name, len(letters)) for name in tensor.inds]
            operands += [host(tensor.data), axes]
        opened = [self.open_inds(k) for k in self.gen_sites_present()]
        names = [name for group in zip(*opened, strict=True) for name in group]
        T = np.einsum(*operands, [letters[name] for name in names])
        T = T * 10.0**self.exponent
        M = math.prod(T.shape[: len(opened)])
        return T if len(opened[0]) == 1 else T.reshape(M, -1)


class QuimbMPO(QuimbMPS):
    """``MatrixProductOperator`` of arrays "ludr"; the upper indices are the rows."""

    site_ind = None

    def open_inds(self, k):
        return [self.upper_ind(k), self.lower_ind(k)]

    def upper_ind(self, site):
        return f"k{site}"

    def lower_ind(self, site):
        return f"b{site}"


def quimb(arrays):
    open_axes = arrays[0].ndim - (1 if len(arrays) > 1 else 0)
    return (QuimbMPS if open_axes == 1 else QuimbMPO)(arrays)


MAKE = {
    "ttpy": ttpy,
    "torchtt": TorchTT,
    "t3f": T3f,
    "tensorly": Tensorly,
    "tntorch": tntorch,
    "teneva": Teneva,
    "scikit_tt": ScikitTT,
    "quimb": quimb,
}
