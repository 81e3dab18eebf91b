"""Pictures of calibration show the numbers they are made of."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import BayesianRidge, LogisticRegression

from thinnet.displays.pit import PITHistogram
from thinnet.displays.reliability import ReliabilityDiagram
from thinnet.displays.risk_coverage import RiskCoverageCurve
from thinnet.uncertainty.calibration import expected_calibration_error
from thinnet.uncertainty.predictive import pit, pit_histogram
from thinnet.uncertainty.selection import area_under_risk_coverage, risk_coverage

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
NUMBERS = X @ [1.0, 0.5, 0.2, 0.0] + RNG.normal(size=300)
NAMES = np.array(["low", "high"])[(NUMBERS > 0).astype(int)]


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def classifier():
    return LogisticRegression().fit(X[:100], NAMES[:100])


@pytest.fixture(scope="module")
def regressor():
    return BayesianRidge().fit(X[:100], NUMBERS[:100])


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_a_reliability_diagram_shows_accuracy_confidence_rows_and_error(classifier, strategy):
    shown = ReliabilityDiagram.from_estimator(classifier, X, NAMES, n_bins=8, strategy=strategy)
    full = shown.curve.rows > 0
    bars = shown.ax_.patches
    assert_allclose([bar.get_height() for bar in bars], shown.curve.accuracy[full])
    assert_allclose([bar.get_x() for bar in bars], shown.curve.edges[:-1][full])
    assert_allclose(shown.ax_.lines[0].get_xdata(), shown.curve.confidence[full])
    assert_allclose(shown.ax_.lines[1].get_xydata(), [[0, 0], [1, 1]])
    (top,) = shown.ax_.child_axes
    assert_array_equal([bar.get_height() for bar in top.patches], shown.curve.rows)
    error = expected_calibration_error(
        NAMES, classifier.predict_proba(X), n_bins=8, strategy=strategy, labels=classifier.classes_
    )
    assert f"ECE = {error:.3f}" in labels(shown.ax_)


def test_a_pit_histogram_shows_counts_the_uniform_line_and_the_band():
    y, draws = RNG.normal(size=200), RNG.normal(size=(19, 200))
    shown = PITHistogram.from_predictions(y, draws, n_bins=5)
    counts = pit_histogram(pit(y, draws), n_bins=5)
    *bars, band = shown.ax_.patches
    assert_array_equal([bar.get_height() for bar in bars], counts.rows)
    assert_allclose([band.get_y(), band.get_y() + band.get_height()], [counts.low, counts.high])
    assert_allclose(shown.ax_.lines[0].get_ydata(), 40)
    assert shown.ax_.get_ylim()[1] > max(counts.rows)


def test_the_pit_of_an_estimator_is_of_its_normal_distribution(regressor):
    mean, std = regressor.predict(X, return_std=True)
    shown = PITHistogram.from_estimator(regressor, X, NUMBERS, n_bins=6)
    values = stats.norm(mean, std).cdf(NUMBERS)
    assert_array_equal(shown.counts.rows, np.histogram(values, 6, (0, 1))[0])


def test_a_risk_coverage_curve_stands_beside_chance_and_the_best(classifier):
    shown = RiskCoverageCurve.from_estimator(classifier, X, NAMES)
    wrong = (classifier.predict(X) != NAMES).astype(float)
    unsure = 1 - classifier.predict_proba(X).max(axis=1)
    curve = risk_coverage(wrong, unsure)
    ours, chance, best = shown.ax_.lines
    assert_allclose(ours.get_xdata(), [0, *curve.coverage])
    assert_allclose(ours.get_ydata(), [curve.risk[0], *curve.risk])
    assert_allclose(chance.get_ydata(), wrong.mean())
    running = np.cumsum(np.sort(wrong)) / np.arange(1, 301)
    assert_allclose(best.get_ydata()[1:], running)
    area = area_under_risk_coverage(wrong, unsure)
    assert f"by uncertainty, area {area:.3g}" in labels(shown.ax_)


def test_the_area_is_the_one_below_the_steps_that_are_drawn():
    error, uncertainty = [3.0, 0.0, 1.0, 2.0, 5.0], [1, 1, 2, 4, 2]
    shown = RiskCoverageCurve.from_predictions(error, uncertainty)
    line = shown.ax_.lines[0]
    assert line.get_drawstyle() == "steps-pre"
    below = np.diff(line.get_xdata()) @ line.get_ydata()[1:]
    assert_allclose(shown.area, below)


def test_the_risk_of_a_regressor_is_its_squared_error(regressor):
    shown = RiskCoverageCurve.from_estimator(regressor, X, NUMBERS)
    assert_allclose(shown.curve.risk[-1], ((regressor.predict(X) - NUMBERS) ** 2).mean())


def test_they_are_drawn_where_one_asks(classifier):
    figure, axes = plt.subplots(1, 3)
    y, draws = NUMBERS[:50], RNG.normal(size=(9, 50))
    p = classifier.predict_proba(X)
    for shown, ax in (
        (
            ReliabilityDiagram.from_predictions(NAMES, p, labels=["high", "low"], ax=axes[0]),
            axes[0],
        ),
        (PITHistogram.from_predictions(y, draws, ax=axes[1]), axes[1]),
        (RiskCoverageCurve.from_predictions(y**2, y**2, ax=axes[2]), axes[2]),
    ):
        assert shown.ax_ is ax
        assert shown.figure_ is figure
        assert ax.get_xlabel()
        assert ax.get_ylabel()
        assert shown.plot().ax_ is not ax


def test_what_cannot_be_shown_is_refused(classifier, regressor):
    for display in (ReliabilityDiagram, RiskCoverageCurve):
        with pytest.raises(NotFittedError):
            display.from_estimator(LogisticRegression(), X, NAMES)
    with pytest.raises(ValueError, match="y must hold labels among"):
        ReliabilityDiagram.from_estimator(classifier, X, NUMBERS)
    with pytest.raises(ValueError, match="y must have as many rows as X, got 3 and 300"):
        RiskCoverageCurve.from_estimator(classifier, X, NAMES[:3])
    for display in (RiskCoverageCurve, PITHistogram):
        with pytest.raises(ValueError, match="y must have as many rows as X, got 3 and 300"):
            display.from_estimator(regressor, X, NUMBERS[:3])
    with pytest.raises(ValueError, match=r"values must be in \[0, 1\], got 2"):
        PITHistogram.from_values([2.0])


def test_risk_and_coverage_may_be_by_a_measure_of_the_draws():
    from sklearn.datasets import load_iris

    from thinnet import MLPClassifier, RiskCoverageCurve
    from thinnet.uncertainty.selection import risk_coverage

    X, y = load_iris(return_X_y=True)
    model = MLPClassifier((16,), dropout=0.3, max_iter=5000, random_state=0).fit(X, y)
    shown = RiskCoverageCurve.from_estimator(model, X, y, measure="mutual_information")
    unsure = model.uncertainty(X).mutual_information
    expected = risk_coverage((model.predict(X) != y).astype(float), unsure)
    assert_array_equal(shown.curve.risk, expected.risk)


def test_a_measure_of_the_draws_that_is_not_there_is_refused(classifier):
    from thinnet import MLPClassifier, MLPRegressor, RiskCoverageCurve

    settings = {"hidden_layer_sizes": (4,), "dropout": 0.3, "max_iter": 2, "random_state": 0}
    classes, numbers = MLPClassifier(**settings), MLPRegressor(**settings)
    for measure in ("entropy", "std", "probabilities"):
        with pytest.raises(ValueError, match="measure must be 'predictive_entropy' or"):
            RiskCoverageCurve.from_estimator(classes.fit(X, NAMES), X, NAMES, measure=measure)
    for measure in ("entropy", "mutual_information", "mean"):
        with pytest.raises(ValueError, match="measure must be 'std' or 'epistemic' or"):
            RiskCoverageCurve.from_estimator(numbers.fit(X, NUMBERS), X, NUMBERS, measure=measure)
    with pytest.raises(ValueError, match="estimator must be one of thinnet's"):
        RiskCoverageCurve.from_estimator(classifier, X, NAMES, measure="std")


def test_a_measure_of_the_draws_may_be_of_a_pipeline():
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from thinnet import MLPRegressor, RiskCoverageCurve

    last = MLPRegressor(hidden_layer_sizes=(8,), dropout=0.3, max_iter=20, random_state=0)
    pipe = make_pipeline(StandardScaler(), last).fit(X, NUMBERS)
    shown = RiskCoverageCurve.from_estimator(pipe, X, NUMBERS, measure="epistemic")
    results = last.uncertainty(pipe[:-1].transform(X))
    expected = risk_coverage((results.mean - NUMBERS) ** 2, results.epistemic)
    assert_allclose(shown.curve.risk, expected.risk)
