"""Calibration and scores of class probabilities: against closed forms and others."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from thinnet.uncertainty.binning import reliability
from thinnet.uncertainty.brier import brier_parts, brier_score
from thinnet.uncertainty.calibration import (
    expected_calibration_error,
    maximum_calibration_error,
    negative_log_likelihood,
)
from thinnet.uncertainty.forecasts import probabilities

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
    assert_allclose(found.fraction, found.rows / len(y))
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
    top, right = probabilities("p", p, 2).max(axis=1), p.argmax(axis=1) == y
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
