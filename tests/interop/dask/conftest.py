"""Clusters for the tests: workers that are threads of this process, or processes."""

import importlib
from contextlib import contextmanager

import pytest

QUIET = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": 50}
KILLABLE = {
    "distributed.scheduler.allowed-failures": 1,
    "distributed.deploy.lost-worker-timeout": "1 hour",  # or it is not started again
}


@contextmanager
def started(workers, folder, *, processes):
    distributed = importlib.import_module("distributed")
    options = QUIET | {"processes": processes, "local_directory": str(folder)}
    with (
        distributed.LocalCluster(workers, **options) as local,
        distributed.Client(local, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def cluster(tmp_path):
    """``with cluster(3): ...`` runs what is inside on three workers."""

    @contextmanager
    def of(workers):
        with started(workers, tmp_path, processes=False) as client, client.as_current():
            yield client

    return of


@pytest.fixture(scope="session")
def _two_processes(tmp_path_factory):
    dask = importlib.import_module("dask")
    with (
        dask.config.set(KILLABLE),
        started(2, tmp_path_factory.mktemp("dask"), processes=True) as client,
    ):
        yield client


@pytest.fixture
def processes(_two_processes):
    """Two workers that may be killed; a task may kill one, but not two."""
    _two_processes.wait_for_workers(2, timeout=60)
    with _two_processes.as_current():
        yield _two_processes
