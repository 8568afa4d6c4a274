"""Whatever stands on the command line: an exit code, one line, never a traceback."""

import os
import random

from tests.cli.conftest import FORGED, fill

CASES = 2000 if os.environ.get("TTALGEBRA_TEST_LONG") == "1" else 500
FILES = ("W", "nan", "half", "text", "vector", "cube", "empty", "objects", "short")
PATHS = [f"{name}.npy" for name in (*FILES, "pickle", "nothing", "complex", *FORGED)]
PATHS += ["matrix.npz", "tensor.npz", "model.npz", "flipped.npz", "plain.npz", "out"]
PATHS += ["matrix.safetensors", "model.safetensors", "foreign.safetensors"]
PATHS += ["short.safetensors", "forged.safetensors", "/etc/passwd", "../../x.npz"]
PATHS += ["missing", "missing/out", ".", "..", "", "/", "/dev/null", "a\0b", "x" * 300]
PATHS += ["\udcff", "ü.npz", "a\nb.npz", "\x1b[31m", "-", "W.npy/x", "~", "../x" * 99]
NUMBERS = ["1", "0", "-1", "2", "1e-3", "nan", "inf", "1e999", "", "x", "9" * 5000]
MODES = ["2,3,2", "2,2,4", "12", "16", "3,4", "4,4", "1,12", "", ",", "2,,2", "2,0"]
MODES += ["-2,6", "2, 3, 2", "9" * 30, ",".join(["2"] * 99), "a,b", "1.0", "1_2"]
FLAGS = ["--json", "--help", "--version", "--", "--rows", "--tol=1", "--j", "-x", "\0"]


def command_line(rng):
    """Near a good command line, more often than not."""
    path, number, modes = (lambda pool=pool: rng.choice(pool) for pool in POOLS)
    command = rng.random()
    if command < 0.25:
        words = ["info", path()]
    elif command < 0.5:
        target = rng.choice(["out.npz", "out.safetensors", path()])
        words = ["convert", path(), target]
    else:
        fits = rng.random() < 0.5
        rows, cols = ("2,3,2", "2,2,4") if fits else (modes(), modes())
        words = ["compress", path(), path(), "--rows", rows, "--cols", cols]
        words += ["--tol", number()] * (rng.random() < 0.6)
        words += ["--max-rank", number()] * (rng.random() < 0.4)
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        words.insert(
            rng.randrange(len(words) + 1), rng.choice([*FLAGS, path(), number()])
        )
    if rng.random() < 0.1:
        del words[rng.randrange(len(words))]
    return words


POOLS = (PATHS, NUMBERS, MODES)


def test_no_command_line_ends_in_a_traceback(folder, call):
    rng, codes = random.Random(0), {0: 0, 1: 0, 2: 0}
    for _ in range(CASES):
        words = command_line(rng)
        code, out, err = call(*words)
        assert code in codes, words
        codes[code] += 1
        assert err.count("\n") == (code != 0), (words, err)
        assert (out == "") == (code != 0), (words, out)
        if "W.npy" in words:
            fill(folder)  # an output may have taken the place of another input
    assert sum(codes.values()) == CASES
    assert min(codes.values()) > CASES // 20, codes
