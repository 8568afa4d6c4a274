"""Random layers and batches as tensors, and the same map as PyTorch would do it."""

from math import prod

import torch

LETTERS = "abcdefgh", "ijklmnop", "qrstuvwx"  # ranks, rows, columns


def draw(rng, dtype=torch.float64, *, integers=False, most=4):
    """Cores and a batch: d, modes, ranks and samples from 1 to ``most`` (or 0)."""
    d = rng.integers(1, most + 1)
    modes = rng.integers(1, most + 1, size=(d, 2))
    ranks = [1, *rng.integers(1, most + 1, size=d - 1), 1]
    shapes = [
        (r, m, n, s) for (m, n), r, s in zip(modes, ranks, ranks[1:], strict=False)
    ]
    shapes.append((rng.integers(0, most), prod(map(int, modes[:, 1]))))
    draws = [numbers(rng, shape, dtype, integers=integers) for shape in shapes]
    return draws[:-1], draws[-1]


def numbers(rng, shape, dtype, *, integers=False):
    """Normal entries, or integers from -3 to 3."""

    def real():
        whole = rng.integers(-3, 4, size=shape).astype(float)
        return torch.tensor(whole if integers else rng.standard_normal(shape))

    drawn = torch.complex(real(), real()) if dtype.is_complex else real()
    return drawn.to(dtype)


def plain(cores, x):
    """``x W^T`` in one einsum, of which autograd makes what it likes."""
    ranks, rows, columns = LETTERS
    d = len(cores)
    terms = [ranks[k] + rows[k] + columns[k] + ranks[k + 1] for k in range(d)]
    terms.append("z" + columns[:d])
    ends = [torch.ones(1, dtype=x.dtype)] * 2
    subscripts = ",".join([*terms, ranks[0], ranks[d]]) + "->z" + rows[:d]
    split = x.reshape(x.shape[0], *(core.shape[2] for core in cores))
    return torch.einsum(subscripts, *cores, split, *ends).flatten(1)


def same(found, wanted, tol=0.0):
    """Whether ``norm(found - wanted) <= tol norm(wanted)``, in one shape and dtype."""
    assert found.shape == wanted.shape
    assert found.dtype == wanted.dtype
    size = torch.linalg.vector_norm
    return bool(size(found - wanted) <= tol * size(wanted))
