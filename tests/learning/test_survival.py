"""A run that is killed, stopped or out of room ends in the bits of one that was not.

Each test starts processes of half a second. TTALGEBRA_TEST_LONG kills 50 of them, and
signals 50, instead of 4 and 4.
"""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.backends import host
from tests.learning import survivor
from ttalgebra.learning import Checkpoint
from ttalgebra.storage import read

pytestmark = pytest.mark.host("processes, and files on the host")
TIMES = 50 if os.environ.get("TTALGEBRA_TEST_LONG") else 4
ROOT = Path(__file__).parents[2]


def bits(model):
    return {name: a.tobytes() for name, a in host(model.arrays).items()}


@pytest.fixture(scope="module")
def whole():
    """The run that nothing happens to: its bits, its losses."""
    model, history = survivor.run()
    return bits(model), history["loss"], history["validation_loss"]


def assert_same(found, whole):
    model, history = found
    assert (bits(model), history["loss"], history["validation_loss"]) == whole


def assert_logged(folder, history):
    """Every epoch once, in order, in the numbers of the history."""
    lines = (folder / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == list(history.records)
    with open(folder / "log.csv", newline="") as file:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    assert rows == list(history.records)


def child(*arguments):
    command = [sys.executable, "-W", "error", "-m", "tests.learning.survivor"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    default = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # not ignored, as by nohup
    try:
        return subprocess.Popen(
            [*command, *map(str, arguments)],
            env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, default)


def wait_for(process, path):
    deadline = time.monotonic() + 60
    while not path.exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)


def place(checkpoint):
    """Epochs and batches that are done, by the newest file."""
    header = read(checkpoint.files()[-1])[1]
    return header["epoch"], header["partial"]["batch"]


def test_killed_at_random_moments(tmp_path, whole):
    draw, kills, run, places = random.Random(0), 0, 0, set()
    reach = 0.35  # seconds; on a machine with other work a run gets less far in them
    while kills < TIMES or len(places) <= TIMES // 4:
        assert kills < 10 * TIMES
        folder = tmp_path / f"run{run}"
        (folder / "started").unlink(missing_ok=True)
        with child(folder) as process:
            wait_for(process, folder / "started")
            time.sleep(draw.uniform(0.0, reach))
            process.kill()
            process.communicate(timeout=60)
        kills += process.returncode == -signal.SIGKILL
        before = len(places)
        if Checkpoint(folder).files():
            places.add(place(Checkpoint(folder)))
        if len(places) == before:
            reach *= 1.5 if process.returncode else 1 / 1.5
        if process.returncode == 0 or kills == TIMES or kills % 4 == 0:
            found = survivor.run(folder, resume=True)
            assert_same(found, whole)
            assert_logged(folder, found[1])
            run += 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_finish_the_step_and_save_once(tmp_path, whole, number):
    draw, stopped = random.Random(int(number)), 0
    for k in range(TIMES // 2):
        folder = tmp_path / f"run{k}"
        with child(folder, "plain") as process:
            wait_for(process, folder / "log.csv")  # the signals are held by then
            time.sleep(draw.uniform(0.0, 0.15))
            process.send_signal(number)
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (128 + number, "")
        checkpoint = Checkpoint(folder)
        epoch, batch = place(checkpoint)
        assert len(checkpoint.files()) == epoch + (batch > 0)
        stopped += epoch < survivor.EPOCHS
        found = survivor.run(folder, resume=True)
        assert_same(found, whole)
        assert_logged(folder, found[1])
    assert stopped


def test_a_full_disk_leaves_what_was_saved(tmp_path, whole):
    with child(tmp_path, "full") as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "not saved" in err
    (path,) = Checkpoint(tmp_path).files()
    assert read(path)[1]["epoch"] == 1
    assert not list(tmp_path.glob(".*"))
    found = survivor.run(tmp_path, resume=True)
    assert_same(found, whole)
    assert_logged(tmp_path, found[1])
