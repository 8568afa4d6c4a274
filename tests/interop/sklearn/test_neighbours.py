"""With scikit-learn's own tools: pipelines, searches, clones; and its errors."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
base = pytest.importorskip("sklearn.base")
datasets = pytest.importorskip("sklearn.datasets")
exceptions = pytest.importorskip("sklearn.exceptions")
model_selection = pytest.importorskip("sklearn.model_selection")
pipeline = pytest.importorskip("sklearn.pipeline")
preprocessing = pytest.importorskip("sklearn.preprocessing")
neighbour = pytest.importorskip("ttalgebra.interop.sklearn")
TTClassifier, TTRegressor = neighbour.TTClassifier, neighbour.TTRegressor


@pytest.fixture(scope="module")
def iris():
    return datasets.load_iris(return_X_y=True)


def test_grid_search_over_a_pipeline(iris):
    small = TTClassifier(16, epochs=40, random_state=0)
    steps = pipeline.make_pipeline(preprocessing.PolynomialFeatures(2), small)
    grid = {"ttclassifier__ranks": [1, 4], "ttclassifier__decay": [0.0, 0.1]}
    search = model_selection.GridSearchCV(steps, grid, cv=3).fit(*iris)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_score_ >= 0.9
    best = search.best_estimator_[-1].model_.layers[0].weight
    assert best.max_rank == search.best_params_["ttclassifier__ranks"]


def test_clone_keeps_parameters_and_nothing_else(iris):
    found = TTClassifier((8, 8), ranks=3, epochs=1, random_state=4).fit(*iris)
    again = base.clone(found)
    assert again.get_params() == found.get_params()
    assert again.get_params()["hidden_layer_sizes"] == (8, 8)
    with pytest.raises(exceptions.NotFittedError):
        again.predict(iris[0])


def test_cross_validation_of_a_regressor():
    X, y = datasets.make_regression(200, 6, noise=5.0, random_state=0)
    found = model_selection.cross_val_score(TTRegressor(random_state=0), X, y, cv=3)
    assert found.min() >= 0.9


def test_names_of_features(iris):
    reason = "pandas is not installed: scikit-learn takes names from its frames"
    pandas = pytest.importorskip("pandas", reason=reason)
    X, y = iris
    frame = pandas.DataFrame(X, columns=["length", "width", "height", "depth"])
    found = TTClassifier(8, epochs=1, random_state=0).fit(frame, y)
    assert list(found.feature_names_in_) == list(frame.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        found.predict(frame[frame.columns[::-1]])


WRONG = {
    "ranks": (0, ValueError),
    "epochs": (1.5, TypeError),
    "batch_size": (0, ValueError),
    "learning_rate": (0.0, ValueError),
    "decay": (-1.0, ValueError),
    "hidden_layer_sizes": ((16, 0), ValueError),
    "random_state": ("seed", ValueError),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_parameters_are_refused_by_fit(name, iris):
    value, error = WRONG[name]
    estimator = TTClassifier(
        **{name: value}
    )  # constructors of estimators check nothing
    with pytest.raises(error, match=name if name != "random_state" else "seed"):
        estimator.fit(*iris)


def test_wrong_data_are_refused(iris):
    X, y = iris
    with pytest.raises(ValueError, match="y has 1 class, 0; at least two are needed"):
        TTClassifier().fit(X[:50], y[:50])
    with pytest.raises(ValueError, match="Unknown label type"):
        TTClassifier().fit(X, X[:, 0])
    with pytest.raises(ValueError, match="contains NaN"):
        TTRegressor().fit(np.full_like(X, np.nan), y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        TTRegressor().fit(X, y[:-1])
    with pytest.raises(TypeError, match="sample_weight"):
        TTClassifier().fit(X, y, sample_weight=np.ones(150))


def test_a_rate_that_diverges_is_a_value_error(iris):
    with pytest.raises(ValueError, match=r"epoch 1, batch \d.*lower the rate"):
        TTRegressor(learning_rate=1e200, epochs=5).fit(*iris)
