"""Split-conformal prediction: the right rank, the coverage it promises, and what it refuses."""

import pickle
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import BayesianRidge, LinearRegression, LogisticRegression
from sklearn.model_selection import cross_validate

from thinnet.uncertainty.conformal import rows_needed
from thinnet.uncertainty.conformal_classifier import SplitConformalClassifier, adaptive
from thinnet.uncertainty.conformal_regressor import SplitConformalRegressor

SIMULATIONS = 1000
COVERAGES = st.sampled_from(["0.5", "0.7", "0.8", "0.9", "0.95", "0.975", "0.29"])


class Column(RegressorMixin, BaseEstimator):
    """Predicts the first column; its standard deviation is the second."""

    def fit(self, X, y):
        return self

    def predict(self, X, return_std=False):
        return (X[:, 0], X[:, 1]) if return_std else X[:, 0]


class Given(ClassifierMixin, BaseEstimator):
    """Predicts the probabilities that its rows are."""

    def __init__(self, classes=(0, 1, 2)):
        self.classes = classes

    @property
    def classes_(self):
        return np.array(self.classes)

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        return X

    def predict(self, X):
        return self.classes_[X.argmax(axis=1)]


def table(mean, std=1.0):
    mean = np.asarray(mean, float)
    return np.column_stack([mean, np.broadcast_to(std, mean.shape)])


def drawn(p, rng):
    return (rng.random((len(p), 1)) > p.cumsum(axis=1)).sum(axis=1).clip(0, p.shape[1] - 1)


# The rank


def right_rank(rows, coverage):
    """The smallest r with r / (rows + 1) >= coverage, counted."""
    return next(r for r in range(1, rows + 2) if Fraction(r, rows + 1) >= Fraction(coverage))


@pytest.mark.parametrize(
    ("rows", "coverage", "rank"),
    [(9, 0.9, 9), (19, 0.9, 18), (20, 0.9, 19), (99, 0.9, 90), (19, 0.95, 19), (9, 0.7, 7)],
)
def test_half_the_width_is_the_error_of_the_right_rank(rows, coverage, rank):
    errors = np.arange(1.0, rows + 1)
    model = SplitConformalRegressor(Column()).calibrate(table(np.zeros(rows)), errors)
    assert_array_equal(model.predict_interval(table([5]), coverage), [[5 - rank, 5 + rank]])


@given(st.integers(2, 400), COVERAGES)
def test_the_rank_is_the_smallest_that_has_the_coverage(rows, coverage):
    rank = right_rank(rows, coverage)
    enough = rank <= rows
    assert enough == (rows >= rows_needed(float(coverage)))
    if enough:
        errors = np.random.default_rng(rows).permutation(rows) + 1.0
        model = SplitConformalRegressor(Column()).calibrate(table(np.zeros(rows)), errors)
        assert model.predict_interval(table([0]), float(coverage))[0, 1] == rank


@given(st.integers(4, 400), COVERAGES)
def test_classes_have_the_same_rank_as_numbers(rows, coverage):
    rank = right_rank(rows, coverage)
    if rank > rows:
        return
    score = np.arange(1, rows + 1) / (2 * rows)  # of the true class, all below 1/2
    p = np.column_stack([1 - score, score])
    y = np.zeros(rows, int)
    y[0], p[0] = 1, p[0, ::-1]
    model = SplitConformalClassifier(Given((0, 1))).calibrate(p, y)
    sets = model.predict_set(np.column_stack([1 - score, score]), float(coverage))
    assert sets[:, 0].sum() == rank


def test_normalised_intervals_are_as_wide_as_their_rows_are_unsure():
    std = np.array([1.0, 2.0, 4.0])
    model = SplitConformalRegressor(Column(), normalise=True)
    model.calibrate(table([10, 10, 10], std), [11, 14, 22])  # 1, 2 and 3 deviations off
    intervals = model.predict_interval(table([0, 0], [1, 5]), coverage=0.75)
    assert_allclose(intervals, [[-3, 3], [-15, 15]])


def test_the_least_ambiguous_set_holds_the_classes_above_one_probability(rng):
    p = rng.dirichlet(np.ones(4), 300)
    y = drawn(p, rng)
    model = SplitConformalClassifier(Given(range(4))).calibrate(p, y)
    new = rng.dirichlet(np.ones(4), 100)
    lowest = np.sort(p[np.arange(300), y])[::-1][right_rank(300, "0.9") - 1]
    assert_array_equal(model.predict_set(new), new >= lowest - 1e-12)


def test_the_adaptive_set_holds_the_most_probable_classes():
    p = np.array([[0.6, 0.3, 0.1]] * 10)
    y = [0] * 4 + [1] * 5 + [2]  # scores 0.6, 0.9 and 1
    model = SplitConformalClassifier(Given(), method="aps").calibrate(p, y)
    new = np.array([[0.2, 0.5, 0.3], [0.05, 0.92, 0.03], [0.35, 0.3, 0.35]])
    assert_array_equal(
        model.predict_set(new, coverage=0.8),  # rank 9: at most 0.9 in sum
        [[False, True, True], [False, False, False], [True, False, True]],
    )


@pytest.mark.parametrize("method", ["lac", "aps"])
def test_sets_and_intervals_grow_with_the_coverage(method, rng):
    p = rng.dirichlet(np.ones(3), 200)
    sets = SplitConformalClassifier(Given(), method=method).calibrate(p, drawn(p, rng))
    numbers = SplitConformalRegressor(Column()).calibrate(
        table(np.zeros(200)), rng.normal(size=200)
    )
    new, levels = rng.dirichlet(np.ones(3), 50), [0.5, 0.8, 0.9, 0.99]
    held = [sets.predict_set(new, level) for level in levels]
    width = [np.diff(numbers.predict_interval(table([0]), level)).item() for level in levels]
    assert all((small <= large).all() for small, large in pairwise(held))
    assert width == sorted(width)
    assert held[0].sum() < held[-1].sum()


# The promise


def mean_coverage(simulate, rng):
    return np.mean([simulate(rng) for _ in range(SIMULATIONS)])


@pytest.mark.parametrize("normalise", [False, True])
def test_intervals_hold_the_truth_as_often_as_they_say(normalise, rng):
    def simulate(rng, rows=99, new=40):
        std = np.exp(rng.normal(size=rows + new))
        X = table(rng.normal(size=rows + new), std)
        y = X[:, 0] + 0.5 + std * rng.normal(size=len(X))  # the regressor is biased
        model = SplitConformalRegressor(Column(), normalise=normalise).calibrate(X[:rows], y[:rows])
        low, high = model.predict_interval(X[rows:], 0.9).T
        return ((low <= y[rows:]) & (y[rows:] <= high)).mean()

    assert 0.89 < mean_coverage(simulate, rng) < 0.91


@pytest.mark.parametrize("method", ["lac", "aps"])
def test_sets_hold_the_true_class_as_often_as_they_say(method, rng):
    def simulate(rng, rows=99, new=40):
        p = rng.dirichlet([0.3, 0.3, 0.3, 0.3], rows + new)
        y = drawn(p, rng)
        wrong = p**2 / (p**2).sum(axis=1, keepdims=True)  # the classifier is too sure
        model = SplitConformalClassifier(Given(range(4)), method=method)
        model.calibrate(wrong[:rows], y[:rows])
        return model.predict_set(wrong[rows:], 0.9)[np.arange(new), y[rows:]].mean()

    assert 0.89 < mean_coverage(simulate, rng) < 0.91


def test_normalised_intervals_cover_easy_and_hard_rows_alike(rng):
    std = np.repeat([0.2, 3.0], 5000)
    X = table(np.zeros(10_000), std)
    y = std * rng.normal(size=10_000)
    for normalise, most_apart in ((True, 0.03), (False, 1.0)):
        model = SplitConformalRegressor(Column(), normalise=normalise).calibrate(X[::2], y[::2])
        low, high = model.predict_interval(X[1::2], 0.8).T
        inside = ((low <= y[1::2]) & (y[1::2] <= high)).reshape(2, -1).mean(axis=1)
        assert abs(np.diff(inside).item()) < most_apart
    assert abs(np.diff(inside).item()) > 0.3


# scikit-learn's manners


def fitted_pair(rng):
    X = rng.normal(size=(200, 3))
    y = X @ [1.0, 2.0, 3.0] + rng.normal(size=200)
    names = np.array(["low", "high"])[(y > 0).astype(int)]
    regressor = SplitConformalRegressor(BayesianRidge().fit(X[:50], y[:50]), normalise=True)
    classifier = SplitConformalClassifier(LogisticRegression().fit(X[:50], names[:50]))
    return X, (regressor, y, "predict_interval"), (classifier, names, "predict_set")


def test_they_pickle_clone_and_keep_the_predictions_of_what_they_wrap(rng):
    X, *pairs = fitted_pair(rng)
    for model, y, method in pairs:
        with pytest.raises(NotFittedError, match=r"is not calibrated yet: call calibrate\(X, y\)"):
            getattr(model, method)(X)
        with pytest.raises(NotFittedError):
            model.predict(X)
        assert model.calibrate(X[50:], y[50:]) is model
        assert_array_equal(model.predict(X), model.estimator.predict(X))
        again = pickle.loads(pickle.dumps(model))
        assert_array_equal(getattr(again, method)(X, 0.8), getattr(model, method)(X, 0.8))
        copy = clone(model)
        assert copy.get_params(deep=False).keys() == model.get_params(deep=False).keys()
        with pytest.raises(NotFittedError):
            getattr(copy, method)(X)
        with pytest.raises(NotFittedError):  # what a clone wraps is not fitted either
            copy.calibrate(X, y)


def test_they_can_be_cross_validated_around_a_frozen_estimator(rng):
    X, *pairs = fitted_pair(rng)
    for model, y, _ in pairs:
        frozen = clone(model).set_params(estimator=FrozenEstimator(model.estimator))
        scores = cross_validate(frozen, X[50:], y[50:], cv=2, error_score="raise")["test_score"]
        assert (scores > 0.5).all()


def test_columns_of_a_set_are_the_classes(rng):
    X, _, (model, names, _) = fitted_pair(rng)
    model.calibrate(X[50:], names[50:])
    assert_array_equal(model.classes_, ["high", "low"])
    sure = model.estimator.predict_proba(X).max(axis=1) > 0.99
    sets = model.predict_set(X[sure])
    assert_array_equal(model.classes_[sets.argmax(axis=1)], model.predict(X[sure]))


def test_calibrating_asks_for_no_random_numbers_and_warns_of_nothing(rng):
    X, *pairs = fitted_pair(rng)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for model, y, method in pairs:
        model.calibrate(X[50:], y[50:])
        assert_array_equal(getattr(model, method)(X), getattr(model, method)(X))
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.slow
def test_the_users_warning_filters_stay_as_they_are():
    code = (
        "import warnings; from thinnet.uncertainty.conformal import crepes; "
        "before = list(warnings.filters); crepes(); assert warnings.filters == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# What is refused


@pytest.mark.parametrize("coverage", [0, 1, 1.5, -0.1, np.nan, "0.9", None, True])
@pytest.mark.usefixtures("untyped")
def test_a_coverage_outside_0_to_1_is_refused(coverage, rng):
    X, *pairs = fitted_pair(rng)
    for model, y, method in pairs:
        with pytest.raises(ValueError, match=r"coverage must be a number in \(0, 1\), got"):
            getattr(model.calibrate(X, y), method)(X, coverage)


@pytest.mark.parametrize(("coverage", "needed"), [(0.9, 9), (0.95, 19), (0.99, 99), (0.5, 1)])
def test_too_few_calibration_rows_are_refused_and_enough_are_not(coverage, needed, rng):
    assert rows_needed(coverage) == needed
    X, *pairs = fitted_pair(rng)
    X, order = X[50:], np.argsort(pairs[0][1][50:])
    for model, y, method in pairs:
        few = np.concatenate([order[:1], order[-(needed - 1) :]]) if needed > 1 else order[[0, -1]]
        getattr(model.calibrate(X[few], y[50:][few]), method)(X, coverage)
        if needed > 2:
            model.calibrate(X[few[:-1]], y[50:][few[:-1]])
            sentence = (
                f"the calibration set must be of at least {needed} rows for a coverage of "
                f"{coverage}, got {needed - 1}"
            )
            with pytest.raises(ValueError, match=sentence):
                getattr(model, method)(X, coverage)


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        ([1.0, 2.0], "y must have as many rows as X, got 2 and 3"),
        ([1.0, np.nan, 2.0], "y must be finite, got nan in row 1"),
        ([[1.0], [2.0], [3.0]], r"y must be one number a row, got \(3, 1\)"),
        (["a", "b", "c"], "y must be an array of real numbers"),
        ([], "y must not be empty"),
    ],
)
def test_numbers_that_cannot_calibrate_are_refused(y, sentence):
    with pytest.raises(ValueError, match=sentence):
        SplitConformalRegressor(Column()).calibrate(table([0, 0, 0]), y)


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        ([0, 1], "y must have as many rows as X, got 2 and 3"),
        ([0, np.nan, 1], r"y must hold labels among \[0, 1, 2\], got .*nan.* in row 1"),
        ([0, 3, 1], r"y must hold labels among \[0, 1, 2\], got .*3.* in row 1"),
        (["0", "1", "2"], r"y must hold labels among \[0, 1, 2\], got .*'0'.* in row 0"),
        ([1, 1, 1], "y must hold at least 2 classes, got only 1"),
        ([], "y must be one label a row"),
    ],
)
def test_labels_that_cannot_calibrate_are_refused(y, sentence):
    with pytest.raises(ValueError, match=sentence):
        SplitConformalClassifier(Given()).calibrate(np.eye(3), y)


def test_a_regressor_of_several_outputs_is_refused(rng):
    X, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    model = SplitConformalRegressor(LinearRegression().fit(X, Y))
    sentence = r"estimator must be a regressor of one output, got predictions of shape \(20, 2\)"
    with pytest.raises(ValueError, match=sentence):
        model.calibrate(X, Y[:, 0])


@pytest.mark.parametrize("std", [0.0, -1.0])
def test_a_standard_deviation_that_is_not_positive_is_refused(std):
    model = SplitConformalRegressor(Column(), normalise=True)
    with pytest.raises(ValueError, match=f"the estimator's std must be > 0, got {std} in row 1"):
        model.calibrate(table([0, 0], [1, std]), [1, 2])


@pytest.mark.usefixtures("untyped")
def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="method must be 'lac' or 'aps', got 'raps'"):
        SplitConformalClassifier(Given(), method="raps").calibrate(np.eye(3), [0, 1, 2])
    with pytest.raises(ValueError, match="normalise must be True or False, got 'std'"):
        SplitConformalRegressor(Column(), normalise="std").calibrate(table([0]), [1])


def test_all_classes_together_have_the_probability_1_whatever_rounding_does(rng):
    p = rng.dirichlet(np.full(7, 0.3), 500)
    most = adaptive(p).max(axis=1)
    assert (most > 1 - 1e-14).all()
    assert most.max() == 1
