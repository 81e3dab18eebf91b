"""Calibration, scores of forecasts, temperature and selection: against closed forms and others."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, stats
from scipy.special import log_softmax, softmax
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import cross_val_score
from sklearn.naive_bayes import GaussianNB

from thinnet.uncertainty.brier import brier_parts, brier_score
from thinnet.uncertainty.calibration import (
    expected_calibration_error,
    maximum_calibration_error,
    negative_log_likelihood,
)
from thinnet.uncertainty.intervals import interval_coverage, interval_score, interval_width
from thinnet.uncertainty.predictive import crps, pit, pit_histogram
from thinnet.uncertainty.reliability import reliability
from thinnet.uncertainty.selection import area_under_risk_coverage, most_certain, risk_coverage
from thinnet.uncertainty.temperature import TemperatureScaling, apply_temperature, fit_temperature

SCORES = [
    expected_calibration_error,
    maximum_calibration_error,
    negative_log_likelihood,
    brier_score,
]


def forecasts(seed, rows=60, classes=3, decimals=None):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(classes, 0.7), rows)
    if decimals is not None:  # so that there are equal forecasts
        p = np.floor(p * 10**decimals)
        p = (p + 1e-9) / (p + 1e-9).sum(axis=1, keepdims=True)
    return rng.integers(classes, size=rows), p, rng.random(rows)


SEEDS = st.integers(0, 2**32)


# Bins of confidence


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@given(seed=SEEDS, n_bins=st.integers(1, 20))
def test_the_curve_is_scikit_learns_for_the_top_class(strategy, seed, n_bins):
    y, p, _ = forecasts(seed)
    found = reliability(y, p, n_bins=n_bins, strategy=strategy)
    full = found.rows > 0
    assert found.rows.sum() == len(y)
    assert_allclose(found.share, found.rows / len(y))
    if strategy == "uniform":
        right, top = p.argmax(axis=1) == y, p.max(axis=1)
        accuracy, confidence = calibration_curve(right, top, n_bins=n_bins)
        assert_allclose(found.accuracy[full], accuracy)
        assert_allclose(found.confidence[full], confidence)
    else:  # scikit-learn interpolates between rows, so it may place one differently
        assert np.ptp(found.rows) <= 1


def test_a_bin_holds_its_upper_edge_and_the_empty_ones_are_nan():
    found = reliability([0, 0], [[0.6, 0.4], [0.8, 0.2]], n_bins=5)
    assert_array_equal(found.rows, [0, 0, 1, 1, 0])
    assert_array_equal(np.isnan(found.accuracy), found.rows == 0)
    assert_array_equal(np.isnan(found.confidence), found.rows == 0)


def test_equal_confidences_stay_in_one_bin():
    p = [[1, 0]] * 6 + [[0.6, 0.4]] * 4
    found = reliability([0] * 10, p, n_bins=5, strategy="quantile")
    assert_array_equal(found.rows, [4, 6])
    assert_array_equal(found.edges, [0, 0.6, 1])


@given(SEEDS, st.sampled_from(["uniform", "quantile"]))
def test_calibration_errors_are_the_mean_and_the_largest_gap(seed, strategy):
    y, p, w = forecasts(seed)
    top, right = (p / p.sum(axis=1, keepdims=True)).max(axis=1), p.argmax(axis=1) == y
    edges = reliability(y, p, n_bins=4, strategy=strategy).edges
    gaps, shares = [], []
    for low, high in pairwise(edges):
        inside = (low < top) & (top <= high)
        if inside.any():
            shares.append(w[inside].sum() / w.sum())
            accuracy = np.average(right[inside], weights=w[inside])
            gaps.append(abs(accuracy - np.average(top[inside], weights=w[inside])))
    settings = {"n_bins": 4, "strategy": strategy, "sample_weight": w}
    assert_allclose(expected_calibration_error(y, p, **settings), np.dot(shares, gaps))
    assert_allclose(maximum_calibration_error(y, p, **settings), max(gaps))


def test_calibrated_probabilities_have_a_small_error_and_sharpened_ones_a_large(rng):
    p = rng.dirichlet(np.ones(4), 40_000)
    y = (rng.random((len(p), 1)) > p.cumsum(axis=1)).sum(axis=1)
    assert expected_calibration_error(y, p) < 0.02
    sharp = softmax(3 * np.log(p), axis=1)
    assert expected_calibration_error(y, sharp) > 0.1


# Scores of class probabilities


@given(SEEDS, st.integers(2, 5))
def test_brier_score_and_log_likelihood_are_scikit_learns(seed, classes):
    y, p, w = forecasts(seed, classes=classes)
    names = np.array(list("vwxyz"[:classes]))
    for weight in (None, w):
        ours = {"labels": names, "sample_weight": weight}
        assert_allclose(
            brier_score(names[y], p, **ours),
            brier_score_loss(y, p, labels=range(classes), sample_weight=weight, scale_by_half=False)
            if classes > 2
            else 2 * brier_score_loss(y, p[:, 1], pos_label=1, sample_weight=weight),
        )
        assert_allclose(
            negative_log_likelihood(names[y], p, **ours),
            log_loss(y, p, labels=range(classes), sample_weight=weight),
        )


@given(SEEDS, st.sampled_from([None, 1, 3, 10]), st.booleans())
def test_the_parts_of_briers_score_add_up_to_it(seed, n_bins, weighted):
    y, p, w = forecasts(seed, decimals=1)
    weight = w if weighted else None
    parts = brier_parts(y, p, n_bins=n_bins, sample_weight=weight)
    score = brier_score(y, p, sample_weight=weight)
    assert_allclose(parts.score, score, rtol=1e-12)
    by_hand = parts.reliability - parts.resolution + parts.uncertainty
    assert_allclose(by_hand + parts.within_variance - parts.within_covariance, score, rtol=1e-12)
    assert min(parts[:4]) >= 0


@given(SEEDS)
def test_groups_of_equal_forecasts_leave_nothing_over(seed):
    y, p, _ = forecasts(seed, decimals=0)
    parts = brier_parts(y, p)
    assert_allclose(parts[3:], 0, atol=1e-15)


def test_parts_of_a_constant_forecast_of_the_frequencies():
    y = np.repeat([0, 1, 2], [5, 3, 2])
    parts = brier_parts(y, np.tile([0.5, 0.3, 0.2], (10, 1)))
    assert_allclose(parts, [0, 0, 1 - 0.25 - 0.09 - 0.04, 0, 0], atol=1e-15)


def test_parts_of_a_perfect_forecast():
    y = np.array([0, 1, 1, 2])
    parts = brier_parts(y, np.eye(3)[y])
    assert_allclose(parts, [0, parts.uncertainty, parts.uncertainty, 0, 0], atol=1e-15)
    assert brier_score(y, np.eye(3)[y]) == 0


@pytest.mark.parametrize("score", [*SCORES, reliability, brier_parts], ids=lambda s: s.__name__)
@pytest.mark.parametrize(
    ("y", "p", "settings", "sentence"),
    [
        ([0, 1], [[1, 0]], {}, "y must have as many rows as proba, got 2 and 1"),
        ([2], [[1, 0]], {}, r"y must hold labels among \[0, 1\], got .*2.* in row 0"),
        ([np.nan], [[1, 0]], {}, r"y must hold labels among \[0, 1\], got .*nan.* in row 0"),
        ([0.5], [[1, 0]], {}, r"y must hold labels among \[0, 1\], got .*0.5.* in row 0"),
        ([[0]], [[1, 0]], {}, r"y must be one label a row, got \(1, 1\)"),
        ([], [[1, 0]], {}, r"y must be one label a row, got \(0,\)"),
        (["b"], [[1, 0]], {"labels": ["a", "c"]}, r"y must hold labels among \['a', 'c'\], got"),
        (["a"], [[1, 0]], {"labels": ["a"]}, "labels must be 2 labels, one a column of proba"),
        (["a"], [[1, 0]], {"labels": ["a", "a"]}, "labels must be different from each other"),
        ([0], [[0.9, 0.2]], {}, "proba must be probabilities that sum to 1"),
        ([0], [0.9], {}, r"proba must be an array of 2 axes, got \(1,\)"),
        ([0], [[1, 0]], {"sample_weight": [-1.0]}, "sample_weight must be >= 0"),
        ([0], [[1, 0]], {"sample_weight": [0.0]}, "sample_weight must be positive in some row"),
        ([0], [[1, 0]], {"sample_weight": [1, 1]}, "sample_weight must have as many rows as y"),
    ],
)
def test_forecasts_and_truths_that_do_not_fit_are_refused(score, y, p, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        score(y, p, **settings)


def test_bins_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="n_bins must be an integer >= 1, got 0"):
        expected_calibration_error([0], [[1, 0]], n_bins=0)
    with pytest.raises(ValueError, match="strategy must be 'uniform' or 'quantile', got 'mass'"):
        reliability([0], [[1, 0]], strategy="mass")


@given(SEEDS, st.integers(0, 3))
def test_a_weight_of_n_is_n_rows(seed, of_first):
    y, p, _ = forecasts(seed)
    weight = np.ones(len(y))
    weight[0] = of_first
    repeats = weight.astype(int)
    for score in SCORES:
        many = score(np.repeat(y, repeats), np.repeat(p, repeats, axis=0))
        assert_allclose(score(y, p, sample_weight=weight), many, rtol=1e-9, atol=1e-12)


# Intervals and distributions of numbers


def test_coverage_counts_both_bounds_and_width_is_the_mean():
    low, high = [0, 0, 0, -np.inf], [1, 1, 1, np.inf]
    assert interval_coverage([0, 1, 2, 9], low, high) == 0.75
    assert interval_coverage([0, 1, 2, 9], low, high, sample_weight=[0, 0, 1, 1]) == 0.5
    assert interval_width(low, high) == np.inf
    assert interval_width([0, 1], [1, 4], sample_weight=[3, 1]) == 1.5


def test_interval_score_is_the_sum_of_two_pinball_losses(rng):
    from sklearn.metrics import mean_pinball_loss

    y, (low, high) = rng.normal(size=80), np.sort(rng.normal(size=(2, 80)), axis=0)
    for coverage in (0.5, 0.8, 0.95):
        a = (1 - coverage) / 2
        lower = mean_pinball_loss(y, low, alpha=a)
        upper = mean_pinball_loss(y, high, alpha=1 - a)
        assert_allclose(interval_score(y, low, high, coverage=coverage), (lower + upper) / a)


def test_the_true_quantiles_have_the_best_interval_score(rng):
    y = rng.normal(size=20_000)

    def score(half):
        return interval_score(y, np.full_like(y, -half), np.full_like(y, half), coverage=0.8)

    best = stats.norm.ppf(0.9)
    assert score(best) < min(score(0.8 * best), score(1.2 * best))


@pytest.mark.parametrize(
    ("y", "low", "high", "sentence"),
    [
        ([1], [2], [1], "high must be at least low, got 1.0 in row 0"),
        ([1], [np.nan], [1], "low must be a number, got nan in row 0"),
        ([1, 2], [1], [1], "y must have as many rows as low, got 2 and 1"),
        ([1], [1], [1, 2], "high must have as many rows as low, got 2 and 1"),
        ([[1]], [1], [1], r"y must be one number a row, got \(1, 1\)"),
    ],
)
def test_intervals_that_cannot_be_are_refused(y, low, high, sentence):
    for score in (interval_coverage, interval_score):
        with pytest.raises(ValueError, match=sentence):
            score(y, low, high)
    with pytest.raises(ValueError, match=r"coverage must be a number in \(0, 1\), got 1"):
        interval_score([1], [1], [1], coverage=1)


def test_pit_is_the_place_among_the_draws():
    draws = np.array([[1.0], [2.0], [3.0]])
    places = [pit([y], draws).item() for y in (0.0, 1.5, 2.5, 9.0)]
    assert_allclose(places, np.array([0.5, 1.5, 2.5, 3.5]) / 4)
    assert_allclose(pit([2.0], draws), 0.5)


def test_pit_of_calibrated_draws_is_uniform_and_of_narrow_ones_is_not(rng):
    y, draws = rng.normal(size=2000), rng.normal(size=(99, 2000))
    expected = np.full(20, 100.0)
    assert stats.chisquare(pit_histogram(pit(y, draws), n_bins=20).rows, expected).pvalue > 1e-4
    narrow = pit_histogram(pit(y, draws / 2), n_bins=20).rows
    assert stats.chisquare(narrow, expected).pvalue < 1e-9
    assert min(narrow[0], narrow[-1]) > 2 * narrow[1:-1].max()


@given(st.integers(1, 3000), st.integers(1, 30), st.sampled_from([0.5, 0.95, 0.99]))
def test_the_band_holds_a_calibrated_bin_with_its_probability(rows, n_bins, band):
    found = pit_histogram(np.linspace(0, 1, rows), n_bins=n_bins, band=band)
    count = stats.binom(rows, 1 / n_bins)
    assert found.rows.sum() == rows
    assert count.cdf(found.high) - count.cdf(found.low - 1) >= band - 1e-9
    tail = (1 - band) / 2
    assert count.cdf(found.low - 1) <= tail + 1e-9
    assert count.sf(found.high) <= tail + 1e-9
    assert_allclose(found.expected, count.mean())


@given(SEEDS, st.integers(2, 9))
def test_crps_is_the_integral_over_the_squared_step(seed, n_draws):
    rng = np.random.default_rng(seed)
    y, draws = rng.normal(), rng.normal(size=n_draws)
    ends = np.sort(np.append(draws, y))
    middles = (ends[1:] + ends[:-1]) / 2
    cdf = (draws[:, None] <= middles).mean(axis=0)
    integral = ((cdf - (middles >= y)) ** 2) @ np.diff(ends)
    assert_allclose(crps([y], draws[:, None], fair=False), integral, atol=1e-12)
    pairs = np.abs(draws[:, None] - draws).sum() / (2 * n_draws * (n_draws - 1))
    assert_allclose(crps([y], draws[:, None]), np.abs(draws - y).mean() - pairs, atol=1e-12)


def test_the_fair_crps_expects_that_of_the_distribution_with_any_number_of_draws(rng):
    y = 0.7

    def squared_step(x):
        return (stats.norm.cdf(x) - (x >= y)) ** 2

    exact = integrate.quad(squared_step, -9, 9, points=[y])[0]
    for n_draws in (2, 5):
        draws = rng.normal(size=(n_draws, 40_000))
        assert_allclose(crps(np.full(40_000, y), draws), exact, atol=0.02)
        assert crps(np.full(40_000, y), draws, fair=False) > exact + 0.05


@pytest.mark.usefixtures("untyped")
def test_draws_of_numbers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"draws must be of shape \(draws, 2\), got \(2, 3\)"):
        pit([1, 2], np.zeros((2, 3)))
    with pytest.raises(ValueError, match="draws must be at least 2, got 1"):
        crps([1], [[1]])
    with pytest.raises(ValueError, match=r"fair must be True or False, got 0\.5"):
        crps([1], [[1], [2]], fair=0.5)
    with pytest.raises(ValueError, match=r"values must be in \[0, 1\], got 1.5 in row 1"):
        pit_histogram([0.5, 1.5])
    with pytest.raises(ValueError, match=r"band must be a number in \(0, 1\), got 0"):
        pit_histogram([0.5], band=0)


# Temperature


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


# Selection


@given(SEEDS, st.integers(1, 40), st.integers(1, 8))
def test_risk_is_the_mean_error_of_the_rows_below_the_threshold(seed, rows, values):
    rng = np.random.default_rng(seed)
    error, uncertainty = rng.random(rows), rng.integers(values, size=rows)
    curve = risk_coverage(error, uncertainty)
    for coverage, risk, threshold in zip(*curve, strict=True):
        answered = uncertainty <= threshold
        assert_allclose([coverage, risk], [answered.mean(), error[answered].mean()])
    assert_array_equal(curve.threshold, np.unique(uncertainty))
    assert_allclose([curve.coverage[-1], curve.risk[-1]], [1, error.mean()])


@given(SEEDS, st.integers(1, 40))
def test_the_area_is_the_mean_of_running_means(seed, rows):
    error = np.random.default_rng(seed).random(rows)
    running = np.cumsum(error) / np.arange(1, rows + 1)
    assert_allclose(area_under_risk_coverage(error, np.arange(rows)), running.mean())
    assert_allclose(area_under_risk_coverage(error, np.zeros(rows)), error.mean())


@given(SEEDS, st.integers(1, 40))
def test_no_ranking_beats_the_errors_themselves(seed, rows):
    rng = np.random.default_rng(seed)
    error, uncertainty = rng.random(rows), rng.random(rows)
    best = area_under_risk_coverage(error, error)
    assert best <= area_under_risk_coverage(error, uncertainty) + 1e-12
    assert area_under_risk_coverage(error, uncertainty) <= (
        area_under_risk_coverage(error, -error) + 1e-12
    )


@given(SEEDS, st.integers(1, 40), st.sampled_from([0, 0.07, 0.3, 0.5, 0.7, 0.9, 1]))
def test_the_most_certain_are_as_few_as_the_coverage_needs(seed, rows, coverage):
    uncertainty = np.random.default_rng(seed).integers(9, size=rows)
    chosen = most_certain(uncertainty, coverage)
    assert chosen.mean() >= coverage - 1e-12
    if chosen.any():
        assert (uncertainty[chosen].max() < uncertainty[~chosen]).all()
        fewer = uncertainty < uncertainty[chosen].max()
        assert fewer.mean() < coverage


def test_a_share_is_taken_as_it_is_written():
    assert most_certain(np.arange(100), 0.07).sum() == 7  # though 0.07 * 100 > 7


def test_selections_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="uncertainty must have as many rows as error, got 1 and"):
        risk_coverage([0, 1], [0])
    with pytest.raises(ValueError, match="error must be finite, got nan in row 0"):
        area_under_risk_coverage([np.nan], [0])
    with pytest.raises(ValueError, match=r"coverage must be a number in \[0, 1\], got 2"):
        most_certain([1], 2)
