"""``ttalgebra compare``: six rows, the bytes that are kept, refusals at the door."""

import os
import struct
from math import ceil

import numpy as np
import pytest

from ttalgebra import layers, learning
from ttalgebra.cli.compare import trials
from ttalgebra.cli.compare.stored import as_bits, as_shifts
from ttalgebra.cli.compare.systems import BITS, systems

for needed in ("sklearn", "matplotlib"):
    pytest.importorskip(needed, reason=f"ttalgebra[demo] is not installed: {needed}")

NAMES = ["dense", "low-rank", "TT", "block-term", "binary", "shift"]
TIMES = ("seconds", "inference_ms")
N, M, K = 64, 256, 10
SHORT = ("compare", "--epochs", "1", "--hidden", "32")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch, tmp_path):
    """A folder of its own, few images, inference timed once."""
    x, labels, *test = learning.digits()
    few = learning.Dataset(x[:160], labels[:160], *test)
    monkeypatch.setattr(learning, "digits", lambda: few)
    monkeypatch.setattr(trials, "SECONDS", 1e-9)
    monkeypatch.chdir(tmp_path)


def no_training(*_, **__):
    raise AssertionError("the refusal comes after the work")


@pytest.fixture(scope="module")
def learned():
    """The rows of a short training on all images, with the sizes of the default."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trials, "SECONDS", 1e-9)
        chosen = trials.setting("digits", M, 1, 4, quick=False)
        return {row["system"]: row for row in trials.compete(chosen, quiet=True)}


def test_the_rows_of_json(call_json):
    table = call_json(*SHORT, "--seeds", "1")
    assert [row["system"] for row in table] == NAMES
    for row in table:
        first = ["system", "parameters", "bytes", "accuracy", "seconds"]
        assert list(row)[:5] == first
        assert row["accuracies"] == [row["accuracy"]]
        assert row["spread"] is None
        assert min(row["seconds"], row["inference_ms"]) > 0
        assert (row["data"], row["inputs"], row["hidden"]) == ("digits", N, 32)


def test_every_system_learns(learned):
    """Chance is 0.1; four epochs give 0.89 to 0.96, a broken recipe far less."""
    accuracies = {name: row["accuracy"] for name, row in learned.items()}
    assert list(accuracies) == NAMES
    assert min(accuracies.values()) > 0.85, accuracies


def test_parameters_and_bytes_by_hand(learned):
    last = M * K + K
    wanted = {
        "dense": N * M + M + last,
        "low-rank": 8 * (N + M) + M + last,
        "TT": 8 * 32 + 8 * 32 * 8 + 8 * 16 + M + last,
        "block-term": 2 * (8**3 + 8 * (32 + 32 + 16)) + M + last,
        "binary": N * M + M * K + 2 * (M + K),
        "shift": N * M + M + last,
    }
    assert {name: row["parameters"] for name, row in learned.items()} == wanted
    nbytes = {name: 4 * wanted[name] for name in NAMES[:4]}
    nbytes["binary"] = (N * M + M * K) // 8 + M * (4 + 1) + 4 * K * 4
    nbytes["shift"] = (N * M + M * K) * BITS // 8 + 8 * (M + K)
    assert {name: row["bytes"] for name, row in learned.items()} == nbytes


@pytest.mark.parametrize("hidden", [30, 64, 256, 1000])
@pytest.mark.parametrize("pixels", [64, 1024])
def test_compressed_layers_have_nearly_as_many_parameters(pixels, hidden):
    rng = np.random.default_rng(0)
    made = [s.network(rng).layers[0] for s in systems(pixels, hidden, 16)[1:4]]
    low_rank, tt, block_term = (x.n_parameters - hidden for x in made)
    assert abs(low_rank - tt) <= (pixels + hidden) / 2
    assert tt / 2 < block_term <= tt


@pytest.mark.parametrize("hidden", [1, 2, 7, 97])
def test_any_number_of_hidden_units(hidden):
    x = np.random.default_rng(0).integers(0, 17, (3, N)).astype(np.float32) / 16
    for system in systems(N, hidden, 16):
        model = system.network(np.random.default_rng(0))
        assert system.stored(model).scores(system.scale * x).shape == (3, K)


def test_what_is_stored_is_the_network():
    """Bits exactly; shifts to the bound of their layers. Bytes as these report."""
    x = learning.digits().x_test
    binary, shift = systems(N, M, 16)[4:]
    model = binary.network(np.random.default_rng(1))
    kept = as_bits(model)
    assert (kept.scores(16 * x) == model(16 * x)[0]).all()
    packed = layers.pack(model)
    (hidden,) = packed.hidden
    beside = hidden.threshold.nbytes + hidden.turned.nbytes + packed.norm.nbytes
    assert kept.nbytes == packed.nbytes + beside
    assert packed.nbytes == 8 * (ceil(N / 64) * M + ceil(M / 64) * K)

    model = shift.network(np.random.default_rng(1))
    kept, small = as_shifts(model), layers.pack_shifts(model)
    assert kept.nbytes == sum(layer.nbytes for layer in small.layers)
    first, _, last = small.layers
    bound = last.bound + np.abs(model.layers[2].power) @ first.bound
    step = last.n_in * 2.0**-16  # the first layer's output is rounded to fixed point
    assert (np.abs(kept.scores(x) - model(x)[0]) <= bound + step + 1e-5).all()


def test_the_same_seeds_give_the_same_rows(call_json):
    one, two = (call_json(*SHORT, "--seeds", "2") for _ in range(2))
    for row in one + two:
        assert all(row.pop(time) > 0 for time in TIMES)
        assert len(row["accuracies"]) == 2
        assert row["spread"] >= 0
    assert one == two


def test_the_table_for_people(call):
    code, out, err = call(*SHORT, "--seeds", "2", "--output", "a.png")
    assert (code, err) == (0, "")
    for name in NAMES:
        (line,) = [
            line for line in out.splitlines() if f"{name} " in line and "±" in line
        ]
        assert line.startswith(name)
    assert out.startswith("digits: 64 -> 32 -> 10, 1 epoch of Adam, 2 seeds\n")
    assert "a.png" in out
    assert os.listdir() == ["a.png"]


def test_the_picture_changes_whole_or_not_at_all(call, monkeypatch):
    arguments = (*SHORT, "--seeds", "1", "--output", "a.png")
    with open("a.png", "wb") as file:
        file.write(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        code, out, err = call(*arguments)
    assert (code, out) == (1, "")
    assert "unchanged" in err
    with open("a.png", "rb") as file:
        assert file.read() == b"old"
    assert os.listdir() == ["a.png"]
    assert call(*arguments)[0] == 0
    with open("a.png", "rb") as file:
        assert file.read(8) == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("code", "match", "arguments"),
    [
        (2, "--seeds: must be at least 1, got 0", ["--seeds", "0"]),
        (2, "--epochs: must be at least 1, got -3", ["--epochs=-3"]),
        (2, "--hidden: must be an int, got 'x'", ["--hidden", "x"]),
        (2, "--output: must end in .png, got 'a.svg'", ["--output", "a.svg"]),
        (1, "no such folder; create it first", ["--output", "missing/a.png"]),
        (1, "not a regular file", ["--output", "folder.png"]),
        (1, "give a smaller --hidden", ["--hidden", "9" * 30]),
        (1, "TTALGEBRA_DATA is not set", ["--data", "mnist"]),
        (1, "train-images-idx3-ubyte", ["--data", "missing"]),
    ],
)
def test_refusals_come_before_the_work(
    assert_one_line, monkeypatch, code, match, arguments
):
    monkeypatch.delenv("TTALGEBRA_DATA", raising=False)
    monkeypatch.setattr(learning, "fit", no_training)
    os.mkdir("folder.png")
    assert_one_line(code, match, "compare", *arguments)
    assert os.listdir() == ["folder.png"]


def write_mnist(folder):
    """Four IDX files of a few random images."""
    rng = np.random.default_rng(0)
    for part, n in (("train", 60), ("t10k", 30)):
        images = rng.integers(0, 256, (n, 28, 28), np.uint8).tobytes()
        head = struct.pack(">4B3I", 0, 0, 8, 3, n, 28, 28)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(head + images)
        labels = rng.integers(0, 10, n, np.uint8).tobytes()
        head = struct.pack(">4BI", 0, 0, 8, 1, n)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(head + labels)


def test_mnist_by_name_and_by_folder(call_json, tmp_path, monkeypatch):
    write_mnist(tmp_path)
    monkeypatch.setenv("TTALGEBRA_DATA", str(tmp_path))
    short = (*SHORT[:3], "--hidden", "8", "--seeds", "1", "--data")
    tables = [call_json(*short, data) for data in ("mnist", ".")]
    for row in tables[0] + tables[1]:
        assert all(row.pop(time) > 0 for time in TIMES)
        assert (row["data"], row["inputs"]) == ("MNIST", 1024)
    assert tables[0] == tables[1]


def test_quick_shortens_what_is_not_said():
    def epochs(said, *, quick):
        return trials.setting("digits", M, 1, said, quick=quick).epochs

    assert epochs(None, quick=True) < epochs(None, quick=False)
    assert epochs(7, quick=True) == epochs(7, quick=False) == 7
