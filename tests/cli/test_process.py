"""The command line as a process: entry points, signals, closed and full outputs."""

import importlib.metadata
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ttalgebra
from tests.cli.conftest import COMPRESS
from ttalgebra import cli

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(ttalgebra.__file__).parents[1])}
MODULE = [sys.executable, "-W", "error", "-m", "ttalgebra"]


def run(*arguments, **how):
    how = {"env": ENVIRONMENT, "stderr": subprocess.PIPE, "text": True} | how
    return subprocess.run([*MODULE, *arguments], check=False, timeout=60, **how)


def test_the_module_is_the_command(folder):
    done = run("info", "matrix.npz", stdout=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "TTMatrix" in done.stdout


def test_the_module_exits_with_the_code(folder):
    done = run("info", "missing.npz")
    assert done.returncode == 1
    assert done.stderr == "ttalgebra info: missing.npz: No such file or directory\n"


def test_the_version(call):
    assert call("--version") == (0, f"ttalgebra {ttalgebra.__version__}\n", "")


@pytest.mark.skipif(
    not any(d.name == "ttalgebra" for d in importlib.metadata.distributions()),
    reason="ttalgebra is not installed here, only on the path",
)
def test_the_installed_command_is_main():
    (script,) = importlib.metadata.entry_points(
        name="ttalgebra", group="console_scripts"
    )
    assert script.load() is cli.main


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_help_and_json(call, command):
    code, out, err = call(command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: ttalgebra {command}")
    assert "--json" in out


def test_no_command_is_bad_usage(assert_one_line):
    assert_one_line(2, "required: COMMAND; see ttalgebra --help")


def test_an_unknown_command_is_bad_usage(assert_one_line):
    assert_one_line(2, "invalid choice: 'compres", "compres\n")


def test_a_package_that_is_missing_is_one_line(folder, assert_one_line, monkeypatch):
    def raise_(*_, **__):
        raise ImportError("no scikit-learn; pip install 'ttalgebra[demo]'")

    monkeypatch.setattr(ttalgebra.TTMatrix, "from_dense", raise_)
    assert_one_line(1, "pip install 'ttalgebra[demo]'", *COMPRESS)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), BrokenPipeError()])
def test_interruptions_in_the_work(folder, call, monkeypatch, error):
    def raise_(*_, **__):
        raise error

    monkeypatch.setattr(ttalgebra.TTMatrix, "from_dense", raise_)
    code, out, err = call(*COMPRESS)
    if isinstance(error, KeyboardInterrupt):
        assert (code, err) == (130, "ttalgebra compress: interrupted\n")
    else:
        assert (code, err) == (1, "")
    assert out == ""
    assert not os.path.exists("W.npz")


SLOW = """
import sys, time
import ttalgebra
from ttalgebra.cli import main
def slow(*_, **__):
    open("started", "x").close()
    time.sleep(60)
ttalgebra.TTMatrix.from_dense = slow
sys.exit(main(sys.argv[1:]))
"""


def test_ctrl_c_is_one_line_and_130(folder):
    command = [sys.executable, "-W", "error", "-c", SLOW, *COMPRESS]
    pipe = subprocess.PIPE
    default = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # not ignored, as by nohup
    with subprocess.Popen(command, env=ENVIRONMENT, stderr=pipe, text=True) as process:
        signal.signal(signal.SIGINT, default)
        deadline = time.monotonic() + 30
        while not os.path.exists("started") and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "ttalgebra compress: interrupted\n"


def test_a_closed_pipe_is_no_error_to_talk_about(folder):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run("info", "matrix.npz", stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(
    not os.path.exists("/dev/full"), reason="this system has no /dev/full"
)
def test_a_full_output_is_one_line(folder):
    with open("/dev/full", "w") as full:
        done = run("info", "matrix.npz", stdout=full)
    assert done.returncode == 1
    assert done.stderr == "ttalgebra info: No space left on device\n"


def test_an_output_that_knows_only_ascii(folder):
    (folder / "matrix.npz").rename(folder / "mätrix.npz")
    environment = ENVIRONMENT | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"}
    done = run("info", "mätrix.npz", stdout=subprocess.PIPE, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert r"m\xe4trix.npz" in done.stdout
