"""A small run of training in a process of its own, to be stopped in every way.

``python -m tests.learning.survivor FOLDER`` begins the run in the folder, or goes on
with it, once it has made a file ``started`` there. With ``plain`` it is saved after
epochs alone, all are kept; with ``full``, also no file grows above 2000 bytes after
the second epoch.
"""

import resource
import sys
import time
from pathlib import Path

import numpy as np

from ttalgebra.layers import BatchNorm, Dense, Dropout, ReLU, Sequential, TTLinear
from ttalgebra.learning import (
    Adam,
    Checkpoint,
    CrossEntropy,
    CSVLog,
    EarlyStopping,
    Interrupted,
    JSONLinesLog,
    fit,
    schedules,
)

EPOCHS, BATCHES = 10, 7


class Slow(CrossEntropy):
    """The loss, 4 ms later: moments to be killed in."""

    def __call__(self, y, target):
        time.sleep(0.004)
        return super().__call__(y, target)


Slow.__name__ = CrossEntropy.__name__  # which it is, for the checkpoint too


def model():
    rng = np.random.default_rng(0)
    first = TTLinear.random((2, 4), (3, 4), 2, rng=rng)
    last = Dense.random(8, 3, rng=rng)
    return Sequential([first, BatchNorm.new(8), ReLU(), Dropout(0.2), last])


def data():
    """Three clouds in 12 dimensions: 100 points in 7 batches of 16 or 4."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 100)
    centers = 2 * rng.standard_normal((3, 12))
    return (centers[labels] + rng.standard_normal((100, 12))).astype("f4"), labels


def run(folder=None, *, every=3, keep=3, callbacks=(), loss=None, **other):
    """The same run, whatever the folder; in none it is not saved."""
    if folder is not None:
        folder = Path(folder)
        folder.mkdir(exist_ok=True)
        other["checkpoint"] = Checkpoint(folder, every, keep)
        logs = CSVLog(folder / "log.csv"), JSONLinesLog(folder / "log.jsonl")
        callbacks = (*logs, *callbacks)
    x, labels = data()
    asked = {"epochs": EPOCHS, "batch_size": 16, "rng": 7, "validation": (x, labels)}
    asked["optimizer"] = Adam(schedules.cosine(1e-2, EPOCHS * BATCHES))
    return fit(
        model(), x, labels, loss=loss or CrossEntropy(),
        callbacks=[EarlyStopping(5), *callbacks], **asked | other,
    )  # fmt: skip


def fill_the_disk(progress):
    if progress.epoch == 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))


if __name__ == "__main__":
    folder, *how = sys.argv[1:]
    asked = {"every": None, "keep": 100} if how else {}
    asked["callbacks"] = [fill_the_disk] if how == ["full"] else []
    Path(folder).mkdir(exist_ok=True)
    Path(folder, "started").touch()
    try:
        run(folder, **asked, loss=Slow(), resume=True)
    except Interrupted as stopped:
        sys.exit(stopped.exit_code)
