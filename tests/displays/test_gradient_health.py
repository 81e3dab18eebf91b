"""Activations and gradients that are shown are those of the chain rule, written out."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from pictures import ODD_NAMES, assert_readable_at_80_mm, assert_shown_as_text

from thinnet import (
    BatchNorm,
    Dense,
    Dropout,
    GradientHealth,
    MLPClassifier,
    Network,
    ReLU,
    Sigmoid,
    Tanh,
    train,
)
from thinnet.training import GradientSeries, WeightSeries

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5))
Y = (X[:, 0] > 0).astype(int)


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def network(activation=None, seed=0):
    layers = [Dense(7), activation or Tanh(), Dense(6), activation or Tanh(), Dense(2)]
    return Network(layers, 5, seed=seed, dtype=np.float64)


def by_hand(net):
    """Activations and pre-activation gradients of a network of tanh and softmax."""
    (W1, b1), (W2, b2), (W3, b3) = (net.sites[i].p for i in (0, 2, 4))
    h1 = np.tanh(X @ W1.T + b1)
    h2 = np.tanh(h1 @ W2.T + b2)
    z = h2 @ W3.T + b3
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    d3 = (p - np.eye(2)[Y]) / len(X)
    d2 = (d3 @ W3) * (1 - h2**2)
    d1 = (d2 @ W2) * (1 - h1**2)
    return (h1, h2, z), (d1, d2, d3), (d1.T @ X, d2.T @ h1, d3.T @ h2)


def rms(arrays):
    return [np.sqrt(np.mean(a**2)) for a in arrays]


def test_what_is_plotted_of_a_network_is_the_chain_rule_written_out():
    net = network()
    activations, gradients, _ = by_hand(net)
    shown = GradientHealth.from_estimator(net, X, Y)
    above, below = shown.axes_[:, 0]
    assert_allclose(above.lines[0].get_ydata(), rms(activations), rtol=1e-10)
    assert_allclose(below.lines[0].get_ydata(), rms(gradients), rtol=1e-10)


def test_every_measure_is_its_formula():
    net, series = network(), GradientSeries(X, Y)
    series.measure(net)
    formulas = {
        "norm": np.linalg.norm,
        "rms": lambda a: np.sqrt(np.mean(np.square(a))),
        "mean": np.mean,
        "std": np.std,
        "low": lambda a: np.quantile(a, 0.02),
        "high": lambda a: np.quantile(a, 0.98),
    }
    kinds = ("activations", "gradients", "parameters")
    for kind, arrays in zip(kinds, by_hand(net), strict=True):
        for measure, formula in formulas.items():
            expected = [formula(a.ravel()) for a in arrays]
            assert_allclose(series.column(kind, measure)[0], expected, rtol=1e-9, atol=1e-15)


def test_steps_lie_along_the_axis_with_a_line_for_each_layer():
    series, net = GradientSeries(X, Y, every=3), network()
    series.measure(net)
    train(net, X, Y, epochs=6, batch_size=20, callbacks=[series], progress=False)
    shown = GradientHealth({"one": series}).plot(measure="norm")
    lines = shown.axes_[1, 0].lines
    assert len(lines) == 3
    for place, line in enumerate(lines):
        assert_array_equal(line.get_xdata(), [0, 3, 6, 9, 12])
        assert_array_equal(line.get_ydata(), series.column("gradients", "norm")[:, place])
    assert_allclose(
        [line.get_ydata()[-1] for line in lines],
        [np.linalg.norm(g) for g in by_hand(net)[1]],
        rtol=1e-9,
    )


def test_kinds_are_rows_and_the_output_may_be_left_out():
    net = network()
    shown = GradientHealth.from_estimator(net, X, Y)
    shown.plot(measure="norm", kinds=["parameters", "gradients", "activations"], output=False)
    assert shown.axes_.shape == (3, 1)
    for ax, arrays in zip(shown.axes_[:, 0], by_hand(net)[::-1], strict=True):
        expected = [np.linalg.norm(a) for a in arrays[:-1]]
        assert_allclose(ax.lines[0].get_ydata(), expected, rtol=1e-9)
    series = shown.series[""]
    series.measure(net)
    lines = shown.plot(kinds=["gradients"], output=False).axes_[0, 0].lines
    assert_array_equal(
        [line.get_ydata() for line in lines], series.column("gradients", "rms").T[:2]
    )


def test_the_outputs_of_deep_and_shallow_networks_stand_in_one_place():
    shallow = Network([Dense(4), Tanh(), Dense(2)], 5, seed=0)
    shown = GradientHealth.from_estimator({"deep": network(), "shallow": shallow}, X, Y)
    deep, other = shown.axes_[0, 0].lines
    assert deep.get_xdata()[-1] == other.get_xdata()[-1]
    assert len(other.get_xdata()) == 2


@pytest.mark.parametrize("executor", [None, "reference"])
def test_a_training_that_is_measured_has_the_same_bits(executor):
    def trained(callbacks):
        layers = [Dense(8), BatchNorm(), ReLU(), Dropout(0.3), Dense(2)]
        net = Network(layers, 5, seed=3, executor=executor)
        train(net, X, Y, epochs=4, batch_size=10, callbacks=callbacks, progress=False)
        return net

    plain, watched = trained([]), trained([GradientSeries(X, Y, every=2), WeightSeries(every=3)])
    assert_array_equal(plain.theta, watched.theta)
    assert_array_equal(plain.state, watched.state)


@pytest.mark.filterwarnings("ignore::thinnet.UnusedMaskWarning")
def test_the_pass_is_that_of_the_next_step_of_training():
    net = Network([Dense(8), ReLU(), Dropout(0.5), Dense(2)], 5, seed=3, dtype=np.float64)
    net.clock.step = 17
    series = GradientSeries(X, Y)
    series.measure(net)
    kept = net.masks(step=17, samples=range(len(X)))[0]
    gradient = series.latest.gradients[0]
    assert (gradient[~kept] == 0).all()
    assert (gradient[kept] != 0).any()
    assert series.steps == [17]


def test_measuring_leaves_state_and_gradient_as_they_are():
    net = Network([Dense(8), BatchNorm(), ReLU(), Dense(2)], 5, seed=3)
    net.gradient[:] = 7
    state = net.state.copy()
    GradientSeries(X, Y).measure(net)
    assert_array_equal(net.state, state)
    assert (net.gradient == 7).all()


def test_the_layers_are_those_with_weights_and_dropout_is_not_an_activation():
    net = Network([Dense(4), BatchNorm(), ReLU(), Dropout(0.9), Dense(2)], 5, seed=0)
    series = GradientSeries(X, Y)
    series.measure(net)
    assert series.layers == ("hidden 1", "output")
    hidden = series.latest.activations[0]
    assert (hidden >= 0).all()
    assert (hidden > 0).mean() > 0.3  # a tenth of that would be left by the dropout


def test_deep_sigmoids_vanish_and_large_weights_explode():
    shown = GradientHealth.preset("vanishing")
    sizes = [line.get_ydata() for line in shown.axes_[1, 0].lines]
    sigmoid, old, glorot = (size[0] / size[-2] for size in sizes)
    # By 1 / (4 sqrt 3) and by 1 / sqrt 3 a layer, in expectation, over eleven layers.
    assert_allclose(np.log10(sigmoid), 11 * np.log10(1 / (4 * np.sqrt(3))), atol=1.5)
    assert_allclose(np.log10(old), 11 * np.log10(1 / np.sqrt(3)), atol=0.8)
    assert 0.2 < glorot < 5
    assert any("vanishes" in words for words in shown.verdicts()["sigmoid, 1/sqrt(n)"])
    assert shown.verdicts()["tanh, Glorot"] == []
    exploding = GradientHealth.preset("exploding")
    large, he = (line.get_ydata() for line in exploding.axes_[1, 0].lines)
    # By sqrt(9 / 2) a layer.
    assert_allclose(np.log10(large[0] / large[-2]), 11 * np.log10(np.sqrt(4.5)), atol=1)
    assert 0.1 < he[0] / he[-2] < 10
    assert any("explodes" in words for words in exploding.verdicts()["ReLU, 3/sqrt(n)"])


def test_a_preset_that_diverges_is_shown_until_there():
    shown = GradientHealth.preset("exploding", epochs=1)
    first, second = shown.series
    assert first == "ReLU, 3/sqrt(n), diverged"
    assert second == "ReLU, He"
    assert shown.series[second].steps[-1] == 45  # of 1437 rows, 32 a step
    assert_readable_at_80_mm(shown.figure_)


@pytest.mark.parametrize("measure", ["rms", "norm", "std", "mean", "high"])
def test_it_is_readable_and_names_are_text(measure):
    models = {name: network(seed=i) for i, name in enumerate(ODD_NAMES)}
    shown = GradientHealth.from_estimator(models, X, Y, measure=measure)
    assert_readable_at_80_mm(shown.figure_)
    assert_shown_as_text(shown.figure_, ODD_NAMES)


def test_histograms_have_the_area_of_what_they_show():
    shown = GradientHealth.from_estimator({"a": network(), "b": network(Sigmoid())}, X, Y)
    shown.plot_histograms()
    for ax in shown.axes_.ravel():
        for line in ax.lines:
            x, height = line.get_data()
            assert_allclose(height.sum() * (x[1] - x[0]), 1, rtol=1e-6)
    assert_readable_at_80_mm(shown.figure_)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimators_of_classes_with_names_are_measured():
    labels = np.array(["no", "yes", "maybe"])[np.arange(len(X)) % 3]
    model = MLPClassifier((6,), max_iter=3, random_state=0).fit(X, labels)
    shown = GradientHealth.from_estimator(model, X, labels)
    series = shown.series[""]
    hidden = np.maximum(X @ model.coefs_[0] + model.intercepts_[0], 0)
    assert_allclose(series.column("activations", "rms")[0, 0], rms([hidden])[0], rtol=1e-5)


class Taken:
    """A recording in the simplest form: a network for each step."""

    def __init__(self, networks):
        self.networks = networks

    def at(self, step):
        if step not in self.networks:
            raise ValueError(f"step must be one of {list(self.networks)}, got {step}")
        return type("Moment", (), {"network": self.networks[step]})


def test_a_recording_is_measured_at_its_steps():
    nets = {4: network(seed=4), 9: network(seed=9)}
    for step, net in nets.items():
        net.clock.step = step
    shown = GradientHealth.from_recording(Taken(nets), X, Y, [4, 9])
    lines = shown.axes_[1, 0].lines
    assert_array_equal(lines[0].get_xdata(), [4, 9])
    expected = [rms(by_hand(net)[1]) for net in nets.values()]
    assert_allclose(np.array([line.get_ydata() for line in lines]).T, expected, rtol=1e-9)
    with pytest.raises(ValueError, match="step must be one of"):
        GradientHealth.from_recording(Taken(nets), X, Y, [5])


class Kept(Taken):
    """One that knows which steps open without the data, as `Recording` does."""

    def keyframes_of(self):
        return list(self.networks)[:-1]

    def steps(self):
        return range(max(self.networks) + 1)


def test_by_default_some_steps_are_taken_or_keyframes_where_no_others_open():
    nets = {step: network(seed=step) for step in (0, 3, 8)}
    for step, net in nets.items():
        net.clock.step = step
    shown = GradientHealth.from_recording(Kept(nets), X, Y)
    assert shown.series[""].steps == [0, 3, 8]
    all_open = Kept(dict.fromkeys(range(301), nets[0]))
    asked = []
    all_open.at = lambda step: asked.append(step) or Taken.at(all_open, step)
    GradientHealth.from_recording(all_open, X[:2], Y[:2])
    steps = sorted(set(asked))
    assert len(steps) == 40
    assert (steps[0], steps[-1]) == (0, 300)
    assert set(np.diff(steps)) == {7, 8}


def test_bad_input_is_refused_in_a_sentence():
    net = network()
    with pytest.raises(ValueError, match=r"name must be 'vanishing' or 'exploding', got 'both'"):
        GradientHealth.preset("both")
    with pytest.raises(ValueError, match="measure must be"):
        GradientHealth.from_estimator(net, X, Y, measure="size")
    shown = GradientHealth.from_estimator(net, X, Y)
    with pytest.raises(ValueError, match="each of kinds must be 'activations' or"):
        shown.plot(kinds=["weights"])
    with pytest.raises(ValueError, match="kinds must be some of"):
        shown.plot(kinds=[])
    flat = GradientHealth.from_estimator(Network([Dense(2)], 5, seed=0), X, Y)
    with pytest.raises(ValueError, match="one of networks with hidden layers"):
        flat.plot_histograms()
    with pytest.raises(ValueError, match="recording must be an object of the kind Moments"):
        GradientHealth.from_recording(net, X, Y, [0])
    with pytest.raises(ValueError, match="steps must be a sequence of integers for this"):
        GradientHealth.from_recording(Taken({}), X, Y)
    with pytest.raises(ValueError, match="steps must be a sequence of at least one integer"):
        GradientHealth.from_recording(Taken({}), X, Y, [])
    with pytest.raises(ValueError, match="axes must be 2, one a panel, got 1"):
        GradientHealth.from_estimator(net, X, Y, axes=[plt.subplots()[1]])
    with pytest.raises(ValueError, match="estimator must be one of thinnet's"):
        GradientHealth.from_estimator("net", X, Y)
    with pytest.raises(ValueError, match="one with measurements"):
        GradientHealth({"a": GradientSeries(X, Y)})
    with pytest.raises(ValueError, match="the mapping of names must be one of at least one name"):
        GradientHealth.from_estimator({}, X, Y)
    with pytest.raises(ValueError, match="every must be an integer >= 1"):
        GradientSeries(X, Y, every=0)
    series = GradientSeries(X, Y)
    series.measure(net)
    with pytest.raises(ValueError, match="network must be one of 3 layers with weights"):
        series.measure(Network([Dense(2)], 5, seed=0))
