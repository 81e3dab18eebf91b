"""What draws say of known targets: probabilities of labels, and of numbers up to the true one."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse, stats
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from thinnet import (
    EnsembleClassifier,
    EnsembleRegressor,
    MLPClassifier,
    MLPRegressor,
    TableClassifier,
    TableRegressor,
    arithmetic,
)
from thinnet.displays.pit import PITHistogram

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 2))
TREES = np.array(["ash", "elm", "oak"])[np.digitize(X[:, 0], [-0.5, 0.5])]
BOTH = np.c_[X[:, 0] > 0, X[:, 1] > 0, X.sum(axis=1) > 0].astype(int)
NUMBERS = X[:, 0] + 0.3 * RNG.normal(size=120)

SMALL = {"hidden_layer_sizes": (8,), "dropout": 0.2, "max_iter": 30, "random_state": 0}


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def classifiers():
    one = MLPClassifier(**SMALL)
    table = TableClassifier((8,), max_iter=5, n_networks=2, random_state=0)
    found = [one, EnsembleClassifier(one, 2, random_state=0), table]
    return {type(model).__name__: model.fit(X, TREES) for model in found}


@pytest.fixture(scope="module")
def several():
    return MLPClassifier(**SMALL).fit(X, BOTH)


def skewed(rows, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    y = 2 * np.exp(0.1 * x + 0.35 * rng.normal(size=rows)) - 1  # log-normal but for the 1
    return pd.DataFrame({"x": x})[y >= 0], 10 * y[y >= 0]


@pytest.fixture(scope="module")
def of_skewed():
    model = TableRegressor((32,), dropout=0.1, input_dropout=0.0, n_networks=2, random_state=0)
    return model.fit(*skewed(800, 1))


@pytest.fixture
def undrawable(monkeypatch):
    def drawn(*arguments, **settings):
        raise AssertionError("it has drawn")

    monkeypatch.setattr("thinnet.network.Network.sample", drawn)


CLASSIFIERS = ["MLPClassifier", "EnsembleClassifier", "TableClassifier"]


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.eye(3)[np.searchsorted(["ash", "elm", "oak"], TREES)], r"y .*\(120, 3\)"),
        (TREES[:7], "y must have as many rows as X, got 7 and 120"),
        (np.where(np.arange(120) == 4, "fir", TREES), "y must hold labels .* got 'fir' in row 4"),
        (np.arange(120), "y must hold labels .* got 0 in row 0"),
        ([None] * 120, "y must hold (labels|a target) .*got None in row 0"),
    ],
    ids=["one hot", "short", "unknown", "numbers", "none"],
)
def test_labels_that_do_not_fit_are_refused_before_anything_is_drawn(
    classifiers, name, y, message, undrawable
):
    with pytest.raises(ValueError, match=message):
        classifiers[name].log_likelihood(X, y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (BOTH[:, :2], r"y must be an array of shape \(rows, 3\), got \(120, 2\)"),
        (BOTH[:, 0], r"y must be an array of shape \(rows, 3\), got \(120,\)"),
        (BOTH[:7], "y must have as many rows as X, got 7 and 120"),
        (2 * BOTH, "y must be 0 or 1, got 2 in row"),
        (np.full((120, 3), np.nan), "y must be 0 or 1, got nan in row 0, column 0"),
        (TREES, "y must be an array of real numbers"),
    ],
    ids=["narrow", "column", "short", "twos", "nan", "texts"],
)
def test_indicators_that_do_not_fit_are_refused_before_anything_is_drawn(
    several, y, message, undrawable
):
    with pytest.raises(ValueError, match=message):
        several.log_likelihood(X, y)


def test_indicators_may_be_sparse_and_their_chances_multiply(several):
    p = several.uncertainty(X, 20).probabilities
    chances = np.prod(np.where(BOTH, p, 1 - p), axis=1)
    for y in (BOTH, sparse.csr_array(BOTH), pd.DataFrame(BOTH)):
        assert_allclose(np.exp(several.log_likelihood(X, y, n_draws=20)), chances)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_one_draw_gives_the_probability_of_a_label(classifiers, name):
    model = classifiers[name]
    p = model.sample_proba(X, 1)[0]
    places = np.searchsorted(model.classes_, TREES)
    found = model.log_likelihood(X, TREES, n_draws=1)
    assert_allclose(np.exp(found), p[np.arange(120), places], rtol=1e-6)


def test_with_a_tolerance_each_row_has_the_chance_of_its_own_draws(classifiers):
    model, how = classifiers["MLPClassifier"], {"n_draws": 200, "tolerance": 0.02}
    results = model.uncertainty(X, **how)
    assert len(np.unique(results.n_draws)) > 1
    places = np.searchsorted(model.classes_, TREES)
    found = model.log_likelihood(X, TREES, **how)
    assert_array_equal(found, arithmetic.log(results.probabilities[np.arange(120), places]))


def test_the_probability_of_at_most_a_number_is_the_mean_over_the_draws():
    model = MLPRegressor(
        hidden_layer_sizes=(8,), precision=4.0, dropout=0.2, max_iter=30, random_state=0
    )
    model.fit(X, NUMBERS)
    draws = model.sample(X, 40)[..., 0]
    expected = stats.norm(draws, 0.5).cdf(NUMBERS).mean(axis=0)
    assert_allclose(model.distribution(X, NUMBERS, n_draws=40), expected, rtol=1e-6)
    assert model.distribution(X, NUMBERS, n_draws=1).shape == (120,)


def test_of_several_outputs_each_has_its_own_probability():
    Y = np.c_[NUMBERS, 10 * NUMBERS]
    model = MLPRegressor(**SMALL).fit(X, Y)
    found = model.distribution(X, Y)
    assert found.shape == (120, 2)
    low = model.predict_quantiles(X, 0.2)
    assert low.shape == (120, 1, 2)
    assert_allclose(model.distribution(X, low[:, 0]), 0.2, atol=1e-6)


def test_the_probability_of_at_most_a_number_is_the_integral_of_the_density(of_skewed):
    assert of_skewed.target_scale_.unit[0] > 0  # it works with logarithms
    rows = skewed(3, 5)[0].iloc[:1]
    low, high = of_skewed.predict_quantiles(rows, [0.2, 0.9])[0]
    grid = np.linspace(low, high, 20_001)  # the calibrated density has steps
    density = np.exp(of_skewed.log_likelihood(pd.concat([rows] * len(grid)), grid))
    between = np.diff(of_skewed.distribution(pd.concat([rows] * 2), [low, high]))
    assert_allclose(between, np.trapezoid(density, grid), rtol=1e-4)
    assert_allclose(between, 0.7, rtol=1e-6)


def test_the_pit_of_skewed_numbers_is_level(of_skewed):
    rows, y = skewed(2000, 2)
    shown = PITHistogram.from_estimator(of_skewed, rows, y)
    values = of_skewed.distribution(rows, y)
    assert_array_equal(shown.counts.rows, np.histogram(values, 10, (0, 1))[0])
    assert stats.kstest(values, "uniform").statistic < 0.035
    mean, std = of_skewed.predict(rows, return_std=True)
    assert stats.kstest(stats.norm.cdf(y, mean, std), "uniform").statistic > 0.06


def test_the_pit_of_a_pipeline_is_that_of_its_last_step():
    last = MLPRegressor(**SMALL)
    pipe = make_pipeline(StandardScaler(), last).fit(100 * X, NUMBERS)
    values = last.distribution(pipe[:-1].transform(100 * X), NUMBERS)
    shown = PITHistogram.from_estimator(pipe, 100 * X, NUMBERS, n_bins=7)
    assert_array_equal(shown.counts.rows, np.histogram(values, 7, (0, 1))[0])


@pytest.mark.parametrize("kind", [MLPRegressor, EnsembleRegressor, TableRegressor])
def test_numbers_that_do_not_fit_are_refused_before_anything_is_drawn(kind, monkeypatch):
    inner = MLPRegressor(**SMALL)
    model = {
        MLPRegressor: inner,
        EnsembleRegressor: EnsembleRegressor(inner, n_networks=2, random_state=0),
        TableRegressor: TableRegressor((8,), max_iter=5, n_networks=2, random_state=0),
    }[kind].fit(X, NUMBERS)
    monkeypatch.setattr("thinnet.network.Network.sample", None)
    for y, message in (
        (NUMBERS[:7], "y must have as many rows as X, got 7 and 120"),
        (np.c_[NUMBERS, NUMBERS], "y must have 1 columns, got 2"),
    ):
        with pytest.raises(ValueError, match=message):
            model.distribution(X, y)
    with pytest.raises(ValueError, match="y must be one number a row"):
        PITHistogram.from_estimator(model, X, np.c_[NUMBERS, NUMBERS])


def test_one_quantile_is_a_sequence_of_one(of_skewed, untyped):
    rows, _ = skewed(5, 3)
    expected = of_skewed.predict_quantiles(rows, [0.5])
    for level in (0.5, np.float32(0.5)):
        found = of_skewed.predict_quantiles(rows, level)
        assert found.shape == (len(rows), 1)
        assert_array_equal(found, expected)
    for level in (None, "a", 1):
        with pytest.raises(ValueError, match=r"each of quantiles must be a number in \(0, 1\)"):
            of_skewed.predict_quantiles(rows, level)
