"""What a second look found: each was wrong once."""

from fractions import Fraction

import numpy as np
import pytest

import ttalgebra as tt
from tests import made
from tests.backends import here

LONG = 5000


@pytest.mark.parametrize("order", [50, 200, 1000])
def test_unrelated_trains_are_not_the_same(order, xp):
    order = order if xp.is_numpy else order // 10
    x, y = (made.random_tensor((2,) * order, 4, rng=k) for k in (0, 1))
    assert not tt.same(x, -x)
    assert not tt.same(x, y, 0.1)
    assert tt.same(x, x)
    assert (
        tt.same(x, x.orthogonalize(order // 2).normalize() * x.norm())
        or x.norm() > 1e300
    )
    assert tt.same(x, 1.001 * x, 0.01)
    assert not tt.same(x, 1.001 * x, 1e-6)


def test_a_fallback_to_the_exact_product_is_refused_by_size():
    wide = made.random_tensor((8,) * 6, 160, rng=0)
    for options in ({"method": "exact"}, {"method": "zipup"}, {"method": "fit"}):
        with pytest.raises(tt.errors.TooLargeError, match="GiB"):
            wide.hadamard(wide, tol=1e-10, **options)


def test_sizes_beyond_all_digits_are_refused_readably():
    ones, eye = made.ones((10,) * LONG), made.identity((10,) * LONG)
    W, three = here(np.ones((2, 2))), here(np.ones(3))
    calls = [
        ones.to_dense,
        lambda: np.asarray(eye),
        lambda: eye @ three,
        lambda: eye.apply(three),
        lambda: eye.vjp(three),
        lambda: eye.rmatvec(three),
        lambda: ones.entries([10**LONG]),
        lambda: eye[10**LONG, 0],
        lambda: eye.entries([10**LONG], [0]),
        lambda: ones.merge_modes(0, LONG - 1),
        lambda: tt.TTMatrix.from_dense(W, (10,) * LONG, (10,) * LONG),
        lambda: eye @ made.ones((10,) * (LONG - 1)),
    ]
    for call in calls:
        with pytest.raises(tt.errors.TTError) as caught:
            call()
        assert len(str(caught.value)) < 400
    assert len(repr(eye)) < 200
    assert len(repr(eye.cost("matvec", 1))) < 300


@pytest.mark.parametrize("order", [1, 2])
def test_multiples_that_no_core_holds_are_refused(order):
    x = made.ones((2,) * order, dtype="f4")
    with pytest.raises(tt.errors.NonFiniteError):
        1e300 * (1e300 * x)
    top = float(np.finfo(float).max) * made.ones((2,))
    with pytest.raises(tt.errors.NonFiniteError):
        top + top


def test_costs_of_trains_and_of_wrong_shapes():
    A = made.identity((2, 3))
    assert A.cost("matvec", made.ones((2, 3))).ranks == (1, 1, 1)
    assert A.cost("matmat", A).ranks == (1, 1, 1)
    assert A.cost("entries", 5).flops > 0
    with pytest.raises(tt.errors.ShapeError):
        A.cost("matvec", here(np.ones(7)))
    with pytest.raises(tt.errors.ShapeError):
        A.cost("apply", here(np.ones((6, 5))))


def test_a_permutation_that_no_memory_holds_is_refused():
    with pytest.raises(tt.errors.TooLargeError, match="permute_modes"):
        made.ones((20000, 20000)).permute_modes((1, 0))


@pytest.mark.host("arrays on disk are NumPy's")
def test_a_method_that_does_not_apply_is_reported(tmp_path, rng):
    np.save(tmp_path / "x.npy", rng.standard_normal((64, 64)))
    on_disk = np.load(tmp_path / "x.npy", mmap_mode="r")
    for array in (on_disk, np.ones(5)):
        _, info = tt.TTTensor.from_dense(array, method="random", return_info=True)
        assert info.method == "svd"
        assert info.fallback


def test_many_trains_are_joined_in_pairs():
    """Four times the trains took fifty times as long; now about five."""
    trains = [made.ones((3, 2))] * 257
    joined = tt.concatenate(trains)
    assert joined.modes == (3 * 257, 2)
    assert joined.sum() == 6 * 257


def test_adjoint_products_compress_too(rng):
    A = made.random_matrix((2, 3), (3, 2), 2, rng=rng)
    y = made.random_tensor((2, 3), 2, rng=rng)
    assert tt.same(A.rmatvec(y, tol=1e-10), A.H @ y, 1e-9)
    assert tt.same(A.rmatmat(A, tol=1e-10), A.H @ A, 1e-9)


def test_modes_may_come_as_ranges_and_arrays():
    x = made.ones((2, 3, 4))
    assert x.sum(modes=range(0, 3, 2)).modes == (3,)
    assert x.sum(modes=np.array([0, 1])).modes == (4,)
    assert made.identity((2, 3)).partial_trace(range(1, 2)).shape == (2, 2)


def test_fractions_scale_and_matrices_say_which_product_they_want():
    assert (made.ones((2,)) * Fraction(1, 2)).sum() == 1.0
    with pytest.raises(TypeError, match="hadamard"):
        made.identity((2,)) * made.identity((2,))
    for order in (3, None):
        with pytest.raises(TypeError, match="permute_modes"):
            made.ones((2, 3)).permute_modes(order)
    with pytest.raises(TypeError, match="coefficients"):
        tt.linear_combination(None, [made.ones((2,))])


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.longdouble])
def test_tolerances_of_every_real_kind(kind):
    """Once a warning: no float32 is as large as the largest float."""
    x, tol = made.random_tensor((3, 4, 5), 3, rng=0), kind(0.25)
    assert x.round(tol=tol, return_info=True)[1].tol == 0.25
    assert x.round(atol=tol).order == 3
    assert tt.same(x, x, tol)
    for tol in (np.int8(0), 0, 1):
        assert x.round(tol=tol).order == 3


@pytest.mark.host("views of memory are NumPy's")
def test_views_of_memory_are_arrays():
    """Once NotImplementedError: views of two axes have no rows to look at."""
    values = np.arange(6.0).reshape(2, 3)
    x = tt.TTTensor.from_dense(memoryview(values))
    assert np.array_equal(x.to_dense(), tt.TTTensor.from_dense(values).to_dense())
    assert np.array_equal(tt.identity((3,)).apply(memoryview(values)), values)


@pytest.mark.host("a source is read into NumPy")
def test_a_source_that_returns_less_than_asked_is_refused(rng):
    class Short:
        shape, dtype = (64, 64), np.dtype(float)

        def __getitem__(self, key):
            return np.ones((64, 64))[key][:1]

    with pytest.raises(tt.errors.ShapeError, match="damaged"):
        tt.TTTensor.from_dense(Short(), tol=1e-6)
