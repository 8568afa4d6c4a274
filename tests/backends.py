"""The array libraries that tests run on: arrays go in with `here`, come back by `host`.

Each run of a test is on one library, which the fixture ``xp`` of conftest sets; what a
test makes with `here` lives in it. `host` takes an array of any library to NumPy.
"""

import importlib
from typing import NamedTuple

import numpy as np
import pytest

NAMES = {
    "numpy": "array_api_compat.numpy",
    "read-only": "array_api_compat.numpy",
    "strict": "array_api_strict",
    "strict-on-device1": "array_api_strict",
    "torch": "array_api_compat.torch",
    "jax": "jax.numpy",
    "cupy": "array_api_compat.cupy",
    "homemade": "tests.homemade",
}
NEEDS = {"strict": "array_api_strict", "strict-on-device1": "array_api_strict"}
NEEDS |= {name: name for name in ("torch", "jax", "cupy")}


class Backend(NamedTuple):
    """An array library as tests see it."""

    name: str

    @property
    def namespace(self):
        """Its array API namespace."""
        module = importlib.import_module(NAMES[self.name])
        if self.name == "homemade":
            return module.namespace
        if self.name == "jax":
            importlib.import_module("jax").config.update("jax_enable_x64", True)
        return module

    @property
    def device(self):
        """Where `asarray` puts arrays; None for where the library does."""
        if self.name == "strict-on-device1":
            return self.namespace.Device("device1")
        return None

    @property
    def is_numpy(self):
        return self.name in ("numpy", "read-only")

    def asarray(self, x):
        """A fresh copy of ``x`` in this library."""
        global made
        made += 1
        x = np.array(x)
        if self.is_numpy:
            x.flags.writeable = self.name != "read-only"
            return x
        return self.namespace.asarray(x, device=self.device)

    def numpy(self, x):
        """An array that must live in this library, in NumPy."""
        assert isinstance(x, type(self.asarray(0.0))), f"{type(x)} in {self.name}"
        if self.device is not None:
            assert x.device == self.device
        return host(x)

    def need_subnormals(self):
        """Skip the test where the smallest numbers are made zeros."""
        if self.name == "jax":
            pytest.skip("XLA makes zeros of subnormal numbers")

    def dtype(self, dtype):
        """What this library calls the NumPy ``dtype``."""
        dtype = np.dtype(dtype)
        return dtype if self.is_numpy else getattr(self.namespace, dtype.name)


current = Backend("numpy")
made = 0  # arrays put into the current library so far


def use(name):
    """Make the library of this name the one of `here`, and return it."""
    global current
    current = Backend(name)
    return current


def here(x):
    """NumPy arrays, trains, layers, or containers of these, put into this library."""
    if isinstance(x, (list, tuple)):
        return type(x)(here(item) for item in x)
    if isinstance(x, dict):
        return {name: here(item) for name, item in x.items()}
    if hasattr(x, "with_arrays"):
        return x.with_arrays(here(host(x.arrays)))
    if hasattr(x, "cores"):
        return type(x)(here(host(x.cores)))
    return current.asarray(x) if isinstance(x, np.ndarray) else x


def host(x):
    """An array of any library, or a list, tuple or dict of them, in NumPy."""
    if isinstance(x, (list, tuple)):
        return type(x)(host(item) for item in x)
    if isinstance(x, dict):
        return {name: host(item) for name, item in x.items()}
    library = type(x).__module__.split(".")[0]
    if library == "torch":
        return x.detach().cpu().resolve_conj().resolve_neg().numpy()
    if type(x).__name__ == "HomemadeArray":
        return host(x.inner)
    if library == "cupy":
        return x.get()
    if library == "array_api_strict":
        strict = importlib.import_module("array_api_strict")
        return np.asarray(x.to_device(strict.Device("CPU_DEVICE")))
    return np.asarray(x) if library in ("jax", "jaxlib") else x


def dtype_of(x):
    """The dtype of an array or train as NumPy's."""
    known = isinstance(x.dtype, np.dtype)
    return x.dtype if known else np.dtype(str(x.dtype).rpartition(".")[2])
