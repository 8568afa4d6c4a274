"""The folder of ``ttalgebra train``: strange names, refused runs, lost checkpoints."""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from ttalgebra.storage import read

PLAIN = """epochs = 2
[data]
source = "d.npz"
[[layers]]
layer = "Dense"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working folder, with samples and a configuration."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 7)), rng.integers(0, 3, 40)
    np.savez("d.npz", x=x, y=y)
    Path("run.toml").write_text(PLAIN)
    return tmp_path


def content(folder):
    return {p: p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}


def test_a_resume_that_is_refused_changes_nothing(call, assert_one_line):
    asked = ("train", "run.toml", "--resume")
    assert call("train", "run.toml")[0] == 0
    before = content("run")
    Path("run.toml").write_text(PLAIN.replace("epochs = 2", "epochs = 1"))
    assert_one_line(1, "epochs is 1, the checkpoint has 2 done", *asked)
    assert content("run") == before
    Path("run.toml").write_text(PLAIN.replace("epochs = 2", "epochs = 3"))
    assert_one_line(1, "no 'x.npz' in", "train", "run.toml", "--resume-from", "x.npz")
    assert content("run") == before
    assert call(*asked)[0] == 0
    assert "epochs = 3\n" in Path("run/config.toml").read_text()
    assert len(Path("run/versions.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize("lost", ["model", "history"])
def test_a_run_without_its_checkpoints_is_not_begun_anew(call, assert_one_line, lost):
    assert call("train", "run.toml")[0] == 0
    shutil.rmtree("run/checkpoints")
    os.remove("run/model.npz" if lost == "model" else "run/history.jsonl")
    before = content("run")
    says = "run: no checkpoint is left to resume from; name another --output, or remove"
    assert_one_line(1, says, "train", "run.toml", "--resume")
    assert content("run") == before


def test_a_run_that_was_killed_before_its_first_checkpoint_is_begun_anew(call):
    assert call("train", "run.toml", "--output", "whole")[0] == 0
    assert call("train", "run.toml")[0] == 0
    shutil.rmtree("run/checkpoints")
    os.remove("run/model.npz")
    log = Path("run/history.jsonl")
    log.write_text(log.read_text().splitlines(keepends=True)[0])
    assert call("train", "run.toml", "--resume")[0] == 0
    whole, run = (read(f"{name}/model.npz")[0] for name in ("whole", "run"))
    assert all(whole[n].tobytes() == run[n].tobytes() for n in whole)


@pytest.mark.parametrize("name", ["😀é", "a$b$c", "$\\frac$", "tab\tand\x7f", "模型"])
def test_a_run_of_any_name_is_drawn_and_resumed(call_json, name):
    pytest.importorskip("matplotlib", reason="it draws the picture")
    os.rename("d.npz", f"{name}.npz")
    first = call_json("train", f"{name}.npz")
    assert first["data"] == f"{name}.npz"
    assert first["folder"] == name
    assert "learning.png" in first["files"]
    again = call_json("train", f"{name}.npz", "--resume")
    assert again["validation_loss"] == first["validation_loss"]


@pytest.mark.skipif(sys.platform == "darwin", reason="its files have names in UTF-8")
def test_a_name_that_is_not_text_is_refused_in_words(assert_one_line):
    name = os.fsdecode(b"mine\xe9.npz")
    os.rename("d.npz", name)
    assert_one_line(1, "data.source: must be a text in UTF-8, got", "train", name)
    Path("d.npz").write_bytes(Path(name).read_bytes())
    asked = ("train", "run.toml", "--output", os.fsdecode(b"\xe9"))
    assert_one_line(1, "output: must be a text in UTF-8, got", *asked)
    assert not Path(os.fsdecode(b"\xe9")).exists()


LAYER = '[[layers]]\nlayer = "{}"\n{}\n[[layers]]\nlayer = "Dense"\n'
LARGE = {
    f'optimizer = {{rule = "SGD", rate = 1{"0" * 400}}}': "optimizer.rate: must be a",
    f"epochs = 1{'0' * 20}": "epochs: must be an int of at least 1 and below 2^63",
    f"seed = 0x{'f' * 9000}": "seed: must be an int of at least 0 and below 2^63",
    f"epochs = [0x{'f' * 9000}]": "got a number of thousands of digits",
    LAYER.format("Dense", f"units = 1{'0' * 18}"): f"1: units = 1{'0' * 18}: the wei",
    LAYER.format("Dense", "units = 100_000_000"): "units = 100000000: the weight needs",
    LAYER.format("Dense", f"units = 1{'0' * 30}"): "entry 1.units: must be an int",
    LAYER.format("TTLinear", f"units = 1{'0' * 26}"): "entry 1.units: must be an int",
    LAYER.format("TTLinear", f"units = 1{'0' * 18}"): f"units = 1{'0' * 18}: the bias",
    LAYER.format("BTLinear", f"units = 1{'0' * 18}"): f"units = 1{'0' * 18}: the bias",
    LAYER.format("TTLinear", f"rows = [1{'0' * 26}]"): "rows: must be a list of ints",
}


@pytest.mark.parametrize("text", LARGE, ids=lambda text: ascii(text)[1:50])
def test_numbers_that_are_too_large_are_named(assert_one_line, text):
    tables = text if text.startswith("[[") else ""
    keys = "" if tables else text
    Path("large.toml").write_text(f'{keys}\n[data]\nsource = "d.npz"\n{tables}')
    assert_one_line(1, LARGE[text], "train", "large.toml")
    assert not Path("large").exists()


@pytest.mark.parametrize(
    "name", ["TTLinear.ranks", "BTLinear.ranks", "BTLinear.blocks"]
)
def test_ranks_that_are_too_large_are_refused_or_lowered(call, name):
    kind, key = name.split(".")
    table = LAYER.format(kind, f"units = 8\n{key} = 1{'0' * 18}")
    Path("large.toml").write_text(f'epochs = 1\n[data]\nsource = "d.npz"\n{table}')
    code, _, err = call("train", "large.toml")
    assert code == 0 or "layers, entry 1" in err
