"""Intervals and sets in the files of predictions."""

import numpy as np
from sklearn.naive_bayes import GaussianNB

from thinnet.commands import conformal
from thinnet.uncertainty.draws.heads import ClassHead


def test_a_bar_within_a_label_differs_from_those_between_labels():
    X = np.linspace(-1, 1, 20)[:, None]
    model = GaussianNB().fit(X, np.where(X[:, 0] > 0, "a|b", "c"))
    model.head_ = ClassHead(model.classes_, "binary")
    model.conformal_ = (np.ones(20),)
    assert {*conformal.columns(model, X, 0.9)["prediction_set"]} == {r"a\|b|c"}
