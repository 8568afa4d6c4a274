"""The TT-layer on dense batches, forward and with all gradients, beside its peers.

Peers contract the same cores: one torch.einsum, whose path opt_einsum searches in every
call; torch.matmul core by core, and the same by torch.tensordot; jax.jit of the latter;
torchTT; and the dense weight. The least work is that of the cheapest sweep over cores,
alone or merged, three times that with gradients; samples are read and results written.

"To dense" compares with the dense weight alone.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import prod
from typing import Any

import numpy as np

import ttalgebra as tt
from ttalgebra.cli.bench import Workload, least, main

Call = Callable[[], Any]
VGG = (4,) * 6, (2, 7, 8, 8, 7, 4)
SQUARE = (4,) * 5, (4,) * 5
WIDE = (8,) * 6, (4, 4, 4, 4, 4, 3)


def workloads(quick: bool) -> Iterator[Workload]:
    """The layers of the table in docs/speed.md; ``quick`` takes smaller batches."""
    bars = {1: (0.8, 0.01), 100: (0.7, 0.1), 1000: (0.35, 0.125)}
    for n in (1, 100) if quick else bars:
        for rank in (1, 2, 4):
            case = Case(*VGG, rank, n)
            yield case.forward(bars[n][0])
        yield case.forward(bars[n][1], only=("dense",))
    yield Case(*SQUARE, 8, 100).forward(0.9, 1.5)
    yield Case(*WIDE, 8, 4 if quick else 100).forward(0.8, 3)
    yield Case(*VGG, 4, 10 if quick else 100).gradients(0.8, 3)
    yield Case(*SQUARE, 8, 100).gradients(0.9, 1.7)
    if not quick:
        yield Case(*VGG, 4, 1000).gradients(0.5, 5)
        yield Case(*WIDE, 8, 100).gradients(0.8, 2.5)


def growth(quick: bool) -> Iterator[Workload]:
    """By batch: the first layer of VGG at rank 4, forward and with all gradients."""
    cases = [Case(*VGG, 4, n) for n in (1, 4, 16, 64, 256, 1024)[: 4 if quick else 6]]
    series = "TT-layer 25088 -> 4096, rank 4"
    for case in cases:
        yield case.forward().along(series, case.batch, "samples")
    for case in cases:
        yield case.gradients().along(f"{series}, with gradients", case.batch, "samples")


@dataclass(frozen=True)
class Case:
    """A random float32 layer and ``batch`` samples in rows."""

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    rank: int
    batch: int

    @property
    def name(self) -> str:
        """Sizes, rank and batch."""
        M, N = prod(self.rows), prod(self.columns)
        return f"{N} -> {M}, rank {self.rank}, batch {self.batch}"

    def drawn(self) -> tuple[tt.TTMatrix, np.ndarray, np.ndarray]:
        """The weight, samples, and cotangents of the result."""
        rng = np.random.default_rng(0)
        A = tt.random_matrix(self.rows, self.columns, self.rank, rng=rng, dtype="f4")
        M, N = A.shape
        X, dY = (rng.standard_normal((self.batch, n), np.float32) for n in (N, M))
        return A, X, dY

    def forward(
        self,
        best: float | None = None,
        limit: float | None = None,
        only: Sequence[str] = (),
    ) -> Workload:
        """``y = x W^T`` for every sample."""
        A, X, _ = self.drawn()
        few = X[:2].astype("f8")
        wanted = by_matmul([core.astype("f8") for core in A.cores], few)
        calls = {"ttalgebra": lambda: A.apply(X)} | peers(A, X)
        kept = {name: calls[name] for name in calls if name in ("ttalgebra", *only)}
        return Workload(
            f"{self.name}{', to dense' if only else ''}",
            kept if only else calls,
            lambda y: apart(np.asarray(y)[: len(few)], wanted),
            1e-5,
            flops=self.batch * least.sweep(A),
            bytes=4.0 * self.batch * sum(A.shape),
            dtype="f4",
            best=best,
            limit=limit,
        )

    def gradients(
        self, best: float | None = None, limit: float | None = None
    ) -> Workload:
        """Forward, and all gradients of ``sum(dy * y)``."""
        A, X, dY = self.drawn()
        return Workload(
            f"{self.name}, with gradients",
            {"ttalgebra": lambda: A.vjp(X)[1](dY)} | gradient_peers(A, X, dY),
            lambda found: gradient_error(A, X, dY, found),
            1e-4,
            flops=3 * self.batch * least.sweep(A),
            bytes=8.0 * self.batch * sum(A.shape),
            dtype="f4",
            best=best,
            limit=limit,
        )


def peers(A: tt.TTMatrix, X: np.ndarray) -> dict[str, Call]:
    """Those that are installed, forward."""
    calls: dict[str, Call] = {}
    if find_spec("torch"):
        import torch

        cores, x = [torch.tensor(core) for core in A.cores], torch.tensor(X)
        calls |= {
            name: lambda f=f: f(cores, x)
            for name, f in {
                "einsum": torch_einsum(A),
                "matmul": by_matmul,
                "tensordot": lambda cores, x: by_tensordot(torch, cores, x),
            }.items()
        }
        if find_spec("torchtt"):
            import torchtt

            W, digits = torchtt.TT(cores), x.reshape(-1, *A.col_modes)
            calls["torchtt"] = lambda: (W @ digits).reshape(len(X), -1)
        if prod(A.shape) < 2**28:
            dense = torch.tensor(A.to_dense())
            calls["dense"] = lambda: x @ dense.T
    if find_spec("jax"):
        import jax

        leaves = [jax.numpy.asarray(core) for core in A.cores]
        compiled = jax.jit(lambda cores, x: by_tensordot(jax.numpy, cores, x))
        there = jax.numpy.asarray(X)
        calls["jax.jit"] = lambda: compiled(leaves, there).block_until_ready()
    return calls


def gradient_peers(A: tt.TTMatrix, X: np.ndarray, dY: np.ndarray) -> dict[str, Call]:
    """Those that are installed; each returns the gradients of the cores and of x."""
    calls: dict[str, Call] = {}
    if find_spec("torch"):
        import torch

        cores = [torch.tensor(core, requires_grad=True) for core in A.cores]
        x, dy = torch.tensor(X, requires_grad=True), torch.tensor(dY)

        def gradients(f: Callable[..., Any]) -> Any:
            *dcores, dx = torch.autograd.grad(f(cores, x), [*cores, x], dy)
            return dcores, dx

        einsum = torch_einsum(A)
        calls["einsum"] = lambda: gradients(einsum)
        calls["matmul"] = lambda: gradients(by_matmul)
        if prod(A.shape) < 2**28:
            dense = torch.tensor(A.to_dense(), requires_grad=True)
            calls["dense"] = lambda: torch.autograd.grad(x @ dense.T, [dense, x], dy)
    if find_spec("jax"):
        import jax

        leaves = [jax.numpy.asarray(core) for core in A.cores]

        @jax.jit
        def both(cores: Any, x: Any, dy: Any) -> Any:
            y, pull = jax.vjp(lambda *a: by_tensordot(jax.numpy, *a), cores, x)
            return y, *pull(dy)

        there, back = jax.numpy.asarray(X), jax.numpy.asarray(dY)
        calls["jax.jit"] = lambda: jax.block_until_ready(both(leaves, there, back))[1:]
    return calls


def letters(A: tt.TTMatrix) -> str:
    """All cores and a batch in one string, as einsum wants it."""
    d = A.order
    names = [chr(ord("a") + k) for k in range(26)] + [chr(65 + k) for k in range(26)]
    i, j, r, n = names[:d], names[d : 2 * d], names[2 * d : 3 * d + 1], names[3 * d + 1]
    cores = [r[k] + i[k] + j[k] + r[k + 1] for k in range(d)]
    return f"{','.join(cores)},{n}{''.join(j)}->{n}{''.join(i)}"


def torch_einsum(A: tt.TTMatrix) -> Callable[..., Any]:
    """All cores in one call."""
    import torch

    modes, text = A.col_modes, letters(A)
    return lambda cores, x: torch.einsum(text, *cores, x.reshape(-1, *modes)).reshape(
        len(x), -1
    )


def by_matmul(cores: Sequence[Any], x: Any) -> Any:
    """Core by core from the last: (samples and columns to come, (j, b), rows done)."""
    state, done = x, 1
    for core in reversed(cores):
        a, i, j, b = core.shape
        state = core.reshape(a * i, j * b) @ state.reshape(-1, j * b, done)
        done *= i
    return state.reshape(len(x), -1)


def by_tensordot(xp: Any, cores: Sequence[Any], x: Any) -> Any:
    """Core by core from the first: digits leave at the front, and come at the end."""
    state = x.T.reshape(1, -1)
    for core in cores:
        a, _, j, _ = core.shape
        state = xp.tensordot(core, state.reshape(a, j, -1), ([0, 2], [0, 1]))
        i, b, t = state.shape
        state = xp.moveaxis(state, 0, -1).reshape(b, t * i)
    return state.reshape(len(x), -1)


def apart(found: np.ndarray, wanted: np.ndarray) -> float:
    """The relative error."""
    return size(found - wanted) / size(wanted)


def size(x: np.ndarray) -> float:
    """The Frobenius norm."""
    return float(np.vdot(x, x).real ** 0.5)


def gradient_error(A: tt.TTMatrix, X: np.ndarray, dY: np.ndarray, found: Any) -> float:
    """Of ``dx`` in double precision; of each core by ``sum dG * G = sum dy * y``."""
    dcores, dX = found
    turned = [core.astype("f8").swapaxes(1, 2) for core in A.cores]
    wanted = by_matmul(turned, dY[:2].astype("f8"))
    errors = [apart(np.asarray(dX)[:2], wanted)]
    if isinstance(dcores, Sequence):
        y, dy = A.apply(X).astype("f8"), dY.astype("f8")
        scale = size(y) * size(dy)
        for dG, G in zip(dcores, A.cores, strict=True):
            inner = np.vdot(np.asarray(dG, "f8"), G)
            errors.append(abs(inner - np.vdot(dy, y)) / scale)
    return float(max(errors))


if __name__ == "__main__":
    sys.exit(main(__doc__, workloads, growth))
