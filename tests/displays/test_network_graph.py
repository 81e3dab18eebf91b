"""A graph shows the network's own weights, masks and responses."""

import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from thinnet import (
    SGD,
    AlphaDropout,
    BatchNorm,
    ColumnEncoding,
    Columns,
    ConcreteDropout,
    Dense,
    DropConnect,
    Dropout,
    EnsembleClassifier,
    Flatten,
    GaussianDropout,
    LayerNorm,
    MLPClassifier,
    Network,
    NetworkGraph,
    ReLU,
    Run,
    TableClassifier,
    Tanh,
    UnusedMaskWarning,
    train,
)
from thinnet.displays.axes import WIDE
from thinnet.layers.encodings import expanded

X = np.random.default_rng(0).normal(size=(40, 2))
Y = (X[:, 0] > 0).astype(int)
LAYERS = [
    Dropout(0.3),
    Dense(6),
    BatchNorm(),
    ReLU(),
    Dropout(0.5),
    Dense(5),
    Tanh(),
    Dropout(0.5),
    Dense(2),
]
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def network():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dropout stands before BatchNorm
        found = Network(LAYERS, features=2, seed=0)
    train(found, X, Y, epochs=4, batch_size=10)
    return found


def lines(shown, label):
    return next(c for c in shown.axes_[0].collections if c.get_label() == label)


def crossed(shown):
    """The centres of crosses."""
    some = [c for c in shown.axes_[0].collections if c.get_label() == "dropped unit"]
    segments = [segment for each in some for segment in each.get_segments()]
    return {tuple(np.mean(segment, axis=0).round(6)) for segment in segments}


def circles(shown):
    """The centres of circles, by stage from top to bottom."""
    found = {tuple(np.round(p.center, 6)) for p in shown.axes_[0].patches if hasattr(p, "radius")}
    places = sorted({x for x, _ in found})
    return [sorted((c for c in found if c[0] == x), key=lambda c: -c[1]) for x in places]


def test_widths_are_proportional_to_the_weights_and_styles_are_their_signs(network):
    shown = NetworkGraph.from_network(network)
    dense = [site.p.W for layer, site in network.places() if isinstance(layer, Dense)]
    w = np.concatenate([W.ravel() for W in dense]).astype(float)
    positive, negative = lines(shown, "positive weight"), lines(shown, "negative weight")
    for mine, part in ((positive, w[w > 0]), (negative, -w[w < 0])):
        widths = np.sort(mine.get_linewidths())
        np.testing.assert_allclose(widths / widths.max(), np.sort(part) / part.max(), rtol=1e-6)
    assert np.max(negative.get_linewidths()) / np.max(positive.get_linewidths()) == pytest.approx(
        -w.min() / w.max()
    )
    assert positive.get_linestyles()[0][1] is None  # solid
    assert negative.get_linestyles()[0][1] is not None  # dashed


def test_each_line_leads_from_its_input_to_its_unit():
    network = Network([Dense(3)], features=2, seed=0)
    network.sites[0].p.W[...] = 0
    network.sites[0].p.W[2, 1] = 5.0
    shown = NetworkGraph.from_network(network)
    inputs, units = circles(shown)
    (segment,) = lines(shown, "positive weight").get_segments()
    np.testing.assert_allclose(segment, [inputs[1], units[2]], atol=1e-5)
    assert len(lines(shown, "negative weight").get_segments()) == 0


@pytest.mark.parametrize("step", [0, 5, 15])
def test_units_crossed_out_are_those_of_the_steps_masks(network, step):
    row = int(network.rows(step)[1])
    shown = NetworkGraph.from_network(network, step=step, sample=row)
    masks = network.masks(step=step, samples=[row])
    expected = set()
    for stage, mask in zip(circles(shown), masks.values(), strict=False):
        expected |= {centre for centre, kept in zip(stage, mask[0], strict=True) if not kept}
    assert crossed(shown) == expected
    by_default = NetworkGraph.from_network(network, step=step)
    first = NetworkGraph.from_network(network, step=step, sample=int(network.rows(step)[0]))
    assert crossed(by_default) == crossed(first)


def test_weights_of_dropped_units_are_grey(network):
    shown = NetworkGraph.from_network(network, draw=2)
    masks = list(network.masks(step=2, share="batch", purpose="predict").values())
    kept = [*(mask[0] for mask in masks), np.ones(2, bool)]
    n = sum(np.outer(a, b).sum() for a, b in pairwise(kept))
    left = [lines(shown, f"{sign} weight").get_segments() for sign in ("positive", "negative")]
    assert sum(map(len, left)) == n
    assert crossed(shown) == {
        centre
        for stage, mask in zip(circles(shown), kept, strict=True)
        for centre, there in zip(stage, mask, strict=True)
        if not there
    }


def test_responses_are_the_networks_own_activations(network):
    shown = NetworkGraph.from_network(network, X, draw=3)
    low, high = X.min(axis=0), X.max(axis=0)
    sides = np.linspace(low - (high - low) / 4, high + (high - low) / 4, 32)
    rows = np.array([(x, y) for y in sides[:, 1] for x in sides[:, 0]])
    found = []
    network.forward(rows, Run.sample(3, share="batch"), lambda site, y: found.append(y.copy()))
    for stage, place in zip(shown.chain.stages, (0, 4, 7, 8), strict=True):
        np.testing.assert_allclose(stage.responses, found[place].T, rtol=1e-5, atol=1e-6)
    images = shown.axes_[0].images
    assert len(images) == 2 + 6 + 5 + 2
    np.testing.assert_allclose(np.ravel(images[-1].get_array()), found[8][:, 1], rtol=1e-5)
    np.testing.assert_allclose(found[8], network.sample(rows, 1, first=3)[0], rtol=1e-4, atol=1e-5)


def test_plotting_leaves_the_network_as_it_was(network):
    before = network.theta.copy(), network.state.copy(), network.clock.step
    NetworkGraph.from_network(network, X, step=3)
    NetworkGraph.from_network(network, X, draw=3)
    np.testing.assert_array_equal(network.theta, before[0])
    np.testing.assert_array_equal(network.state, before[1])
    assert network.clock.step == before[2]


CHAINS = st.lists(
    st.sampled_from(
        [
            Dense(4),
            Dense(3),
            ReLU(),
            Dropout(0.5),
            AlphaDropout(0.4),
            GaussianDropout(0.2),
            LayerNorm(),
            DropConnect(Dense(4), 0.5),
            ConcreteDropout(Dense(3), 0.5),
            Dropout(0.5, share="batch"),
            Flatten(),
        ]
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=30, deadline=None)
@given(CHAINS, st.integers(0, 100), st.integers(0, 100))
def test_any_chain_has_its_weights_its_masks_and_a_stage_for_each_that_mixes(chain, step, sample):
    network = Network(chain, features=2, seed=1)
    drops = [layer for layer in chain if hasattr(layer, "keep")]
    if not drops:
        with pytest.raises(ValueError, match="step must be None for a network whose layers drop"):
            NetworkGraph.from_network(network, step=step, sample=sample)
    of = {"step": step, "sample": sample} if drops else {}
    shown = NetworkGraph.from_network(network, X, form="graph", **of)
    plt.close(shown.figure_)
    mixing = [site.p.W for site in network.sites if hasattr(site.p, "W")]
    assert [each.values.shape for each in shown.chain.weights] == [W.shape for W in mixing]
    for each, W in zip(shown.chain.weights, mixing, strict=True):
        np.testing.assert_allclose(each.values, W)
    if drops:
        masks = network.masks(step=step, samples=[sample])
        units = sum(
            (~mask[0]).sum()
            for layer, mask in zip(drops, masks.values(), strict=True)
            if not isinstance(layer, DropConnect)
        )
        assert sum(stage.dropped.sum() for stage in shown.chain.stages) <= units
        by_layer = {each.layer: each for each in shown.chain.weights}
        places = [place for place, layer in enumerate(chain) if hasattr(layer, "keep")]
        for place, mask in zip(places, masks.values(), strict=True):
            if isinstance(chain[place], DropConnect):
                assert (by_layer[place].dropped >= ~mask).all()


def test_columns_of_a_table_are_dropped_with_all_their_inputs():
    encodings = (ColumnEncoding(bins=3, values=1), ColumnEncoding(categories=2))
    network = Network([Columns(encodings, Dense(4), rate=0.5)], features=3, seed=0)
    for step in range(6):
        (kept,) = network.masks(step=step, samples=[7]).values()
        chain = NetworkGraph.from_network(network, step=step, sample=7).chain
        expected = np.repeat(kept[0], [3, 1, 2])
        np.testing.assert_array_equal(~chain.stages[0].dropped, expected)
    assert expanded(encodings, np.array([[1.5, 0.2, 2]])).shape == (1, 6)
    assert chain.weights[0].values.shape == (4, 6)


def test_larger_networks_are_matrices_or_their_largest_weights():
    network = Network([Dense(40), ReLU(), Dropout(0.5), Dense(3)], features=20, seed=0)
    shown = NetworkGraph.from_network(network, draw=1)
    (mask,) = network.masks(step=1, share="batch", purpose="predict").values()
    first, second = (ax.images[0].get_array() for ax in shown.axes_)
    np.testing.assert_allclose(first.data, network.sites[0].p.W)
    np.testing.assert_array_equal(first.mask, np.repeat(~mask.T, 20, axis=1))
    np.testing.assert_array_equal(second.mask, np.repeat(~mask, 3, axis=0))
    assert {ax.images[0].get_clim() for ax in shown.axes_} == {
        (-shown.chain.largest, shown.chain.largest)
    }
    graph = NetworkGraph.from_network(network, form="graph")
    stages = circles(graph)
    assert [len(stage) for stage in stages] == [16, 16, 3]
    texts = [text.get_text() for text in graph.axes_[0].texts]
    assert {"+ 4", "+ 24"} <= set(texts)
    n = sum(len(lines(graph, f"{sign} weight").get_segments()) for sign in ("positive", "negative"))
    assert n == 16 * 16 + 16 * 3
    fewer = graph.plot(max_units=3)
    assert [len(stage) for stage in circles(fewer)] == [3, 3, 3]


def test_layers_may_be_chosen():
    network = Network([Dense(40), ReLU(), Dense(30), ReLU(), Dense(3)], features=20, seed=0)
    shown = NetworkGraph.from_network(network, layers=[2])
    assert len(shown.axes_) == 1
    np.testing.assert_allclose(shown.axes_[0].images[0].get_array().data, network.sites[2].p.W)
    for wrong in ([1], [9], [], 2, ["a"]):
        with pytest.raises(ValueError, match="layers must be places of layers with weights, some"):
            NetworkGraph.from_network(network, layers=wrong)


def test_of_estimators_it_is_that_of_their_network():
    names = ["$x$", "<script>"]
    frame = pd.DataFrame(X, columns=names)
    model = MLPClassifier((5,), dropout=0.5, max_iter=4, random_state=0).fit(frame, Y)
    shown = NetworkGraph.from_estimator(model, frame, draw=1)
    for each, W in zip(shown.chain.weights, model.coefs_, strict=True):
        np.testing.assert_allclose(each.values, W.T)
    named = [text for text in shown.axes_[0].texts if text.get_text() in names]
    assert len(named) == 2
    assert not any(text.get_parse_math() for text in named)
    ensemble = EnsembleClassifier(model, 2, random_state=0).fit(frame, Y)
    shown = NetworkGraph.from_estimator(ensemble, network=1)
    np.testing.assert_allclose(shown.chain.weights[0].values, ensemble.networks_[1].sites[1].p.W)
    with pytest.raises(ValueError, match="network must be an integer from 0 to 1, got 2"):
        NetworkGraph.from_estimator(ensemble, network=2)
    table = TableClassifier((5,), max_iter=2, n_networks=1, progress=False).fit(frame, Y)
    shown = NetworkGraph.from_estimator(table, frame, form="graph")
    assert shown.chain.stages[-1].responses.shape[1] == 32 * 32


def test_texts_are_large_enough_and_inside(network):
    shown = NetworkGraph.from_network(network, step=0)
    shown.figure_.canvas.draw()
    texts = [t for t in shown.figure_.findobj(plt.Text) if t.get_text() and t.get_visible()]
    assert shown.figure_.get_size_inches()[0] == WIDE
    assert min(t.get_fontsize() for t in texts) * (80 / 25.4) / WIDE >= 5.99
    box = shown.figure_.bbox
    for text in shown.axes_[0].texts:
        extent = text.get_window_extent()
        assert box.x0 <= extent.x0 <= extent.x1 <= box.x1
        assert box.y0 <= extent.y0 <= extent.y1 <= box.y1


def test_it_is_made_again_for_another_moment_with_its_own_step(network):
    class Moment:
        pass

    moment = Moment()
    moment.network = Network([Dropout(0.5), Dense(3)], features=2, seed=5)
    train(moment.network, X, Y, epochs=1, batch_size=10, optimizer=SGD(0.1))
    shown = NetworkGraph.from_network(network, step=1, sample=int(network.rows(1)[0])).at(moment)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedMaskWarning)
        (mask,) = moment.network.masks(step=4, samples=[int(network.rows(1)[0])]).values()
    np.testing.assert_array_equal(~shown.chain.stages[0].dropped, mask[0])


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_it_is_saved(network, tmp_path, suffix):
    from thinnet.displays.saving import save_figure

    shown = NetworkGraph.from_network(network, X, step=2)
    assert save_figure(shown.figure_, tmp_path / f"graph.{suffix}").stat().st_size > 1000


def refused(words, *given, by=NetworkGraph.from_network, **settings):
    with pytest.raises(ValueError, match=words) as error:
        by(*given, **settings)
    assert "\n" not in str(error.value)


def test_what_cannot_be_shown_is_refused(network):
    refused("network must be a Network or a moment of a recording, got 'int'", 3)
    refused(r"X must be an array of two columns", network, np.zeros((4, 3)))
    refused("step must be an integer >= 0, got -1", network, step=-1)
    refused("draw must be an integer >= 0, got -1", network, draw=-1)
    refused("samples must be integers from 0", network, step=0, sample=-1)
    refused("sample must be None without step, got 3", network, sample=3)
    refused("draw must be None with step, got 1", network, step=1, draw=1)
    refused("form must be 'graph' or 'matrices' or None, got 'tree'", network, form="tree")
    refused("axes must be one, for a graph, got 2", network, axes=plt.subplots(2)[1])
    wide = Network([Dropout(0.5), Dense(2)], features=3, seed=0)
    refused("network must be one of two inputs with X", wide, X)
    refused(
        "max_units must be an integer from 1 to 64",
        by=NetworkGraph.from_network(wide).plot,
        max_units=0,
    )
