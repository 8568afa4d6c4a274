"""Forged archives are refused: gaps, overlaps, other ZIP files, bombs, pickles."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from tests.storage.forging import ARRAYS, assert_refused, peak_and_seconds, record_of
from ttalgebra.storage import layout, read

RECORD = record_of(ARRAYS)


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
        lambda _: [],
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
        forgery = honest[:10] + (fields.ljust(117) + "\n").encode()
        return forgery if len(shape) == 4 else honest

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
        zeros = layout.npy_header("|u1", (2**26,)) + bytes(2**26)
        archive.writestr("header.json.npy", zeros)
    assert path.stat().st_size < 2**17
    peak, seconds = peak_and_seconds(lambda: assert_refused(path))
    assert peak < 2**20
    assert seconds < 5


@pytest.mark.parametrize("size", [0, 127, 128, 2**20 + 129, 2**32, 2**63, 2**64 - 1])
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
