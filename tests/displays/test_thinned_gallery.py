"""A gallery holds the draws that a model makes, with the networks that made them."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from thinnet import (
    Dense,
    DropConnect,
    Dropout,
    EnsembleRegressor,
    GaussianDropout,
    MLPClassifier,
    MLPRegressor,
    Network,
    ReLU,
    ThinnedGallery,
)
from thinnet.displays.axes import WIDE

X = np.random.default_rng(0).normal(size=(40, 2))
Y = (X[:, 0] > 0).astype(int)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def model():
    return MLPClassifier((6, 5), dropout=0.5, max_iter=8, random_state=0).fit(X, Y)


def plane(shown):
    return np.array([(x, y) for y in shown.y for x in shown.x])


def test_surfaces_are_the_draws_and_the_last_are_their_mean_and_dropout_off(model):
    shown = ThinnedGallery.from_estimator(model, X, Y, resolution=6)
    draws = model.sample_proba(plane(shown), 12)
    np.testing.assert_allclose(shown.draws.reshape(12, 36, 2), draws)
    np.testing.assert_allclose(shown.mean.reshape(36, 2), draws.mean(axis=0))
    np.testing.assert_allclose(shown.without.reshape(36, 2), model.predict_proba(plane(shown)))
    assert shown.axes_.shape == (13, 2)
    titles = [ax.get_title() for ax in shown.axes_[:, 0]]
    assert titles == [*(f"draw {d}" for d in range(12)), "mean of 12 draws"]
    assert shown.axes_[12, 1].get_title() == "dropout off"


def test_each_network_is_the_one_that_made_the_draw(model):
    shown = ThinnedGallery.from_estimator(model, X, Y, resolution=6, n_draws=5)
    for d, chain in enumerate(shown.chains):
        masks = model.masks(d, purpose="predict", share="batch")
        for stage, mask in zip(chain.stages, masks.values(), strict=False):
            np.testing.assert_array_equal(stage.dropped, ~mask[0])
        h = plane(shown)
        for i, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
            h = h * ~chain.stages[i].dropped / (1 if i == 0 else 0.5)  # the input isn't dropped
            h = h @ W + b
            h = np.maximum(h, 0) if i < 2 else 1 / (1 + np.exp(-h))
        np.testing.assert_allclose(shown.draws[d, ..., 1].ravel(), h[:, 0], atol=1e-6)


def test_what_is_dropped_has_a_cross_and_no_lines(model):
    shown = ThinnedGallery.from_estimator(model, X, Y, resolution=4, n_draws=3)
    for d, chain in enumerate(shown.chains):
        drawn = dict.fromkeys(("positive", "negative", "dropped"), 0)
        crosses = 0
        for each in shown.axes_[d, 0].collections:
            what = each.get_label()
            if what == "dropped unit":
                crosses += len(each.get_segments())
            else:
                drawn[what.split()[0]] += len(each.get_segments())
        assert crosses == 2 * sum(stage.dropped.sum() for stage in chain.stages)
        assert drawn["dropped"] == 0
        kept = sum((~each.dropped & (each.values != 0)).sum() for each in chain.weights)
        assert drawn["positive"] + drawn["negative"] == kept


def test_of_several_networks_draws_alternate():
    inner = MLPRegressor(hidden_layer_sizes=(4,), dropout=0.4, max_iter=3)
    model = EnsembleRegressor(inner, 2, random_state=0).fit(X, X[:, 0])
    shown = ThinnedGallery.from_estimator(model, X, resolution=5, n_draws=4)
    np.testing.assert_allclose(shown.draws.reshape(4, 25, 1), model.sample(plane(shown), 4))
    titles = [ax.get_title() for ax in shown.axes_[:4, 0]]
    assert titles == ["draw 0, net 0", "draw 0, net 1", "draw 1, net 0", "draw 1, net 1"]
    for d, chain in enumerate(shown.chains):
        of = model.networks_[d % 2]
        *_, mask = of.masks(step=d // 2, share="batch", purpose="predict").values()
        np.testing.assert_array_equal(chain.stages[1].dropped, ~mask[0])


@pytest.mark.parametrize(
    "layers",
    [
        [DropConnect(Dense(5), 0.5), ReLU(), Dense(2)],
        [Dense(5), GaussianDropout(0.5), Dense(2)],
        [Dense(40), Dropout(0.5), Dense(2)],
    ],
)
def test_of_any_network(layers):
    network = Network(layers, features=2, seed=0)
    shown = ThinnedGallery.from_network(network, X, Y, n_draws=2, resolution=4)
    z = network.sample(plane(shown), 2).astype(float)
    p = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(shown.draws.reshape(2, 16, 2), p, rtol=1e-5)
    if len(layers) == 3 and isinstance(layers[1], Dropout):
        (mask,) = network.masks(step=1, share="batch", purpose="predict").values()
        assert shown.axes_[1, 0].get_title() == f"draw 1\n{mask.sum()} of 40 kept"


def test_letters_are_large_enough(model):
    shown = ThinnedGallery.from_estimator(model, X, Y, resolution=4)
    shown.figure_.canvas.draw()
    texts = [t for t in shown.figure_.findobj(plt.Text) if t.get_text() and t.get_visible()]
    assert shown.figure_.get_size_inches()[0] == WIDE
    assert min(t.get_fontsize() for t in texts) * (80 / 25.4) / WIDE >= 5.99


def test_it_is_made_again_for_another_moment():
    first, second = (Network([Dropout(0.5), Dense(2)], features=2, seed=s) for s in (0, 1))
    shown = ThinnedGallery.from_network(first, X, Y, n_draws=2, resolution=4).at(second)
    alone = ThinnedGallery.from_network(second, X, Y, n_draws=2, resolution=4)
    np.testing.assert_array_equal(shown.draws, alone.draws)


def test_what_cannot_be_shown_is_refused(model):
    for settings, words in (
        ({"n_draws": 0}, "n_draws must be an integer from 1 to 24, got 0"),
        ({"n_draws": 25}, "n_draws must be an integer from 1 to 24, got 25"),
        ({"resolution": 201}, "resolution must be an integer from 2 to 200, got 201"),
        ({"features": (0, 5)}, "features must be two different ones of 0, 1"),
    ):
        with pytest.raises(ValueError, match=words):
            ThinnedGallery.from_estimator(model, X, Y, **settings)
    still = Network([Dense(2)], features=2, seed=0)
    with pytest.raises(ValueError, match="sampling needs a layer that draws"):
        ThinnedGallery.from_network(still, X, Y)
    with pytest.raises(ValueError, match="X must be an array of two columns"):
        ThinnedGallery.from_estimator(model, X[:, :1])
