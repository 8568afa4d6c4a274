"""Fixtures that every room shares: backends, ratios, random numbers, sample sizes."""

import os
from typing import NamedTuple

import array_api_strict
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from tests.reference import LIMIT, Ratios

EXAMPLES = int(os.environ.get("TTALGEBRA_EXAMPLES", "30"))
CASES = int(os.environ.get("TTALGEBRA_CASES", "1000"))

settings.register_profile(
    "laws",
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("laws")

_RATIOS = pytest.StashKey[Ratios]()


def pytest_configure(config):
    config.stash[_RATIOS] = Ratios()


def pytest_terminal_summary(terminalreporter, config):
    ratios = config.stash[_RATIOS]
    if ratios.largest:
        title = f"largest error / unit of each law (limit {LIMIT}), times asked"
        terminalreporter.section(title)
        for line in ratios.lines():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def ratios(pytestconfig):
    return pytestconfig.stash[_RATIOS]


@pytest.fixture(scope="session")
def cases():
    """How many random cases a bound is tried on; TTALGEBRA_CASES sets it."""
    return CASES


@pytest.fixture
def rng():
    return np.random.default_rng(20150922)


class Backend(NamedTuple):
    """An array library as tests see it: arrays go in, and come back to the host."""

    name: str
    device: object

    def asarray(self, x):
        if self.name == "array_api_strict":
            return array_api_strict.asarray(np.array(x), device=self.device)
        x = np.array(x)
        x.flags.writeable = self.name != "read-only"
        return x

    def numpy(self, x):
        if self.name == "array_api_strict":
            assert x.device == self.device
            host = array_api_strict.Device("CPU_DEVICE")
            return np.asarray(x.to_device(host))
        assert type(x) is np.ndarray
        return x


BACKENDS = (
    Backend("numpy", None),
    Backend("read-only", None),
    Backend("array_api_strict", array_api_strict.Device("CPU_DEVICE")),
    Backend("array_api_strict", array_api_strict.Device("device1")),
)


@pytest.fixture(
    params=BACKENDS, ids=["numpy", "read-only", "strict", "strict-on-device1"]
)
def xp(request):
    """Every library that the kernels must run on without hardware."""
    return request.param
