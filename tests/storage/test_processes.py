"""Processes that are killed while they save, or save at once, or left something."""

import json
import os
import subprocess
import time

import numpy as np
import pytest

from tests.storage.saving import NEW, child, names, save
from ttalgebra.storage import atomic, read

LONG = os.environ.get("TTALGEBRA_TEST_LONG") == "1"
KILLS = 200 if LONG else 20

KILLED = """
import json, os, random, signal, sys, time
import numpy as np
from ttalgebra.storage import read, write

path, kills = sys.argv[1], int(sys.argv[2])
rng, folder = random.Random(0), os.path.dirname(path)
values = [{"x": np.full(100_000, float(v))} for v in (0, 1)]
write(path, values[0], {})
report = []
for _ in range(kills):
    saver = os.fork()
    while saver == 0:
        for arrays in values:
            write(path, arrays, {})
    time.sleep(rng.uniform(0, 0.05))
    os.kill(saver, signal.SIGKILL)
    os.waitpid(saver, 0)
    x = read(path)[0]["x"]
    report.append([sorted({*x.tolist()}), len(os.listdir(folder)) - 1])
write(path, values[0], {})
json.dump([report, os.listdir(folder)], sys.stdout)
"""


def test_a_killed_save_leaves_the_old_or_the_new_value(tmp_path):
    done = child(KILLED, tmp_path / "f", KILLS)
    assert (done.returncode, done.stderr) == (0, "")
    report, left = json.loads(done.stdout)
    assert len(report) == KILLS
    assert {tuple(values) for values, _ in report} <= {(0.0,), (1.0,)}
    leftovers = [count for _, count in report]
    assert max(leftovers) == 1, "no kill hit a save, or leftovers add up"
    assert left == ["f"]


WRITERS = """
import os, sys
import numpy as np
from ttalgebra.storage import read, write

path, writers, saves = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def check():
    x = read(path)[0]["x"]
    assert len(x) == 10_000 and len({*x.tolist()}) == 1

def save_often(v):
    for _ in range(saves):
        write(path, {"x": np.full(10_000, float(v))}, {})
        check()

processes = []
for v in range(writers):
    process = os.fork()
    if process == 0:
        try:
            save_often(v)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    processes.append(process)
sys.exit(sum(os.waitpid(p, 0)[1] != 0 for p in processes))
"""


def test_concurrent_writers_never_fail(tmp_path):
    done = child(WRITERS, tmp_path / "f", 8, 25)
    assert (done.returncode, done.stderr) == (0, "")
    assert len({*read(tmp_path / "f")[0]["x"].tolist()}) == 1
    assert names(tmp_path) == ["f"]


@pytest.fixture
def dead_process():
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


def leftover(path, process, *, host=None, age=0.0):
    """A temporary file for ``path`` as a writer leaves it."""
    name = os.path.basename(atomic._temporary_path(str(path)))
    parts = name.split("-")
    parts[2], parts[3] = host or parts[2], str(process)
    left = path.parent / "-".join(parts)
    left.write_bytes(b"part")
    os.utime(left, (time.time() - age,) * 2)
    return left


def test_the_next_save_removes_what_a_dead_writer_left(tmp_path, dead_process):
    left = [leftover(tmp_path / "f", dead_process) for _ in range(3)]
    assert len({*left}) == 3
    save(tmp_path / "f", NEW)
    assert names(tmp_path) == ["f"]


def test_what_is_left_elsewhere_is_removed_after_a_day(tmp_path):
    leftover(tmp_path / "f", 1, host="0" * 8, age=1e5)
    young = leftover(tmp_path / "f", 1, host="0" * 8, age=1e3)
    save(tmp_path / "f", NEW)
    assert names(tmp_path) == sorted([young.name, "f"])


def test_other_files_are_never_removed(tmp_path, dead_process):
    kept = [
        leftover(tmp_path / "other", dead_process),
        leftover(tmp_path / "f", os.getpid()),
        leftover(tmp_path / "f", 1),
        tmp_path / ".ttalgebra-mine.tmp",
    ]
    kept[-1].write_bytes(b"mine")
    save(tmp_path / "f", NEW)
    assert names(tmp_path) == sorted([*(path.name for path in kept), "f"])


def test_impossible_process_numbers_count_as_dead(tmp_path):
    leftover(tmp_path / "f", 9_999_999_999)
    save(tmp_path / "f", NEW)
    assert names(tmp_path) == ["f"]


def test_leftovers_that_cannot_be_removed_do_not_matter(tmp_path, dead_process):
    path = leftover(tmp_path / "f", dead_process)
    path.unlink()
    path.mkdir()
    save(tmp_path / "f", NEW)
    assert np.array_equal(read(tmp_path / "f")[0]["x"], NEW["x"])
