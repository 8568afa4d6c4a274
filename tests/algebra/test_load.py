"""Many additions with rounding: rank known, error accounted for, memory flat (G7)."""

import gc
import math
import os
import tracemalloc

import numpy as np

import ttalgebra as tt
from tests.backends import here, host

ADDITIONS = int(os.environ.get("TTALGEBRA_ADDITIONS", "700"))
TOL = 1e-10
MODES = (4, 5, 4)
RANK = 3


def basis():
    """Orthonormal vectors of each mode: terms live in a space of known rank."""
    rng = np.random.default_rng(0)
    return [np.linalg.qr(rng.standard_normal((n, RANK)))[0] for n in MODES]


def test_additions_with_rounding(xp):
    """``sum_t c_t u_k(t) x v_k(t) x w_k(t)``: rank 3, coefficients summed by hand."""
    additions = ADDITIONS if xp.is_numpy else 60
    U, rng = basis(), np.random.default_rng(1)
    cores = [[u[:, k].reshape(1, -1, 1) for u in U] for k in range(RANK)]
    terms = [tt.TTTensor(here(term)) for term in cores]
    total, exact, allowed = 0 * terms[0], [[] for _ in range(RANK)], 0.0
    tracemalloc.start()
    memory = []
    for step in range(additions):
        k, c = step % RANK, float(rng.uniform(0.5, 1.5))
        exact[k].append(c)
        total, info = (total + c * terms[k]).round(tol=TOL, return_info=True)
        assert total.max_rank <= RANK
        allowed += info.error * info.norm
        assert info.error <= TOL
        if step % max(1, additions // 20) == 0:
            gc.collect()
            memory.append(tracemalloc.get_traced_memory()[0])
    exact_bytes = 40 * additions  # the coefficients that this test itself keeps
    tracemalloc.stop()
    sums = [math.fsum(c) for c in exact]
    wanted = sum(c * host(t.to_dense()) for c, t in zip(sums, terms, strict=True))
    error = math.hypot(*(host(total.to_dense()) - wanted).ravel())
    size = math.hypot(*sums)
    roundoff = 30 * additions * 2.2e-16 * sum(MODES) * RANK * size
    assert error <= allowed + roundoff
    assert error <= additions * TOL * size
    assert total.ranks == (1, RANK, RANK, 1)
    if xp.is_numpy:  # tracemalloc sees what NumPy allocates, nobody else
        assert memory[-1] - memory[5] <= exact_bytes + 100_000
