"""Whoever does the work, in whatever order and however often: the same bits.

TTALGEBRA_SLOW=1 draws the number of workers 50 times and kills 20 of them.
"""

import os
import re
import time
from pathlib import Path

import numpy as np
import pytest

import ttalgebra as tt

da = pytest.importorskip("dask.array", reason="dask is not installed")
pytest.importorskip("distributed", reason="distributed is not installed")
dask = pytest.importorskip("dask")
interop = pytest.importorskip("ttalgebra.interop.dask")
tt_svd = interop.tt_svd

SLOW = os.environ.get("TTALGEBRA_SLOW") == "1"
SHAPE, SPLIT = (24, 6, 5, 8), (1, 6, 5, 8)


def same_bits(found, expected):
    """Cores and report, all of it."""
    (y, told), (x, info) = found, expected
    assert (told.error, told.norm) == (info.error, info.norm)
    pairs = zip(y.cores, x.cores, strict=True)
    return all(G.tobytes() == H.tobytes() for G, H in pairs)


def decomposed(x):
    return tt_svd(x, 0.3, return_info=True)


@pytest.fixture
def x(rng):
    return da.from_array(rng.standard_normal(SHAPE), SPLIT)


def test_any_number_of_workers(x, cluster, rng):
    counts = [1, 2, 3, 4, *(rng.integers(1, 9, 50) if SLOW else ())]
    with cluster(1) as client:
        first = decomposed(x)
        assert first[0].max_rank > 1
        for workers in map(int, counts):
            client.cluster.scale(workers)
            deadline = time.monotonic() + 60
            while len(client.nthreads()) != workers:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert same_bits(decomposed(x), first), workers


@pytest.mark.parametrize("seed", range(3))
def test_blocks_that_take_their_time(x, seed, cluster):
    """The order in which blocks are done is drawn anew for each."""
    pauses = np.random.default_rng(seed).uniform(0, 0.02, SHAPE[0])

    def late(block, block_id):
        time.sleep(pauses[block_id[0]])
        return block

    with cluster(4):
        found = decomposed(x.map_blocks(late, meta=x._meta))
    with dask.config.set(scheduler="synchronous"):
        assert same_bits(found, decomposed(x))


def test_threads_without_a_cluster(x):
    with dask.config.set(scheduler="synchronous"):
        expected = decomposed(x)
    for count in range(1, 9):
        with dask.config.set(scheduler="threads", num_workers=count):
            assert same_bits(decomposed(x), expected)


def deadly(x, block, visit, folder):
    """``x``, one of whose blocks ends the process at the given visit, once or ever."""

    def read(data, block_id):
        if block_id == block:
            before = len(list(folder.iterdir()))
            Path(folder, str(before)).touch()
            if visit in (before, "any"):
                os._exit(1)
        return data

    return x.map_blocks(read, meta=x._meta)


@pytest.mark.parametrize("run", range(10) if SLOW else [1])
@pytest.mark.parametrize("visit", [0, 1], ids=["triangle", "projection"])
def test_a_worker_killed_in_the_middle(visit, run, rng, processes, tmp_path):
    """During one of three blocks: time is lost, no bit of the result."""
    x = da.from_array(rng.standard_normal((24, 4, 5)), (8, 4, 5))
    before = set(processes.run(os.getpid).values())
    found = decomposed(deadly(x, (run % 3, 0, 0), visit, tmp_path))
    assert len(list(tmp_path.iterdir())) >= 3, "two reads, and one that was lost"
    processes.wait_for_workers(2, timeout=60)
    after = set(processes.run(os.getpid).values())
    assert len(before - after) == 1
    assert same_bits(found, decomposed(x))


def test_a_block_that_kills_is_named(rng, processes, tmp_path, monkeypatch):
    """What it does to one worker is enough here; dask would try it on four."""
    monkeypatch.setattr(processes.cluster.scheduler, "allowed_failures", 0)
    killed = pytest.importorskip("distributed").KilledWorker
    x = da.from_array(rng.standard_normal((24, 4, 5)), (8, 4, 5))
    with pytest.raises(killed, match=r"triangle-\w+', \d, 0, 0\)") as refused:
        tt_svd(deadly(x, (1, 0, 0), "any", tmp_path))
    (note,) = refused.value.__notes__
    known = r"tt_svd: worker after worker died of block \(\d, 0, 0\) of \(3, 1, 1\); "
    assert re.match(known + "give them more memory, or smaller blocks", note)
    assert isinstance(tt_svd(x), tt.TTTensor), "the other works on"


@pytest.mark.parametrize("dtype", ["f8", "c16", "f4"])
@pytest.mark.parametrize("from_right", [True, False])
def test_the_layout_in_memory_changes_no_bit(from_right, dtype, rng):
    """Arrays that travelled may lie in another order, or at odd addresses."""
    blocks = pytest.importorskip("ttalgebra.interop.dask.blocks")
    unfoldings = pytest.importorskip("ttalgebra.interop.dask.unfolding")
    unfolding = unfoldings.Unfolding(1, from_right)
    block = rng.standard_normal((64, 64)).astype(dtype)
    basis = rng.standard_normal((64, 10)).astype(dtype)

    def done(block, basis):
        part = blocks.part(block, unfolding=unfolding, block_id=(0, 0))
        left = blocks.projected(block, unfolding=unfolding, basis=basis, exponent=3)
        return part.triangle.tobytes(), part.exponent, left.tobytes()

    expected = done(block, basis)
    for layout in (np.asfortranarray, at_an_odd_address):
        assert done(layout(block), basis) == expected
        assert done(block, layout(basis)) == expected


def at_an_odd_address(x):
    odd = np.ndarray(x.shape, x.dtype, np.empty(x.nbytes + 1, "u1"), 1)
    odd[...] = x
    assert not odd.flags.aligned
    return odd
