"""Forged files are refused, whatever they claim: every checksum in them is right.

Each forgery differs from a file that is read in one thing, so that nothing but the
check of that thing can refuse it.
"""

import io
import os
import pickle
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

from tests.storage.conftest import ARRAYS, pack, record_of, spell
from ttalgebra.arrays.errors import FormatError
from ttalgebra.storage import layout, read

RECORD = record_of(ARRAYS)
NAMES = [
    "../x",
    "/etc/x",
    "a/b",
    "a\\b",
    "a\0b",
    "",
    ".",
    "..",
    ".hidden",
    "a..b",
    "a.",
]
NAMES += ["x" * 256, "header.json", "é", "a b", "C:x", "a\n"]
DTYPES = [
    "<f2",
    "<f16",
    "|O",
    ">f8",
    "<M8[s]",
    "|V8",
    "<U1",
    "f8",
    "float64",
    "",
    "<f8 ",
]
DTYPES += ["__import__('os').system('false')", "[('a','<f8')]", "<f8,<f8", "\0"]
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


def peak_and_seconds(action):
    tracemalloc.start()
    start = time.perf_counter()
    try:
        action()
        return tracemalloc.get_traced_memory()[1], time.perf_counter() - start
    finally:
        tracemalloc.stop()


def assert_refused(path, match=""):
    with pytest.raises(FormatError, match=match):
        read(path)


def one_entry(name="x", dtype="<f8", shape=(1,)):
    return record_of({"x": np.zeros(1)}, arrays=[[name, dtype, shape]])


def test_the_forger_knows_the_format(forge, small):
    arrays, header = read(forge(record_of(ARRAYS, header={"a": 1})))
    assert header == {"a": 1}
    assert list(arrays) == list(ARRAYS)
    assert pack(small.read_bytes()[193:][:0] or spell(RECORD), ARRAYS)[:4] == b"PK\3\4"


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
    assert seconds < 1


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
    raw = b'{"format":"ttalgebra","a":[' + unit * ((2**21 - 40) // len(unit)) + b"1]}"
    path = forge(raw)
    peak, seconds = peak_and_seconds(lambda: assert_refused(path, "damaged"))
    assert peak < 2**26
    assert seconds < 5


def test_a_header_beyond_the_bound(forge):
    raw = spell(record_of({}, header={"a": "x" * 2**21}))
    path = forge(raw, {})
    peak, _ = peak_and_seconds(lambda: assert_refused(path, "not a ttalgebra file"))
    assert peak < 2**20


def test_two_arrays_of_one_name(forge):
    record = record_of({"x": np.zeros(1), "y": np.zeros(1)})
    record["arrays"][1][0] = "x"
    both = {"x": np.zeros(1), "x\0": np.zeros(1)}
    assert_refused(forge(record, both), "same name")


@pytest.mark.parametrize("gap", [b"\0", b"PK\x07\x08" + bytes(12)])
def test_gaps_between_members(forge, gap):
    assert_refused(forge(RECORD, gap=gap), "damaged")


@pytest.mark.parametrize(
    "listed",
    [
        lambda members: members[:-1],
        lambda members: [*members, members[-1]],
        lambda members: members[::-1],
        lambda members: [*members[:-1], members[-1]._replace(name="masq")],
        lambda members: [*members[:-1], members[-1]._replace(crc=0)],
        lambda members: [*members[:-1], members[-1]._replace(size=2**40)],
        lambda members: [],
    ],
    ids=["missing", "twice", "reversed", "renamed", "crc", "size", "empty"],
)
def test_directories_that_say_something_else(forge, listed):
    assert_refused(forge(RECORD, listed=listed), "damaged")


def test_members_that_overlap(forge):
    """Both entries of the directory lead to the same bytes."""
    path = forge(RECORD)
    content = bytearray(path.read_bytes())
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 1)
    last = content.index(b"PK\x01\x02", second + 1)
    content[last:][:8], content[last + 46 :][:4]
    end = content.index(b"PK\x06\x06")
    content[end - 8 : end] = content[last - 8 : last]
    path.write_bytes(content)
    assert_refused(path, "directory")


def test_a_member_more_than_the_header_lists(forge):
    assert_refused(forge(record_of({}), ARRAYS), "damaged: it has")


def test_a_member_less_than_the_header_lists(forge):
    assert_refused(forge(RECORD, {}), "damaged: it has")


def test_members_in_another_order(forge):
    assert_refused(forge(RECORD, dict(reversed(ARRAYS.items()))), "damaged")


@pytest.mark.parametrize(
    "fields",
    [
        "{'descr': '<f8', 'fortran_order': True, 'shape': (1, 2, 3, 1), }",
        "{'descr': '>f8', 'fortran_order': False, 'shape': (1, 2, 3, 1), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 3, 2, 1), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1, 2, 3, 1), }",
    ],
)
def test_npy_headers_that_contradict_the_list(forge, monkeypatch, fields):
    real = layout.npy_header

    def forged(descr, shape):
        honest = real(descr, shape)
        return (
            honest[:10] + (fields.ljust(117) + "\n").encode()
            if len(shape) == 4
            else honest
        )

    with monkeypatch.context() as patched:
        patched.setattr(layout, "npy_header", forged)
        path = forge(RECORD)
    assert_refused(path, "damaged: the start of cores.0")


def rewritten(small, compression):
    """The same members through the zipfile module."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(small) as old,
        zipfile.ZipFile(buffer, "w", compression) as new,
    ):
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))
    return buffer.getvalue()


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_same_members_in_another_zip_file(small, compression):
    small.write_bytes(rewritten(small, compression))
    assert_refused(small, "not a ttalgebra file")


def test_members_appended_by_zip_tools(small):
    with zipfile.ZipFile(small, "a") as archive:
        archive.writestr("extra.npy", b"")
    assert_refused(small, "damaged: it has")


def test_a_zip_bomb_is_not_expanded(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "header.json.npy", layout.npy_header("|u1", (2**26,)) + bytes(2**26)
        )
    assert path.stat().st_size < 2**17
    peak, seconds = peak_and_seconds(lambda: assert_refused(path))
    assert peak < 2**20
    assert seconds < 1


@pytest.mark.parametrize("size", [0, 127, 128, 2**21 + 129, 2**32, 2**63, 2**64 - 1])
def test_sizes_of_the_first_member(small, size):
    content = bytearray(small.read_bytes())
    at = layout.local_header_size("header.json") - 8
    content[at : at + 8] = size.to_bytes(8, "little")
    content[at - 8 : at] = size.to_bytes(8, "little")
    small.write_bytes(content)
    peak, _ = peak_and_seconds(lambda: assert_refused(small, "not a ttalgebra|damaged"))
    assert peak < 2**22


class Marker:
    """Leaves a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def payloads(marker):
    objects = np.array([Marker(marker)], dtype=object)
    yield "raw", pickle.dumps(Marker(marker))
    buffer = io.BytesIO()
    np.save(buffer, objects, allow_pickle=True)
    yield "npy", buffer.getvalue()
    for save in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        save(buffer, **{"header.json": objects, "cores.0": objects})
        yield save.__name__, buffer.getvalue()


@pytest.mark.parametrize("kind", ["raw", "npy", "savez", "savez_compressed"])
def test_pickles_are_never_loaded(tmp_path, kind):
    marker = tmp_path / "marker"
    path = tmp_path / "payload"
    path.write_bytes(dict(payloads(str(marker)))[kind])
    assert_refused(path)
    assert not marker.exists()


def test_the_pickles_would_have_worked(tmp_path):
    marker = tmp_path / "marker"
    pickle.loads(dict(payloads(str(marker)))["raw"])
    assert marker.exists()


def test_a_pickle_as_the_data_of_an_array(forge, tmp_path):
    bytes_ = np.frombuffer(pickle.dumps(Marker(str(tmp_path / "marker"))), np.uint8)
    record = record_of({"x": bytes_}, arrays=[["x", "|O", [1]]])
    assert_refused(forge(record, {"x": bytes_}), "entry 0")
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/null", "/"])
def test_what_is_not_a_regular_file_is_refused(target):
    assert_refused(target, "not a regular file")


def test_a_named_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert_refused(tmp_path / "pipe", "not a regular file")


def test_a_link_is_followed_to_its_file(small, tmp_path):
    (tmp_path / "link").symlink_to(small)
    assert list(read(tmp_path / "link")[0]) == list(ARRAYS)
