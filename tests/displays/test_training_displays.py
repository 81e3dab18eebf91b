"""Races and sweeps show what trainings one by one give."""

import copy

import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from pictures import ODD_NAMES, assert_readable_at_80_mm, assert_shown_as_text
from sklearn.base import BaseEstimator

from thinnet import (
    SGD,
    Adam,
    Dense,
    Dropout,
    MLPClassifier,
    Network,
    OptimizerRace,
    RateSweep,
    ReLU,
    evaluate,
    mlp,
    train,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
HELD = (RNG.normal(size=(30, 5)), RNG.integers(0, 2, 30))
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def network(seed=0, **settings):
    return Network(mlp([12, 8], 2, **settings), 5, seed=seed)


# --- races ---


def test_each_curve_is_that_of_a_training_alone():
    net = network(dropout=0.3)
    optimizers = {"SGD": SGD(0.2, momentum=0.9), "Adam": Adam(0.01)}
    shown = OptimizerRace.from_training(
        net, optimizers, X, Y, epochs=5, batch_size=20, validation=HELD
    )
    assert_array_equal(shown.steps, range(16))
    for place, (name, optimizer) in enumerate(optimizers.items()):
        alone = copy.deepcopy(net)
        before = evaluate(alone, X, Y)[0]
        train(alone, X, Y, optimizer=optimizer, epochs=5, batch_size=20, progress=False)
        for ax, rows in zip(shown.axes_, ((X, Y), HELD), strict=True):
            line = ax.lines[place]
            assert_array_equal(line.get_xdata(), shown.steps)
            assert line.get_ydata()[-1] == pytest.approx(evaluate(alone, *rows)[0], rel=1e-12)
        assert shown.training[name][0] == pytest.approx(before, rel=1e-12)


def test_the_networks_that_are_given_stay_as_they_are():
    net = network()
    theta = net.theta.copy()
    OptimizerRace.from_training(net, SGD(0.1), X, Y, epochs=2, batch_size=20)
    assert_array_equal(net.theta, theta)
    assert net.clock.step == 0


def test_networks_begin_with_the_weights_of_the_first():
    first, other = network(), network(batch_norm=True)
    first.theta[:] = RNG.normal(size=first.theta.size)
    shown = OptimizerRace.from_training(
        {"a": first, "b": network(l2=0.1), "c": other}, SGD(0.1), X, Y, epochs=1, batch_size=20
    )
    assert shown.training["a"][0] == shown.training["b"][0] != shown.training["c"][0]
    alone = network(batch_norm=True)
    for place, of_first in zip((1, 5, 9), (1, 4, 7), strict=True):
        alone.sites[place].p.W[:] = first.sites[of_first].p.W
        alone.sites[place].p.b[:] = first.sites[of_first].p.b
    train(alone, X, Y, optimizer=SGD(0.1), epochs=1, batch_size=20, progress=False)
    assert shown.training["c"][-1] == pytest.approx(evaluate(alone, X, Y)[0], rel=1e-12)


def test_regularisers_start_alike_and_penalties_hold_weights_down():
    shown = OptimizerRace.of_regularizers(
        [16], X, Y, optimizer=Adam(0.02), epochs=40, batch_size=20, validation=HELD
    )
    assert list(shown.training) == ["none", "L1 0.0001", "L2 0.001", "BatchNorm", "dropout 0.5"]
    starts = {name: losses[0] for name, losses in shown.training.items() if name != "BatchNorm"}
    assert len(set(starts.values())) == 1
    end = {name: losses[-1] for name, losses in shown.training.items()}
    assert end["none"] < min(end["L2 0.001"], end["dropout 0.5"])
    assert_readable_at_80_mm(shown.figure_)


def test_all_pairs_of_networks_and_optimisers_are_trained():
    nets, optimizers = {"p": network(), "q": network(dropout=0.5)}, {"s": SGD(0.1), "t": Adam()}
    shown = OptimizerRace.from_training(nets, optimizers, X, Y, epochs=1, batch_size=20)
    assert list(shown.training) == ["p, s", "p, t", "q, s", "q, t"]


def test_the_curve_of_a_training_that_diverges_ends_there():
    deep = Network(mlp([12, 12, 12], 1), 5, seed=0)
    optimizers = {"small": SGD(1e-3), "large": SGD(1e4)}
    shown = OptimizerRace.from_training(deep, optimizers, X, X[:, 0], epochs=5, batch_size=20)
    assert np.isfinite(shown.training["small"]).all()
    assert np.isnan(shown.training["large"][-1])
    assert np.isfinite(shown.training["large"][0])


def test_networks_that_are_not_alike_are_refused():
    def with_(other):
        OptimizerRace.from_training({"a": network(), "b": other}, SGD(0.1), X, Y, epochs=1)

    with pytest.raises(ValueError, match=r"the seeds of networks must be one and the same, got"):
        with_(network(seed=1))
    with pytest.raises(ValueError, match="the shapes of networks' weights must be one"):
        with_(Network([Dense(3), ReLU(), Dropout(0.1), Dense(2)], 5, seed=0))
    with pytest.raises(ValueError, match="each of networks must be a Network"):
        with_("network")
    with pytest.raises(ValueError, match="each of optimizers must be"):
        OptimizerRace.from_training(network(), {"a": "adam"}, X, Y)
    with pytest.raises(ValueError, match="y must be labels from 0"):
        OptimizerRace.of_regularizers([4], X, Y - 1)
    with pytest.raises(ValueError, match=r"X must be an array of shape \(rows, features\)"):
        OptimizerRace.of_regularizers([4], X[:, 0], Y)
    with pytest.raises(ValueError, match="epochs must be an integer >= 1"):
        OptimizerRace.from_training(network(), SGD(0.1), X, Y, epochs=0)
    with pytest.raises(ValueError, match="batch_size must be an integer >= 1"):
        OptimizerRace.from_training(network(), SGD(0.1), X, Y, batch_size=None)


# --- sweeps ---


class Known(BaseEstimator):
    """An estimator whose scores are known: of the rate, the units, the seed and the rows."""

    fits: list = []  # noqa: RUF012 - all fits of a test, in their order

    def __init__(self, rate, units, seed):
        self.rate, self.units, self.seed = rate, units, seed

    def fit(self, X, y):
        self.fits.append((self.rate, self.units, self.seed, X[:, 0].tolist()))
        self.rows_ = len(X)
        return self

    def score(self, X, y):
        return 1 - self.rate / 10 - self.seed / 100 - len(X) / 10_000


@pytest.fixture
def fits():
    Known.fits.clear()
    return Known.fits


@pytest.mark.parametrize(("constant", "units"), [("n", (40, 40, 40)), ("pn", (40, 80, 200))])
def test_a_sweep_over_rates_keeps_n_or_pn(fits, constant, units):
    rates, seeds = [0.0, 0.5, 0.8], (0, 2)
    shown = RateSweep.from_training(
        Known, X, Y, HELD, rates=rates, units=40, constant=constant, seeds=seeds
    )
    assert [fit[:3] for fit in fits] == [
        (rate, n, seed) for rate, n in zip(rates, units, strict=True) for seed in seeds
    ]
    for line, rows in zip(shown.ax_.lines[:1], (30,), strict=True):
        assert_array_equal(line.get_xdata(), rates)
        assert_allclose(line.get_ydata(), np.array(rates) / 10 + 0.01 + rows / 10_000)
    assert_allclose(shown.errors["training"] - shown.errors["test"], 0.003)


def test_a_sweep_over_sizes_takes_the_first_rows_of_one_order(fits):
    sizes = [5, 20, 60]
    shown = RateSweep.from_sizes(Known, X, Y, HELD, sizes=sizes, units=40, seeds=(1,))
    assert list(shown.errors) == ["without dropout", "dropout 0.5"]
    rows = [fit[3] for fit in fits[:3]]
    assert [len(each) for each in rows] == sizes
    assert rows[2][:20] == rows[1]
    assert rows[1][:5] == rows[0]
    assert sorted(rows[2]) == sorted(X[:, 0])
    assert [fit[3] for fit in fits[3:]] == rows
    assert (shown.ax_.get_xscale(), shown.ax_.get_yscale()) == ("log", "log")
    none_wrong = RateSweep(sizes, {"a": [0.5, 0.1, 0.0]}, "training rows").plot()
    assert none_wrong.ax_.get_yscale() == "linear"


def test_sizes_rates_and_seeds_may_come_one_by_one(fits):
    def three(values):
        return (value for value in values)

    settings = {"sizes": three([5, 9]), "rates": three([0.1, 0.2]), "seeds": three([3])}
    shown = RateSweep.from_sizes(Known, X, Y, HELD, units=2, **settings)
    assert_array_equal(shown.x, [5, 9])
    assert [(fit[0], fit[2], len(fit[3])) for fit in fits] == [
        (0.1, 3, 5),
        (0.1, 3, 9),
        (0.2, 3, 5),
        (0.2, 3, 9),
    ]
    swept = RateSweep.from_training(Known, X, Y, HELD, rates=three([0.1, 0.3]), units=2)
    assert_array_equal(swept.x, [0.1, 0.3])


def test_targets_go_with_their_rows():
    class Checked(Known):
        def fit(self, X, y):
            assert_array_equal(y, (X[:, 0] * X[:, 1] > 0).astype(int))
            return super().fit(X, y)

    RateSweep.from_sizes(Checked, X, Y, HELD, sizes=[7], units=1)


def test_thinnets_estimators_are_swept():
    def make(rate, units, seed):
        return MLPClassifier((units,), dropout=rate, max_iter=5, random_state=seed)

    shown = RateSweep.from_training(make, X, Y, HELD, rates=[0, 0.9], units=8)
    model = make(0.9, 8, 0).fit(X, Y)
    assert shown.errors["test"][1, 0] == pytest.approx(1 - model.score(*HELD))
    assert shown.errors["training"][1, 0] == pytest.approx(1 - model.score(X, Y))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rates": [1.0]}, r"each of rates must be a number in \[0, 1\), got 1.0"),
        ({"rates": []}, "rates must be a sequence of at least one number"),
        ({"units": 0}, "units must be an integer >= 1"),
        ({"constant": "p"}, "constant must be 'n' or 'pn'"),
        ({"seeds": [-1]}, "each of seeds must be an integer >= 0"),
        ({"test": X}, r"test must be a pair \(X, y\), got 'ndarray'"),
        ({"make": 3}, "make must be a callable of rate, units and seed, got 3"),
        ({"make": lambda *_: 3}, "what make returns must be one that has fit, got 3"),
    ],
)
def test_bad_settings_of_a_sweep_are_refused(settings, message):
    given = {"make": Known, "test": HELD, "rates": [0.5], "units": 4} | settings
    with pytest.raises(ValueError, match=message):
        RateSweep.from_training(given.pop("make"), X, Y, given.pop("test"), **given)


def test_sizes_beyond_the_rows_are_refused():
    with pytest.raises(ValueError, match="each of sizes must be an integer from 1 to 60, got 61"):
        RateSweep.from_sizes(Known, X, Y, HELD, sizes=[61], units=4)


def test_all_are_readable_and_names_are_text():
    many = [f"a curve with a name {i}" for i in range(5)]
    for names in (ODD_NAMES, many):
        curves = {name: np.array([0.3, 0.2, 0.1]) for name in names}
        for shown in (
            OptimizerRace(np.arange(3), curves, curves).plot(),
            RateSweep([0, 0.5, 0.9], curves).plot(),
            RateSweep([100, 10_000, 50_000], curves, "training rows").plot(),
        ):
            assert_readable_at_80_mm(shown.figure_)
            assert_shown_as_text(shown.figure_, names)


def test_they_go_on_axes_of_ones_own():
    figure, axes = plt.subplots(1, 2)
    curves = {"a": np.array([0.3, 0.2])}
    assert RateSweep([0, 0.5], curves).plot(axes[0]).figure_ is figure
    assert OptimizerRace([0, 1], curves).plot(axes[:1]).figure_ is figure
    with pytest.raises(ValueError, match="axes must be 1, one a panel, got 2"):
        OptimizerRace([0, 1], curves).plot(axes)
