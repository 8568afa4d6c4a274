"""Arrays from one library to another: every pair, third parties, what is refused."""

import importlib.metadata

import numpy as np
import pytest

import ttalgebra as tt
from tests import homemade
from tests.backends import Backend, dtype_of, here

LIBRARIES = ("array_api_strict", "jax", "numpy", "torch")
DTYPES = ("f4", "f8", "c8", "c16")


def train(dtype="f8"):
    return tt.random_matrix((2, 3), (3, 2), 2, rng=0, dtype=dtype)


@pytest.fixture
def x64():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.fixture
def registered(monkeypatch):
    """An entry point, as an installed package would bring it."""
    point = importlib.metadata.EntryPoint(
        "homemade", "tests.homemade:namespace", "ttalgebra.backends"
    )

    def entry_points(*, group, name):
        wanted = (group, name) == ("ttalgebra.backends", "homemade")
        return [point] if wanted else []

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LIBRARIES)
def test_there_and_back_is_the_same_bits(name, dtype, x64):
    if name != "numpy":
        pytest.importorskip(name, reason=f"{name} is not installed")
    A = here(train(dtype))
    there = A.to(name)
    assert there.backend == name
    assert dtype_of(there) == np.dtype(dtype)
    for core, own in zip(there.to("numpy").cores, train(dtype).cores, strict=True):
        assert np.array_equal(core, own)
        assert not core.flags.writeable


def test_a_third_party_takes_part_by_an_entry_point(registered):
    A = here(train()).to("homemade")
    assert A.backend == "homemade"
    assert type(A.cores[0]) is homemade.HomemadeArray
    B = (A @ A.T).round(tol=1e-8).to("numpy")
    dense = train().to_dense()
    assert np.allclose(B.to_dense(), dense @ dense.T, rtol=1e-7)


def test_without_it_the_library_is_unknown():
    with pytest.raises(TypeError, match="no array library named 'homemade'"):
        here(train()).to("homemade")


@pytest.mark.parametrize("name", ["json", "math", "no such", "", 3, None])
def test_what_is_no_array_library_is_refused(name):
    with pytest.raises(TypeError):
        here(train()).to(name)


@pytest.mark.host("what JAX is moved from; on JAX itself 64 bits are on")
def test_jax_is_not_let_halve_the_digits():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", False)
    try:
        assert here(train("f4")).to("jax").backend == "jax"
        with pytest.raises(TypeError, match=r"float64 as float32.*jax_enable_x64"):
            here(train("f8")).to("jax")
    finally:
        jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("other", ["array_api_strict", "torch"])
def test_two_libraries_in_one_operation_are_named(xp, other):
    pytest.importorskip(other, reason=f"{other} is not installed")
    A = here(train())
    if A.backend == other:
        pytest.skip(f"{other} is the library of this run: there is nothing to mix")
    B = train().to(other)
    for mixed in (
        lambda: A + B,
        lambda: A @ B.T,
        lambda: tt.dot(A, B),
        lambda: tt.kron(A, B),
        lambda: A.apply(B.to_dense()),
        lambda: tt.linear_combination([1, 1], [A, B], 0.1),
        lambda: tt.TTMatrix([A.cores[0], B.cores[1]]),
    ):
        with pytest.raises(TypeError, match=other.split("_", maxsplit=1)[0]):
            mixed()


@pytest.mark.parametrize("pair", [("strict", "strict-on-device1")], ids="-".join)
def test_two_devices_in_one_operation_are_named(pair):
    one, two = (Backend(name) for name in pair)
    here(np.ones(1))
    A, B = (tt.TTMatrix([b.asarray(G) for G in train().cores]) for b in (one, two))
    for mixed in (
        lambda: A + B,
        lambda: A @ B.T,
        lambda: tt.dot(A, B),
        lambda: tt.kron(A, B),
        lambda: A.apply(B.to_dense()),
        lambda: tt.TTMatrix([A.cores[0], B.cores[1]]),
    ):
        with pytest.raises(TypeError, match=r"CPU_DEVICE.*device1|device1.*CPU_DEVICE"):
            mixed()


def test_devices_are_asked_for_by_their_library():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    A = here(train()).to("torch", device="meta")
    assert A.device == torch.device("meta")
    for place in ("nowhere", "cuda:9"):
        for own in (here(train()), here(train()).to("torch")):
            with pytest.raises(TypeError, match=f"device '{place}'"):
                own.to("torch", device=place)


def test_an_entry_point_that_cannot_be_loaded_is_named(monkeypatch):
    for place in ("no.such.module:namespace", "tests.homemade:nothing"):
        point = importlib.metadata.EntryPoint("mine", place, "ttalgebra.backends")
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: [point])  # noqa: B023
        with pytest.raises(TypeError, match=f"entry point 'mine'.*{place}"):
            here(train()).to("mine")
