"""What both estimators share: a network of TT-layers, fitted and asked."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import prod
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.validation import check_is_fitted, validate_data

from ttalgebra import learning
from ttalgebra.decompose.modes import suggest_modes
from ttalgebra.layers import Dense, Layer, ReLU, Sequential, TTLinear, he

DTYPES = (np.float64, np.float32)


class AbstractTTNetwork(BaseEstimator, ABC):
    """Standardised features, TT-layers with ReLU, a dense layer; fitted by Adam."""

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (128,),
        *,
        ranks: int = 8,
        epochs: int = 60,
        batch_size: int = 32,
        learning_rate: float = 0.01,
        decay: float = 0.01,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.ranks = ranks
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.decay = decay
        self.random_state = random_state

    @abstractmethod
    def fit(self, X: Any, y: Any) -> Self:
        """The estimator itself, fitted to ``X`` ``(n, features)`` and ``y``."""

    def _fit(self, X: np.ndarray, target: np.ndarray, n_out: int, loss: Any) -> Self:
        """Learn ``target``; the rate falls to 0 along a cosine."""
        sizes = self._checked_sizes()
        rng = np.random.default_rng(
            check_random_state(self.random_state).randint(2**31 - 1)
        )
        steps = self.epochs * learning.batch_count(X.shape[0], self.batch_size)
        rate = learning.schedules.cosine(self.learning_rate, steps)
        self.scaler_ = StandardScaler().fit(X)
        self.model_ = network(X.shape[1], sizes, n_out, self.ranks, rng, X.dtype)
        self.model_, history = learning.fit(
            self.model_,
            self._standardised(X),
            target,
            loss=loss,
            optimizer=learning.Adam(rate, decay=self.decay),
            epochs=self.epochs,
            batch_size=self.batch_size,
            rng=rng,
        )
        self.loss_curve_ = history["loss"]
        self.n_iter_ = len(history)
        return self

    def _checked_sizes(self) -> tuple[int, ...]:
        """The sizes of the hidden layers, when all parameters have been checked."""
        for name in ("ranks", "epochs", "batch_size"):
            check_scalar(getattr(self, name), name, Integral, min_val=1)
        positive = {"min_val": 0, "include_boundaries": "neither"}
        check_scalar(self.learning_rate, "learning_rate", Real, **positive)
        check_scalar(self.decay, "decay", Real, min_val=0)
        sizes = tuple(np.atleast_1d(self.hidden_layer_sizes).tolist())
        for size in sizes:
            check_scalar(size, "each of hidden_layer_sizes", Integral, min_val=1)
        return sizes

    def _outputs(self, X: Any) -> np.ndarray:
        """What the last layer says of each sample, ``(n, outputs)``."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=DTYPES, reset=False)
        found: np.ndarray = learning.predict(self.model_, self._standardised(X))
        return found

    def _standardised(self, X: np.ndarray) -> np.ndarray:
        """``(n, features) -> (n, N)``: mean 0, variance 1, zeros up to ``N``."""
        missing = prod(self.model_.inputs) - X.shape[1]
        return np.pad(self.scaler_.transform(X), ((0, 0), (0, missing)))


def network(
    n_in: int,
    sizes: Sequence[int],
    n_out: int,
    ranks: int,
    rng: np.random.Generator,
    dtype: np.dtype,
) -> Sequential:
    """TT-layers of ``sizes`` with ReLU, and a dense layer to ``n_out``.

    ``n_in`` and each of ``sizes`` grow to where `suggest_modes` finds good modes.
    """
    layers: list[Layer] = []
    for size in sizes:
        rows, columns = suggest_modes(size, n_in, pad=True)
        layer = TTLinear.random(rows, columns, ranks, variance=he, rng=rng, dtype=dtype)
        layers += [layer, ReLU()]
        n_in = prod(rows)
    return Sequential([*layers, Dense.random(n_in, n_out, rng=rng, dtype=dtype)])
