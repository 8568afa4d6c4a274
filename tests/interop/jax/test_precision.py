"""64 bits are the choice of the program, which nothing here makes, or hides."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import ttalgebra as tt

jax = pytest.importorskip("jax", reason="JAX is not installed: its precision is asked")
jnp = jax.numpy
neighbour = pytest.importorskip("ttalgebra.interop.jax")


def test_importing_leaves_the_configuration_alone():
    program = """
import json, jax
before = dict(jax.config.values)
import ttalgebra.interop.jax as neighbour
neighbour.tt_linear(neighbour.init_tt_linear((2,), (2,), 1, rng=0), jax.numpy.ones(2))
changed = [name for name, value in jax.config.values.items() if before[name] != value]
print(json.dumps([changed, jax.config.jax_enable_x64]))
"""
    environment = {k: v for k, v in os.environ.items() if k != "JAX_ENABLE_X64"}
    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert json.loads(child.stdout) == [[], False]


def test_results_follow_the_configuration(rng):
    A, X = tt.random_matrix((2, 3), (3, 2), 2, rng=rng), rng.standard_normal((4, 6))
    for bits, dtype in ((False, "float32"), (True, "float64")):
        with jax.enable_x64(bits):
            Y = neighbour.apply(jax.tree.map(jnp.asarray, A), jnp.asarray(X))
            assert str(Y.dtype) == dtype
            error = np.abs(np.asarray(Y) - A.apply(X)).max()
            assert error <= 100 * np.finfo(dtype).eps * np.abs(Y).max()


def test_nothing_loses_digits_on_the_way_in(x32):
    A = tt.random_matrix((2, 2), (2, 2), 2, rng=0)
    refused = pytest.raises(TypeError, match=r"float64 as float32.*jax_enable_x64")
    with refused:
        A.to("jax")
    with refused:
        neighbour.init_tt_linear((2, 2), (2, 2), 2, rng=0, dtype="f8")
    with jax.enable_x64(True):
        assert str(A.to("jax").dtype) == "float64"
        parameters = neighbour.init_tt_linear((2, 2), (2, 2), 2, rng=0, dtype="f8")
        assert {str(x.dtype) for x in parameters.values()} == {"float64"}
