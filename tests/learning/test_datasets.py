"""The data as published, and IDX files damaged in every way."""

import gzip
import hashlib
import os
import sys

import numpy as np
import pytest

from ttalgebra.arrays.errors import FormatError, ShapeError
from ttalgebra.learning import digits, mnist, padded

pytestmark = pytest.mark.host("data are read on the host")
FOLDER = os.environ.get("TTALGEBRA_DATA")
needs_mnist = pytest.mark.skipif(not FOLDER, reason="TTALGEBRA_DATA is not set")


def test_digits_are_split_for_ever():
    data = digits()
    assert data.x.shape == (1437, 64)
    assert data.x_test.shape == (360, 64)
    assert data.x.dtype == data.x_test.dtype == np.float32
    assert data.labels.dtype == np.int64
    assert data.x.min() == 0
    assert data.x.max() == 1
    assert np.bincount(data.labels_test).tolist() == [
        33,
        33,
        32,
        35,
        32,
        43,
        42,
        35,
        38,
        37,
    ]


def test_digits_are_scikit_learns():
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    data = digits()
    both = np.concatenate([data.x, data.x_test]) * 16
    assert sorted(map(bytes, both.astype("u1"))) == sorted(
        map(bytes, images.astype("u1"))
    )
    assert len(labels) == len(data.labels) + len(data.labels_test)


def test_digits_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"pip install 'ttalgebra\[demo\]'"):
        digits()


@needs_mnist
def test_mnist_is_mnist():
    data = mnist()
    assert data.x.shape == (60000, 784)
    assert data.x_test.shape == (10000, 784)
    assert data.x.dtype == np.float32
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(data.labels).tolist() == counts
    raw = np.rint(data.x_test * 255).astype("u1").tobytes()
    header = np.array([0x803, 10000, 28, 28], ">u4").tobytes()
    digest = hashlib.sha256(header + raw).hexdigest()
    assert digest.startswith("0fa7898d")
    assert digest.endswith("494ce7")


def image_file(n=3, size=28, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (n, size, size), "u1")
    return np.array([0x803, n, size, size], ">u4").tobytes() + pixels.tobytes()


def label_file(labels=(1, 2, 9)):
    return np.array([0x801, len(labels)], ">u4").tobytes() + bytes(labels)


FILES = {
    f"{part}-{what}": make
    for part in ("train", "t10k")
    for what, make in (
        ("images-idx3-ubyte", image_file),
        ("labels-idx1-ubyte", label_file),
    )
}


@pytest.fixture
def folder(tmp_path):
    for name, make in FILES.items():
        (tmp_path / name).write_bytes(make())
    return tmp_path


def test_reads_plain_and_compressed_files_alike(folder):
    plain = mnist(folder)
    (folder / "mnist").mkdir()
    for name in FILES:
        whole = (folder / name).read_bytes()
        (folder / name).unlink()
        (folder / "mnist" / f"{name}.gz").write_bytes(gzip.compress(whole))
    for a, b in zip(plain, mnist(str(folder)), strict=True):
        np.testing.assert_array_equal(a, b)
    raw = np.frombuffer(image_file(), "u1", offset=16).reshape(3, 784)
    np.testing.assert_array_equal(np.rint(plain.x * 255), raw)
    assert plain.labels.tolist() == [1, 2, 9]


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
BIG = np.array([0x803, 2**32 - 1, 2**32 - 1, 2**32 - 1], ">u4").tobytes()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (IMAGES, b"", "begins with nothing"),
        (IMAGES, image_file()[:15], "begins with 00000803"),
        (IMAGES, image_file()[:-1], "2352 bytes are announced and 2351 found"),
        (IMAGES, image_file() + b"\0", "2352 bytes are announced and more found"),
        (
            IMAGES,
            label_file(),
            "begins with 00000801, an IDX file of 3 axes with 00000803",
        ),
        (IMAGES, b"\x93NUMPY" + image_file(), "begins with 934e554d"),
        (IMAGES, image_file(size=27), "images of 27 x 27 pixels, expected 28 x 28"),
        (IMAGES, BIG, "4294967295 x 4294967295 x 4294967295 bytes are more than"),
        (IMAGES, image_file(n=2), "train has 2 images and 3 labels"),
        (LABELS, label_file([1, 10, 2]), "there is a label 10, the largest is 9"),
        (LABELS, label_file()[:-2], "3 bytes are announced and 1 found"),
        (LABELS, image_file(), "begins with 00000803"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_files_are_refused(folder, name, content, says, compressed):
    if compressed:
        (folder / name).unlink()
        name, content = f"{name}.gz", gzip.compress(content)
    (folder / name).write_bytes(content)
    with pytest.raises(FormatError, match=says):
        mnist(folder)


def test_damaged_compression_is_refused(folder):
    whole = gzip.compress(image_file())
    (folder / IMAGES).unlink()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 255
    for content in (b"plain", whole[:-9], whole[: len(whole) // 2], bytes(flipped)):
        (folder / f"{IMAGES}.gz").write_bytes(content)
        with pytest.raises(FormatError, match="train-images"):
            mnist(folder)


def test_missing_files_and_folders_are_named(folder, monkeypatch):
    (folder / LABELS).unlink()
    with pytest.raises(FileNotFoundError, match=f"{LABELS} .* or set TTALGEBRA_DATA"):
        mnist(folder)
    monkeypatch.delenv("TTALGEBRA_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match="TTALGEBRA_DATA is not set"):
        mnist()
    monkeypatch.setenv("TTALGEBRA_DATA", str(folder / "nowhere"))
    with pytest.raises(FileNotFoundError, match="nowhere"):
        mnist()


def test_padding_as_in_the_matlab_recipe(rng):
    images = rng.random((2, 784)).astype("f4")
    framed = padded(images, 32).reshape(2, 32, 32)
    np.testing.assert_array_equal(framed[:, 2:30, 2:30].reshape(2, 784), images)
    assert framed.dtype == np.float32
    assert np.count_nonzero(framed) == np.count_nonzero(images)
    with pytest.raises(ShapeError, match="784 pixels in a frame of 27 x 27"):
        padded(images, 27)
    with pytest.raises(ShapeError, match="783 pixels"):
        padded(images[:, 1:], 32)
