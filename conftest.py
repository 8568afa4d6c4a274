"""Doctests and pages of a neighbour run where it is installed; elsewhere it is said."""

from importlib.util import find_spec

NEEDS = {"dask": "distributed", "jax": "jax", "sklearn": "sklearn", "torch": "torch"}
ABSENT = [name for name, package in NEEDS.items() if find_spec(package) is None]

collect_ignore_glob = [
    pattern.format(name)
    for name in ABSENT
    for pattern in (
        "docs/neighbours/{}.md",
        "ttalgebra/interop/{}.py",
        "ttalgebra/interop/{}/*",
        "tests/interop/{}/[!t]*.py",  # what their tests import; the tests skip by name
    )
]


def pytest_report_header():
    """One line at the top of the run, where something is left out."""
    return f"not installed, so not run: {', '.join(ABSENT)}" if ABSENT else None
