"""What estimators refuse or warn of, in a sentence that names it."""

import numpy as np
import pytest

from thinnet import MLPClassifier, MLPRegressor, export_onnx

X = np.random.default_rng(0).normal(size=(30, 3))
Y = (X[:, 0] > 0).astype(int)
SMALL = {"hidden_layer_sizes": (2,), "max_iter": 1, "random_state": 0}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_the_first_of_partial_fits_must_know_all_classes():
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        MLPClassifier(**SMALL).partial_fit(X, Y)


def test_later_partial_fits_have_the_classes_of_the_first():
    model = MLPClassifier(**SMALL).partial_fit(X, Y, classes=[0, 1])
    with pytest.raises(ValueError, match="is not the same as on last call to partial_fit"):
        model.partial_fit(X, Y, classes=[0, 1, 2])


def test_classes_of_a_part_of_the_rows_cannot_be_balanced():
    model = MLPClassifier(**SMALL, class_weight="balanced")
    with pytest.raises(ValueError, match="class_weight must be a dict of weights in partial_fit"):
        model.partial_fit(X, Y, classes=[0, 1])


def test_several_classes_for_each_row_are_no_target():
    several = np.stack([Y, 2 * Y + 1], axis=1)
    with pytest.raises(ValueError, match=r"y must be one label a row, .* got multiclass-multi"):
        MLPClassifier(**SMALL).fit(X, several)


def test_counts_are_never_negative():
    with pytest.raises(ValueError, match=r"y must be >= 0 with loss='poisson', got -0\.5"):
        MLPRegressor(**SMALL, loss="poisson").fit(X, Y - 0.5)


def test_as_many_weights_are_assigned_as_there_are_layers():
    model = MLPClassifier(**SMALL).fit(X, Y)
    model.coefs_ = list(model.coefs_)[:1]
    with pytest.raises(ValueError, match="coefs_ must hold 2 arrays, one a layer, got 1"):
        model.predict(X)


def test_a_batch_that_is_larger_than_the_data_is_all_of_it_with_a_warning():
    with pytest.warns(UserWarning, match="batch_size must be at most the 30 rows, got 99"):
        large = MLPClassifier(**SMALL, batch_size=99).fit(X, Y)
    whole = MLPClassifier(**SMALL, batch_size=30).fit(X, Y)
    for mine, wanted in zip(large.coefs_, whole.coefs_, strict=True):
        np.testing.assert_array_equal(mine, wanted)


def test_only_networks_and_estimators_are_exported(tmp_path):
    with pytest.raises(ValueError, match=r"must be .*Network.*, got str"):
        export_onnx("a model", tmp_path / "model.onnx")
