"""Scores beside those of the plainest answer."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from thinnet.commands import scoring


def test_the_plain_answer_of_classes_is_their_frequencies_in_training():
    y, p = np.array([0, 1, 1, 2]), np.full((4, 3), 1 / 3)
    found = scoring.of_classes(y, p, np.array([0.2, 0.5, 0.3]))
    plain = {score.name: score.baseline for score in found}
    assert plain["accuracy"] == 0.5
    assert_allclose(plain["log loss"], -np.log([0.2, 0.5, 0.5, 0.3]).mean())


def marked(*names):
    scores = ("accuracy", "log loss")
    return [scoring.Score(name, 0.5, 0.6 if name in names else 0.4, True) for name in scores]


def test_the_mark_is_explained_wherever_one_is():
    plain = scoring.table("t", marked(), "p").caption
    one = scoring.table("t", marked("accuracy"), "p").caption
    every = scoring.table("t", marked("accuracy", "log loss"), "p").caption
    decided = scoring.table("t", marked("accuracy"), "p", is_decided=True).caption
    assert plain is None
    assert one == "(!) no better than the plain answer"
    assert "of no use" in every
    assert "to be expected" in decided


def test_scores_survive_json():
    scores = scoring.of_numbers(np.arange(5.0), np.arange(5.0) + 0.1, 2.0)
    again = scoring.from_values(json.loads(json.dumps(scoring.as_values(scores))))
    assert again == scores
    assert all(score.is_better for score in scores)


def test_scores_are_those_of_scikit_learn():
    from sklearn import metrics

    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 3, 200), rng.dirichlet([1, 1, 1], 200)
    found = {score.name: score.model for score in scoring.of_classes(y, p, np.full(3, 1 / 3))}
    guess = p.argmax(axis=1)
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(y, guess))
    assert found["balanced accuracy"] == pytest.approx(metrics.balanced_accuracy_score(y, guess))
    assert found["log loss"] == pytest.approx(metrics.log_loss(y, p))
    assert found["ROC AUC"] == pytest.approx(metrics.roc_auc_score(y, p, multi_class="ovr"))
    x = rng.normal(size=200)
    numbers = {s.name: s.model for s in scoring.of_numbers(x, p[:, 0], 0.0)}
    assert numbers["R^2"] == pytest.approx(metrics.r2_score(x, p[:, 0]))
    assert numbers["RMSE"] == pytest.approx(metrics.root_mean_squared_error(x, p[:, 0]))
