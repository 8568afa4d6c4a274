"""What the tests of saving share: two values, a folder's names, calls that fail."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from ttalgebra.storage import atomic, read, write

OLD, NEW = {"x": np.zeros(5000)}, {"x": np.ones(5000)}
CALLS = ("open", "write", "fsync", "chmod", "replace", "close")


def save(path, arrays):
    write(path, arrays, {})


def value(path):
    return read(path)[0]["x"][0]


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


class FailingAt:
    """Wraps the calls of `os`, counts them all, and fails the n-th."""

    def __init__(self, patch, n, error):
        self.n, self.error, self.done = n, error, []
        for name in CALLS:
            patch.setattr(os, name, self.wrapped(name, getattr(os, name)))

    def wrapped(self, name, real):
        def call(*args, **how):
            self.done.append(name)
            if len(self.done) == self.n:
                if name == "close":
                    real(*args, **how)
                raise self.error
            return real(*args, **how)

        return call


def child(script, *arguments):
    """Run a Python script in a process of its own."""
    root = str(Path(atomic.__file__).parents[2])
    command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    env = os.environ | {"PYTHONPATH": root, "OPENBLAS_NUM_THREADS": "1"}
    how = {"capture_output": True, "text": True, "timeout": 300, "check": False}
    return subprocess.run(command, env=env, **how)
