"""Weights and activations that are shown are those of the networks."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from pictures import ODD_NAMES, assert_readable_at_80_mm, assert_shown_as_text

from thinnet import (
    SGD,
    ActivationSparsity,
    BatchNorm,
    Dense,
    Dropout,
    FirstLayerFeatures,
    MLPClassifier,
    MLPRegressor,
    Network,
    ReLU,
    TableClassifier,
    WeightHistory,
    train,
)
from thinnet.training import WeightSeries

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 6))
Y = (X[:, 0] > 0).astype(int)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def network(seed=0, rate=0.5):
    layers = [Dense(9), ReLU(), Dropout(rate), Dense(4), ReLU(), Dense(2)]
    return Network(layers, 6, seed=seed, dtype=np.float64)


class Recorded:
    """A recording in the simplest form: the weights before each step, kept by a callback."""

    def __init__(self, net):
        self.net, self.thetas = net, [net.theta.copy()]

    def on_step_end(self, training):
        self.thetas.append(training.network.theta.copy())

    def at(self, step):
        if not 0 <= step < len(self.thetas):
            raise ValueError(f"step must be from 0 to {len(self.thetas) - 1}, got {step}")
        then = network()
        then.theta[:], then.clock.step = self.thetas[step], step
        return type("Moment", (), {"network": then})


def recorded():
    net = network()
    recording = Recorded(net)
    train(
        net,
        X,
        Y,
        optimizer=SGD(0.1),
        epochs=2,
        batch_size=10,
        callbacks=[recording],
        progress=False,
    )
    return recording


# --- weights over the steps ---


def test_bands_and_median_are_quantiles_of_the_weights_then():
    recording = recorded()
    shown = WeightHistory.from_recording(recording, range(11), n_traces=0)
    assert shown.axes_.shape == (3, 1)
    for ax, place in zip(shown.axes_[:, 0], (0, 3, 5), strict=True):
        weights = [recording.at(step).network.sites[place].p.W.ravel() for step in range(11)]
        median = next(line for line in ax.lines if len(line.get_xdata()) == 11)
        assert_array_equal(median.get_xdata(), range(11))
        assert_allclose(median.get_ydata(), np.median(weights, axis=1), rtol=1e-12)
        outer, inner = (band.get_datalim(ax.transData) for band in ax.collections)
        for band, (low, high) in ((outer, (2, 98)), (inner, (25, 75))):
            assert_allclose(band.y0, np.percentile(weights, low, axis=1).min())
            assert_allclose(band.y1, np.percentile(weights, high, axis=1).max())


def test_single_weights_are_followed():
    recording = recorded()
    shown = WeightHistory.from_recording(recording, [0, 5, 10], n_traces=3)
    lines = [line for line in shown.axes_[0, 0].lines if line.get_linestyle() == "--"]
    then = np.array([recording.at(s).network.sites[0].p.W.ravel() for s in (0, 5, 10)])
    assert len(lines) == 3
    for line in lines:
        assert (np.abs(then - line.get_ydata()[:, None]).max(axis=0) == 0).any()


def test_a_callback_sees_what_a_recording_does():
    net, series = network(), WeightSeries(every=5)
    recording = Recorded(net)
    series.measure(net)
    callbacks = [recording, series]
    train(net, X, Y, epochs=2, batch_size=10, callbacks=callbacks, progress=False)
    again = WeightHistory.from_recording(recording, [0, 5, 10]).series[""]
    assert series.steps == again.steps
    assert_array_equal(series.quantiles, again.quantiles)


def test_the_callback_of_an_estimator_will_do():
    series = WeightSeries(every=4)
    MLPClassifier((5,), max_iter=8, callbacks=[series], random_state=0).fit(X, Y)
    shown = WeightHistory({"a model": series}).plot()
    assert series.steps == [4, 8]
    assert_readable_at_80_mm(shown.figure_)


def test_trainings_with_other_layers_are_not_side_by_side():
    two = [WeightSeries(), WeightSeries()]
    two[0].measure(network())
    two[1].measure(Network([Dense(2)], 6, seed=0))
    with pytest.raises(ValueError, match="series must be those of networks with as many layers"):
        WeightHistory(dict(zip("ab", two, strict=True)))
    with pytest.raises(ValueError, match="one with measurements"):
        WeightHistory(WeightSeries())
    with pytest.raises(ValueError, match="step must be from 0 to 10, got 99"):
        WeightHistory.from_recording(recorded(), [99])
    with pytest.raises(ValueError, match="n_traces must be an integer >= 0"):
        WeightSeries(n_traces=-1)


# --- features of the first layer ---


def test_a_units_weights_are_its_image():
    net = network()
    shown = FirstLayerFeatures.from_estimator(net, (2, 3), n=4)
    image = shown.axes_[0].images[0].get_array()
    W = net.sites[0].p.W
    assert image.shape == (2 * 2 + 1, 2 * 3 + 1)
    assert_array_equal(image[:2, :3], W[0].reshape(2, 3))
    assert_array_equal(image[:2, 4:], W[1].reshape(2, 3))
    assert_array_equal(image[3:, 4:], W[3].reshape(2, 3))
    assert np.isnan(np.ma.filled(image, np.nan)[2]).all()


def test_grey_is_zero_in_every_panel():
    nets = {"one": network(0), "two": network(1)}
    nets["two"].theta[:] *= 10
    shown = FirstLayerFeatures.from_estimator(nets, (3, 2))
    limits = [ax.images[0].get_clim() for ax in shown.axes_]
    assert all(low == -high for low, high in limits)
    assert limits[1][1] > 5 * limits[0][1]


def test_the_weights_of_estimators_in_scikit_learns_order_are_shown():
    model = MLPRegressor(hidden_layer_sizes=(7,), max_iter=2, random_state=0).fit(X, X[:, 0])
    shown = FirstLayerFeatures.from_estimator(model, (1, 6))
    assert_array_equal(shown.weights[""][:, 0], model.coefs_[0].T)


def test_features_of_steps_stand_side_by_side():
    recording = recorded()
    shown = FirstLayerFeatures.from_recording(recording, (2, 3), [0, 10])
    assert list(shown.weights) == ["step 0", "step 10"]
    assert_array_equal(
        shown.weights["step 10"][2].ravel(), recording.at(10).network.sites[0].p.W[2]
    )


@pytest.mark.parametrize("shape", [(5, 5), 6, (6,), (2, -3), (2.0, 3), "23"])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="image_shape must be"):
        FirstLayerFeatures.from_estimator(network(), shape)


def test_models_without_a_first_matrix_are_refused():
    table = TableClassifier(max_iter=2, n_networks=2, random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match="estimator must be one that has network_"):
        FirstLayerFeatures.from_estimator(table, (3, 3))
    with pytest.raises(ValueError, match="network must be one that has layers with weights"):
        FirstLayerFeatures.from_estimator(Network([BatchNorm()], 6, seed=0), (2, 3))
    with pytest.raises(ValueError, match="weights must be finite"):
        FirstLayerFeatures({"a": np.full((2, 2, 2), np.nan)})


# --- sparsity ---


def by_hand(net, layer):
    h = np.maximum(X @ net.sites[0].p.W.T + net.sites[0].p.b, 0)
    return h if layer == 1 else np.maximum(h @ net.sites[3].p.W.T + net.sites[3].p.b, 0)


@pytest.mark.parametrize("layer", [1, 2])
def test_histograms_are_of_activations_without_dropout(layer):
    net = network()
    expected = by_hand(net, layer)
    shown = ActivationSparsity.from_estimator(net, X, layer=layer)
    assert_allclose(shown.activations[""], expected)
    assert shown.zeros()[""] == (expected == 0).mean()
    means, every = shown.axes_[:, 0]
    for ax, values in ((means, expected.mean(axis=0)), (every, expected.ravel())):
        heights = [bar.get_height() for bar in ax.patches]
        assert_allclose(np.sum(heights), 1)
        below = sum(bar.get_height() for bar in ax.patches[:10])
        edge = ax.patches[9].get_x() + ax.patches[9].get_width()
        assert below == pytest.approx((values < edge).mean(), abs=1e-9)


def test_many_rows_and_a_pipelines_rows_are_measured():
    many = np.tile(X, (50, 1))
    shown = ActivationSparsity.from_estimator(network(), many)
    assert_allclose(shown.activations[""], np.tile(by_hand(network(), 1), (50, 1)), atol=1e-12)


def test_what_has_no_such_layer_is_refused():
    with pytest.raises(ValueError, match="layer must be an integer from 1 to 2, got 3"):
        ActivationSparsity.from_estimator(network(), X, layer=3)
    with pytest.raises(ValueError, match="network must be one that has hidden layers"):
        ActivationSparsity.from_estimator(Network([Dense(2)], 6, seed=0), X)
    with pytest.raises(ValueError, match=r"this network takes \(rows, 6\) arrays"):
        ActivationSparsity.from_estimator(network(), X[:, :5])
    with pytest.raises(ValueError, match="X must be finite"):
        ActivationSparsity.from_estimator(network(), np.full((2, 6), np.nan))


def test_all_are_readable_and_names_are_text():
    nets = {name: network(seed=i) for i, name in enumerate(ODD_NAMES)}
    series = {name: WeightSeries() for name in nets}
    for name, net in nets.items():
        series[name].measure(net)
    for shown in (
        FirstLayerFeatures.from_estimator(nets, (2, 3)),
        ActivationSparsity.from_estimator(nets, X),
        WeightHistory(series).plot(),
    ):
        assert_readable_at_80_mm(shown.figure_)
        assert_shown_as_text(shown.figure_, ODD_NAMES)


def test_they_go_on_axes_of_ones_own():
    figure, axes = plt.subplots(2)
    assert ActivationSparsity.from_estimator(network(), X, axes=axes).figure_ is figure
    assert FirstLayerFeatures.from_estimator(network(), (2, 3), axes=axes[:1]).figure_ is figure
    with pytest.raises(ValueError, match="axes must be 1, one a panel, got 2"):
        FirstLayerFeatures.from_estimator(network(), (2, 3), axes=axes)
