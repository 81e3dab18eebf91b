"""Intervals and sets in the files of predictions."""

import numpy as np
import pandas as pd
import pytest
from sklearn.naive_bayes import GaussianNB

from thinnet import DataFileError, TableClassifier, TableRegressor
from thinnet.commands import conformal
from thinnet.uncertainty.draws.heads import ClassHead


def test_a_bar_within_a_label_differs_from_those_between_labels():
    X = np.linspace(-1, 1, 20)[:, None]
    model = GaussianNB().fit(X, np.where(X[:, 0] > 0, "a|b", "c"))
    model.head_ = ClassHead(model.classes_, "binary")
    model.conformal_ = (np.ones(20),)
    assert {*conformal.columns(model, X, 0.9)["prediction_set"]} == {r"a\|b|c"}


def test_intervals_hold_the_rows_that_they_were_learned_from():
    """Of n rows kept apart at least 90 % lie in their own intervals of 90 %, and not all."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=120)})
    y = X.a.to_numpy() + rng.normal(size=120)
    small = {"hidden_layer_sizes": (4,), "max_iter": 2, "n_networks": 2, "random_state": 0}
    model = TableRegressor(**small).fit(X[:60], y[:60])
    assert not conformal.is_conformal(model)
    conformal.learn(model, X[60:], y[60:])
    assert conformal.is_conformal(model)
    inside = conformal.held(model, X[60:], y[60:])
    assert 0.9 <= inside.mean() < 1
    found = conformal.columns(model, X[60:], None)
    low, high = (found[f"{model.head_.name}_{end}"] for end in ("low", "high"))
    np.testing.assert_array_equal((low <= y[60:]) & (y[60:] <= high), inside)


def test_sets_hold_the_rows_that_they_were_learned_from():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=120)})
    y = np.where(X.a + rng.normal(size=120) > 0, "yes", "no")
    small = {"hidden_layer_sizes": (4,), "max_iter": 2, "n_networks": 1, "random_state": 0}
    model = TableClassifier(**small).fit(X[:60], y[:60])
    conformal.learn(model, X[60:], y[60:])
    inside = conformal.held(model, X[60:], y[60:])
    assert inside.mean() >= 0.9
    sets = conformal.columns(model, X[60:], None)[f"{model.head_.name}_set"]
    pairs = zip(y[60:], sets, strict=True)
    np.testing.assert_array_equal([label in found.split("|") for label, found in pairs], inside)


def test_too_few_rows_to_keep_apart_are_refused():
    conformal.check(9)
    with pytest.raises(DataFileError, match=r"--conformal must have 9 rows .* of 90%, got 8"):
        conformal.check(8)
