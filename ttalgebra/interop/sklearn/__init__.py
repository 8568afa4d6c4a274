"""Needs scikit-learn (pip install 'ttalgebra[sklearn]'): TT-networks as estimators.

`TTClassifier` and `TTRegressor` stand wherever scikit-learn's own do: in pipelines, in
grid searches, under ``clone`` and ``pickle``. Their errors are scikit-learn's.
"""

from ttalgebra.interop.missing import missing

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise missing(__doc__) from error

from ttalgebra.interop.sklearn.classifier import TTClassifier
from ttalgebra.interop.sklearn.regressor import TTRegressor

__all__ = ["TTClassifier", "TTRegressor"]
