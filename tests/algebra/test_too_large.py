"""Results that no memory holds are refused before they are paid, in a small child."""

import subprocess
import sys
import time

import numpy as np
import pytest

import ttalgebra as tt
from tests import made
from tests.backends import here

SETUP = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
import numpy as np, ttalgebra as tt
C = tt.TTMatrix.from_diagonal
def chain(*ranks, n=1, kind=tt.TTTensor):
    sizes = (n,) if kind is tt.TTTensor else (n, n)
    return kind([np.ones((r, *sizes, s)) for r, s in zip((1, *ranks), (*ranks, 1))])
x, y = chain(2**20, 1), chain(1, 2**20)
wide = chain(2**14, 1, n=2)
A, B = chain(2**20, 1, kind=tt.TTMatrix), chain(1, 2**20, kind=tt.TTMatrix)
long = tt.ones((2,) * 60)
"""
CALLS = {
    "+": "x + y",
    "-": "A - B",
    "hadamard": "chain(2**10, 2**10, n=4) * chain(2**10, 2**10, n=4)",
    "hadamard of matrices": "chain(3000, 1, kind=tt.TTMatrix, n=9).hadamard("
    "chain(20000, 1, kind=tt.TTMatrix, n=9))",
    "@": "chain(2**8, 2**8, kind=tt.TTMatrix) @ chain(2**8, 2**8, kind=tt.TTMatrix)",
    "concatenate": "tt.concatenate([x, y])",
    "concatenate matrices": "tt.concatenate([A, B], axis=1, site=2)",
    "from_diagonal": "C(tt.ones((2**16, 2)))",
    "merge_modes": "long.merge_modes(0, 59)",
    "merge_modes of a matrix": "C(long).merge_modes(0, 30)",
    "entries": "x.entries([0] * 2**12)",
    "asarray": "np.asarray(C(long))",
}


@pytest.mark.host("sizes are counted before any library is asked, in a child of NumPy")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_refused_before_it_is_allocated(call):
    program = f"""{SETUP}
try:
    {call}
except tt.errors.TooLargeError as error:
    print("refused", error)
"""
    child = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert child.stdout.startswith("refused"), child.stderr[-300:]
    assert "limit" in child.stdout
    assert ";" in child.stdout, "the way out is missing"


def test_refused_at_once(xp):
    x, y = (
        tt.TTTensor(here([np.ones((1, 1, r)), np.ones((r, 1, s)), np.ones((s, 1, 1))]))
        for r, s in ((2**17, 1), (1, 2**17))
    )
    for call in (lambda: x + y, lambda: x * (x + x)[..., :1] + y):
        for compiled in (xp.name != "jax", True):
            start = time.perf_counter()
            with pytest.raises(tt.errors.TooLargeError):
                call()
            assert time.perf_counter() - start < 0.5 or not compiled


def test_what_is_just_small_enough_is_made():
    """The limit is on the result: 2 GiB, which nothing here comes near."""
    x = tt.TTTensor(here([np.ones((1, 1, 1000)), np.ones((1000, 1, 1))]))
    assert (x * made.ones((1, 1))).max_rank == 1000
    assert (x + x).sum() == 2000
