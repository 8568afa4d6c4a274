"""Double precision for one test at a time: the library never switches it on."""

import importlib

import pytest


@pytest.fixture
def x64():
    jax = importlib.import_module("jax")
    with jax.enable_x64(True):
        yield


@pytest.fixture
def x32():
    jax = importlib.import_module("jax")
    with jax.enable_x64(False):
        yield
