"""A folder of files, good and bad, and the command line called within it."""

import json
import pickle

import numpy as np
import pytest

import ttalgebra as tt
from ttalgebra.cli import main
from ttalgebra.layers import Dense, ReLU, Sequential, TTLinear, save

COMPRESS = ["compress", "W.npy", "W.npz", "--rows", "2,3,2", "--cols", "2,2,4"]


def smooth():
    """A 12 x 16 matrix of TT-ranks 2."""
    i, j = np.ogrid[:12, :16]
    return np.sin(i + j / 3.0)


def fill(folder):
    """Write every kind of file that a command may be given."""
    W = smooth()
    np.save(folder / "W.npy", W)
    np.save(folder / "fortran.npy", np.asfortranarray(W))
    np.save(folder / "big_endian.npy", W.astype(">f8"))
    np.save(folder / "complex.npy", (1 + 2j) * W)
    np.save(folder / "ints.npy", np.arange(192).reshape(12, 16))
    np.save(folder / "nan.npy", np.where(W > 0.9, np.nan, W))
    np.save(folder / "half.npy", W.astype(np.float16))
    np.save(folder / "text.npy", W.astype("U8"))
    np.save(folder / "vector.npy", W[0])
    np.save(folder / "cube.npy", W.reshape(3, 4, 16))
    np.save(folder / "empty.npy", W[:0])
    np.save(folder / "objects.npy", W.astype(object), allow_pickle=True)
    np.savez(folder / "plain.npz", W)
    (folder / "pickle.npy").write_bytes(pickle.dumps(W))
    (folder / "nothing.npy").write_bytes(b"")
    whole = (folder / "W.npy").read_bytes()
    (folder / "short.npy").write_bytes(whole[:-8])
    for name, shape in FORGED.items():
        forged = whole.replace(b"(12, 16), }", shape.encode() + b", }", 1)
        (folder / f"{name}.npy").write_bytes(forged)
    _save_ours(folder, W)


FORGED = {
    "huge": "(2**40, 2**40)",
    "wide": f"({2**62}, {2**62})",
    "negative": "(-12, -16)",
    "code": "__import__('os').mkdir('x')",
    "brackets": "(" * 500,
}


def _save_ours(folder, W):
    A = tt.TTMatrix.from_dense(W, (2, 3, 2), (2, 2, 4), tol=1e-10)
    A.save(folder / "matrix.npz")
    tt.ones((3, 4, 5)).save(folder / "tensor.npz")
    layers = [
        TTLinear.random((2, 2), (3, 1), 2, rng=0),
        ReLU(),
        Dense.random(4, 3, rng=0),
    ]
    save(Sequential(layers), folder / "model.npz")
    A.save(folder / "matrix.safetensors")
    save(Sequential(layers), folder / "model.safetensors")
    _save_foreign(folder)
    whole = (folder / "matrix.npz").read_bytes()
    (folder / "short.npz").write_bytes(whole[:-1])
    flipped = bytes([whole[-300] ^ 1])
    (folder / "flipped.npz").write_bytes(whole[:-300] + flipped + whole[-299:])


def _save_foreign(folder):
    """Safetensors as others write them, cut, and with a header of 2^63 - 1 bytes."""
    line = b'{"cores.0":{"dtype":"F64","shape":[1,2,1],"data_offsets":[0,16]}}'
    whole = len(line).to_bytes(8, "little") + line + bytes(16)
    (folder / "foreign.safetensors").write_bytes(whole)
    (folder / "short.safetensors").write_bytes(whole[:-1])
    forged = (2**63 - 1).to_bytes(8, "little") + whole[8:]
    (folder / "forged.safetensors").write_bytes(forged)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder of the test, with all these files."""
    fill(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def call(capsys):
    """Run a command line in this process: exit code, output, errors."""

    def run(*arguments):
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as exited:
            code = exited.code
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def call_json(call):
    """The JSON object that a command prints when all is well."""

    def run(*arguments):
        code, out, err = call(*arguments, "--json")
        assert (code, err) == (0, "")
        assert out.count("\n") == 1
        return json.loads(out)

    return run


@pytest.fixture
def assert_one_line(call):
    """The command fails with this code, one line that says this, and no output."""

    def check(code, match, *arguments):
        found, out, err = call(*arguments)
        assert (found, out) == (code, "")
        assert err.count("\n") == 1
        assert err.endswith("\n")
        assert err.startswith("ttalgebra")
        assert match in err

    return check
