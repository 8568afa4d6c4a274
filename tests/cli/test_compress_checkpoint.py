"""``ttalgebra compress`` of networks: what is written, what stays, what is refused."""

import json
import os
import tracemalloc

import numpy as np
import pytest

from ttalgebra import TTMatrix
from ttalgebra.layers import Dense, ReLU, Sequential, load, save
from ttalgebra.storage import read

SHARDS = ("one.safetensors", "two.safetensors")
INDEX = "model.safetensors.index.json"
CASES = 1000 if os.environ.get("TTALGEBRA_TEST_LONG") == "1" else 60
DTYPES = {"<f8": "F64", "<f4": "F32", "<f2": "F16", "<i8": "I64", "<c8": "C64"}


def kron(n=8, seed=0, dtype=np.float32):
    """Integers; of TT-rank 1 in the modes ``n x n, n x n``."""
    rng = np.random.default_rng(seed)
    A, B = rng.integers(-3, 4, (2, n, n))
    return np.kron(A, B).astype(dtype)


def noise(shape=(64, 64), dtype=np.float32, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def as_bf16(x):
    """The upper half of each float32, which must be all of it that is not zero."""
    bits = x.astype(np.float32).view(np.uint32)
    assert not (bits & 0xFFFF).any()
    return (bits >> 16).astype("<u2")


def foreign(path, arrays, metadata=None, bf16=()):
    """A file as other libraries write it."""
    record, data = {}, b""
    if metadata is not None:
        record["__metadata__"] = metadata
    for name, x in arrays.items():
        raw = x.tobytes()
        line = {"dtype": "BF16" if name in bf16 else DTYPES[x.dtype.str]}
        line |= {"shape": x.shape, "data_offsets": [len(data), len(data) + len(raw)]}
        record[name], data = line, data + raw
    table = json.dumps(record).encode()
    path.write_bytes(len(table).to_bytes(8, "little") + table + data)


def listing(path):
    """The table, and the bytes of each tensor, read without ttalgebra."""
    raw = path.read_bytes()
    end = 8 + int.from_bytes(raw[:8], "little")
    record = json.loads(raw[8:end])
    metadata = record.pop("__metadata__")
    data = {}
    for name, line in record.items():
        start, stop = (end + offset for offset in line["data_offsets"])
        data[name] = raw[start:stop]
    return record, data, metadata


def matrix_in(path, name):
    """What the cores called ``name`` multiply to, cut to the shape of the metadata."""
    record, data, metadata = listing(path)
    about = json.loads(metadata["ttalgebra.compressed"])["matrices"][name]
    cores = []
    for k in range(len(about["row_modes"])):
        line = record[f"{name}.cores.{k}"]
        kind = {"F32": "<f4", "F64": "<f8", "C64": "<c8"}[line["dtype"]]
        core = np.frombuffer(data[f"{name}.cores.{k}"], kind).reshape(line["shape"])
        cores.append(core)
    M, N = about["shape"]
    return TTMatrix(cores).to_dense()[:M, :N], about


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A checkpoint of every kind of tensor, and the same in two shards."""
    arrays = {
        "a.weight": kron(),
        "a.bias": noise((64,)),
        "b.weight": noise(),
        "conv": noise((4, 4, 3, 3)),
        "half": kron(seed=1, dtype=np.float16),
        "brain": as_bf16(kron(seed=2)),
        "brain.bias": as_bf16(np.float32([1.5, -2.0])),
        "indices": np.arange(4096).reshape(64, 64),
        "small": kron(2),
        "wide": np.ones((67, 64), np.float32),
    }
    bf16 = ("brain", "brain.bias")
    foreign(tmp_path / "model.safetensors", arrays, {"format": "pt"}, bf16)
    names = list(arrays)
    places = {}
    for shard, own in zip(SHARDS, (names[:4], names[4:]), strict=True):
        held = {name: arrays[name] for name in own}
        foreign(tmp_path / shard, held, {"format": "pt"}, bf16)
        places |= dict.fromkeys(own, shard)
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (tmp_path / INDEX).write_text(json.dumps(index))
    monkeypatch.chdir(tmp_path)
    return arrays


def compress(source="model.safetensors", *more, target="out.safetensors"):
    return ["compress", source, target, *(more or ("--tol", "0.01"))]


@pytest.mark.parametrize("source", ["model.safetensors", INDEX])
def test_matrices_become_cores_and_all_else_is_copied(
    files, tmp_path, call_json, source
):
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    result = call_json(*compress(source))
    decisions = {d["name"]: d for d in result["decisions"]}
    replaced = {name for name, d in decisions.items() if d["replaced"]}
    assert replaced == {"a.weight", "half", "brain", "wide"}
    record, data, metadata = listing(tmp_path / "out.safetensors")
    assert metadata["format"] == "pt"
    for name, x in files.items():
        if name in replaced:
            assert name not in record
            W, about = matrix_in(tmp_path / "out.safetensors", name)
            wanted = x if name != "brain" else kron(seed=2)
            unit = np.finfo(np.float32).eps * np.abs(wanted).max() * 64
            assert np.abs(W - wanted).max() <= 30 * unit
            assert about["ranks"] == decisions[name]["ranks"]
            assert set(about["ranks"]) == {1}
        else:
            assert data[name] == x.tobytes()
            assert decisions[name]["after"] == decisions[name]["before"] == x.nbytes
    for name, content in before.items():
        assert (tmp_path / name).read_bytes() == content


def test_what_is_left_says_why(files, call_json):
    result = call_json(*compress())
    why = {d["name"]: d["reason"] for d in result["decisions"] if not d["replaced"]}
    assert why.pop("b.weight").startswith("TT with tol=0.01 takes ")
    assert why == {
        "a.bias": "not a matrix",
        "conv": "not a matrix",
        "brain.bias": "not a matrix",
        "indices": "I64 is no dtype of numbers that is compressed",
        "small": "fewer than 4,096 numbers",
    }


def test_bytes_are_those_of_the_file(files, tmp_path, call_json):
    result = call_json(*compress())
    _, data, _ = listing(tmp_path / "out.safetensors")
    assert result["after"] == sum(map(len, data.values()))
    assert result["before"] == sum(x.nbytes for x in files.values())
    assert result["input_bytes"] == os.path.getsize("model.safetensors")
    assert result["output_bytes"] == os.path.getsize("out.safetensors")
    of_a = sum(len(raw) for name, raw in data.items() if "a.weight" in name)
    assert result["decisions"][0]["after"] == of_a == 2 * 64 * 4


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_a_budget_holds_in_the_file(files, tmp_path, call_json, share):
    budget = int(share * sum(x.nbytes for x in files.values()))
    result = call_json(*compress("model.safetensors", "--budget", budget))
    _, data, _ = listing(tmp_path / "out.safetensors")
    assert sum(map(len, data.values())) == result["after"] <= budget


def test_errors_are_those_of_the_file(files, tmp_path, call_json):
    result = call_json(*compress("model.safetensors", "--max-rank", "3"))
    decision = next(d for d in result["decisions"] if d["name"] == "b.weight")
    W, about = matrix_in(tmp_path / "out.safetensors", "b.weight")
    wanted = files["b.weight"].astype(np.float64)
    error = np.sqrt(((W - wanted) ** 2).sum() / (wanted**2).sum())
    unit = np.finfo(np.float32).eps
    assert abs(decision["error"] - error) <= 30 * unit
    assert about["error"] == decision["error"]


def test_sizes_without_good_modes_are_padded(tmp_path, monkeypatch, call_json):
    monkeypatch.chdir(tmp_path)
    i, j = np.ogrid[:97, :89]
    foreign(tmp_path / "model.safetensors", {"W": (i + 2.0 * j)})
    call_json(*compress("model.safetensors", "--tol", "1e-10"))
    W, about = matrix_in(tmp_path / "out.safetensors", "W")
    assert about["shape"] == [97, 89]
    assert np.allclose(W, i + 2.0 * j, rtol=0, atol=1e-10 * 300 * 97)


def test_the_result_is_compressed_again_without_loss(files, tmp_path, call_json):
    call_json(*compress())
    again = compress("out.safetensors", target="again.safetensors")
    result = call_json(*again)
    assert not [d for d in result["decisions"] if d["replaced"]]
    first, second = (listing(tmp_path / f"{n}.safetensors") for n in ("out", "again"))
    assert first == second


def test_other_libraries_read_it(files, tmp_path, call_json):
    numpy = pytest.importorskip("safetensors.numpy", reason="safetensors is missing")
    del files["brain"], files["brain.bias"]  # NumPy has no bfloat16
    foreign(tmp_path / "plain.safetensors", files)
    call_json(*compress("plain.safetensors"))
    theirs = numpy.load_file("out.safetensors")
    ours, header = read("out.safetensors")
    assert header == {"kind": "safetensors"}
    assert set(theirs) == set(ours) > {"a.weight.cores.0", "half.cores.1", "conv"}
    for name, x in ours.items():
        assert np.array_equal(theirs[name], x)


def test_text_report_and_picture(files, tmp_path, call):
    options = ("--tol", "0.01", "--report", "r.json", "--picture", "p.png")
    code, out, err = call(*compress("model.safetensors", *options))
    assert (code, err) == (0, "")
    rows = {line.split()[0]: line for line in out.splitlines() if line}
    assert rows["a.weight"].split()[1:7] == ["64x64", "8x8", "8x8", "1", "1", "1"]
    assert "left: TT with tol=0.01 takes" in rows["b.weight"]
    assert rows["3"] == "3 left: not a matrix"
    assert rows["picture"] == "picture     p.png"
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["after"] < record["before"]
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_names_cannot_write_to_the_terminal(tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    foreign(tmp_path / "model.safetensors", {"\x1b[31m\n": kron(), "$a_{$": kron()})
    options = ("--tol", "0.1", "--picture", "p.png")
    code, out, _ = call(*compress("model.safetensors", *options))
    assert code == 0
    assert "\x1b" not in out
    assert "\\x1b[31m\\n" in out


def test_a_model_of_ours_stays_one(tmp_path, monkeypatch, call_json):
    monkeypatch.chdir(tmp_path)
    layers = [Dense(kron(), np.zeros(64)), ReLU(), Dense.random(64, 10, rng=0)]
    x = noise((5, 64))
    for suffix in ("npz", "safetensors"):
        save(Sequential(layers), tmp_path / f"model.{suffix}")
        target = f"small.{suffix}"
        result = call_json(*compress(f"model.{suffix}", target=target))
        assert result["kind"] == "model"
        small = load(target)
        assert small.layers[0].name == "TTLinear"
        assert small.nbytes == result["after"]
        y, wanted = small(x)[0], Sequential(layers)(x)[0]
        assert np.allclose(y, wanted, rtol=1e-4, atol=1e-3)


def test_values_that_are_not_finite_stay(tmp_path, monkeypatch, call_json):
    monkeypatch.chdir(tmp_path)
    W = kron()
    W[3, 5] = np.nan
    foreign(tmp_path / "model.safetensors", {"W": W})
    result = call_json(*compress())
    assert result["decisions"][0]["reason"] == "its values are not all finite"
    _, data, _ = listing(tmp_path / "out.safetensors")
    assert data["W"] == W.tobytes()


@pytest.mark.parametrize("aim", ["--tol", "--budget", "--max-rank"])
def test_tensors_at_the_ends_of_the_range(tmp_path, monkeypatch, call, aim):
    monkeypatch.chdir(tmp_path)
    ends = {"<f2": 6e4, "<f4": 3e38, "<f8": 1.7e308, "<c8": 2e38}
    ones = np.ones((67, 64))
    arrays = {
        f"{kind[1:]}.{k}": (ones * x).astype(kind)
        for kind, end in ends.items()
        for k, x in enumerate((end, 1 / end, 0.0))
    }
    foreign(tmp_path / "model.safetensors", arrays)
    code, _, err = call(*compress("model.safetensors", aim, 60_000))
    assert (code, err) == (0, "")


def test_names_of_cores_that_are_taken_stay(tmp_path, monkeypatch, call_json):
    monkeypatch.chdir(tmp_path)
    arrays = {"W": kron(), "W.cores.1": noise((2,))}
    foreign(tmp_path / "model.safetensors", arrays)
    result = call_json(*compress())
    assert "names of its cores" in result["decisions"][0]["reason"]


def test_a_matrix_without_a_name_becomes_cores(tmp_path, monkeypatch, call_json):
    monkeypatch.chdir(tmp_path)
    foreign(tmp_path / "model.safetensors", {"": kron(), "other": noise((2,))})
    assert call_json(*compress())["decisions"][0]["ranks"] == [1, 1, 1]


def test_unknown_dtypes_are_copied(tmp_path, monkeypatch, call_json):
    monkeypatch.chdir(tmp_path)
    line = {"dtype": "F6_E3M2", "shape": [64, 64], "data_offsets": [0, 3072]}
    table, raw = json.dumps({"W": line}).encode(), os.urandom(3072)
    whole = len(table).to_bytes(8, "little") + table + raw
    (tmp_path / "model.safetensors").write_bytes(whole)
    result = call_json(*compress())
    assert "F6_E3M2" in result["decisions"][0]["reason"]
    record, data, _ = listing(tmp_path / "out.safetensors")
    assert (record["W"], data["W"]) == (line, raw)


def peak(call, source, *more):
    """The most that NumPy and Python held at once."""
    tracemalloc.start()
    try:
        assert call(*compress(source, *more))[0] == 0
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("aim", [("--max-rank", "8"), ("--tol", "0.5")])
def test_one_tensor_in_memory_at_a_time(tmp_path, monkeypatch, call, aim):
    """Eight matrices of 256 KiB take what one takes, and half of one more."""
    monkeypatch.chdir(tmp_path)
    n = 256
    for count in (1, 8):
        arrays = {f"W{k}": noise((n, n), seed=k) for k in range(count)}
        foreign(tmp_path / f"{count}.safetensors", arrays)
    peak(call, "1.safetensors", *aim)  # what is imported and planned once
    one, eight = (peak(call, f"{count}.safetensors", *aim) for count in (1, 8))
    assert one >= 2 * n * n * 4
    assert eight <= one + n * n * 4 // 2


def test_copies_are_streamed(tmp_path, monkeypatch, call):
    """A tensor of 16 MiB that stays is never in memory."""
    monkeypatch.chdir(tmp_path)
    foreign(tmp_path / "model.safetensors", {"W": np.zeros((2**22, 1, 1), "<f4")})
    peak(call, "model.safetensors")
    assert peak(call, "model.safetensors") < 2**23


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda raw: raw[:-1], "bytes and its header says"),
        (lambda raw: raw + b"\0", "bytes and its header says"),
        (lambda raw: raw[:5], "too early"),
        (lambda raw: b"\xff" * 7 + raw[7:], "its header would have"),
        (lambda raw: raw.replace(b'"half"', b'"ha\\uf"', 1), "not JSON"),
        (lambda raw: raw.replace(b'"half"', b'"wide"', 1), "names everything once"),
        (lambda raw: raw.replace(b'"F16"', b'"F32"', 1), "'half' has no possible"),
        (lambda raw: raw.replace(b"[0, ", b"[2, ", 1), "has no possible"),
        (lambda raw: raw.replace(b'"pt"', b"1234", 1), "metadata are not text"),
        (lambda raw: raw.replace(b'"half"', b'"harf"', 1), "'half' is not in it"),
    ],
)
def test_damaged_shards_are_refused_by_name(
    files, tmp_path, assert_one_line, damage, match
):
    shard = tmp_path / SHARDS[1]
    before, after = shard.read_bytes(), damage(shard.read_bytes())
    assert before != after
    shard.write_bytes(after)
    assert_one_line(1, match, *compress(INDEX))
    assert_one_line(1, SHARDS[1], *compress(INDEX))
    assert not os.path.exists("out.safetensors")


def test_a_missing_shard_is_named(files, tmp_path, assert_one_line):
    (tmp_path / SHARDS[1]).unlink()
    assert_one_line(1, f"{SHARDS[1]}: a shard that {INDEX} names", *compress(INDEX))


def test_shards_hold_what_the_index_lists(files, tmp_path, assert_one_line):
    index = json.loads((tmp_path / INDEX).read_text())
    del index["weight_map"]["wide"]
    (tmp_path / INDEX).write_text(json.dumps(index))
    assert_one_line(1, "'wide' is in it and not in the index", *compress(INDEX))


def test_no_byte_of_a_table_ends_in_a_traceback(files, tmp_path, call):
    """Any byte of table or index may be any other: done, or refused in one line."""
    rng = np.random.default_rng(0)
    codes = set()
    for source, flipped in ((INDEX, INDEX), (INDEX, SHARDS[0])):
        whole = (tmp_path / flipped).read_bytes()
        end = len(whole) if flipped == INDEX else 300
        for _ in range(CASES):
            damaged = bytearray(whole)
            damaged[rng.integers(end)] = rng.integers(256)
            (tmp_path / flipped).write_bytes(damaged)
            code, out, err = call(*compress(source, "--max-rank", "1"))
            assert (code, err.count("\n")) in ((0, 0), (1, 1)), err
            assert (out == "") == (code == 1)
            codes.add(code)
        (tmp_path / flipped).write_bytes(whole)
    assert codes == {0, 1}


def test_many_tensors_have_one_picture(tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    arrays = {f"layer.{k}.weight": kron(4 + k % 3) for k in range(60)}
    foreign(tmp_path / "model.safetensors", arrays)
    options = ("--tol", "0.1", "--min-parameters", "2", "--picture", "p.png")
    assert call(*compress("model.safetensors", *options))[0] == 0
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"weight_map": {}}', "no weight_map"),
        ('{"weight_map": {"a": 3}}', "'a' is in 3, no file beside it"),
        ('{"weight_map": {"a": "../x"}}', "no file beside it"),
        ('{"weight_map": {"a": "/etc/passwd"}}', "no file beside it"),
        ('{"weight_map": {"a": "."}}', "not a regular file"),
        ('{"weight_map": {"a": ""}}', "no file beside it"),
        ('{"weight_map": {"a": "a\\u0000b"}}', "no file can have this name"),
    ],
)
def test_a_bad_index_is_refused(files, tmp_path, assert_one_line, text, match):
    (tmp_path / INDEX).write_text(text)
    assert_one_line(1, match, *compress(INDEX))


@pytest.mark.parametrize(
    ("more", "match"),
    [
        (["--tol", "0.1", "--max-rank", "2"], "exactly one of"),
        (["--json"], "exactly one of"),
        (["--budget", "0"], "--budget: must be at least 1"),
        (["--tol", "1", "--picture", "out.safetensors"], "must be different files"),
        (["--tol", "1", "--report", "./out.safetensors"], "must be different files"),
        (["--tol", "1", "--rows", "8,8"], "--cols must be given for a matrix"),
    ],
)
def test_usage_that_is_refused(files, assert_one_line, more, match):
    assert_one_line(2, match, *compress("model.safetensors", *more))


def test_options_of_networks_are_refused_for_matrices(folder, assert_one_line):
    shape = ["--rows", "2,3,2", "--cols", "2,2,4", "--budget", "100"]
    assert_one_line(2, "--budget is for networks", "compress", "W.npy", "o.npz", *shape)


def test_other_outputs_are_refused(files, assert_one_line):
    words = compress(target="out.pt")
    assert_one_line(2, "OUT must end in .safetensors", *words)
    words = compress("model.safetensors", "--tol", "1", target="out.npz")
    assert_one_line(1, "out.npz: a checkpoint becomes a .safetensors", *words)


def test_a_budget_below_the_least_is_refused(files, assert_one_line):
    words = compress("model.safetensors", "--budget", "1000")
    assert_one_line(1, "the budget is 1,000 bytes, the least is", *words)


@pytest.mark.parametrize("source", ["model.safetensors", INDEX])
@pytest.mark.parametrize("option", [None, "--report", "--picture"])
def test_no_input_is_overwritten(files, tmp_path, assert_one_line, source, option):
    victim = tmp_path / (source if source != INDEX else SHARDS[0])
    before = victim.read_bytes()
    if option is None:
        words = compress(source, target=str(victim))
    else:
        words = compress(source, "--tol", "0.1", option, str(victim))
    assert_one_line(1, "this is the input", *words)
    assert victim.read_bytes() == before
    assert not os.path.exists("out.safetensors")


def test_a_failure_leaves_the_old_output_and_no_other_file(
    files, tmp_path, assert_one_line, monkeypatch
):
    (tmp_path / "out.safetensors").write_bytes(b"old")
    before = sorted(os.listdir())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert_one_line(1, "No space left on device", *compress())
    assert (tmp_path / "out.safetensors").read_bytes() == b"old"
    assert sorted(os.listdir()) == before


def test_trains_of_ours_are_no_checkpoints(folder, assert_one_line):
    words = compress("matrix.safetensors")
    assert_one_line(1, "a file of ttalgebra's own that is no model", *words)
    assert_one_line(1, "not a model", *compress("matrix.npz"))
