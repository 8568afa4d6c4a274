"""The paper's MNIST network, one epoch on the real data."""

import importlib.util
import os
from pathlib import Path

import pytest

from ttalgebra.learning import mnist

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "mnist_tensornet.py"
FOLDER = os.environ.get("TTALGEBRA_DATA")


@pytest.mark.host("the benchmark is NumPy's; test_fit runs the loop everywhere")
@pytest.mark.skipif(not FOLDER, reason="TTALGEBRA_DATA is not set")
def test_one_epoch_reaches_the_accuracy_of_the_notes():
    spec = importlib.util.spec_from_file_location("mnist_tensornet", BENCHMARK)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    row = benchmark.measure(benchmark.prepared(mnist()), epochs=1, ranks=2, seed=0)
    assert row["parameters"] == 400
    assert row["test_accuracy"] >= 0.94
