"""Temperature scaling: the best temperature, and an estimator of scikit-learn."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax, softmax
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.naive_bayes import GaussianNB

from thinnet.uncertainty.calibration import (
    expected_calibration_error,
    negative_log_likelihood,
)
from thinnet.uncertainty.temperature import TemperatureScaling, apply_temperature, fit_temperature

SEEDS = st.integers(0, 2**32)


def loss(logits, y, temperature=1.0):
    return -log_softmax(logits / temperature, axis=1)[np.arange(len(y)), y].mean()


def logits_and_classes(seed, rows=80, scale=2.0):
    rng = np.random.default_rng(seed)
    logits = scale * rng.normal(size=(rows, 3))
    y = (rng.random((rows, 1)) > softmax(logits, axis=1).cumsum(axis=1)).sum(axis=1).clip(0, 2)
    y[:2] = 0, 1
    return logits, y


@given(SEEDS, st.floats(0.1, 10))
def test_no_other_temperature_is_better(seed, overconfidence):
    logits, y = logits_and_classes(seed)
    logits = logits * overconfidence
    found = fit_temperature(logits, y)
    least = loss(logits, y, found)
    assert least <= loss(logits, y)
    assert 0.01 <= found <= 100
    assert least <= min(loss(logits, y, t) for t in np.geomspace(0.01, 100, 200)) + 1e-9


def test_the_temperature_of_logits_that_are_too_large_is_their_factor():
    logits, y = logits_and_classes(0, rows=20_000)
    assert_allclose(fit_temperature(logits, y), 1, rtol=0.05)
    once = fit_temperature(logits, y)
    assert_allclose(fit_temperature(3 * logits, y), 3 * once, rtol=1e-4)


def test_the_ends_of_the_search_are_reached():
    sure = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert fit_temperature(0.01 * sure, [0, 1]) == pytest.approx(0.01)
    assert fit_temperature(sure, [1, 0]) == pytest.approx(100)
    assert loss(sure, [0, 1], fit_temperature(sure, [0, 1])) == 0


def test_a_temperature_divides_logits():
    logits = np.array([[2.0, 0.0, -1.0]])
    assert_allclose(apply_temperature(logits, 1), softmax(logits, axis=1))
    assert_allclose(apply_temperature(logits, 4.0), softmax(logits / 4, axis=1))


def labelled_rows(rng, rows):
    """Correlated features, of which naive Bayes is far too sure."""
    y = rng.integers(3, size=rows)
    X = y[:, None] + 1.5 * rng.normal(size=(rows, 1)) + 0.5 * rng.normal(size=(rows, 8))
    return X, np.array(["a", "b", "c"])[y]


@pytest.fixture
def overconfident(rng):
    X, y = labelled_rows(rng, 900)
    return GaussianNB().fit(X[:300], y[:300]), X[300:600], y[300:600], X[600:], y[600:]


def test_scaling_makes_an_overconfident_classifier_better_and_keeps_its_classes(overconfident):
    model, X, y, new_X, new_y = overconfident
    scaled = TemperatureScaling(model).calibrate(X, y)
    assert scaled.temperature_ > 1.5
    assert_array_equal(scaled.predict(new_X), model.predict(new_X))
    best = scaled.classes_[scaled.predict_proba(new_X).argmax(axis=1)]
    assert_array_equal(best, model.predict(new_X))
    assert scaled.score(new_X, new_y) == model.score(new_X, new_y)
    for score in (negative_log_likelihood, expected_calibration_error):
        before = score(new_y, model.predict_proba(new_X), labels=model.classes_)
        after = score(new_y, scaled.predict_proba(new_X), labels=scaled.classes_)
        assert after < before


def test_scaling_is_scikit_learns(overconfident):
    _, X, y, new_X, _ = overconfident
    model = LogisticRegression(C=1e6).fit(X[:40], y[:40])
    theirs = CalibratedClassifierCV(FrozenEstimator(model), method="temperature").fit(X, y)
    ours = TemperatureScaling(model).calibrate(X, y)
    assert ours.temperature_ > 1.1
    assert_allclose(ours.predict_proba(new_X), theirs.predict_proba(new_X), atol=1e-5)


def test_scaling_is_an_estimator_of_scikit_learn(overconfident):
    model, X, y, new_X, _ = overconfident
    scaled = TemperatureScaling(FrozenEstimator(model))
    assert is_classifier(scaled)
    assert clone(scaled).estimator.estimator is model
    assert "TemperatureScaling" in repr(scaled)
    with pytest.raises(NotFittedError, match=r"TemperatureScaling is not calibrated yet: call cal"):
        scaled.predict_proba(new_X)
    with pytest.raises(NotFittedError):
        scaled.predict(new_X)
    scores = cross_val_score(scaled, X, y, cv=2, error_score="raise")
    assert_allclose(scores.mean(), model.score(X, y), atol=0.01)
    scaled.calibrate(X, y)
    again = pickle.loads(pickle.dumps(scaled))
    assert_array_equal(again.predict_proba(new_X), scaled.predict_proba(new_X))
    assert_array_equal(again.classes_, model.classes_)


def test_probabilities_of_zero_have_a_temperature_too():
    class Sure(GaussianNB):
        def predict_proba(self, X):
            return np.eye(2)[(X[:, 0] > 0).astype(int)]

    X = np.array([[-1.0], [1.0], [-2.0], [2.0]])
    scaled = TemperatureScaling(Sure().fit(X, [0, 1, 0, 1])).calibrate(X, [0, 1, 0, 0])
    assert np.isfinite(scaled.predict_proba(X)).all()
    assert_allclose(scaled.predict_proba(X)[0, 0], 3 / 4, rtol=1e-4)  # as many as are right


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        (["a"] * 4, "y must hold at least 2 classes, got only 'a'"),
        (["a", "b"], "y must have as many rows as X, got 2 and 4"),
        ([], "y must be one label a row, got"),
        (["a", "b", "d", "a"], r"y must hold labels among \['a', 'b', 'c'\], got .*'d'.* in row 2"),
    ],
)
def test_calibration_labels_that_will_not_do_are_refused(overconfident, y, sentence):
    model, X, *_ = overconfident
    with pytest.raises(ValueError, match=sentence):
        TemperatureScaling(model).calibrate(X[:4], y)


def test_an_unfitted_classifier_cannot_be_calibrated():
    with pytest.raises(NotFittedError):
        TemperatureScaling(GaussianNB()).calibrate([[0.0], [1.0]], [0, 1])


def test_logits_and_temperatures_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="logits must be finite, got -inf in row 0, column 1"):
        fit_temperature([[0, -np.inf]], [0])
    with pytest.raises(ValueError, match=r"logits must be of shape \(rows, 2 or more classes\)"):
        apply_temperature([[0.0]], 1.0)
    with pytest.raises(ValueError, match="temperature must be a finite number > 0, got 0"):
        apply_temperature([[0.0, 1.0]], 0)
