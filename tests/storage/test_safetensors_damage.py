"""Damaged and forged safetensors files are refused, at little cost."""

import json
import os
import pickle
import random
import struct
from math import prod

import numpy as np
import pytest

from tests.storage.forging import ARRAYS, HEADER, assert_refused, peak_and_seconds
from tests.storage.test_damage import LONG, refused, unnoticed_flips
from tests.storage.test_forged_archives import Marker
from tests.storage.test_forged_headers import NAMES
from ttalgebra.arrays.errors import FormatError
from ttalgebra.storage import FOREIGN, read, write
from ttalgebra.storage.table import MAX_BYTES

CORE = {"dtype": "F64", "shape": [1, 2, 1], "data_offsets": [0, 16]}
DATA = np.ones(2).tobytes()
SIZES = [-1, 2**63 - 1, 2**63, 2**64 - 1, 10**100, 2.0, 1e300, True, None, "2", [2], {}]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "f.safetensors"


@pytest.fixture
def ours(path):
    write(path, ARRAYS | {"c": np.ones(2, "c16")}, HEADER)
    return path


def pack(header, data=DATA, length=None):
    """A file with this header, as JSON or as raw bytes."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


@pytest.fixture
def forge(path):
    """Write what `pack` makes and return its path."""

    def forged(*arguments, **how):
        path.write_bytes(pack(*arguments, **how))
        return path

    return forged


def test_the_forger_knows_the_format(forge):
    arrays, _ = read(forge({"cores.0": CORE, "__metadata__": {"a": "b"}}))
    assert arrays["cores.0"].tolist() == [[[1], [1]]]


def test_every_bit_of_a_small_file_matters(ours):
    """But those of our name: without it, the file is as one of others, and whole."""
    whole = ours.read_bytes()
    start = 8 * whole.index(b'ttalgebra":')
    unnoticed = unnoticed_flips(ours, range(8 * len(whole)))
    assert len(whole) > 500
    assert {*unnoticed} <= {*range(start, start + 8 * len("ttalgebra"))}
    for bit in unnoticed:
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        ours.write_bytes(flipped)
        arrays, header = read(ours)
        assert header == FOREIGN
        assert all(arrays[name].tobytes() == x.tobytes() for name, x in ARRAYS.items())


def test_random_bits_of_a_larger_file_matter(path):
    rng = np.random.default_rng(0)
    write(path, {f"cores.{k}": rng.normal(size=(8, 4, 4, 8)) for k in range(8)}, {})
    count = 20_000 if LONG else 1_000
    bits = random.Random(0).sample(range(8 * path.stat().st_size), count)
    assert unnoticed_flips(path, bits) == []


def test_our_part_under_another_name_is_damage(path):
    """One bit of its name makes it metadata of others, and the digest unseen."""
    write(path, {"x": np.ones(3)}, {})
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b'"ttalgebra"', b'"ttalggbra"'))
    with pytest.raises(FormatError, match="another name"):
        read(path)


def test_every_truncation_is_refused(ours):
    whole = ours.stat().st_size
    accepted = []
    for length in reversed(range(whole)):
        os.truncate(ours, length)
        if not refused(ours):
            accepted.append(length)
    assert accepted == []


def test_every_truncation_of_a_file_of_others_is_refused(forge):
    path = forge({"cores.0": CORE})
    for length in reversed(range(path.stat().st_size)):
        os.truncate(path, length)
        assert refused(path), length


@pytest.mark.parametrize("extra", [b"\0", b" ", b"x" * 70_000])
@pytest.mark.parametrize("where", ["before", "after"])
def test_leading_and_trailing_bytes_are_refused(ours, extra, where):
    whole = ours.read_bytes()
    ours.write_bytes(extra + whole if where == "before" else whole + extra)
    assert refused(ours)


def test_random_splices_are_refused(ours):
    whole, rng = ours.read_bytes(), random.Random(1)
    for case in range(1000):
        start, length = rng.randrange(len(whole)), rng.randrange(1, 64)
        patch = rng.choice([b"", rng.randbytes(length), bytes(length), whole[:length]])
        spliced = whole[:start] + patch + whole[start + rng.randrange(64) :]
        ours.write_bytes(spliced)
        assert spliced == whole or refused(ours), case


@pytest.mark.parametrize("length", [0, 1, 2**31, 2**63 - 1, 2**63, 2**64 - 1])
def test_forged_lengths_of_the_header(forge, length):
    path = forge({"cores.0": CORE}, length=length)
    peak, seconds = peak_and_seconds(lambda: assert_refused(path, "damaged"))
    assert peak < 2**20
    assert seconds < 5


@pytest.mark.parametrize("size", SIZES, ids=ascii)
@pytest.mark.parametrize("place", ["shape", "start", "end"])
def test_impossible_sizes(forge, size, place):
    line = json.loads(json.dumps(CORE))
    if place == "shape":
        line["shape"][1] = size
    else:
        line["data_offsets"][place == "end"] = size
    assert_refused(forge({"cores.0": line}), "damaged")


@pytest.mark.parametrize(
    "offsets",
    [[(0, 16), (0, 16)], [(0, 16), (8, 24)], [(8, 24), (24, 40)], [(0, 16), (24, 40)]],
    ids=["twice", "overlap", "gap before", "gap between"],
)
def test_offsets_that_overlap_or_leave_gaps(forge, offsets):
    header = {f"cores.{k}": CORE | {"data_offsets": o} for k, o in enumerate(offsets)}
    assert_refused(forge(header, DATA * 3), "overlap, or leave gaps|its header says")


@pytest.mark.parametrize("shape", [[2**40], [2**20, 2**20], [2**60], [2**62, 0, 4]])
def test_huge_shapes_are_refused_before_they_are_allocated(forge, shape):
    end = 8 * prod(shape)
    line = {"dtype": "F64", "shape": shape, "data_offsets": [0, end]}
    path = forge({"cores.0": line})
    peak, _ = peak_and_seconds(lambda: assert_refused(path, "damaged"))
    assert peak < 2**20


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_that_are_not_names(forge, name):
    assert_refused(forge({name: CORE}), "no possible name")


@pytest.mark.parametrize(
    "dtype", ["BF16", "F16", "F8_E4M3", "F128", "f64", "", "|O", 8, None, ["F64"]]
)
def test_dtypes_beyond_the_list(forge, dtype):
    match = "convert it to one of F32, F64" if isinstance(dtype, str) else "no possible"
    assert_refused(forge({"cores.0": CORE | {"dtype": dtype}}), match)


def line(**changes):
    return json.dumps(CORE | changes)


SPELLINGS = {
    "duplicate array": f'{{"a":{line()},"a":{line()}}}',
    "duplicate field": f'{{"a":{line()[:-1]},"dtype":"F64"}}}}',
    "duplicate metadata": f'{{"__metadata__":{{"a":"","a":""}},"a":{line()}}}',
    "nan": f'{{"a":{line().replace("2", "NaN", 1)}}}',
    "infinity": f'{{"a":{line().replace("2", "Infinity", 1)}}}',
    "digits": f'{{"a":{line().replace("2", "9" * 9999, 1)}}}',
    "one more field": f'{{"a":{line(more=1)}}}',
    "metadata not text": f'{{"__metadata__":{{"a":1}},"a":{line()}}}',
    "metadata a list": f'{{"__metadata__":[],"a":{line()}}}',
    "ours a list": f'{{"__metadata__":{{"ttalgebra":"[]"}},"a":{line()}}}',
    "ours no json": f'{{"__metadata__":{{"ttalgebra":"\\ud800"}},"a":{line()}}}',
    "ours empty": f'{{"__metadata__":{{"ttalgebra":"{{}}"}},"a":{line()}}}',
    "brackets": "{" + "[" * 200_000,
    "nested objects": '{"a":' * 200_000,
    "trailing": f'{{"a":{line()}}} x',
    "not json": "{" + "x" * 100,
}


@pytest.mark.parametrize("raw", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_other_spellings_of_the_header(forge, raw):
    assert_refused(forge(raw.encode()), "damaged")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32-le", "latin-1"])
def test_headers_in_other_encodings(forge, encoding):
    header = json.dumps({"é": CORE}, ensure_ascii=False)
    assert_refused(forge(header.encode(encoding)), "damaged")


CLAIMS = [
    ({"version": 2}, "version 2 is newer.*update ttalgebra"),
    ({"version": 0}, "other fields"),
    ({"version": True}, "spelled"),
    ({"header": []}, "other fields"),
    ({"complex128": {}}, "other fields"),
    ({"complex128": ["x"]}, "spelled"),
    ({"complex128": ["cores.0"]}, "cannot be"),
    ({"sha256": "0" * 64}, "digest"),
    ({"sha256": "0"}, "other fields"),
    ({"more": 1}, "spelled"),
]


@pytest.mark.parametrize(("changes", "match"), CLAIMS, ids=repr)
def test_what_we_add_is_checked(path, changes, match):
    write(path, {"cores.0": np.ones((1, 2, 1))}, {})
    whole = path.read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    header = json.loads(whole[8 : 8 + length])
    own = json.loads(header["__metadata__"]["ttalgebra"]) | changes
    header["__metadata__"]["ttalgebra"] = json.dumps(own, separators=(",", ":"))
    raw = json.dumps(header, separators=(",", ":")).encode()
    path.write_bytes(pack(raw + b" " * (-len(raw) % 8), whole[8 + length :]))
    assert_refused(path, match)


@pytest.mark.parametrize("depth", [10, 500, 900, 950, 980, 990, 1000, 2000])
def test_nested_headers_are_read_or_refused(path, forge, depth):
    write(path, {}, {"a": []})
    nested = b"[" * depth + b"]" * depth
    whole = path.read_bytes()
    raw = whole[8:].rstrip(b" ").replace(b"[]}", nested + b"}", 1)
    path = forge(raw + b" " * (-len(raw) % 8), b"")
    assert_refused(path, "damaged")


@pytest.mark.parametrize("unit", ["[],", "{},", '"a",', "1.5,", "[[[]]],"])
def test_hostile_json_costs_little(forge, unit):
    raw = '{"a":[' + unit * ((MAX_BYTES - 40) // len(unit)) + "1]}"
    path = forge(raw.encode())
    peak, seconds = peak_and_seconds(lambda: assert_refused(path, "damaged"))
    assert peak < 2**26
    assert seconds < 5


def test_pickles_are_never_loaded(forge, tmp_path):
    payload = pickle.dumps(Marker(str(tmp_path / "marker")))
    listed = {"dtype": "U8", "shape": [len(payload)]}
    listed |= {"data_offsets": [0, len(payload)]}
    arrays, _ = read(forge({"x": listed}, payload))
    assert arrays["x"].tobytes() == payload
    assert_refused(forge({"x": listed | {"dtype": "O"}}, payload), "convert it")
    assert not (tmp_path / "marker").exists()


def test_truth_values_are_0_or_1(forge):
    listed = {"dtype": "BOOL", "shape": [3], "data_offsets": [0, 3]}
    assert read(forge({"x": listed}, b"\1\0\1"))[0]["x"].tolist() == [True, False, True]
    assert_refused(forge({"x": listed}, b"\1\2\0"), "truth values")


def test_a_file_that_shrinks_while_it_is_read_is_refused(path, monkeypatch):
    write(path, {"x": np.zeros(10**5)}, {})
    real = np.empty

    def cut_and_allocate(*args):
        os.truncate(path, 10**5)
        return real(*args)

    monkeypatch.setattr(np, "empty", cut_and_allocate)
    assert_refused(path, "damaged: it ends within its data")
