"""Logs hold the history, whatever the file held; signals wait; bars are for people."""

import io
import json
import signal
import sys
import threading

import pytest

from tests.learning import survivor
from ttalgebra.learning import (
    CSVLog,
    History,
    Interrupted,
    JSONLinesLog,
    Progress,
    progress_bar,
)
from ttalgebra.learning.runs.signals import held

pytestmark = pytest.mark.host("files, signals and terminals")
RECORDS = [{"epoch": k, "loss": 1 / 3**k, "seconds": 0.1 * k} for k in range(1, 6)]


def progress(records):
    return Progress(None, {}, 0, epoch=len(records), history=History(tuple(records)))


def spelled(log):
    if isinstance(log, JSONLinesLog):
        return "".join(f"{json.dumps(r)}\n" for r in RECORDS)
    rows = [",".join(str(x) for x in r.values()) for r in RECORDS]
    return "\n".join(["epoch,loss,seconds", *rows, ""])


@pytest.fixture(params=[CSVLog, JSONLinesLog])
def log(request, tmp_path):
    return request.param(tmp_path / "log")


def test_an_epoch_is_a_line(log):
    for k in range(1, 6):
        log(progress(RECORDS[:k]))
    assert log.path.read_text() == spelled(log)


def test_whatever_the_file_held_it_ends_as_the_history(log):
    for k in range(1, 6):
        log(progress(RECORDS[:k]))
    whole = log.path.read_bytes()
    last = whole[:-1].rpartition(b"\n")[2] + b"\n"
    torn = [whole[:n] for n in range(0, len(whole) + 1, 9)] + [whole]
    for before in (*torn, whole + last, b"\n" * 9, b"\xff" * 70000, whole * 2):
        for after in (4, 5):
            log.path.write_bytes(before)
            for k in range(after, 6):
                log(progress(RECORDS[:k]))
            assert log.path.read_bytes() == whole


def test_a_line_is_appended_where_it_can_be(log):
    log(progress(RECORDS[:1]))
    before = log.path.stat().st_ino
    for k in range(2, 6):
        log(progress(RECORDS[:k]))
    assert log.path.stat().st_ino == before  # written anew, it would be another


def test_a_column_that_comes_later(tmp_path):
    later = [*RECORDS[:2], RECORDS[2] | {"rate": 0.5}]
    log = CSVLog(tmp_path / "log.csv")
    for k in range(1, 4):
        log(progress(later[:k]))
    lines = log.path.read_text().splitlines()
    assert [line.count(",") for line in lines] == [3] * 4
    assert lines[0].endswith(",rate")


@pytest.mark.parametrize("terminal", [False, True])
def test_a_bar_is_shown_on_terminals_alone(monkeypatch, terminal):
    pytest.importorskip("tqdm", reason="tqdm, an extra, draws the bar")
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar(5) as bar:
        for k in (3, 4, 5):  # resumed after the second
            bar(progress(RECORDS[:k]))
    assert ("5/5" in stream.getvalue()) == terminal
    assert bool(stream.getvalue()) == terminal


def test_no_bar_without_tqdm(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with progress_bar(5) as bar:
        bar(progress(RECORDS))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_held_and_then_say_their_code(number):
    def work():
        with held() as asked:
            assert not asked()
            signal.raise_signal(number)
            signal.raise_signal(number)
            assert asked()

    before = signal.getsignal(number)
    with pytest.raises(Interrupted, match=signal.Signals(number).name) as raised:
        work()
    assert raised.value.exit_code == 128 + number
    assert signal.getsignal(number) is before


def test_what_is_ignored_stays_ignored(monkeypatch):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with held() as asked:
            signal.raise_signal(signal.SIGINT)
            assert not asked()
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_error_comes_before_the_signal():
    def work():
        with held():
            signal.raise_signal(signal.SIGINT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()


def test_other_threads_train_without_a_say_in_signals(tmp_path):
    done = []
    thread = threading.Thread(
        target=lambda: done.append(survivor.run(tmp_path, epochs=1))
    )
    thread.start()
    thread.join()
    assert len(done[0][1]) == 1
