"""What the strategies draw is what they promise, and enough of each kind."""

from collections import Counter

from hypothesis import given, settings

import ttalgebra as tt
from ttalgebra.testing import tt_matrices, tt_tensors


def test_every_kind_of_tensor_is_drawn():
    seen = Counter()

    @settings(max_examples=150)
    @given(tt_tensors(max_order=3, max_mode=2, max_rank=9))
    def drawn(x):
        assert x.order <= 3
        assert max(x.modes) <= 2
        assert x.max_rank <= 9
        assert tt.same(x, x.round())
        seen[str(x.dtype)] += 1
        seen[f"order {x.order}"] += 1
        seen["over-ranked"] += x.max_rank > 4

    drawn()
    assert len(seen) == 4 + 3 + 1
    assert min(seen.values()) > 0


@settings(max_examples=60)
@given(tt_matrices(dtypes=("float64", "complex128")))
def test_matrices_are_rectangular_and_finite(A):
    assert A.T.shape == A.shape[::-1]
    assert tt.same(A.H.H, A)
    assert 0 < A.norm() < 1e12
