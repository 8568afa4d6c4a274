"""A save happens whole or not at all: faults at every call, and full disks."""

import errno
import os

import pytest

from tests.storage.saving import NEW, OLD, FailingAt, child, names, save, value


def outcomes(path, monkeypatch, error):
    """Fail the first call, the second, ..., until a save succeeds."""
    for n in range(1, 100):
        save(path, OLD)
        with monkeypatch.context() as patch:
            calls = FailingAt(patch, n, error)
            try:
                save(path, NEW)
            except type(error) as caught:
                yield calls.done[:n], caught
            else:
                return
    pytest.fail("no save succeeded")


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EINTR])
def test_an_error_at_any_call_leaves_old_or_new(tmp_path, monkeypatch, code):
    path = tmp_path / "f"
    failed = []
    for done, caught in outcomes(path, monkeypatch, OSError(code, "injected")):
        failed.append(done[-1])
        assert caught.errno == code
        assert value(path) == ("replace" in done[:-1])
        assert names(tmp_path) == ["f"]
    assert failed[:2] == ["open", "write"]
    assert failed[-7:] == [
        "chmod",
        "fsync",
        "close",
        "replace",
        "open",
        "fsync",
        "close",
    ]
    assert value(path) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError()])
def test_an_interruption_at_any_call_leaves_old_or_new(tmp_path, monkeypatch, error):
    path = tmp_path / "f"
    count = 0
    for done, _ in outcomes(path, monkeypatch, error):
        count += 1
        assert value(path) == ("replace" in done[:-1])
        assert names(tmp_path) == ["f"]
    assert count > 10


def test_the_error_says_that_the_old_file_is_whole(tmp_path, monkeypatch):
    path = tmp_path / "f"
    _, caught = next(outcomes(path, monkeypatch, OSError(errno.ENOSPC, "disk full")))
    assert "not saved, what was there before is unchanged: disk full" in str(caught)
    assert caught.filename == str(path)


def test_data_reach_the_disk_before_the_name_and_the_name_before_the_end(
    tmp_path, monkeypatch
):
    """The order without which a power cut could leave a name without its data."""
    with monkeypatch.context() as patch:
        calls = FailingAt(patch, 0, OSError()).done
        save(tmp_path / "f", NEW)
    order = [name for name in calls if name not in ("write", "close")]
    assert order == ["open", "fsync", "replace", "open", "fsync"]
    assert calls.index("fsync") > max(
        k for k, name in enumerate(calls) if name == "write"
    )


def test_short_writes_are_continued(tmp_path, monkeypatch):
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: real(file, data[:1000]))
        save(tmp_path / "f", NEW)
    assert value(tmp_path / "f") == 1


FULL_DISK = """
import resource, sys
import numpy as np
from ttalgebra.storage import write
path, limit = sys.argv[1], int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    write(path, {"x": np.ones(5000)}, {})
except OSError as error:
    sys.exit(3 if "unchanged" in str(error) else 4)
"""


@pytest.mark.parametrize("limit", [0, 1, 100, 4096, 8192])
def test_a_full_disk_leaves_the_old_file(tmp_path, limit):
    path = tmp_path / "f"
    save(path, OLD)
    assert child(FULL_DISK, path, limit).returncode == 3
    assert value(path) == 0
    assert names(tmp_path) == ["f"]
