"""Which library an array belongs to, and the way to the host and back."""

import array_api_strict as strict
import numpy as np
import pytest

from tests.backends import NEEDS, here
from ttalgebra.arrays.checks import as_array, require_finite
from ttalgebra.arrays.errors import NonFiniteError, ShapeError
from ttalgebra.arrays.namespace import (
    backend_of,
    conj,
    eps_of,
    from_numpy,
    is_array,
    is_complex,
    namespace_of,
    nbytes_of,
    to_numpy,
)


def test_mixed_libraries_are_named(xp):
    one, other = here(np.ones(2)), strict.ones(2) if xp.is_numpy else np.ones(2)
    names = sorted(f"{type(x).__module__}.{type(x).__name__}" for x in (one, other))
    for pair in ((one, other), (other, one)):
        with pytest.raises(TypeError, match=r" and ".join(names) + r".*\.to"):
            namespace_of(*pair)


@pytest.mark.host("of what no library has made")
def test_what_is_no_array_is_refused():
    for x in ([1.0], None, "a", 3.0):
        assert not is_array(x)
    with pytest.raises(TypeError):
        namespace_of("text")


def test_host_and_back(xp, rng):
    x = rng.standard_normal((2, 3)).astype(np.complex64)
    there = xp.asarray(x)
    assert np.array_equal(to_numpy(there), x)
    imaginary = xp.namespace.imag(conj(there))  # views with marks, in PyTorch
    assert np.array_equal(to_numpy(imaginary), -x.imag)
    again = from_numpy(x, like=there)
    assert np.array_equal(xp.numpy(again), x)
    assert backend_of(there) == NEEDS.get(xp.name, "numpy")


@pytest.mark.parametrize(
    ("dtype", "eps", "size"),
    [
        ("f4", 2.0**-23, 4),
        ("f8", 2.0**-52, 8),
        ("c8", 2.0**-23, 8),
        ("c16", 2.0**-52, 16),
    ],
)
def test_facts_of_dtypes(dtype, eps, size, xp):
    x = xp.asarray(np.ones((3, 2), dtype))
    assert eps_of(x) == eps
    assert nbytes_of(x) == 6 * size
    assert is_complex(x) == (np.dtype(dtype).kind == "c")


def test_conj_of_reals_is_themselves(xp):
    x = xp.asarray(np.ones(2))
    assert conj(x) is x
    z = xp.asarray(np.array([1 + 2j]))
    assert xp.numpy(conj(z))[0] == 1 - 2j


def test_as_array_leaves_what_is_right_alone(xp):
    for dtype in ("f4", "f8", "c8", "c16"):
        x = xp.asarray(np.ones((2, 2), dtype))
        assert as_array(x) is x


@pytest.mark.host("of lists")
def test_ragged_lists_are_shape_errors():
    with pytest.raises(ShapeError, match="ragged"):
        as_array([[1], [2, 3]], "X")


def test_require_finite_counts_and_places(xp):
    x = np.ones((2, 3))
    require_finite(xp.asarray(x), "here")
    require_finite(xp.asarray(x[:0]), "empty")
    x[1, 1:] = np.inf
    with pytest.raises(NonFiniteError, match=r"here.*\(1, 1\) is inf.*2 of 6"):
        require_finite(xp.asarray(x), "here")
