"""Pictures of how sure estimators are."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from thinnet import (
    CertainImages,
    EnsembleClassifier,
    EnsembleRegressor,
    KeptUnits,
    LearningCurve,
    MLPClassifier,
    MLPRegressor,
    PredictiveBand,
    TableClassifier,
    TableRegressor,
    UncertaintyMap,
)
from thinnet.displays.images import WRONG

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X1 = RNG.uniform(-2, 2, size=(80, 1))
Y1 = np.sin(X1[:, 0])
X2 = RNG.normal(size=(90, 2))
Y2 = np.digitize(X2[:, 0], [-0.5, 0.5])
IMAGES = RNG.random((40, 12))
Y3 = RNG.integers(0, 2, 40)


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def regressor():
    return MLPRegressor(hidden_layer_sizes=(16,), dropout=0.2, max_iter=30, random_state=0).fit(
        X1, Y1
    )


@pytest.fixture(scope="module")
def classifier():
    return MLPClassifier((16,), dropout=0.1, max_iter=300, random_state=0).fit(X2, Y2)


@pytest.fixture(scope="module")
def of_images():
    return MLPClassifier((16,), dropout=0.3, max_iter=30, random_state=0).fit(IMAGES, Y3)


def test_a_band_is_the_predictive_interval_and_that_of_the_draws(regressor):
    shown = PredictiveBand.from_estimator(regressor, X1, Y1, coverage=0.8, n_draws=40, n_lines=3)
    grid = shown.x[:, None]
    np.testing.assert_allclose(shown.band, regressor.predict_interval(grid, 0.8, n_draws=40))
    draws = regressor.sample(grid, 40)[..., 0]
    np.testing.assert_allclose(shown.epistemic.T, np.quantile(draws, [0.1, 0.9], axis=0))
    np.testing.assert_allclose(shown.mean, draws.mean(axis=0))
    np.testing.assert_array_equal(shown.lines, draws[:3])
    assert (shown.band[:, 0] <= shown.epistemic[:, 0]).all()
    assert (shown.band[:, 1] >= shown.epistemic[:, 1]).all()


def test_a_band_spans_the_inputs_and_a_quarter_more_on_each_side(regressor):
    shown = PredictiveBand.from_estimator(regressor, X1, n_draws=5)
    low, high = X1.min(), X1.max()
    ends = low - (high - low) / 4, high + (high - low) / 4
    np.testing.assert_allclose((shown.x[0], shown.x[-1]), ends)
    np.testing.assert_allclose(shown.ax_.get_xlim(), ends)
    other = PredictiveBand.from_estimator(regressor, X1, n_draws=5, grid=[1, 0, 3])
    np.testing.assert_array_equal(other.x, [0, 1, 3])


def test_a_band_has_the_data_and_says_what_is_what(regressor):
    shown = PredictiveBand.from_estimator(regressor, X1, Y1, n_draws=5, n_lines=2)
    labels = shown.ax_.get_legend_handles_labels()[1]
    assert labels == ["90 % of new targets", "90 % of the draws", "draws", "mean", "data"]
    points = shown.ax_.lines[-1]
    np.testing.assert_array_equal(points.get_xydata(), np.c_[X1[:, 0], Y1])
    without = PredictiveBand.from_estimator(regressor, X1, n_draws=5)
    assert without.ax_.get_legend_handles_labels()[1] == [*labels[:2], "mean"]


def test_a_band_may_be_of_a_frame_or_a_pipeline():
    frame = pd.DataFrame({"age": X1[:, 0]})
    table = TableRegressor((8,), max_iter=3, n_networks=2, random_state=0).fit(frame, Y1)
    assert PredictiveBand.from_estimator(table, frame, Y1, n_draws=4).ax_.get_xlabel() == "age"
    last = MLPRegressor(hidden_layer_sizes=(8,), dropout=0.2, max_iter=5, random_state=0)
    pipe = make_pipeline(StandardScaler(), last).fit(100 + 10 * X1, Y1)
    shown = PredictiveBand.from_estimator(pipe, 100 + 10 * X1, n_draws=4)
    inner = pipe[:-1].transform(shown.x[:, None])
    np.testing.assert_allclose(shown.mean, last.sample(inner, 4)[..., 0].mean(axis=0))


def test_a_map_is_the_uncertainty_over_the_plane(classifier):
    for measure in ("predictive_entropy", "variation_ratio"):
        shown = UncertaintyMap.from_estimator(
            classifier, X2, Y2, measure=measure, n_draws=20, resolution=9
        )
        plane = np.array([(x, y) for y in shown.y for x in shown.x])
        found = classifier.uncertainty(plane, 20)
        np.testing.assert_allclose(shown.values.ravel(), getattr(found, measure))
        image = shown.ax_.collections[0]
        np.testing.assert_array_equal(np.ravel(image.get_array()), shown.values.ravel())
    bar = shown.figure_.axes[1]
    assert bar.get_ylabel() == "variation ratio (fraction of draws)"


def test_borders_lie_where_the_guess_changes(classifier):
    shown = UncertaintyMap.from_estimator(classifier, X2, Y2, n_draws=20, resolution=60)
    lines = [c for c in shown.ax_.collections if type(c).__name__ == "QuadContourSet"]
    assert lines
    step = max(np.diff(shown.x).max(), np.diff(shown.y).max())
    guesses = shown.probabilities.argmax(axis=-1)
    assert set(np.unique(guesses)) == {0, 1, 2}
    rows, columns = np.nonzero(guesses[:, 1:] != guesses[:, :-1])
    changes = np.c_[(shown.x[columns] + shown.x[columns + 1]) / 2, shown.y[rows]]
    drawn = np.concatenate([path.vertices for line in lines for path in line.get_paths()])
    nearest = np.linalg.norm(changes[:, None] - drawn[None], axis=-1).min(axis=1)
    assert nearest.max() < step


def test_classes_differ_in_colour_and_in_shape(classifier):
    shown = UncertaintyMap.from_estimator(classifier, X2, Y2, n_draws=4, resolution=5)
    handles, labels = shown.ax_.get_legend_handles_labels()
    assert labels == ["0", "1", "2"]
    assert len({to_hex(h.get_facecolor()[0]) for h in handles}) == 3
    assert len({h.get_paths()[0].vertices.tobytes() for h in handles}) == 3
    np.testing.assert_array_equal(handles[1].get_offsets(), X2[Y2 == 1])


def test_a_map_of_numbers_is_of_their_spread():
    model = MLPRegressor(hidden_layer_sizes=(8,), dropout=0.2, max_iter=20, random_state=0)
    model.fit(X2, X2[:, 0])
    for measure in (None, "epistemic"):
        shown = UncertaintyMap.from_estimator(model, X2, measure=measure, n_draws=9, resolution=4)
        plane = np.array([(x, y) for y in shown.y for x in shown.x])
        found = getattr(model.uncertainty(plane, 9), measure or "std")
        np.testing.assert_allclose(shown.values.ravel(), found)
    assert "units of the target" in shown.figure_.axes[1].get_ylabel()
    frame = pd.DataFrame(X2, columns=["a", "b"])
    table = TableClassifier((4,), max_iter=2, n_networks=2, random_state=0).fit(frame, Y2)
    of_frame = UncertaintyMap.from_estimator(table, frame, n_draws=4, resolution=4)
    assert (of_frame.ax_.get_xlabel(), of_frame.ax_.get_ylabel()) == ("a", "b")


def test_images_are_the_most_and_the_least_certain(of_images):
    shown = CertainImages.from_estimator(of_images, IMAGES, Y3, image_shape=(3, 4), n=5, n_draws=30)
    found = of_images.uncertainty(IMAGES, 30)
    ranked = np.sort(found.predictive_entropy)
    np.testing.assert_allclose(shown.values, [ranked[:5], ranked[::-1][:5]])
    np.testing.assert_array_equal(shown.images, IMAGES[shown.places_].reshape(2, 5, 3, 4))
    np.testing.assert_allclose(shown.probabilities, found.probabilities.max(axis=1)[shown.places_])
    assert shown.axes_.shape == (2, 5)
    assert shown.axes_[1, 0].get_ylabel() == "least certain"


def test_wrong_guesses_are_marked_by_words_and_colour(of_images):
    shown = CertainImages.from_estimator(of_images, IMAGES, Y3, image_shape=(3, 4), n=20)
    wrong = shown.guesses != shown.truths
    assert 0 < wrong.sum() < wrong.size
    for place in np.ndindex(2, 20):
        title = shown.axes_[place].title
        assert ("wrong: is " in title.get_text()) == wrong[place]
        assert (title.get_color() == WRONG) == wrong[place]
        assert title.get_text().startswith(f"{shown.guesses[place]}, ")
    without = CertainImages.from_estimator(of_images, IMAGES, image_shape=(3, 4), n=2)
    assert "is " not in without.axes_[0, 0].get_title()


def test_images_may_be_of_rows_with_axes_and_in_colour():
    X = RNG.random((30, 3, 4, 3))
    pipe = make_pipeline(MLPClassifier((8,), dropout=0.3, max_iter=5, random_state=0))
    pipe.fit(X.reshape(30, -1), Y3[:30])
    shown = CertainImages.from_estimator(pipe, X.reshape(30, -1), image_shape=(3, 4, 3), n=1)
    np.testing.assert_array_equal(shown.images[:, 0], X[shown.places_[:, 0]])


def test_pictures_go_on_axes_of_ones_own(regressor, classifier, of_images):
    figure, (one, two) = plt.subplots(1, 2)
    assert PredictiveBand.from_estimator(regressor, X1, n_draws=3, ax=one).figure_ is figure
    shown = UncertaintyMap.from_estimator(classifier, X2, n_draws=3, resolution=3, ax=two)
    assert shown.ax_ is two
    figure, axes = plt.subplots(2, 3)
    settings = {"image_shape": (3, 4), "n_draws": 3, "axes": axes}
    assert CertainImages.from_estimator(of_images, IMAGES, n=3, **settings).figure_ is figure
    with pytest.raises(ValueError, match="axes must be 4, one an image, got 6"):
        CertainImages.from_estimator(of_images, IMAGES, n=2, **settings)


def test_what_cannot_be_shown_is_refused(regressor, classifier, of_images):
    with pytest.raises(ValueError, match=r"X must be an array of 1 column .*got \(90, 2\)"):
        PredictiveBand.from_estimator(regressor, X2)
    with pytest.raises(ValueError, match=r"X must be an array of 2 columns .*got \(80, 1\)"):
        UncertaintyMap.from_estimator(classifier, X1)
    with pytest.raises(ValueError, match="estimator must be a regressor of one number"):
        PredictiveBand.from_estimator(classifier, X1)
    with pytest.raises(ValueError, match="estimator must be a classifier of one label"):
        CertainImages.from_estimator(regressor, IMAGES, image_shape=(3, 4))
    with pytest.raises(ValueError, match="estimator must be one of thinnet's"):
        UncertaintyMap.from_estimator(DecisionTreeClassifier(), X2)
    with pytest.raises(NotFittedError):
        UncertaintyMap.from_estimator(MLPClassifier(), X2)
    with pytest.raises(ValueError, match=r"coverage must be a number in \(0, 1\), got 1"):
        PredictiveBand.from_estimator(regressor, X1, coverage=1)
    with pytest.raises(ValueError, match="n_lines must be an integer from 0 to 5, got 6"):
        PredictiveBand.from_estimator(regressor, X1, n_draws=5, n_lines=6)
    with pytest.raises(ValueError, match="measure must be 'predictive_entropy' or"):
        UncertaintyMap.from_estimator(classifier, X2, measure="std")
    with pytest.raises(ValueError, match=r"image_shape must be of 12 numbers.*got \(3, 5\)"):
        CertainImages.from_estimator(of_images, IMAGES, image_shape=(3, 5))
    with pytest.raises(ValueError, match="n must be an integer from 1 to 40, got 41"):
        CertainImages.from_estimator(of_images, IMAGES, image_shape=(3, 4), n=41)
    with pytest.raises(ValueError, match="y must have as many rows as X, got 3 and 90"):
        UncertaintyMap.from_estimator(classifier, X2, [1, 2, 3])


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_pictures_may_be_of_an_ensemble(dropout):
    settings = {"hidden_layer_sizes": (8,), "dropout": dropout, "max_iter": 10}
    inner = MLPRegressor(**settings)
    numbers = EnsembleRegressor(inner, 3, random_state=0).fit(X1, Y1)
    shown = PredictiveBand.from_estimator(numbers, X1, Y1, coverage=0.8, n_draws=10, n_lines=9)
    grid = shown.x[:, None]
    different = numbers.sample(grid, 10 if dropout else 3)[..., 0]
    np.testing.assert_array_equal(shown.lines, different[:9])
    np.testing.assert_allclose(shown.mean, different.mean(axis=0))
    np.testing.assert_allclose(shown.epistemic.T, np.quantile(different, [0.1, 0.9], axis=0))
    np.testing.assert_array_equal(shown.band, numbers.predict_interval(grid, 0.8, n_draws=10))
    classes = EnsembleClassifier(MLPClassifier(**settings), 3, random_state=0)
    plane = UncertaintyMap.from_estimator(classes.fit(X2, Y2), X2, Y2, n_draws=6, resolution=4)
    points = np.array([(x, y) for y in plane.y for x in plane.x])
    found = classes.uncertainty(points, 6).predictive_entropy
    np.testing.assert_allclose(plane.values.ravel(), found)
    classes.fit(IMAGES, Y3)
    images = CertainImages.from_estimator(classes, IMAGES, Y3, image_shape=(3, 4), n=2, n_draws=6)
    ranked = np.sort(classes.uncertainty(IMAGES, 6).predictive_entropy)
    np.testing.assert_allclose(images.values, [ranked[:2], ranked[::-1][:2]])


def test_pictures_of_an_ensemble_need_it_fitted_and_what_they_show():
    with pytest.raises(NotFittedError):
        PredictiveBand.from_estimator(EnsembleRegressor(), X1)
    inner = MLPRegressor(hidden_layer_sizes=(4,), dropout=0.1, max_iter=2)
    model = EnsembleRegressor(inner, 2, random_state=0).fit(X1, Y1)
    with pytest.raises(ValueError, match="must be one that has masks, got 'EnsembleRegressor"):
        KeptUnits.from_estimator(model)
    with pytest.raises(ValueError, match="must be one that has history_, got 'EnsembleRegressor"):
        LearningCurve.from_estimator(model)


@pytest.mark.parametrize("image_shape", [64, None, "ab", (3, 4.0), (12,), (2, 2, 3.0)])
def test_what_is_no_shape_of_an_image_is_refused(of_images, image_shape, untyped):
    with pytest.raises(ValueError, match=r"image_shape must be \(height, width\) or .*, got"):
        CertainImages.from_estimator(of_images, IMAGES, image_shape=image_shape)


def test_a_band_of_no_number_of_draws_is_refused(regressor, untyped):
    for n_draws in ("a", None, 1, 2.5):
        with pytest.raises(ValueError, match=r"n_draws must be an integer >= 2, got"):
            PredictiveBand.from_estimator(regressor, X1, n_draws=n_draws)


def test_several_labels_at_once_are_no_map():
    several = MLPClassifier((4,), dropout=0.2, max_iter=2).fit(
        X2, np.c_[Y2 > 0, Y2 > 1].astype(int)
    )
    with pytest.raises(ValueError, match="a classifier of one label a row"):
        UncertaintyMap.from_estimator(several, X2)


@pytest.mark.parametrize("tz", [None, "Europe/Berlin"])
def test_a_band_over_dates_asks_for_dates_and_shows_them(tz):
    from thinnet import PredictiveBand, TableRegressor

    dates = pd.date_range("2020-01-01", periods=60, freq="D", tz=tz)
    y = np.linspace(1e5, 2e5, 60)
    model = TableRegressor(n_networks=1, max_iter=5, random_state=0, progress=False)
    model.fit(pd.DataFrame({"sold": dates}), y)
    grid = dates[:5].tz_localize(None).to_numpy() if tz is None else None
    shown = PredictiveBand.from_estimator(
        model, pd.DataFrame({"sold": dates}), y, n_draws=3, grid=grid
    )
    np.testing.assert_allclose(shown.data[0], dates.as_unit("ns").asi8 / 86_400e9)
    if tz is None:
        results = model.uncertainty(pd.DataFrame({"sold": dates[:5]}), 3)
        np.testing.assert_allclose(shown.mean, results.mean)
    shown.figure_.canvas.draw()
    words = [label.get_text() for label in shown.ax_.get_xticklabels()]
    assert any("Jan" in word or "2020" in word or "Feb" in word for word in words)
    assert "200k" in [label.get_text() for label in shown.ax_.get_yticklabels()]
