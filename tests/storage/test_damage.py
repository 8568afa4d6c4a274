"""Damage is noticed: no bit, byte or length of a file can change in silence."""

import os
import random

import numpy as np
import pytest

from ttalgebra.arrays.errors import FormatError
from ttalgebra.storage import read, write

LONG = os.environ.get("TTALGEBRA_TEST_LONG") == "1"


def refused(path):
    try:
        read(path)
    except FormatError as error:
        return str(path) in str(error)
    return False


def flip(file, bit):
    os.lseek(file, bit // 8, os.SEEK_SET)
    byte = os.read(file, 1)[0]
    os.lseek(file, bit // 8, os.SEEK_SET)
    os.write(file, bytes([byte ^ 1 << bit % 8]))


def unnoticed_flips(path, bits):
    file = os.open(path, os.O_RDWR)
    unnoticed = []
    try:
        for bit in bits:
            flip(file, bit)
            if not refused(path):
                unnoticed.append(bit)
            flip(file, bit)
    finally:
        os.close(file)
    return unnoticed


def test_every_bit_of_a_small_file_matters(small):
    bits = 8 * small.stat().st_size
    assert bits > 8000
    assert unnoticed_flips(small, range(bits)) == []
    read(small)  # the last flip back made it whole again


def test_random_bits_of_a_larger_file_matter(tmp_path):
    path = tmp_path / "larger"
    rng = np.random.default_rng(0)
    write(path, {f"cores.{k}": rng.normal(size=(8, 4, 4, 8)) for k in range(8)}, {})
    bits = random.Random(0).sample(
        range(8 * path.stat().st_size), 20_000 if LONG else 2_000
    )
    assert unnoticed_flips(path, bits) == []
    assert len(read(path)[0]) == 8


def test_every_truncation_is_refused(small):
    whole = small.read_bytes()
    accepted = []
    for length in reversed(range(len(whole))):
        os.truncate(small, length)
        if not refused(small):
            accepted.append(length)
    assert accepted == []


@pytest.mark.parametrize("extra", [b"\0", b"PK", b"\n", b"x" * 70_000])
@pytest.mark.parametrize("where", ["before", "after"])
def test_leading_and_trailing_bytes_are_refused(small, extra, where):
    whole = small.read_bytes()
    small.write_bytes(extra + whole if where == "before" else whole + extra)
    assert refused(small)


def test_two_files_end_to_end_are_refused(small):
    small.write_bytes(2 * small.read_bytes())
    assert refused(small)


def test_random_splices_are_refused(small):
    whole, rng = small.read_bytes(), random.Random(1)
    accepted = []
    for case in range(1000):
        start, length = rng.randrange(len(whole)), rng.randrange(1, 64)
        patch = rng.choice([b"", rng.randbytes(length), bytes(length), whole[:length]])
        spliced = whole[:start] + patch + whole[start + rng.randrange(64) :]
        small.write_bytes(spliced)
        if spliced != whole and not refused(small):
            accepted.append(case)
    assert accepted == []


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 4096, b"PK\x05\x06" + b"\0" * 18, b"hello\n", b"\x93NUMPY\x01\x00"],
)
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    assert refused(path)


def test_damage_says_what_to_do(small):
    os.truncate(small, small.stat().st_size - 1)
    with pytest.raises(
        FormatError, match=r"small.npz: damaged: .*; restore the file from"
    ):
        read(small)


def test_missing_is_not_damaged(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nothing")


def test_a_file_that_shrinks_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "shrinks"
    write(path, {"x": np.zeros(10**5)}, {})
    real = np.empty

    def cut_and_allocate(*args):
        os.truncate(path, 10**5)
        return real(*args)

    monkeypatch.setattr(np, "empty", cut_and_allocate)
    with pytest.raises(FormatError, match="damaged: it ends within its data"):
        read(path)
