"""What estimators of tables refuse before they learn or answer, in a sentence that names it."""

import numpy as np
import pandas as pd
import pytest

from thinnet import TableClassifier, TableRegressor

SMALL = {"hidden_layer_sizes": (2,), "max_iter": 1, "n_networks": 1, "random_state": 0}
ROWS = 60
RNG = np.random.default_rng(0)
X = pd.DataFrame({"a": RNG.normal(size=ROWS), "b": RNG.choice(["x", "y"], ROWS)})
Y = np.where(X.a > 0, "yes", "no")


@pytest.fixture(scope="module")
def model():
    return TableClassifier(**SMALL).fit(X, Y)


def test_one_row_is_too_few_to_learn_from_and_to_stop_by():
    with pytest.raises(ValueError, match=r"X must have 2 rows at least, got 1 sample"):
        TableClassifier(**SMALL).fit(X[:1], Y[:1])


@pytest.mark.parametrize(
    ("table", "none"), [(X[:0], r"0 sample\(s\)"), (X[[]], r"0 feature\(s\)")], ids=str
)
def test_a_table_without_rows_or_columns_is_refused(table, none, model):
    with pytest.raises(ValueError, match=none):
        model.predict(table)
    with pytest.raises(ValueError, match=none):
        TableClassifier(**SMALL).fit(table, Y[: len(table)])


def test_a_class_that_only_evaluation_rows_have_is_named():
    with pytest.raises(ValueError, match="y must hold the classes 'no', 'yes', got 'maybe'"):
        TableClassifier(**SMALL).fit(X, Y, eval_set=(X[:5], ["maybe"] * 5))


@pytest.mark.parametrize("dtype", [complex, object])
def test_complex_numbers_are_refused_with_their_column(dtype):
    table = X.assign(c=pd.Series(np.arange(ROWS) * 1j).astype(dtype))
    with pytest.raises(ValueError, match="column 'c' must hold real numbers, got complex ones"):
        TableClassifier(**SMALL).fit(table, Y)


def test_an_array_after_a_frame_has_no_names(model):
    again = TableClassifier(**SMALL).fit(X, Y)
    assert again.feature_names_in_.tolist() == ["a", "b"]
    again.fit(X[["a"]].to_numpy(), Y)
    assert not hasattr(again, "feature_names_in_")
    assert again.n_features_in_ == 1


def test_rows_that_were_given_to_measure_by_calibrate_and_choose_thresholds():
    regressor = TableRegressor(**SMALL).fit(X, X.a.to_numpy(), eval_set=(X[:9], X.a[:9].to_numpy()))
    assert regressor.calibration_.rows == 9
    classifier = TableClassifier(**SMALL, threshold_for="f1").fit(X, Y, eval_set=(X[:9], Y[:9]))
    assert classifier.decision_.rows == 9
    found = classifier.predict(X[:9]) == classifier.classes_[classifier.decision_.positive]
    wanted = Y[:9] == classifier.classes_[classifier.decision_.positive]
    assert (found & wanted).sum() / wanted.sum() == pytest.approx(classifier.decision_.recall)


def test_what_is_known_of_uncertainty_has_a_row_for_each_row_and_says_its_shapes(model):
    found = model.uncertainty(X[:7], n_draws=3)
    assert len(found) == 7
    assert repr(found).startswith("ClassUncertainty(probabilities: (7, 2), ")
