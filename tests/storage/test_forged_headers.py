"""Forged headers are refused, whatever they claim: every checksum in them is right.

Each forgery differs from a file that is read in one thing, so that nothing but the
check of that thing can refuse it.
"""

import numpy as np
import pytest

from tests.storage.forging import (
    ARRAYS,
    HEADER,
    assert_refused,
    pack,
    peak_and_seconds,
    record_of,
    spell,
)
from ttalgebra.storage import read

RECORD = record_of(ARRAYS)
NAMES = ["../x", "/etc/x", "a/b", r"a\b", ".", "..", ".hidden", "a..b", "a.", "C:x"]
NAMES += ["header.json", "é", "", "a b", "a\0b", "a\n", "x" * 256]
DTYPES = ["<f2", "<f16", "|O", ">f8", "<M8[s]", "|V8", "<U1", "f8", "float64", "<f8 "]
DTYPES += ["", "\0", "<f8,<f8", "[('a','<f8')]", "__import__('os').system('false')"]
NUMBERS = [
    -1,
    2**63 - 1,
    2**63,
    2**64 - 1,
    10**100,
    1.0,
    1e300,
    True,
    None,
    "1",
    [1],
    {},
]


def one_entry(name="x", dtype="<f8", shape=(1,)):
    return record_of({"x": np.zeros(1)}, arrays=[[name, dtype, shape]])


def test_the_forger_knows_the_format(forge, small):
    arrays, header = read(forge(record_of(ARRAYS, header={"a": 1})))
    assert header == {"a": 1}
    assert list(arrays) == list(ARRAYS)
    assert pack(spell(record_of(ARRAYS, header=HEADER)), ARRAYS) == small.read_bytes()


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_that_are_not_names(forge, name):
    path = forge(one_entry(name=name), {"x": np.zeros(1)})
    assert_refused(path, "entry 0 of its list")


@pytest.mark.parametrize("dtype", DTYPES, ids=ascii)
def test_dtypes_beyond_the_list(forge, dtype):
    assert_refused(forge(one_entry(dtype=dtype), {"x": np.zeros(1)}), "entry 0")


@pytest.mark.parametrize("size", NUMBERS, ids=ascii)
@pytest.mark.parametrize("place", [0, 1])
def test_impossible_sizes(forge, size, place):
    shape = [0, 4]
    shape[place] = size
    assert_refused(forge(one_entry(shape=shape), {"x": np.zeros(1)}), "damaged: ")


@pytest.mark.parametrize(
    "shape", [[1] * 65, 3, None, "1", {"0": 1}, [2**62, 0, 2**62], [2**31, 2**31, 0]]
)
def test_impossible_shapes(forge, shape):
    assert_refused(
        forge(one_entry(shape=shape), {"x": np.zeros(1)}), "damaged: entry 0"
    )


@pytest.mark.parametrize(
    "entry", [None, [], ["x"], ["x", "<f8"], ["x", "<f8", [1], 0], "x"]
)
def test_entries_of_another_form(forge, entry):
    assert_refused(forge(record_of({}, arrays=[entry]), {}), "entry 0")


@pytest.mark.parametrize("shape", [[10**9], [2**40], [2**20, 2**20], [2**59]])
def test_huge_shapes_are_refused_before_they_are_allocated(forge, shape):
    path = forge(one_entry(shape=shape), {"x": np.zeros(1)})
    peak, seconds = peak_and_seconds(lambda: assert_refused(path, "its header says"))
    assert peak < 2**20
    assert seconds < 5


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"format": "other"}, "not a ttalgebra file"),
        ({"format": None}, "not a ttalgebra file"),
        ({"version": 2}, "version 2 is newer.*update ttalgebra"),
        ({"version": 10**30}, "newer"),
        ({"version": 0}, "damaged"),
        ({"version": 1.0}, "damaged"),
        ({"version": True}, "damaged"),
        ({"version": "1"}, "damaged"),
        ({"header": []}, "wrong kind"),
        ({"arrays": {}}, "wrong kind"),
        ({"sha256": None}, "wrong kind"),
        ({"sha256": "0" * 64}, "digest"),
        ({"sha256": RECORD["sha256"].upper()}, "spelled"),
        ({"more": 1}, "other fields"),
    ],
)
def test_records_of_another_form(forge, changes, match):
    assert_refused(forge(record_of(ARRAYS, **changes)), match)


@pytest.mark.parametrize("key", list(RECORD))
def test_a_missing_field(forge, key):
    record = record_of(ARRAYS)
    del record[key]
    assert_refused(forge(record))


SPELLINGS = {
    "order": spell(dict(reversed(RECORD.items()))),
    "spaces": spell(RECORD).replace(b":", b": "),
    "newline": spell(RECORD) + b"\n",
    "duplicate key": spell(RECORD).replace(b"{", b'{"format":"ttalgebra",', 1),
    "escape": spell(RECORD).replace(b"mask", b"m\\u0061sk"),
    "float": spell(RECORD).replace(b"[3]", b"[3.0]"),
    "exponent": spell(RECORD).replace(b'"header":{}', b'"header":{"a":1e5}'),
    "infinity": spell(RECORD).replace(b'"header":{}', b'"header":{"a":1e999}'),
    "nan": spell(RECORD).replace(b'"header":{}', b'"header":{"a":NaN}'),
    "digits": spell(RECORD).replace(
        b'"header":{}', b'"header":{"a":' + b"9" * 9999 + b"}"
    ),
    "utf-8": spell(RECORD).replace(b"mask", "mäsk".encode()),
    "bom": b"\xef\xbb\xbf" + spell(RECORD),
    "utf-16": spell(RECORD).decode().encode("utf-16"),
    "not json": b"x" * 100,
    "a list": b"[]",
    "a number": b"1",
    "zeros": bytes(100),
    "brackets": b"[" * 200_000,
    "closed brackets": b"[" * 200_000 + b"]" * 200_000,
    "nested objects": b'{"a":' * 200_000,
}


@pytest.mark.parametrize("raw", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_other_spellings_of_the_header(forge, raw):
    assert raw != spell(RECORD)
    assert_refused(forge(raw))


@pytest.mark.parametrize("depth", [10, 100, 500, 900, 950, 980, 990, 1000, 2000])
def test_nested_headers_are_read_or_refused(forge, depth):
    nested = b"[" * depth + b"]" * depth
    raw = spell(RECORD).replace(b'"header":{}', b'"header":{"a":' + nested + b"}")
    assert_refused(forge(raw), "damaged")  # the digest is that of another header


@pytest.mark.parametrize("unit", [b"[],", b"{},", b'"a",', b"1.5,", b"[[[]]],"])
def test_hostile_json_costs_little(forge, unit):
    raw = b'{"format":"ttalgebra","a":[' + unit * ((2**20 - 40) // len(unit)) + b"1]}"
    path = forge(raw)
    peak, seconds = peak_and_seconds(lambda: assert_refused(path, "damaged"))
    assert peak < 2**26
    assert seconds < 5


def test_a_header_beyond_the_bound(forge):
    raw = spell(record_of({}, header={"a": "x" * 2**20}))
    path = forge(raw, {})
    peak, _ = peak_and_seconds(lambda: assert_refused(path, "not a ttalgebra file"))
    assert peak < 2**20


def test_two_arrays_of_one_name(forge):
    record = record_of({"x": np.zeros(1), "y": np.zeros(1)})
    record["arrays"][1][0] = "x"
    both = {"x": np.zeros(1), "x\0": np.zeros(1)}
    assert_refused(forge(record, both), "same name")
