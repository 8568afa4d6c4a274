"""Fixtures that every room shares: libraries, ratios, random numbers, sample sizes."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from tests import backends
from tests.reference import LIMIT, Ratios

EXAMPLES = int(os.environ.get("TTALGEBRA_EXAMPLES", "30"))
CASES = int(os.environ.get("TTALGEBRA_CASES", "1000"))
ROOMS = {"algebra", "arrays", "cores", "decompose", "layers", "learning", "trains"}

settings.register_profile(
    "laws",
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("laws")

_RATIOS = pytest.StashKey[Ratios]()
_MADE = pytest.StashKey[int]()


def pytest_addoption(parser):
    names = ", ".join(backends.NAMES)
    text = f"array libraries to run on, separated by commas, or all: {names}"
    parser.addoption("--backends", default="numpy", help=text)


def pytest_configure(config):
    config.stash[_RATIOS] = Ratios()
    text = "host(why): runs on NumPy only, because its subject is NumPy's or the host's"
    config.addinivalue_line("markers", text)
    config.addinivalue_line("markers", "gpu: needs a GPU that CuPy can use")


def pytest_generate_tests(metafunc):
    """Every test of the rooms that meet arrays runs once on each library asked for."""
    room = Path(metafunc.module.__file__).relative_to(Path(__file__).parent).parts[0]
    if room not in ROOMS:
        return
    names = metafunc.config.getoption("backends").split(",")
    names = list(backends.NAMES) if names == ["all"] else names
    if metafunc.definition.get_closest_marker("host"):
        names = ["numpy"]
    params = [pytest.param(name, marks=_marks(name)) for name in names]
    metafunc.parametrize("xp", params, indirect=True, scope="session")


def pytest_collection_modifyitems(config, items):
    """Tests of the host run where NumPy is asked for, and are not there elsewhere."""
    if "numpy" in config.getoption("backends").split(","):
        return
    if config.getoption("backends") != "all":
        kept = [item for item in items if not item.get_closest_marker("host")]
        config.hook.pytest_deselected(items=[x for x in items if x not in kept])
        items[:] = kept


def _marks(name):
    needed = backends.NEEDS.get(name)
    absent = bool(needed) and importlib.util.find_spec(needed) is None
    marks = [pytest.mark.skipif(absent, reason=f"{needed} is not installed")]
    return [*marks, pytest.mark.gpu] if name == "cupy" else marks


@pytest.fixture(scope="session", autouse=True)
def xp(request):
    """The library of this run; `tests.backends.here` puts arrays into it."""
    return backends.use(getattr(request, "param", "numpy"))


def pytest_runtest_setup(item):
    item.stash[_MADE] = backends.made  # fixtures may make arrays for the test


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """A test that claims a library and puts no array into it has tested nothing."""
    yield
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    name = parameters.get("xp", "numpy")
    if name != "numpy" and backends.made == item.stash[_MADE]:
        pytest.fail(f"no array was made in {name}: use here(), or mark it host(why)")


def pytest_sessionfinish(session):
    """A worker of pytest-xdist sends its ratios home."""
    if hasattr(session.config, "workeroutput"):
        ratios = session.config.stash[_RATIOS]
        session.config.workeroutput["ratios"] = ratios.largest, ratios.counts


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """The ratios of a worker, none where it crashed, join those of the others."""
    sent = getattr(node, "workeroutput", {}).get("ratios", ({}, {}))
    node.config.stash[_RATIOS].join(*sent)


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
