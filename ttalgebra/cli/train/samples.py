"""The samples that a configuration names, as `fit` wants them."""

import math
import os
import stat
import warnings
import zipfile
from io import BufferedReader
from typing import Any, NamedTuple

import numpy as np

from ttalgebra.arrays.errors import FormatError
from ttalgebra.cli.train.keys import Config, Data
from ttalgebra.cli.train.network import BatchNorm
from ttalgebra.cli.train.units import Units, require_finite_rows, units
from ttalgebra.layers import Sequential
from ttalgebra.learning import digits, mnist

Pair = tuple[np.ndarray, np.ndarray]
_LABELS = ("CrossEntropy", "Hinge", "SquaredHinge")
_MOST_LABEL = 10**6


class Samples(NamedTuple):
    """What to fit, and perhaps what to watch and what to test with.

    Features are as they were read; values are in units of their mean and deviation.
    """

    fit: Pair
    validation: Pair | None
    test: Pair | None
    loss: str
    outputs: int
    x_units: Units | None
    y_units: Units | None

    @property
    def features(self) -> int:
        """Of each sample."""
        return int(self.fit[0].shape[1])

    def without_units(self, model: Sequential) -> Sequential:
        """``model`` after a layer that takes the units from the features."""
        if self.x_units is None:
            return model
        return Sequential([self.x_units.removed(), *model.layers])

    def in_units(self, model: Sequential) -> Sequential:
        """``model``, and for values a last layer that gives them in their units."""
        if self.y_units is None:
            return model
        return Sequential([*model.layers, self.y_units.restored()])


def samples(config: Config) -> Samples:
    """Read, check and divide; FormatError, naming the key, for what does not fit.

    Numbers in what is fitted that are not finite are left to `fit`, which may skip
    their batch.
    """
    loss = config.loss
    (x, y), test = _read(config.data)
    if loss == "auto":
        loss = "CrossEntropy" if y.dtype.kind in "biu" else "SquaredError"
    x, y = _pair(x, y, loss, "x", "y")
    if test is not None:
        test = _pair(*test, loss, "x_test", "y_test")
        if test[0].shape[1:] != x.shape[1:] or test[1].shape[1:] != y.shape[1:]:
            message = f"data.x_test: samples of {test[0].shape[1]} features"
            raise FormatError(f"{message} and x of {x.shape[1]}, or other targets")
    outputs = y.shape[1] if y.ndim == 2 else _classes(y, test)
    fit, validation = _divided(x, y, config)
    x_units = units(fit[0], "data.x") if _is_own(config.data) else None
    y_units = None if loss in _LABELS else units(fit[1], "data.y")
    fit = _single(fit, y_units)
    validation = None if validation is None else _single(validation, y_units)
    if test is not None:
        test = _single(test, y_units)
        for array, name in zip(test, ("x_test", "y_test"), strict=True):
            require_finite_rows(array.reshape(len(array), -1), f"data.{name}")
    return Samples(fit, validation, test, loss, outputs, x_units, y_units)


def _is_own(data: Data) -> bool:
    """Whether features may have any units; pixels of the known images are in [0, 1]."""
    return data.source.lower().endswith((".npz", ".npy"))


@np.errstate(over="ignore")  # infinite, which is refused with its place
def _single(pair: Pair, y_units: Units | None) -> Pair:
    """In float32, unless they stay on the disk or are labels."""
    x, y = pair
    x = x if isinstance(x, np.memmap) else x.astype(np.float32, copy=False)
    return x, y if y_units is None else y_units.standardised(y)


def _read(data: Data) -> tuple[Pair, Pair | None]:
    if bool(data.x_test) != bool(data.y_test):
        raise FormatError("data.x_test: needs data.y_test, and the other way round")
    source = data.source.lower()
    if source.endswith(".npz"):
        return _from_archive(data)
    if source.endswith(".npy"):
        test = (_array(data.x_test), _array(data.y_test)) if data.x_test else None
        return (_array(data.source), _array(_beside(data))), test
    if data.x_test or (data.x, data.y) != ("x", "y"):
        raise FormatError(f"data: x, y and their tests are not for {data.source!r}")
    x, y, x_test, y_test = digits() if source == "digits" else mnist(data.source)
    return (x, y), (x_test, y_test)


def _beside(data: Data) -> str:
    if data.x != "x":
        raise FormatError("data.x: is not for a .npy, which data.source names")
    if not data.y.lower().endswith(".npy"):
        message = f"data.y: must be the .npy with the labels or values, got {data.y!r}"
        raise FormatError(f"{message}; {data.source} has the samples")
    return data.y


def _from_archive(data: Data) -> tuple[Pair, Pair | None]:
    """Arrays by their names in a ``.npz``."""
    with _opened(data.source) as file:
        found = _whole(lambda: np.load(file, allow_pickle=False), data.source)
        if not isinstance(found, np.lib.npyio.NpzFile):
            raise FormatError(f"{data.source}: not a .npz; save one with numpy.savez")

        def get(key: str) -> np.ndarray:
            name = getattr(data, key)
            if name not in found.files:
                there = ", ".join(found.files[:20]) or "none"
                message = f"data.{key}: {data.source} has no {name!r}"
                raise FormatError(f"{message}; there are: {there}")
            array: np.ndarray = _whole(lambda: found[name], f"{data.source}: {name}")
            return array

        test = (get("x_test"), get("y_test")) if data.x_test else None
        return (get("x"), get("y")), test


def _array(path: str) -> np.ndarray:
    """The array of a ``.npy``, mapped into memory."""
    _opened(path).close()  # where that fails, it says why
    found = _whole(lambda: np.load(path, mmap_mode="r", allow_pickle=False), path)
    if not isinstance(found, np.ndarray):
        raise FormatError(f"{path}: not a .npy; save one array with numpy.save")
    return found


def _opened(path: str) -> BufferedReader:
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise FormatError(f"{path}: not a regular file")
    return open(path, "rb")


def _whole(get: Any, what: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return get()
    except (OSError, MemoryError):
        raise
    except (Exception, zipfile.BadZipFile) as error:  # forged headers raise anything
        message = f"{what}: not a whole file of numbers ({error})"
        raise FormatError(f"{message}; save it again with NumPy") from error


@np.errstate(over="ignore")  # infinite, which is refused with its place
def _pair(x: np.ndarray, y: np.ndarray, loss: str, x_name: str, y_name: str) -> Pair:
    """Rows of numbers, in memory unless `fit` can take them from the disk, and targets.

    These are labels, or rows of values in float64.
    """
    for name, array in ((x_name, x), (y_name, y)):
        if array.dtype.kind not in "biuf":
            message = f"data.{name}: has dtype {array.dtype}"
            raise FormatError(f"{message}; real numbers are needed")
    if x.ndim < 2 or y.ndim == 0 or 0 in x.shape + y.shape or len(x) != len(y):
        message = f"data.{x_name}: has shape {x.shape} and {y_name} {y.shape}"
        raise FormatError(f"{message}; one row and one target for each sample needed")
    mapped = isinstance(x, np.memmap) and x.dtype in (np.float32, np.float64)
    rows = x.reshape(len(x), math.prod(x.shape[1:]))
    rows = rows if mapped else np.asarray(rows)
    if loss in _LABELS:
        return rows, _labels(y, y_name, loss)
    return rows, np.array(y, np.float64).reshape(len(y), math.prod(y.shape[1:]))


def _labels(y: np.ndarray, name: str, loss: str) -> np.ndarray:
    flat = np.array(y).reshape(-1)
    whole = flat.size == len(y) and (flat == np.floor(flat)).all()
    if not whole or flat.min() < 0:
        message = f"data.{name}: {loss} needs one label 0, 1, 2, ... for each sample"
        raise FormatError(f'{message}; for values, set loss = "SquaredError"')
    if flat.max() > _MOST_LABEL:
        message = f"data.{name}: a label is {flat.max()}; count the classes from 0"
        raise FormatError(f'{message}, or set loss = "SquaredError" for values')
    return flat.astype(np.int64)


def _classes(y: np.ndarray, test: Pair | None) -> int:
    return 1 + int(max(y.max(), 0 if test is None else test[1].max()))


def _divided(x: np.ndarray, y: np.ndarray, config: Config) -> tuple[Pair, Pair | None]:
    """The last samples held out, in an order that the seed draws.

    Those of a mapped file are held out as they lie, so that it stays on the disk. One
    more is, where it would be a batch of its own, which has no variance.
    """
    held = round(config.data.validation * len(x))
    held += held > 0 and (len(x) - held) % config.batch_size == 1
    _require_some(len(x) - held, config)
    if held == 0:
        return (x, y), None
    if not isinstance(x, np.memmap):
        order = np.random.default_rng((config.seed, 1)).permutation(len(x))
        x, y = x[order], y[order]
    return (x[:-held], y[:-held]), (x[-held:], y[-held:])


def _require_some(n: int, config: Config) -> None:
    """Raise FormatError where nothing is left to fit, or one sample to normalise."""
    if n <= 0:
        raise FormatError(f"data.validation: {n} samples are left to fit")
    normalised = any(isinstance(maker, BatchNorm) for maker in config.layers)
    if normalised and min(n, config.batch_size) == 1:
        message = f"batch_size: {n} samples in batches of {config.batch_size}"
        raise FormatError(f"{message}: BatchNorm cannot take one alone")
