"""Blocks side by side: the same bits in the same order, and BLAS as it was."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import ttalgebra as tt
from ttalgebra.arrays import config
from ttalgebra.cores.sweep import plan, run, threads

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.host("blocks and threads are NumPy's")


@pytest.fixture
def two(monkeypatch):
    """Two threads, and any work is worth them."""
    pytest.importorskip("threadpoolctl", reason="without it there are no threads")
    monkeypatch.setattr(threads, "threads", lambda: 2)
    monkeypatch.setattr(threads._Single, "allowed", lambda self: 2)
    monkeypatch.setattr(plan, "WORTH", 0)
    monkeypatch.setattr(plan, "LARGE", 0)


def blas_threads():
    return [lib.num_threads for lib in threads._limiter().lib_controllers]


def layer(n=400):
    rng = np.random.default_rng(0)
    A = tt.random_matrix((4,) * 5, (4,) * 5, 8, rng=rng)
    return A, rng.standard_normal((n, 1024)), rng.standard_normal((n, 1024))


def test_results_come_in_the_order_of_the_items(two):
    turn = threading.Event()

    def slow_first(k):
        if k == 0:
            assert turn.wait(30)
        turn.set()
        return k, threading.get_ident()

    found = list(threads.in_order(slow_first, range(9)))
    assert [k for k, _ in found] == list(range(9))
    assert threading.get_ident() not in {ident for _, ident in found}


@pytest.mark.parametrize("rows", [True, False])
def test_the_bits_are_those_of_one_thread(two, monkeypatch, rows):
    A, X, dY = layer()
    X, dY = (X, dY) if rows else (X.T.copy(), dY.T.copy())

    def both():
        y, pullback = run.vjp(A.cores, X, rows=rows)
        dcores, dX = pullback(dY)
        return run.apply(A.cores, X, rows=rows), y, *dcores, dX

    side_by_side = both()
    monkeypatch.setattr(threads, "threads", lambda: 1)
    for one, two_ in zip(both(), side_by_side, strict=True):
        assert np.array_equal(one, two_)


def test_blas_gets_its_threads_back(two):
    before, seen = blas_threads(), []

    def fails(k):
        seen.append(blas_threads())
        if k == 3:
            raise KeyError(k)
        return k

    with pytest.raises(KeyError):
        list(threads.in_order(fails, range(9)))
    assert all(count == 1 for counts in seen for count in counts)
    assert blas_threads() == before
    with threads._SINGLE.threaded(), threads._SINGLE.threaded():
        pass
    assert blas_threads() == before


def test_nan_stays_in_its_sample_without_a_warning(two):
    A, X, _ = layer()
    X[7, 3] = np.inf
    y = A.apply(X)
    assert np.isfinite(np.delete(y, 7, axis=0)).all()
    assert not np.isfinite(y[7]).all()


def test_without_threadpoolctl_nothing_is_threaded(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    monkeypatch.setattr(threads, "threads", lambda: 2)
    threads._limiter.cache_clear()
    found = list(threads.in_order(lambda _: threading.get_ident(), range(3)))
    threads._limiter.cache_clear()
    assert set(found) == {threading.get_ident()}


def test_only_large_steps_are_threaded():
    A = tt.random_matrix((4,) * 6, (2, 7, 8, 8, 7, 4), 4, rng=0, dtype="f4")
    assert A.plan(1000, gradients=True).has_large_steps
    assert not A.plan(1).has_large_steps
    thin = tt.random_matrix((4,) * 6, (2, 7, 8, 8, 7, 4), 1, rng=0, dtype="f4")
    assert not thin.plan(1000).has_large_steps


def test_as_many_threads_as_blas_may_use(monkeypatch):
    for name in config.THREADS:
        monkeypatch.delenv(name, raising=False)
    every = config.threads()
    assert every >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "as many")
    monkeypatch.setenv("MKL_NUM_THREADS", "0")
    assert config.threads() == every
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    assert config.threads() == 1


def test_a_caller_that_limits_blas_limits_these(monkeypatch):
    threadpoolctl = pytest.importorskip("threadpoolctl", reason="nothing to limit")
    monkeypatch.setattr(threads, "threads", lambda: 2)
    with threadpoolctl.threadpool_limits(1):
        found = list(threads.in_order(lambda _: threading.get_ident(), range(3)))
    assert set(found) == {threading.get_ident()}


def test_threads_know_what_their_caller_ignores_and_asks_for(two):
    A, X, _ = layer()
    X = np.full_like(X, 1e308)
    with np.errstate(over="ignore"):
        assert not np.isfinite(A.apply(X)).all()
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        A.apply(X)


PROGRAM = """
import atexit, os, threading, time
import numpy as np
from ttalgebra.cores.sweep import threads

threads.threads = lambda: 2
threads._SINGLE.allowed = lambda: 2

def work():
    return list(threads.in_order(lambda k: k, range(9))) == list(range(9))
"""
ENDINGS = {
    "in a child": """
with threads._SINGLE.threaded():
    if (child := os.fork()) == 0:
        threads._SINGLE.__class__.allowed = lambda self: 2
        os._exit(0 if work() and threads._SINGLE.inside == 0 else 1)
    print(os.waitpid(child, 0)[1] == 0)
""",
    "at exit": """
work()
atexit.register(lambda: print(work()))
""",
    "after the main thread": """
threading.Thread(target=lambda: (time.sleep(0.2), print(work()))).start()
""",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_products_go_on(ending):
    """Where a child has no threads, where the interpreter gives no more of them."""
    pytest.importorskip("threadpoolctl", reason="without it there are no threads")
    if "fork" in ENDINGS[ending] and not hasattr(os, "fork"):
        pytest.skip("there is no fork here")
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM + ENDINGS[ending]]
    found = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (found.stdout, found.returncode) == ("True\n", 0), found.stderr
