"""TTClassifier: a network of TT-layers that says which class."""

from typing import Any, Self

import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from ttalgebra.interop.sklearn.network import DTYPES, AbstractTTNetwork
from ttalgebra.learning import CrossEntropy


class TTClassifier(ClassifierMixin, AbstractTTNetwork):
    """A classifier whose hidden layers are TT-layers, fitted by cross-entropy.

    Features are standardised, and padded with zeros until they have good modes; the
    hidden layers are TT-matrices with ReLU, the last layer is dense. Errors are those
    of scikit-learn: ValueError, TypeError, NotFittedError.

    Parameters
    ----------
    hidden_layer_sizes
        The outputs of each hidden layer, one int for one layer. Those without good
        modes grow by at most 10 %, see `tt.suggest_modes`.
    ranks
        Of the TT-layers; more cost more and fit more.
    epochs, batch_size
        Each epoch meets every sample once, in batches.
    learning_rate
        The first rate of Adam, which falls to 0 along half a cosine.
    decay
        The L2 penalty on cores and weights.
    random_state
        An int makes the fit repeatable, bit by bit.

    Attributes
    ----------
    classes_
        The labels, sorted; probabilities and scores are in this order.
    model_
        The fitted `layers.Sequential`, whose ``layers[0].weight`` is a TTMatrix.
    scaler_
        The fitted StandardScaler of the features.
    loss_curve_, n_iter_
        The mean loss of each epoch, and their number.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.

    Notes
    -----
    There is no ``sample_weight``, since in batches a weight of two is not the same as
    a sample met twice, and no ``partial_fit``, since the scale of the features and the
    fall of the rate are those of a whole run.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from ttalgebra.interop.sklearn import TTClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> few = TTClassifier(epochs=10, random_state=0).fit(X[:900], y[:900])
    >>> few.score(X[900:], y[900:]) > 0.85
    True
    >>> few.model_.layers[0].weight.compression > 5
    True
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to ``X`` ``(n, features)`` and ``n`` labels of any kind."""
        X, y = validate_data(self, X, y, dtype=DTYPES)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            message = f"TTClassifier: y has 1 class, {self.classes_[0]}"
            raise ValueError(f"{message}; at least two are needed")
        return self._fit(X, labels, len(self.classes_), CrossEntropy())

    def predict(self, X: Any) -> np.ndarray:
        """The label of the largest score of each sample, ``(n,)``."""
        scores = self._outputs(X)
        labels: np.ndarray = self.classes_[scores.argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, ``(n, classes)``."""
        probabilities: np.ndarray = softmax(self._outputs(X), axis=1)
        return probabilities

    def decision_function(self, X: Any) -> np.ndarray:
        """The scores ``(n, classes)``; of two classes the difference, ``(n,)``."""
        scores = self._outputs(X)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores
