"""What ``ttalgebra bench`` measures: each operation beside its textbook form."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import ttalgebra as tt
from ttalgebra.cli.bench import least
from ttalgebra.cli.bench.workload import OURS, Workload

Modes = tuple[int, ...]

ROWS, COLUMNS = (4,) * 6, (2, 7, 8, 8, 7, 4)  # Novikov et al. (2015), Table 2


def workloads() -> Iterator[Workload]:
    """A TT-layer and its gradients, a TT-SVD, a rounding."""
    yield from layer(ROWS, COLUMNS, 100)
    yield tt_svd(8, 7)
    yield rounding(20)


def layer(rows: Modes, columns: Modes, batch: int) -> Iterator[Workload]:
    """Forward, and forward with all gradients, beside the dense matrix."""
    rng = np.random.default_rng(0)
    A = tt.random_matrix(rows, columns, 4, rng=rng, dtype="f4")
    X = rng.standard_normal((batch, A.shape[1]), dtype=np.float32)
    W = np.ascontiguousarray(A.to_dense().T)
    wanted = X.astype("f8") @ W
    moved = 4.0 * batch * sum(A.shape)
    flops = float(batch * least.sweep(A))
    name = f"TT-layer {A.shape[1]} -> {A.shape[0]}, ranks 4, batch {batch}"
    calls = {OURS: lambda: A.apply(X), "dense": lambda: X @ W}
    yield Workload(name, calls, _against(wanted), 1e-4, flops, moved, "f4")

    def gradients() -> np.ndarray:
        y, pullback = A.vjp(X)
        return np.asarray(pullback(y)[1])

    def dense() -> np.ndarray:
        y = X @ W
        _ = X.T @ y  # the gradient of the weight
        return np.asarray(y @ W.T)

    calls = {OURS: gradients, "dense": dense}
    error = _against(wanted @ W.T.astype("f8"))
    yield Workload(name + ", gradients", calls, error, 1e-4, 3 * flops, 3 * moved, "f4")


def tt_svd(n: int, order: int) -> Workload:
    """A tensor of known ranks, beside Algorithm 1 as it is written."""
    tensor = tt.random_tensor((n,) * order, 10, rng=0).to_dense()
    size = tensor.size
    calls = {
        OURS: lambda: tt.TTTensor.from_dense(tensor, tol=1e-8),
        "textbook": lambda: tt.TTTensor(_textbook_svd(tensor, 1e-8)),
    }
    flops = 2.0 * size * (n + 10)
    name = f"TT-SVD of {n}^{order} doubles to ranks of 10"
    return Workload(
        name, calls, _of_ranks(10, _dense_error(tensor)), 1e-8, flops, 16.0 * size
    )


def rounding(order: int) -> Workload:
    """Twice a train, whose ranks are half of those of the sum, beside Algorithm 2."""
    x = tt.random_tensor((20,) * order, 30, rng=0)
    double = x + x
    calls = {
        OURS: lambda: double.round(tol=1e-8),
        "textbook": lambda: tt.TTTensor(_textbook_round(double.cores, 1e-8)),
    }

    def error(found: tt.TTTensor) -> float:
        return float((found - double).norm() / double.norm())

    flops = least.rounding(double, 30)
    moved = 8.0 * order * 20 * (60**2 + 30**2)
    name = f"rounding {order} cores of 20, ranks 60 -> 30"
    return Workload(name, calls, _of_ranks(30, error), 1e-8, flops, moved)


def _textbook_svd(tensor: np.ndarray, tol: float) -> list[np.ndarray]:
    """Oseledets (2011), Algorithm 1, as it is written."""
    delta = tol * np.sqrt((tensor**2).sum() / (tensor.ndim - 1))
    cores, rest, rank = [], tensor, 1
    for n in tensor.shape[:-1]:
        u, s, vh = np.linalg.svd(rest.reshape(rank * n, -1), full_matrices=False)
        kept = _kept(s, delta)
        cores.append(u[:, :kept].reshape(rank, n, kept))
        rest, rank = s[:kept, None] * vh[:kept], kept
    return [*cores, rest.reshape(rank, -1, 1)]


def _textbook_round(cores: Any, tol: float) -> list[np.ndarray]:
    """Oseledets (2011), Algorithm 2, as it is written."""
    found = list(cores)
    for k in range(len(found) - 1, 0, -1):
        q, r = np.linalg.qr(found[k].reshape(found[k].shape[0], -1).T)
        found[k] = q.T.reshape(-1, *found[k].shape[1:])
        found[k - 1] = np.tensordot(found[k - 1], r, axes=(-1, 1))
    delta = tol * np.sqrt((found[0] ** 2).sum() / (len(found) - 1))
    for k in range(len(found) - 1):
        shape = found[k].shape
        u, s, vh = np.linalg.svd(found[k].reshape(-1, shape[-1]), full_matrices=False)
        kept = _kept(s, delta)
        found[k] = u[:, :kept].reshape(*shape[:-1], kept)
        found[k + 1] = np.tensordot(s[:kept, None] * vh[:kept], found[k + 1], axes=1)
    return found


def _kept(s: np.ndarray, delta: float) -> int:
    tails = np.sqrt(np.cumsum(s[::-1] ** 2)[::-1])
    return max(1, int((tails > delta).sum()))


def _against(wanted: np.ndarray) -> Any:
    size = np.sqrt((wanted**2).sum())
    return lambda found: np.sqrt(((found - wanted) ** 2).sum()) / size


def _dense_error(tensor: np.ndarray) -> Any:
    error = _against(tensor)
    return lambda found: error(found.to_dense())


def _of_ranks(rank: int, error: Any) -> Any:
    """``error``, infinite where a rank is larger than right."""
    return lambda found: error(found) if found.max_rank <= rank else np.inf
