"""TTRegressor: a network of TT-layers that says how much."""

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import validate_data

from ttalgebra.interop.sklearn.network import DTYPES, AbstractTTNetwork
from ttalgebra.learning import SquaredError


class TTRegressor(RegressorMixin, AbstractTTNetwork):
    """A regressor whose hidden layers are TT-layers, fitted by least squares.

    Features and targets are standardised; otherwise as `TTClassifier`, which explains
    the parameters and ``model_``, ``scaler_``, ``loss_curve_``, ``n_iter_``. Several
    targets share one network.

    Attributes
    ----------
    target_scaler_
        The fitted StandardScaler of the targets, in whose units the loss is.

    Examples
    --------
    >>> import numpy as np
    >>> from ttalgebra.interop.sklearn import TTRegressor
    >>> X = np.random.default_rng(0).uniform(-1, 1, (400, 3))
    >>> y = X[:, 0] * X[:, 1] + X[:, 2] ** 2
    >>> TTRegressor(random_state=0).fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.9
    True
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to ``X`` ``(n, features)`` and ``y``, ``(n,)`` or ``(n, targets)``."""
        X, y = validate_data(
            self, X, y, dtype=DTYPES, multi_output=True, y_numeric=True
        )
        self._target_shape = y.shape[1:]
        target = y.reshape(len(y), -1)
        self.target_scaler_ = StandardScaler().fit(target)
        target = self.target_scaler_.transform(target).astype(X.dtype)
        return self._fit(X, target, target.shape[1], SquaredError())

    def predict(self, X: Any) -> np.ndarray:
        """The values for each sample, in the shape and units of ``y``."""
        outputs = self._outputs(X)
        values: np.ndarray = self.target_scaler_.inverse_transform(outputs)
        return values.reshape(-1, *self._target_shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
