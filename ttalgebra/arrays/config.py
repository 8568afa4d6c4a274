"""What a result depends on besides the code: versions, BLAS, threads."""

import os
import platform
import sys

import numpy as np

PACKAGES = (
    "ttalgebra",
    "numpy",
    "scipy",
    "opt_einsum",
    "array-api-compat",
    "hypothesis",
)
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def show_config() -> dict[str, str]:
    """Python, machine, packages, BLAS, thread settings: for a report, or a bug.

    TF32 is never used: ttalgebra calls no product that asks for it.

    >>> import ttalgebra as tt
    >>> tt.show_config()["python"].split(".")[0]
    '3'
    """
    found = {
        "python": sys.version.split()[0],
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
    }
    found |= {name: _version(name) for name in PACKAGES}
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    found["blas"] = f"{blas.get('name')} {blas.get('version')}"
    return found | {name: os.environ.get(name, "not set") for name in THREADS}


def _version(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # 20 ms

    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def threads() -> int:
    """As many as BLAS may use: the least that a variable asks for, or all CPUs."""
    asked = [os.environ.get(name, "") for name in THREADS]
    cpus = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))
    numbers = [int(count) for count in asked if count.isdecimal() and int(count)]
    return min([*numbers, len(cpus(0))])
