"""Scores beside those of the plainest answer."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from thinnet.commands import class_scores, scoring
from thinnet.console.tables import as_text


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


def retrieved(n_classes, seed=0, **more):
    rng = np.random.default_rng(seed)
    y, p = rng.integers(0, n_classes, 300), rng.dirichlet(np.ones(n_classes), 300)
    y[:n_classes] = range(n_classes)
    return y, p, p.argmax(axis=1)


@pytest.mark.parametrize("n_classes", [2, 3, 30])
def test_f1_and_pr_auc_are_those_of_scikit_learn(n_classes):
    from sklearn import metrics

    y, p, guess = retrieved(n_classes)
    frequencies = np.full(n_classes, 1 / n_classes)
    classes = scoring.Classes(tuple(f"c{k}" for k in range(n_classes)), n_classes - 1)
    found = {s.name: s for s in scoring.of_classes(y, p, frequencies, None, classes)}
    if n_classes == 2:
        f1, area = found["F1 of 'c1'"], found["PR AUC of 'c1'"]
        assert f1.model == pytest.approx(metrics.f1_score(y, guess))
        assert area.model == pytest.approx(metrics.average_precision_score(y, p[:, 1]))
        assert area.baseline == pytest.approx(metrics.average_precision_score(y, 0 * y))
        assert f1.baseline == 0
    else:
        f1, area = found["macro F1"], found["macro PR AUC"]
        assert f1.model == pytest.approx(metrics.f1_score(y, guess, average="macro"))
        wanted = metrics.average_precision_score(np.eye(n_classes)[y], p, average="macro")
        assert area.model == pytest.approx(wanted)
        assert area.baseline == pytest.approx(1 / n_classes)
        assert f1.baseline == pytest.approx(metrics.f1_score(y, 0 * y, average="macro"))


def test_of_two_the_rarer_class_is_meant_by_default():
    y, p, _ = retrieved(2)
    names = [score.name for score in scoring.of_classes(y, p, np.array([0.1, 0.9]))]
    assert names[-2:] == ["PR AUC of '0'", "F1 of '0'"]


def test_what_a_class_without_rows_would_need_is_left_out():
    y, p, _ = retrieved(3)
    names = [s.name for s in scoring.of_classes(y[y > 0], p[y > 0], np.full(3, 1 / 3))]
    assert names == ["accuracy", "log loss"]


@pytest.mark.parametrize("n_classes", [2, 3, 30])
def test_figures_of_each_class_are_those_of_scikit_learn(n_classes):
    from sklearn import metrics

    y, p, guess = retrieved(n_classes)
    found = class_scores.of_each(y, p, guess, [f"c{k}" for k in range(n_classes)])
    for k, score in enumerate(found):
        mine = y == k, guess == k
        assert score.label == f"c{k}"
        assert score.rows == (y == k).sum()
        assert score.precision == pytest.approx(metrics.precision_score(*mine))
        assert score.recall == pytest.approx(metrics.recall_score(*mine))
        assert score.f1 == pytest.approx(metrics.f1_score(*mine))
        assert score.pr_auc == pytest.approx(metrics.average_precision_score(y == k, p[:, k]))
    assert class_scores.from_values(class_scores.as_values(found)) == found


@pytest.mark.parametrize("n_classes", [2, 3, 30])
def test_a_whole_weight_is_as_many_rows(n_classes):
    y, p, guess = retrieved(n_classes)
    weights = np.random.default_rng(1).integers(1, 4, len(y))
    rows = np.repeat(np.arange(len(y)), weights)
    labels, frequencies = [f"c{k}" for k in range(n_classes)], np.full(n_classes, 1 / n_classes)
    of_each = class_scores.of_each(y, p, guess, labels, weights)
    of_copies = class_scores.of_each(y[rows], p[rows], guess[rows], labels)
    assert_allclose([score[2:] for score in of_each], [score[2:] for score in of_copies])
    assert [score.rows for score in of_each] == np.bincount(y).tolist()
    found = scoring.of_classes(y, p, frequencies, None, None, weights)
    copies = scoring.of_classes(y[rows], p[rows], frequencies)
    assert [score.name for score in found] == [score.name for score in copies]
    assert_allclose([score[1:3] for score in found], [score[1:3] for score in copies])


def test_classes_without_rows_or_guesses_have_no_such_figure_and_come_last():
    y, p = np.array([0, 0, 1, 1]), np.array([[0.9, 0.1, 0], [0.8, 0.2, 0]] * 2)
    found = class_scores.of_each(y, p, p.argmax(axis=1), ["a", "b", "c"])
    assert np.isnan(found[1].precision)
    assert (found[1].recall, found[1].f1) == (0, 0)
    assert np.isnan(found[2][2:]).all()
    assert [score.label for score in class_scores.worst_first(found)] == ["b", "a", "c"]
    shown = as_text(class_scores.table(found))
    (row,) = (line for line in shown.splitlines() if line.startswith("│ c"))
    assert row.count("-") == 4


def test_of_many_classes_the_worst_are_shown():
    y, p, guess = retrieved(30)
    found = class_scores.of_each(y, p, guess, [f"c{k}" for k in range(30)])
    shown = class_scores.table(found)
    assert shown.row_count == class_scores.MOST == 20
    assert shown.caption == "the 20 of 30 classes that are found worst, by F1"
    worst = sorted(found, key=lambda score: score.f1)[:20]
    assert list(shown.columns[0].cells) == [score.label for score in worst]
    assert class_scores.table(found[:20]).caption is None
