"""Safetensors files change whole or not at all, and long trains take linear time."""

import errno
import json
import os
import time
import timeit

import numpy as np
import pytest

import ttalgebra as tt
from tests.storage import saving
from tests.storage.saving import NEW, OLD, child, names, save, value
from tests.storage.test_atomic import FULL_DISK, outcomes
from tests.storage.test_processes import KILLED, KILLS, WRITERS
from ttalgebra.storage import read

NAME = "f.safetensors"
FORMATS = ("f.npz", NAME)
CORES = 10_000


@pytest.fixture
def path(tmp_path):
    return tmp_path / NAME


FAULTS = [OSError(code, "injected") for code in (errno.EIO, errno.ENOSPC)]
FAULTS += [KeyboardInterrupt(), MemoryError()]


@pytest.mark.parametrize("error", FAULTS, ids=repr)
def test_a_fault_at_any_call_leaves_old_or_new(path, monkeypatch, error):
    count = 0
    for done, caught in outcomes(path, monkeypatch, error):
        count += 1
        assert type(caught) is type(error)
        assert value(path) == ("replace" in done[:-1])
        assert names(path.parent) == [NAME]
    assert count >= 10
    assert value(path) == 1
    assert path.read_bytes()[8:9] == b"{"


def test_the_data_reach_the_disk_before_the_name(path, monkeypatch):
    with monkeypatch.context() as patch:
        calls = saving.FailingAt(patch, 0, OSError()).done
        save(path, NEW)
    order = [name for name in calls if name not in ("write", "close")]
    assert order == ["open", "fsync", "replace", "open", "fsync"]


@pytest.mark.parametrize("limit", [0, 1, 100, 4096, 8192])
def test_a_full_disk_leaves_the_old_file(path, limit):
    save(path, OLD)
    assert child(FULL_DISK, path, limit).returncode == 3
    assert value(path) == 0
    assert names(path.parent) == [NAME]


def test_a_killed_save_leaves_the_old_or_the_new_value(path):
    done = child(KILLED, path, KILLS)
    assert (done.returncode, done.stderr) == (0, "")
    report, left = json.loads(done.stdout)
    assert len(report) == KILLS
    assert {tuple(values) for values, _ in report} <= {(0.0,), (1.0,)}
    assert max(count for _, count in report) <= 1
    assert left == [NAME]


def test_concurrent_writers_never_fail(path):
    done = child(WRITERS, path, 8, 25)
    assert (done.returncode, done.stderr) == (0, "")
    assert len({*read(path)[0]["x"].tolist()}) == 1
    assert names(path.parent) == [NAME]


def chain(d):
    """``d`` complex cores of rank 2, transposed, as no file holds them."""
    return tt.random_matrix((2,) * d, (2,) * d, 2, dtype=np.complex128, rng=0).T


def seconds(action):
    """Of the processor, the best of six; `timeit` keeps the garbage collector out."""
    return min(timeit.repeat(action, timer=time.process_time, repeat=6, number=1))


@pytest.mark.parametrize("name", FORMATS)
def test_ten_thousand_cores_take_linear_time(tmp_path, name):
    """Issue 3, G7: ten times the cores in less than fifteen times the time."""
    path = tmp_path / name
    tries = []
    for _ in range(3):  # what else the machine does makes a time longer
        taken = {}
        for d in (CORES // 10, CORES):
            x = chain(d)
            taken[d] = np.array([seconds(lambda x=x: x.save(path)), 0.0])
            taken[d][1] = seconds(lambda: tt.load(path))
            assert tt.load(path).ranks == x.ranks
        if (taken[CORES] < 15 * taken[CORES // 10]).all():
            return
        tries.append(taken)
    pytest.fail(f"seconds to save and load: {tries}")
    assert (taken[CORES] < 10).all(), taken


MEMORY = """
import sys
from pathlib import Path
import ttalgebra as tt

def resident(which):
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split(which)[1].split()[0])

path, action = sys.argv[1:]
if action == "save":
    modes = (4,) * 10_000
    x = tt.random_matrix(modes, modes, 14, rng=0).T
else:
    tt.ones((2, 2)).save(path + ".other"), tt.load(path + ".other")
Path("/proc/self/clear_refs").write_text("5")  # the peak is measured from here
before = resident("VmRSS:")
x.save(path) if action == "save" else tt.load(path)
print(resident("VmHWM:") - before)
"""


@pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK), reason="no peak without Linux"
)
@pytest.mark.parametrize("name", FORMATS)
def test_ten_thousand_cores_take_the_memory_of_the_file(tmp_path, name):
    """G7: below 1.2 times the file, the loaded cores included; saving, 0.2 times."""
    path = tmp_path / name
    done = child(MEMORY, path, "save")
    assert done.returncode == 0, done.stderr
    size = os.path.getsize(path)
    assert size > 2.5e8
    assert int(done.stdout) < 0.2 * size
    done = child(MEMORY, path, "load")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 1.2 * size
