"""A file changes whole or not at all, whatever is killed, full or pulled out.

The new content goes to a temporary file beside the target, reaches the disk, and
takes the target's name in one step. A writer that is killed leaves at most one such
temporary file, which the next save to the same target removes.
"""

import errno
import hashlib
import os
import platform
import re
import stat
import time
from collections.abc import Iterable
from contextlib import suppress

_CHUNK = 2**24
_FOREIGN_LIFETIME = 86400.0  # seconds; whether a writer elsewhere lives is unknown
_TEMPORARY = re.compile(
    r"\.ttalgebra-([0-9a-f]{12})-([0-9a-f]{8})-([0-9]{1,10})-[0-9a-f]{16}\.tmp"
)


def as_path(path: str | os.PathLike[str]) -> str:
    """``path`` as text; OSError where no file can have that name."""
    text = os.fsdecode(path)
    try:
        unnamable = not text or b"\0" in os.fsencode(text)
    except UnicodeEncodeError:
        unnamable = True
    if unnamable:
        raise OSError(errno.EINVAL, "no file can have this name; give another", text)
    return text


def require_writable(path: str | os.PathLike[str]) -> None:
    """Raise OSError unless a regular file can be put, or replaced, at ``path``."""
    path = as_path(path)
    folder = os.path.dirname(path) or os.curdir
    if not os.path.isdir(folder):
        code = errno.ENOTDIR if os.path.exists(folder) else errno.ENOENT
        raise OSError(code, "there is no such folder; create it first", folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, "folder not writable; choose another", folder)
    mode = _mode(path)
    if mode is not None and not stat.S_ISREG(mode):
        code = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(code, "this is not a regular file; save under another name", path)


def replace(path: str, pieces: Iterable[bytes | memoryview]) -> None:
    """Make ``pieces``, end to end, the content of the file at ``path``.

    An OSError leaves what was there before; only the last step, which makes the new
    name durable, may fail with the new content in place. The permissions of a file
    that is replaced stay; a link is replaced by a file.
    """
    require_writable(path)
    _remove_leftovers(path)
    temporary = _temporary_path(path)
    try:
        _write(temporary, pieces, _mode(path))
        os.replace(temporary, path)
    except OSError as error:
        _remove(temporary)
        cause = error.strerror or error
        message = f"not saved, what was there before is unchanged: {cause}"
        raise OSError(error.errno, message, path) from error
    except BaseException:
        _remove(temporary)
        raise
    _sync_folder(path)


def _write(path: str, pieces: Iterable[bytes | memoryview], mode: int | None) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o666)
    try:
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(descriptor, rest[:_CHUNK]) :]
        if mode is not None:
            os.chmod(path, stat.S_IMODE(mode) & 0o777)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(path: str) -> None:
    """A new name survives a power cut once its folder is on the disk."""
    if os.name == "nt":
        return  # its folders cannot be opened
    descriptor = os.open(os.path.dirname(path) or os.curdir, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mode(path: str) -> int | None:
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None


def _temporary_path(path: str) -> str:
    folder, name = os.path.split(path)
    who = f"{_short_hash(name, 12)}-{_short_hash(platform.node(), 8)}-{os.getpid()}"
    return os.path.join(folder, f".ttalgebra-{who}-{os.urandom(8).hex()}.tmp")


def _short_hash(text: str, digits: int) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:digits]


def _remove_leftovers(path: str) -> None:
    """Remove temporary files for ``path`` whose writers were killed."""
    folder, name = os.path.split(path)
    target = _short_hash(name, 12)
    with suppress(OSError), os.scandir(folder or os.curdir) as entries:
        for entry in entries:
            found = _TEMPORARY.fullmatch(entry.name)
            if found and found[1] == target and _is_abandoned(entry, *found.groups()):
                _remove(entry.path)


def _is_abandoned(
    entry: os.DirEntry[str], _target: str, host: str, process: str
) -> bool:
    if host == _short_hash(platform.node(), 8) and os.name != "nt":
        return not _is_running(int(process))
    age = time.time() - entry.stat(follow_symlinks=False).st_mtime
    return age > _FOREIGN_LIFETIME


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
