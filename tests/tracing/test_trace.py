"""What `thinnet.trace` promises besides that its formulas hold."""

import dataclasses
import math
import re
import time

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from oracles import unchecked_types

import thinnet
from thinnet import (
    SGD,
    Adam,
    AlphaDropout,
    BatchNorm,
    ConcreteDropout,
    Dense,
    DropConnect,
    Dropout,
    Flatten,
    LayerNorm,
    Network,
    ReLU,
    Run,
    Sigmoid,
    SquaredError,
)

X = np.array([[0.05, 0.10], [0.3, -0.2], [1.0, 2.0]])
Y = np.array([[0.01, 0.99], [1.0, 0.0], [0.5, 0.5]])


def small(dtype=np.float64):
    layers = [Dense(3), ReLU(), Dropout(0.5), Dense(2), Sigmoid()]
    return Network(layers, 2, seed=4, dtype=dtype)


def traced(**settings):
    usual = {"step": 17, "samples": [3, 5, 8], "optimizer": SGD(0.5), "loss": SquaredError()}
    settings = usual | settings
    return thinnet.trace(small(), X, Y, **settings)


def test_names_are_places_in_the_network_and_rows_ids():
    t, network = traced(), small()
    assert t["W3[1, 2]"].value == network.sites[3].p.W[1, 2]
    assert t["x[5, 1]"].value == X[1, 1]
    assert t["dE/dW3[1, 2]"].layer == 3
    assert t["dE/dW3[1, 2]"].unit == 1
    assert t["y4[8, 0]"].unit == 0
    assert_array_equal(t.array("W3"), network.sites[3].p.W)


def test_masks_are_those_of_the_step():
    kept = small().masks(step=17, samples=[3, 5, 8])[0]
    assert_array_equal(traced().array("m2"), kept)


def test_a_mask_says_why():
    t = traced()
    kept = t.array("m2")
    for row, sample in enumerate((3, 5, 8)):
        for unit in range(3):
            one = t[f"m2[{sample}, {unit}]"]
            draw, threshold = one.parents
            assert (draw.kind, threshold.name) == ("random", "threshold_2")
            assert one.formula == f"{{1 if {draw.name} >= threshold_2; 0 otherwise}}"
            assert kept[row, unit] == (draw.value >= threshold.value)


def test_only_rows_that_are_shown_are_printed_but_the_batch_counts():
    t = traced(show=[5])
    assert "y4[5, 0]" in str(t)
    assert "y4[3, 0]" not in str(t)
    assert t["E"].value == traced()["E"].value
    assert {parent.name for parent in t["E"].parents} == {
        f"{name}[{sample}]" for name in ("share", "L") for sample in (3, 5, 8)
    }


def test_statistics_of_the_batch_have_formulas_over_all_rows():
    network = Network([BatchNorm(), Dense(1)], 2, seed=0, dtype=np.float64)
    t = thinnet.trace(network, X, show=[0])
    mean = t["mean_of_batch_0[1]"]
    assert mean.formula == "(x[0, 1] + x[1, 1] + x[2, 1]) / 3"
    assert mean.value == pytest.approx(X[:, 1].mean())


def test_a_way_back_ends_at_what_was_given():
    why = traced()["dE/dW0[0, 1]"].why()
    assert why.splitlines()[0].startswith("dE/dW0[0, 1] = ")
    for name in ("x[3, 1]", "W3[0, 0]", "t[8, 1]", "draw_2[3, 0]"):
        assert f"{name} = " in why


def test_the_loss_after_the_step_is_that_of_the_new_weights():
    t, network = traced(), small()
    for i in (0, 3):
        found = (t.array(f"W{i}+"), t.array(f"b{i}+"))
        for new, old in zip(found, network.sites[i].p, strict=True):
            old[...] = new
    y, _ = network.forward(X, Run.train(17, [3, 5, 8]))
    assert t["E+"].value == pytest.approx(SquaredError()(y, Y)[0], rel=1e-14)
    assert t["change"].value == t["E+"].value - t["E"].value


def test_small_steps_change_the_loss_as_the_gradient_promised():
    t = traced(optimizer=SGD(1e-6))
    assert t["promised"].value == pytest.approx(t["change"].value, rel=1e-4)


def test_weights_of_rows_count():
    t = traced(sample_weight=[1.0, 0.0, 3.0])
    assert [t[f"share[{sample}]"].value for sample in (3, 5, 8)] == [0.25, 0, 0.75]
    assert t["share[8]"].formula == "weight[8] / (weight[3] + weight[5] + weight[8])"


def test_without_targets_there_is_a_forward_pass():
    t = thinnet.trace(small(), X, run=Run.predict())
    assert {section.phase for section in t.sections} == {"forward"}
    assert_allclose(t.array("y4"), small().outputs(X), rtol=1e-14)


@pytest.mark.parametrize("names", [None, "paper"])
def test_every_name_finds_its_number(names):
    t = traced(names=names)
    frame = t.to_frame()
    assert not frame["name"].duplicated().any()
    for name, value in zip(frame["name"], frame["value"], strict=True):
        assert t[name].value == value


def test_names_on_paper():
    network = Network([Dense(2), Sigmoid(), Dense(2), Sigmoid()], 2, seed=0, dtype=np.float64)
    t = thinnet.trace(network, X[:1], Y[:1], optimizer=Adam(), loss=SquaredError(), names="paper")
    assert t["net_h2"].formula == "i1 * w3 + i2 * w4 + b2"
    assert t["dE/dw5"].formula == "dE/dnet_o1 * h1"
    assert t["w8+"].formula == "w8 - eta * m_hat_w8 / (sqrt(v_hat_w8) + 1e-08)"


def test_one_unit_is_all_that_has_to_do_with_it():
    of_one = traced().unit(0, 1).to_frame()
    assert set(of_one["name"]) >= {
        "W0[1, 0]", "W0[1, 1]", "b0[1]", "y0[3, 1]", "y1[8, 1]", "m2[5, 1]", "W3[0, 1]",
        "W3[1, 1]", "dE/dW0[1, 0]", "dE/dy2[3, 1]", "dE/dW3[0, 1]", "W0+[1, 0]", "b0+[1]",
    }  # fmt: skip
    assert not set(of_one["name"]) & {"W0[0, 0]", "y0[3, 0]", "W3[0, 0]", "y3[3, 1]", "b3[1]", "E"}


@dataclasses.dataclass(frozen=True)
class Doubled:
    """A layer of a user's own, with the three methods that a layer needs."""

    def shapes(self, features):
        return thinnet.layers.Shapes(features)

    def forward(self, site, x, run):
        return 2 * x, None

    def backward(self, site, cache, dy):
        return 2 * dy


def test_a_layer_that_explains_nothing_shows_its_values():
    network = Network([Dense(2), Doubled()], 2, seed=0, dtype=np.float64)
    t = thinnet.trace(network, X, Y, loss=SquaredError())
    assert t["y1[0, 0]"].value == 2 * t["y0[0, 0]"].value
    assert t["y1[0, 0]"].formula == ""
    assert "y1[0, 0] = " in str(t)
    assert "(no formula)" in str(t)
    assert "no formula" in t.to_html()
    assert t.check() > 0


def large():
    layers = [Dropout(0.2), Dense(256), ReLU(), Dropout(0.5), Dense(256), ReLU(), Dense(10)]
    return Network(layers, 784, seed=0)


def test_a_large_network_is_summarised():
    rng = np.random.default_rng(0)
    start = time.perf_counter()
    t = thinnet.trace(
        large(), rng.random((128, 784)), rng.integers(10, size=128), optimizer=Adam(), show=[3]
    )
    text, page = str(t), t.to_html()
    seconds = time.perf_counter() - start
    assert "W1 256 x 784 numbers: mean" in text
    assert "= y0 @ W1^T + b1" in text
    assert max(len(text), len(page)) < 400_000
    assert seconds < 5  # on a busy machine; .5 where nothing else runs
    of_one = str(t.unit(1, 200))
    assert "y1[3, 200] = y0[3, 0] * W1[200, 0]" in of_one
    assert len(of_one) < 100_000


def test_summaries_are_of_what_is_shown():
    rng = np.random.default_rng(0)
    t = thinnet.trace(large(), rng.random((4, 784)), show=[2])
    shown = t.shown(t.sections[-4])
    found = next(one for one in shown if getattr(one, "shape", None) == (1, 256))
    values = found.quantity.values[2]
    statistics = found.statistics
    assert statistics["mean"] == pytest.approx(float(values.mean()), rel=1e-5)
    assert statistics["zeros"] == np.mean(values == 0)
    assert statistics["greatest"] == values.max()
    assert abs(found.largest(3)[0].value) == np.abs(values).max()


CHAINS = {
    "eight Dense": ([Dense(2)] * 8, 3),
    "ten Dense": ([Dense(1)] * 10, 1),
    "alpha": ([Dense(2), Dense(2), AlphaDropout(0.5), Dense(2)], 3),
    "connect": ([Dense(2), ReLU(), DropConnect(Dense(1), 0.5)], 3),
    "concrete": ([ConcreteDropout(Dense(3)), ReLU(), Dense(1)], 3),
    "norm": ([LayerNorm(), Dropout(0.3), Flatten(), Dense(2)], (2, 2)),
}


@pytest.mark.parametrize("names", [None, "paper"])
@pytest.mark.parametrize(("layers", "features"), CHAINS.values(), ids=CHAINS)
def test_no_two_numbers_have_one_name(layers, features, names):
    network = Network(layers, features, seed=0, dtype=np.float64)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(3, *network.features)), rng.normal(size=(3, *network.out))
    t = thinnet.trace(network, x, y, optimizer=Adam(), loss=SquaredError(), names=names)
    frame = t.to_frame()
    assert not frame["name"].duplicated().any()
    for name, value in zip(frame["name"], frame["value"], strict=True):
        assert t[name].value == value


def test_units_on_paper_are_those_of_activations():
    layers = [Dense(2), BatchNorm(), ReLU(), DropConnect(Dense(1), 0.5)]
    network = Network(layers, 3, seed=0, dtype=np.float64)
    t = thinnet.trace(network, np.random.default_rng(0).normal(size=(4, 3)), names="paper")
    assert t["net_h2[1]"].quantity.key.below == "0"
    assert t["h2[1]"].quantity.key.below == "2"
    assert t["o1[1]"].quantity.key.below == "3"


def test_rows_that_stand_there_twice_are_named_by_their_places():
    network = Network([Dense(1)], 1, seed=0, dtype=np.float64)
    t = thinnet.trace(network, [[1.0], [2.0]], samples=[7, 7])
    assert [t["x[0, 0]"].value, t["x[1, 0]"].value] == [1, 2]


def test_large_numbers_have_formulas_that_hold():
    network = Network([Dense(2), thinnet.Softmax()], 3, seed=0, dtype=np.float64)
    x = np.random.default_rng(0).normal(size=(4, 3)) * 1e4
    assert thinnet.trace(network, x, np.zeros((4, 2)), loss=SquaredError()).check() > 0
    plain = Network([Dense(2)], 3, seed=0, dtype=np.float64)
    with np.errstate(all="raise"):
        t = thinnet.trace(plain, x * 1e200, np.zeros((4, 2)), optimizer=SGD(0.1))
    assert not math.isfinite(t["E"].value)
    assert t.check() > 0


def test_numbers_of_large_networks_are_explained_in_time():
    rng = np.random.default_rng(0)
    t = thinnet.trace(large(), rng.random((20, 784)), rng.integers(10, size=20), optimizer=SGD(0.1))
    why = t["dE/dW4[0, 0]"].why()
    assert len(why.splitlines()) < 1000
    assert repr(t["dE/dW4[0, 0]"]) == str(t["dE/dW4[0, 0]"])


@dataclasses.dataclass(frozen=True)
class Plain:
    """An optimiser of a user's own, without state."""

    learning_rate: float = 0.1

    def start(self, theta):
        return ()

    def step(self, theta, gradient, state, t, learning_rate):
        return theta - learning_rate * gradient, ()


def test_an_optimiser_that_explains_nothing_shows_its_step():
    t = traced(optimizer=Plain())
    gradient, before = t.array("dE/dW0"), small().sites[0].p.W
    assert_allclose(t.array("W0+"), before - 0.1 * gradient, rtol=1e-14)
    assert t["W0+[0, 0]"].formula == ""


def test_rates_of_numpy_are_numbers():
    assert traced(optimizer=SGD(np.float32(0.5)))["eta"].value == 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"step": -1}, "step must be"),
        ({"step": 1.5}, "step must be"),
        ({"samples": [1, 2]}, "samples"),
        ({"show": [4]}, "show must be ids of the batch's rows, got 4"),
        ({"names": "pencil"}, "names must be None or 'paper', got 'pencil'"),
        ({"optimizer": 3}, "optimizer must be an optimiser, got 3"),
        ({"loss": "mean"}, "loss must be"),
        ({"sample_weight": [1.0, -1.0, 1.0]}, "sample_weight must be >= 0"),
        ({"run": Run.predict(), "step": 3}, "step must be None where a run is given, got 3"),
        ({"run": "predict", "step": None, "samples": None}, "run must be a Run, got 'predict'"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with unchecked_types(), pytest.raises(ValueError, match=re.escape(message)):
        traced(**settings)


@pytest.mark.parametrize("x", [[[math.nan, 1.0]], [[1.0, 2.0, 3.0]], [], [["a", "b"]]])
def test_bad_rows_are_refused(x):
    with pytest.raises(ValueError, match=r"x|takes|X|rows"):
        thinnet.trace(small(), x)


@pytest.mark.parametrize("name", ["W9[0, 0]", "W0[3, 0]", "W0", "h1", "y0[0, 0]", "<script>"])
def test_unknown_names_are_refused(name):
    with pytest.raises(KeyError):
        traced()[name]


def test_units_and_layers_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match="layer must be an integer from 0 to 4, got 5"):
        traced().unit(5, 0)
    with pytest.raises(ValueError, match="unit must be an integer from 0 to 2, got 3"):
        traced().unit(0, 3)
