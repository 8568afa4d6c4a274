"""scikit-learn's own checks of an estimator: none is expected to fail."""

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed: its own checks")
neighbour = pytest.importorskip("ttalgebra.interop.sklearn")
checks = pytest.importorskip("sklearn.utils.estimator_checks")


@checks.parametrize_with_checks([neighbour.TTClassifier(), neighbour.TTRegressor()])
def test_scikit_learn_is_content(estimator, check):
    check(estimator)
