"""Where a save may go: rights, links, and targets that are refused untouched."""

import os
import stat

import pytest

from tests.storage.saving import NEW, OLD, FailingAt, names, save, value


def test_a_new_file_has_the_rights_that_the_umask_leaves(tmp_path):
    old = os.umask(0o027)
    try:
        save(tmp_path / "f", NEW)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o640


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o444])
def test_a_replaced_file_keeps_its_rights(tmp_path, mode):
    save(tmp_path / "f", OLD)
    (tmp_path / "f").chmod(mode)
    save(tmp_path / "f", NEW)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == mode


def test_a_link_is_replaced_by_a_file(tmp_path):
    save(tmp_path / "f", OLD)
    (tmp_path / "link").symlink_to("f")
    save(tmp_path / "link", NEW)
    assert not (tmp_path / "link").is_symlink()
    assert (value(tmp_path / "f"), value(tmp_path / "link")) == (0, 1)


def test_a_dangling_link_is_replaced_too(tmp_path):
    (tmp_path / "link").symlink_to("nowhere")
    save(tmp_path / "link", NEW)
    assert names(tmp_path) == ["link"]


def test_a_bare_name_is_saved_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save("f", NEW)
    assert names(tmp_path) == ["f"]


@pytest.mark.parametrize(
    ("target", "error", "match"),
    [
        ("missing/f", FileNotFoundError, "no such folder; create it first"),
        ("file/f", NotADirectoryError, "no such folder"),
        ("folder", IsADirectoryError, "not a regular file; save under another name"),
        ("folder/", IsADirectoryError, "not a regular file"),
        ("pipe", OSError, "not a regular file"),
        ("x" * 300, OSError, "too long"),
        ("a\0b", OSError, "no file can have this name"),
        ("\ud800", OSError, "no file can have this name"),
        ("loop", OSError, "symbolic links"),
    ],
)
def test_impossible_targets_are_refused_before_anything_is_written(
    tmp_path, monkeypatch, target, error, match
):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    before = names(tmp_path)
    with monkeypatch.context() as patch:
        calls = FailingAt(patch, 0, OSError()).done
        with pytest.raises(error, match=match):
            save(f"{tmp_path}/{target}", NEW)
    assert calls == []
    assert names(tmp_path) == before


def test_devices_are_never_replaced():
    with pytest.raises(OSError, match="not a regular file"):
        save("/dev/null", NEW)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_no_name_is_no_file():
    with pytest.raises(OSError, match="no file can have this name"):
        save("", NEW)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into any folder")
def test_a_folder_without_rights_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="folder not writable"):
        save(tmp_path / "f", NEW)
    tmp_path.chmod(0o700)


def test_a_folder_said_to_be_without_rights_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match="folder not writable; choose another"):
        save(tmp_path / "f", NEW)
    assert names(tmp_path) == []


def test_a_folder_of_the_system_is_refused_even_to_root():
    with pytest.raises(OSError, match="/proc/x"):
        save("/proc/x", NEW)
