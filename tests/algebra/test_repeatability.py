"""The same bits in every call, process and thread; no global randomness."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.algebra.operations import OPERATIONS, operands, parts
from tests.backends import here, host

ROOT = Path(__file__).parents[2]
PAIRS = int(os.environ.get("TTALGEBRA_PAIRS", "2"))
PER_THREAD = int(os.environ.get("TTALGEBRA_THREAD_OPERATIONS", "200"))


def bits(result):
    """The bits of every array of a result; numbers and reports as they are written."""
    return [
        piece.tobytes() if hasattr(piece, "shape") else repr(piece).encode()
        for piece in host(parts(result))
    ]


def fingerprint():
    """A digest of the bits of every result, seeded here and nowhere else."""
    digest = hashlib.sha256()
    for dtype in ("f4", "f8", "c16"):
        trains = operands(np.random.default_rng(0), dtype)
        for name, operation in OPERATIONS.items():
            digest.update(name.encode())
            digest.update(b"".join(bits(operation(*trains))))
        rounded, info = trains[2].round(tol=1e-3, return_info=True)
        for core in rounded.cores:
            digest.update(core.tobytes())
        digest.update(repr((info.error, info.ranks)).encode())
    return digest.hexdigest()


@pytest.mark.host("a digest that processes of NumPy share")
def test_same_bits_in_every_process():
    found = {fingerprint()}
    for seed in range(PAIRS):
        child = subprocess.run(
            [
                sys.executable,
                "-c",
                "from tests.algebra.test_repeatability import fingerprint\n"
                "print(fingerprint())",
            ],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT)},
        )
        found.add(child.stdout.strip())
    assert len(found) == 1


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_global_random_state_is_read_or_written(name, rng):
    """Other seeds, other states before: the same bits after."""
    trains, results = here(operands(rng)), []
    for seed in (0, 1):
        np.random.seed(seed)  # noqa: NPY002
        before = np.random.get_state()  # noqa: NPY002
        results.append(bits(OPERATIONS[name](*trains)))
        after = np.random.get_state()  # noqa: NPY002
        assert before[0] == after[0]
        assert np.array_equal(before[1], after[1])
        assert before[2:] == after[2:]
    assert results[0] == results[1]


def test_threads_share_trains(xp):
    """8 threads, each through all operations in its own order: not one bit differs."""
    trains = here(operands(np.random.default_rng(0)))
    names = list(OPERATIONS)
    expected = {name: bits(OPERATIONS[name](*trains)) for name in names}

    def work(thread):
        rng, wrong = np.random.default_rng(thread), 0
        for name in rng.choice(names, PER_THREAD if xp.is_numpy else 20):
            wrong += bits(OPERATIONS[name](*trains)) != expected[name]
        return wrong

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [0] * 8
