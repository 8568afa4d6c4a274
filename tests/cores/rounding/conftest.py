"""Fewer cases by default: each is rounded, or multiplied, by every route."""

import os

import pytest


@pytest.fixture
def cases():
    """How many random cases a route is tried on; TTALGEBRA_CASES sets it."""
    return int(os.environ.get("TTALGEBRA_CASES", "400"))
