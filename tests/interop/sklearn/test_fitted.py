"""What a fitted estimator is: a network that can be written down, and its scores."""

import pickle

import numpy as np
import pytest

from ttalgebra.layers import TTLinear

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
datasets = pytest.importorskip("sklearn.datasets")
neighbour = pytest.importorskip("ttalgebra.interop.sklearn")
TTClassifier, TTRegressor = neighbour.TTClassifier, neighbour.TTRegressor


def halves(X, y):
    """Every other sample to fit, the others to score."""
    return X[::2], y[::2], X[1::2], y[1::2]


@pytest.fixture(scope="module")
def iris():
    return halves(*datasets.load_iris(return_X_y=True))


@pytest.fixture(scope="module")
def fitted(iris):
    return TTClassifier(16, epochs=10, random_state=0).fit(*iris[:2])


@pytest.fixture(scope="module")
def curve():
    """Three features, one of them constant, two smooth targets, a little noise."""
    rng = np.random.default_rng(7)
    X = rng.uniform(-1, 1, (600, 3)) * [1.0, 100.0, 0.0] + [0.0, 5.0, 3.0]
    first, second = X[:, 0], (X[:, 1] - 5) / 100
    y = np.stack([first * second, 1e3 * np.abs(first)], axis=1)
    return halves(X, y + 0.01 * y.std(axis=0) * rng.standard_normal(y.shape))


def test_digits():
    """0.976 on average of five splits; in between 0.969 and 0.982."""
    X, y, X_test, y_test = halves(*datasets.load_digits(return_X_y=True))
    found = TTClassifier(random_state=0).fit(X, y)
    assert found.score(X_test, y_test) >= 0.95
    assert found.model_.n_parameters < 0.35 * (64 * 128 + 128 + 128 * 10 + 10)
    assert found.loss_curve_[-1] < 0.1 * found.loss_curve_[0]


def test_diabetes():
    """About what ridge regression reaches (0.43 on average of five splits)."""
    X, y, X_test, y_test = halves(*datasets.load_diabetes(return_X_y=True))
    assert TTRegressor(random_state=0).fit(X, y).score(X_test, y_test) >= 0.3


def test_several_targets_of_any_scale(curve):
    X, y, X_test, y_test = curve
    found = TTRegressor(random_state=0).fit(X, y)
    assert found.predict(X_test).shape == y_test.shape
    assert found.score(X_test, y_test) >= 0.95
    one = TTRegressor(16, epochs=3, random_state=0).fit(X, y[:, 0])
    assert one.predict(X_test).shape == (300,)
    column = TTRegressor(16, epochs=3, random_state=0).fit(X, y[:, :1])
    assert np.array_equal(column.predict(X_test)[:, 0], one.predict(X_test))


def test_the_network_written_down(iris, fitted):
    """Scores are those of two dense layers, the first of them a TT-matrix."""
    X = iris[2]
    hidden, _, last = fitted.model_.layers
    assert isinstance(hidden, TTLinear)
    W = hidden.weight.to_dense()[:, : X.shape[1]]
    Z = (X - iris[0].mean(axis=0)) / iris[0].std(axis=0)
    scores = np.maximum(Z @ W.T + hidden.bias, 0) @ last.weight.T + last.bias
    assert np.allclose(fitted.decision_function(X), scores, rtol=1e-12, atol=1e-12)
    exponentials = np.exp(scores)
    shares = exponentials / exponentials.sum(axis=1, keepdims=True)
    assert np.allclose(fitted.predict_proba(X), shares, rtol=1e-12, atol=0)
    assert np.array_equal(fitted.predict(X), fitted.classes_[scores.argmax(axis=1)])


def test_two_classes_have_one_score(iris):
    X, y = iris[:2]
    X, y = X[y > 0], np.where(y[y > 0] == 1, "no", "yes")
    found = TTClassifier(16, epochs=5, random_state=0).fit(X, y)
    score, shares = found.decision_function(X), found.predict_proba(X)
    assert score.shape == (len(X),)
    assert np.allclose(1 / (1 + np.exp(-score)), shares[:, 1], rtol=1e-13)
    assert np.array_equal(found.predict(X), np.where(score > 0, "yes", "no"))


def test_history(fitted):
    assert fitted.n_iter_ == len(fitted.loss_curve_) == 10
    assert fitted.loss_curve_[-1] < fitted.loss_curve_[0]
    assert fitted.n_features_in_ == 4


def test_a_seed_fixes_every_bit(iris, fitted):
    again = TTClassifier(16, epochs=10, random_state=0).fit(*iris[:2])
    assert np.array_equal(again.predict_proba(iris[2]), fitted.predict_proba(iris[2]))
    other = TTClassifier(16, epochs=10, random_state=1).fit(*iris[:2])
    assert not np.array_equal(
        other.predict_proba(iris[2]), fitted.predict_proba(iris[2])
    )


def test_a_generator_is_drawn_from(iris):
    draws = np.random.RandomState(0)
    first, second = (TTClassifier(8, epochs=1, random_state=draws) for _ in range(2))
    assert first.fit(*iris[:2]).loss_curve_ != second.fit(*iris[:2]).loss_curve_


def test_units_do_not_matter(iris, curve):
    """Features and targets times powers of two give the same bits."""
    X, y, X_test, _ = iris
    factors = np.array([1.0, 2.0, 0.25, 1024.0])
    one, two = (TTClassifier(16, epochs=3, random_state=0) for _ in range(2))
    found = two.fit(X * factors, y).predict_proba(X_test * factors)
    assert np.array_equal(one.fit(X, y).predict_proba(X_test), found)
    X, y, X_test, _ = curve
    one, two = (TTRegressor(16, epochs=3, random_state=0) for _ in range(2))
    found = two.fit(X, 8 * y).predict(X_test)
    assert np.array_equal(8 * one.fit(X, y).predict(X_test), found)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_dtype_of_the_data_is_that_of_the_network(dtype, iris):
    X, y = iris[0].astype(dtype), iris[1]
    found = TTClassifier(16, epochs=2, random_state=0).fit(X, y)
    assert {p.dtype for p in found.model_.parameters.values()} == {np.dtype(dtype)}
    assert found.predict_proba(X).dtype == dtype


@pytest.mark.parametrize("sizes", [(), 8, (8,), [12, 7, 13], (1, 1)])
def test_any_number_of_hidden_layers(sizes, iris):
    """Sizes without good modes grow: 13 becomes 14."""
    found = TTClassifier(sizes, epochs=2, random_state=0).fit(*iris[:2])
    made = [x.weight.shape[0] for x in found.model_.layers if isinstance(x, TTLinear)]
    wanted = [sizes] if isinstance(sizes, int) else list(sizes)
    assert made == [14 if size == 13 else size for size in wanted]
    assert found.predict(iris[2]).shape == (75,)


def test_pickle_and_what_it_was_fitted_to(iris, fitted):
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict_proba(iris[2]), fitted.predict_proba(iris[2]))
    with pytest.raises(
        ValueError, match="X has 3 features, but TTClassifier is expect"
    ):
        again.predict(iris[2][:, :3])
