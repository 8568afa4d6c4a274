"""The operations of this folder as one table, for what must hold of all of them."""

import ttalgebra as tt

# x, y tensors of modes (2, 4, 2); A, B square matrices of the same digits
OPERATIONS = {
    "x * y": lambda x, y, A, B: x * y,
    "hadamard": lambda x, y, A, B: A.hadamard(B),
    "kron": lambda x, y, A, B: tt.kron(x, y),
    "kron of matrices": lambda x, y, A, B: tt.kron(A, B),
    "concatenate": lambda x, y, A, B: tt.concatenate([x, y], axis=1),
    "concatenate one": lambda x, y, A, B: tt.concatenate([x]),
    "concatenate matrices": lambda x, y, A, B: tt.concatenate([A, B], axis=1, site=2),
    "trace": lambda x, y, A, B: A.trace(),
    "partial_trace": lambda x, y, A, B: A.partial_trace((0, 2)),
    "partial_trace of none": lambda x, y, A, B: A.partial_trace(()),
    "diagonal": lambda x, y, A, B: A.diagonal(),
    "from_diagonal": lambda x, y, A, B: tt.TTMatrix.from_diagonal(x),
    "sum": lambda x, y, A, B: x.sum(),
    "sum over some": lambda x, y, A, B: x.sum((0, 1)),
    "sum over none": lambda x, y, A, B: x.sum(()),
    "A.sum": lambda x, y, A, B: A.sum(),
    "A.sum(axis)": lambda x, y, A, B: A.sum(axis=0),
    "x[i, j, k]": lambda x, y, A, B: x[1, -1, 0],
    "x[slices]": lambda x, y, A, B: x[:, 1:3, ::-1],
    "x[long slices]": lambda x, y, A, B: x[:9, -9:3:2, 0],
    "x[...]": lambda x, y, A, B: x[...],
    "x[i, ...]": lambda x, y, A, B: x[1, ...],
    "A[i, j]": lambda x, y, A, B: A[-1, 3],
    "A[i]": lambda x, y, A, B: A[5],
    "A[:, j]": lambda x, y, A, B: A[:, -2],
    "A[:, :]": lambda x, y, A, B: A[:, :],
    "x.entries": lambda x, y, A, B: x.entries([0, -1, 7]),
    "A.entries": lambda x, y, A, B: A.entries([0, -1], [[1, 3, 0], [0, -1, 1]]),
    "split_modes": lambda x, y, A, B: x.split_modes(1, (2, 2)),
    "split_modes of a matrix": lambda x, y, A, B: A.split_modes(1, (2, 2), (1, 4)),
    "split_modes in one": lambda x, y, A, B: x.split_modes(1, (4,)),
    "merge_modes": lambda x, y, A, B: A.merge_modes(0, 1),
    "merge_modes of one": lambda x, y, A, B: x.merge_modes(1, 1),
    "permute_modes": lambda x, y, A, B: A.permute_modes((2, 0, 1)),
    "permute_modes not": lambda x, y, A, B: x.permute_modes((0, 1, 2)),
    "to_qtt": lambda x, y, A, B: A.to_qtt(),
    "same": lambda x, y, A, B: tt.same(x, y, 0.5),
    "same matrices": lambda x, y, A, B: tt.same(A, A.round()),
    "cost": lambda x, y, A, B: A.cost("matmul", B),
    "asarray": lambda x, y, A, B: A.to_dense(),
}


def operands(rng, dtype="f8", order=3):
    """Two tensors, two matrices; entries in [1/2, 1), which no scaling moves."""
    modes = (2, 4, 2)[:order]
    bonds = (1, 3, 2)[:order]

    def cores(n_modes):
        for r, n, s in zip(bonds, modes, (*bonds[1:], 1), strict=True):
            core = rng.uniform(0.5, 0.99, (r, *(n,) * n_modes, s))
            yield (core + 0.3j * core if dtype[0] == "c" else core).astype(dtype)

    x, y = (tt.TTTensor(list(cores(1))) for _ in range(2))
    A, B = (tt.TTMatrix(list(cores(2))) for _ in range(2))
    return x, y, A, B


def parts(result):
    """Every array of a result, and every number."""
    if hasattr(result, "cores"):
        return list(result.cores)
    if isinstance(result, tuple):
        return [piece for part in result for piece in parts(part)]
    return [result]
