"""Surfaces are what the model predicts, and their pictures hold it."""

import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from thinnet import (
    BatchNorm,
    DecisionSurface,
    Dense,
    Dropout,
    EnsembleRegressor,
    MLPClassifier,
    MLPRegressor,
    Network,
    ReLU,
    TableClassifier,
    train,
)
from thinnet.checks import DriftWarning, NothingDrawsError
from thinnet.displays.axes import WIDE
from thinnet.displays.maps import COLOURS

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 2))
Y2 = (X[:, 0] * X[:, 1] > 0).astype(int)
Y3 = np.digitize(X[:, 0], [-0.5, 0.5])
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
FAST = {"n_draws": 6, "resolution": 7}


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def classifier(y=Y2, dropout=0.4, columns=X):
    return MLPClassifier((8,), dropout=dropout, max_iter=8, random_state=0).fit(columns, y)


@pytest.fixture(scope="module")
def model():
    return classifier()


@pytest.fixture(scope="module")
def network():
    layers = [Dense(6), BatchNorm(), ReLU(), Dropout(0.4), Dense(3)]
    found = Network(layers, features=2, seed=0)
    train(found, X, Y3, epochs=3)
    return found


def plane(shown):
    return np.array([(x, y) for y in shown.y for x in shown.x])


def flat(values):
    return values.reshape(-1, values.shape[-1])


def test_of_one_model_they_are_dropout_off_and_the_mean_of_draws(model):
    shown = DecisionSurface.from_estimator(model, X, Y2, **FAST)
    draws = model.sample_proba(plane(shown), 6)
    np.testing.assert_allclose(flat(shown.without), model.predict_proba(plane(shown)))
    np.testing.assert_allclose(flat(shown.with_dropout), draws.mean(axis=0))
    found = model.uncertainty(plane(shown), 6).predictive_entropy
    np.testing.assert_allclose(shown.uncertainty.ravel(), found)
    assert [ax.get_title() for ax in shown.axes_[:2]] == ["dropout off", "mean of 6 draws"]


def test_of_two_models_both_are_predictions_and_the_draws_those_of_the_second(model):
    without = classifier(dropout=0.0)
    shown = DecisionSurface.from_estimator(model, X, Y2, without=without, **FAST)
    np.testing.assert_allclose(flat(shown.without), without.predict_proba(plane(shown)))
    np.testing.assert_allclose(flat(shown.with_dropout), model.predict_proba(plane(shown)))
    found = model.uncertainty(plane(shown), 6).predictive_entropy
    np.testing.assert_allclose(shown.uncertainty.ravel(), found)
    assert [ax.get_title() for ax in shown.axes_[:2]] == ["without dropout", "with dropout"]


def test_the_pictures_hold_difference_and_uncertainty(model):
    shown = DecisionSurface.from_estimator(model, X, Y2, **FAST)
    difference, uncertainty = (ax.images[0].get_array() for ax in shown.axes_[2:])
    np.testing.assert_array_equal(difference, (shown.with_dropout - shown.without)[..., 1])
    np.testing.assert_array_equal(uncertainty, shown.uncertainty)
    image = shown.axes_[2].images[0]
    assert image.norm.vmin == -image.norm.vmax  # no change is white


@pytest.mark.parametrize("y", [Y2, Y3])
def test_each_point_has_the_hue_of_its_most_probable_class(y):
    shown = DecisionSurface.from_estimator(classifier(y), X, y, **FAST)
    drawn = np.asarray(shown.axes_[0].images[0].get_array())
    for place in np.ndindex(drawn.shape[:2]):
        guess = shown.without[place].argmax()
        away, full = 1 - drawn[place], 1 - np.array(to_rgb(COLOURS[guess]))
        np.testing.assert_allclose(away / away.max(), full / full.max(), atol=1e-6)
    paleness, sure = drawn.min(axis=-1).ravel(), shown.without.max(axis=-1).ravel()
    same = shown.without.argmax(axis=-1).ravel() == 0
    order = np.argsort(sure[same])
    assert (np.diff(paleness[same][order]) <= 1e-12).all()  # the surer, the stronger


def test_of_many_classes_the_difference_is_total_variation():
    shown = DecisionSurface.from_estimator(classifier(Y3), X, Y3, **FAST)
    change = shown.with_dropout - shown.without
    events = [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2)]
    by_event = [np.abs(change[..., list(event)].sum(axis=-1)) for event in events]
    np.testing.assert_allclose(shown.difference, np.max(by_event, axis=0), atol=1e-12)


def test_of_numbers_they_are_means_and_deviations():
    numbers = MLPRegressor(hidden_layer_sizes=(8,), dropout=0.3, max_iter=5, random_state=0)
    numbers.fit(X, X[:, 0] * 100)
    shown = DecisionSurface.from_estimator(numbers, X, **FAST)
    draws = numbers.sample(plane(shown), 6)[..., 0]
    np.testing.assert_allclose(shown.without.ravel(), numbers.predict(plane(shown)))
    np.testing.assert_allclose(shown.with_dropout.ravel(), draws.mean(axis=0))
    np.testing.assert_allclose(shown.uncertainty.ravel(), draws.std(axis=0))
    first, second = (ax.images[0] for ax in shown.axes_[:2])
    assert first.get_clim() == second.get_clim()


def test_of_a_network_the_loss_gives_outputs_their_meaning(network):
    shown = DecisionSurface.from_network(network, X, Y3, **FAST)
    z = network.outputs(plane(shown)).astype(float)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(flat(shown.without), p, rtol=1e-5)
    z = network.sample(plane(shown), 6).astype(float)
    p = np.exp(z) / np.exp(z).sum(axis=2, keepdims=True)
    np.testing.assert_allclose(flat(shown.with_dropout), p.mean(axis=0), rtol=1e-5)
    one_hot = DecisionSurface.from_network(network, X, np.eye(3)[Y3], **FAST)
    np.testing.assert_array_equal(one_hot.data[1], Y3)


def test_of_a_network_with_one_output_labels_are_two_classes_and_numbers_are_numbers():
    network = Network([Dense(4), ReLU(), Dropout(0.5), Dense(1)], features=2, seed=0)
    z = network.outputs(plane(shown := DecisionSurface.from_network(network, X, Y2, **FAST)))
    p = 1 / (1 + np.exp(-z.astype(float)))
    np.testing.assert_allclose(flat(shown.without), np.hstack([1 - p, p]), rtol=1e-5)
    shown = DecisionSurface.from_network(network, X, X[:, 0], **FAST)
    np.testing.assert_allclose(flat(shown.without), z, rtol=1e-6)


def test_it_is_made_again_for_another_moment(network):
    class Moment:
        pass

    moment = Moment()
    moment.network = Network(network.layers, features=2, seed=1)
    shown = DecisionSurface.from_network(network, X, Y3, **FAST).at(moment)
    alone = DecisionSurface.from_network(moment, X, Y3, **FAST)
    np.testing.assert_array_equal(shown.without, alone.without)


def test_other_columns_have_their_median():
    wide = RANDOM.normal(size=(61, 4))
    model = classifier(Y2[:61], columns=wide[:60])
    shown = DecisionSurface.from_estimator(model, wide[:60], Y2, features=(3, 1), **FAST)
    rows = np.tile(np.median(wide[:60], axis=0), (49, 1))
    rows[:, [3, 1]] = plane(shown)
    np.testing.assert_allclose(flat(shown.without), model.predict_proba(rows))
    assert shown.names == ("x3", "x1")


def test_of_tables_other_cells_are_typical():
    n = 90
    table = pd.DataFrame(
        {
            "age": RANDOM.integers(20, 60, n),
            "town": ["Ulm"] * 40 + ["Bonn"] * 30 + ["Kiel"] * 20,
            "$x$": RANDOM.normal(size=n),
            "since": pd.date_range("2020-01-01", periods=n),
        }
    )
    y = (table["$x$"] > 0).map({True: "yes", False: "no"})
    settings = {"max_iter": 3, "n_networks": 2, "progress": False, "random_state": 0}
    model = TableClassifier((8,), dropout=0.2, **settings).fit(table, y)
    shown = DecisionSurface.from_estimator(model, table, y, features=("$x$", "age"), **FAST)
    rows = pd.DataFrame(plane(shown), columns=["$x$", "age"])
    rows["town"] = "Ulm"
    rows["since"] = table["since"].iloc[(n - 1) // 2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DriftWarning)  # points beyond the rows
        expected = model.predict_proba(rows[list(table.columns)])
    np.testing.assert_allclose(flat(shown.without), expected)
    dated = DecisionSurface.from_estimator(model, table, y, features=("since", "age"), **FAST)
    assert dated.dated == (True, False)


def test_a_pipelines_first_steps_are_taken():
    inner = MLPClassifier((8,), dropout=0.4, max_iter=5, random_state=0)
    pipe = make_pipeline(StandardScaler(), inner).fit(100 + X, Y2)
    shown = DecisionSurface.from_estimator(pipe, 100 + X, Y2, **FAST)
    np.testing.assert_allclose(flat(shown.without), pipe.predict_proba(plane(shown)))


def test_an_ensemble_without_dropout_has_networks_to_draw():
    inner = MLPRegressor(hidden_layer_sizes=(4,), max_iter=3)
    model = EnsembleRegressor(inner, 3, random_state=0).fit(X, X[:, 0])
    shown = DecisionSurface.from_estimator(model, X, n_draws=3, resolution=4)
    assert shown.titles[0] == "mean of networks"
    np.testing.assert_allclose(shown.without, shown.with_dropout, rtol=1e-5)


def test_names_are_shown_letter_by_letter_and_large_enough():
    labels = np.array(["$x$", "_hidden", "<script>"])[Y3]
    frame = pd.DataFrame(X, columns=["$a_1$", r"\frac{"])
    shown = DecisionSurface.from_estimator(classifier(labels, columns=frame), frame, labels, **FAST)
    shown.figure_.canvas.draw()
    legend = shown.figure_.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["$x$", "<script>", "_hidden"]
    named = [*legend.get_texts(), shown.axes_[2].xaxis.label, shown.axes_[2].yaxis.label]
    assert not any(text.get_parse_math() for text in named)
    assert shown.axes_[2].get_xlabel() == "$a_1$"
    texts = [t for t in shown.figure_.findobj(plt.Text) if t.get_text() and t.get_visible()]
    assert shown.figure_.get_size_inches()[0] == WIDE
    assert min(t.get_fontsize() for t in texts) * (80 / 25.4) / WIDE >= 5.99


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_it_is_saved(model, tmp_path, suffix):
    from thinnet.displays.saving import save_figure

    shown = DecisionSurface.from_estimator(model, X, Y2, **FAST)
    assert save_figure(shown.figure_, tmp_path / f"surface.{suffix}").stat().st_size > 1000


def refused(words, *given, by=DecisionSurface.from_estimator, **settings):
    with pytest.raises(ValueError, match=words) as error:
        by(*given, **settings)
    assert "\n" not in str(error.value)


def test_what_cannot_be_shown_is_refused(model, network):
    wide = np.zeros((5, 3))
    refused(r"X must be an array of two columns.* features=\(a, b\), got \(5, 3\)", model, wide)
    refused("features must be two different ones of 0, 1", model, X, features=(0, 2))
    refused("features must be two different ones of 0, 1", model, X, features=(1, 1))
    refused("features must be two different ones of 0, 1", model, X, features="ab")
    refused("resolution must be an integer from 2 to 1000, got 1", model, X, resolution=1)
    refused("n_draws must be an integer >= 2, got 1", model, X, n_draws=1)
    refused("y must have as many rows as X, got 2 and 60", model, X, [1, 2])
    refused("without must be a model without dropout", model, X, without=model)
    refused(
        "without must be a model of the same classes", model, X, without=classifier(Y3, dropout=0.0)
    )
    by = DecisionSurface.from_network
    refused("network must be a Network or a moment", "network", X, by=by)
    still = Network([Dense(2)], features=2, seed=0)
    refused("sampling needs a layer that draws", still, X, by=by)
    two = Network([Dropout(0.5), Dense(2)], features=2, seed=0)
    refused("network must be one that predicts one number", two, X, X[:, 0], by=by)
    with pytest.raises(NothingDrawsError):
        DecisionSurface.from_estimator(classifier(dropout=0.0), X)
    shown = DecisionSurface.from_network(network, X, Y3, **FAST)
    with pytest.raises(ValueError, match="axes must be four matplotlib axes, got 1"):
        shown.plot([plt.subplot()])
