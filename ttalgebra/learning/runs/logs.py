"""Logs of a run in CSV or JSON lines: a record an epoch, no gap and no duplicate.

An epoch is one more line at the end of the file. Where the file does not end with the
epoch before, because the run was killed and resumed, it is written anew, atomically,
from the history.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ttalgebra.learning.callbacks import Progress

_TAIL = 2**16  # more bytes than a record has
Path = str | os.PathLike[str]
Record = Mapping[str, float]


@dataclass(frozen=True)
class CSVLog:
    """A callback that makes the file at ``path`` hold the history of the run as CSV.

    The first line names the columns. Numbers are spelled so that they can be read
    back exactly. Whatever else the file held is replaced.

    >>> import tempfile
    >>> from ttalgebra.layers import Dense
    >>> from ttalgebra.learning import SGD, CSVLog, SquaredError, fit
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = CSVLog(f"{folder}/history.csv")
    ...     _ = fit(Dense([[2.0]], [0.0]), [[1.0]], [[2.0]], epochs=2, callbacks=[log],
    ...             loss=SquaredError(), optimizer=SGD(0.1))
    ...     with open(log.path) as file:
    ...         [line[:6] for line in file]
    ['epoch,', '1,0.0,', '2,0.0,']
    """

    path: Path

    def __call__(self, progress: Progress) -> None:
        """Add the last record."""
        records = progress.history.records
        columns = list(dict.fromkeys(name for record in records for name in record))

        def spell(record: Record) -> str:
            return _csv(record.get(name, "") for name in columns)

        _hold(self.path, [_csv(columns)], spell, records)


@dataclass(frozen=True)
class JSONLinesLog:
    """As `CSVLog`; each record is a line of JSON, and there is no first line."""

    path: Path

    def __call__(self, progress: Progress) -> None:
        """Add the last record."""
        _hold(self.path, [], _json, progress.history.records)


def _hold(
    path: Path,
    head: list[str],
    spell: Callable[[Record], str],
    records: Sequence[Record],
) -> None:
    """Make the file hold ``head`` and ``records``, by one more line if it can be."""
    from ttalgebra.storage.atomic import replace

    if len(records) > 1 and _last_line(path) == spell(records[-2]):
        with open(path, "ab", buffering=0) as file:
            file.write(f"{spell(records[-1])}\n".encode())
    else:
        lines = "".join(f"{line}\n" for line in [*head, *map(spell, records)])
        replace(os.fspath(path), [lines.encode()])


def _last_line(path: Path) -> str | None:
    """The last line of a file; None where there is none, or it has no end."""
    with suppress(FileNotFoundError), open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        whole, end, rest = file.read().rpartition(b"\n")
        if end and not rest:
            return whole.rpartition(b"\n")[2].decode(errors="replace")
    return None


def _csv(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def _json(record: Record) -> str:
    return json.dumps(record, allow_nan=False)
