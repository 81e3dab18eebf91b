"""Kinds of dropout in perceptrons: each trains, draws and is saved; streams keep their numbers."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import thinnet
from thinnet import (
    ConcreteDropout,
    Dense,
    DropConnect,
    Dropout,
    FixedMasks,
    GaussianDropout,
    MLPClassifier,
    MLPRegressor,
    Network,
    keep_mask,
    mlp,
)
from thinnet.layers.mlp import KINDS
from thinnet.training.penalties import penalty_value

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, (300, 3))
Y = X[:, 0] * X[:, 1] + 0.1 * RNG.normal(size=300)
CLASSES = np.array(["low", "middle", "high"])[(Y > -0.5).astype(int) + (Y > 0.5)]
SMALL = {"hidden_layer_sizes": (24, 12), "dropout": 0.1, "random_state": 0, "max_iter": 60}
SOLVER = {"learning_rate_init": 0.01, "precision": 100.0}
TYPES = {
    "bernoulli": Dropout, "gaussian": GaussianDropout, "fixed": FixedMasks,
    "dropconnect": DropConnect, "concrete": ConcreteDropout,
}  # fmt: skip


def regressor(kind, **settings):
    return MLPRegressor(**(SMALL | SOLVER | {"dropout_kind": kind} | settings))


@pytest.fixture(scope="module", params=KINDS)
def fitted(request):
    return regressor(request.param, input_dropout=0.05).fit(X, Y)


def test_every_kind_learns_and_its_draws_differ(fitted):
    assert fitted.score(X, Y) > 0.7
    found = fitted.uncertainty(X, 20)
    assert (found.epistemic > 0).mean() > 0.95
    assert [W.shape for W in fitted.coefs_] == [(3, 24), (24, 12), (12, 1)]
    assert [b.shape for b in fitted.intercepts_] == [(24,), (12,), (1,)]
    kind = TYPES[fitted.dropout_kind]
    assert sum(isinstance(layer, kind) for layer in fitted.network_.layers) == 3


def test_every_kind_is_saved_with_its_draws(fitted, tmp_path):
    thinnet.save(fitted, tmp_path / "m.thinnet")
    loaded = thinnet.load(tmp_path / "m.thinnet")
    assert_array_equal(loaded.sample(X, 6), fitted.sample(X, 6))
    assert_array_equal(loaded.predict(X), fitted.predict(X))
    assert loaded.get_params() == fitted.get_params()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_classes(kind):
    model = MLPClassifier(**SMALL, dropout_kind=kind, learning_rate_init=0.01).fit(X, CLASSES)
    assert model.score(X, CLASSES) > 0.75
    found = model.uncertainty(X, 20)
    assert found.mutual_information.mean() > 1e-4
    assert_allclose(found.probabilities.sum(axis=1), 1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_goes_with_batch_norm(kind):
    with warnings.catch_warnings():  # of an order of layers that is meant here
        warnings.simplefilter("ignore", UserWarning)
        model = regressor(kind, batch_norm=True).fit(X, Y)
    assert model.score(X, Y) > 0.7
    assert model.sample(X, 3).std(axis=0).mean() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_first_weights_are_the_same_for_all_kinds(kind):
    before = regressor(kind, max_iter=1, learning_rate_init=1e-300).fit(X, Y)
    plain = regressor("bernoulli", max_iter=1, learning_rate_init=1e-300).fit(X, Y)
    for mine, yours in zip(before.coefs_, plain.coefs_, strict=True):
        assert_array_equal(mine, yours)


# --- chains --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("off", [0, 1, 2])
def test_a_rate_of_zero_leaves_the_streams_of_the_others_as_they_are(kind, off):
    """Stream 0 is the input's, i + 1 that of what follows hidden layer i (docs/masks.md)."""
    rates = [0.2, 0.3, 0.4]
    rates[off] = 0.0
    layers = mlp([5, 4], 2, input_dropout=rates[0], dropout=rates[1:], kind=kind)
    network = Network(layers, 3, seed=1)
    ordinals = {
        layer.rate: site.ordinal
        for layer, site in network.places()
        if isinstance(layer, TYPES[kind]) and layer.rate > 0
    }
    assert ordinals == {rate: i for i, rate in enumerate([0.2, 0.3, 0.4]) if i != off}


@pytest.mark.parametrize("kind", ["bernoulli", "dropconnect", "fixed", "concrete"])
def test_masks_of_every_kind_are_those_of_the_specification(kind):
    model = regressor(kind, dropout=(0, 0.5), max_iter=1).fit(X, Y)
    kept = model.masks(3, [0, 1, 2], purpose="predict")
    assert list(kept) == [0, 1, 2]
    assert kept[0].all()
    assert kept[1].all()
    coordinates = {"seed": 0, "purpose": "predict", "layer": 2, "step": 3}
    rate = 0.5
    if kind == "concrete":
        rate = model.network_.layers[-1].learned_rate(model.network_.sites[-1])
    own = kind in ("bernoulli", "concrete")
    rows = {"samples": [0, 1, 2]} if own else {"share": "batch"}
    units = 12  # the last hidden layer's; of weights as many, for there is one output
    expected = keep_mask(**coordinates, **rows, units=units, rate=rate)
    assert_array_equal(kept[2], np.broadcast_to(expected, kept[2].shape))


def test_gaussian_dropout_has_no_masks_to_show():
    model = regressor("gaussian", max_iter=1).fit(X, Y)
    with pytest.raises(ValueError, match="must have layers that drop units, got Gaussian"):
        model.masks(0, [0])


def test_the_draws_of_fixed_masks_repeat():
    model = regressor("fixed", n_masks=3).fit(X, Y)
    drawn = model.sample(X, 7)
    assert_array_equal(drawn[:3], drawn[3:6])
    assert len(np.unique(drawn[:, 0, 0])) == 3


# --- learned rates -------------------------------------------------------------------------------

TARGETS = {
    "squared_error": (regressor, {"precision": 25.0}, np.column_stack([Y, -Y])),
    "gaussian_nll": (regressor, {"loss": "gaussian_nll"}, np.column_stack([Y, -Y])),
    "softmax": (None, {}, CLASSES),
    "one of two": (None, {}, Y > 0),
}


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_penalties_of_learned_rates_are_those_of_the_paper(name, early_stopping):
    """ConcreteDropout's own table, by N rows, D targets, the length scale l and tau; what is
    descended is `loss_factor` times the mean loss, and the penalty with it."""
    make, settings, y = TARGETS[name]
    settings = settings | {"alpha": 0.5, "early_stopping": early_stopping, "max_iter": 2}
    if make is None:
        model = MLPClassifier(**(SMALL | settings), dropout_kind="concrete").fit(X, y)
    else:
        model = make("concrete", **settings).fit(X, y)
    n = 270 if early_stopping else 300
    factor, weight, rate = {
        "squared_error": (2 / 2, 0.5 * 25 / (25 * n * 2), 2 / (25 * n * 2)),  # l^2 is alpha tau
        "gaussian_nll": (2, 0.5 / (2 * n * 2), 1 / (n * 2)),
        "softmax": (1, 0.5 / (2 * n), 1 / n),
        "one of two": (1, 0.5 / (2 * n), 1 / n),
    }[name]
    wrapped = [a for a in model.network_.layers if isinstance(a, ConcreteDropout)]
    assert len(wrapped) == 2
    for layer in wrapped:
        assert layer.weight_penalty == pytest.approx(factor * weight)
        assert layer.rate_penalty == pytest.approx(factor * rate)
        assert layer.dense.l2 == 0
    first = next(a for a in model.network_.layers if isinstance(a, Dense))
    assert first.l2 == pytest.approx(0.5 / (2 * n))  # its rate is 0
    if not early_stopping:  # which restores the weights of the best epoch
        assert model.history_.last.penalty == pytest.approx(penalty_value(model.network_))


def test_a_step_adds_the_whole_penalty_whatever_the_rows_of_a_batch():
    """One step of plain descent, against one without penalties."""
    settings = {"solver": "sgd", "momentum": 0, "learning_rate_init": 0.1, "max_iter": 1}
    settings |= {"dropout": 0.5, "alpha": 40.0, "batch_size": 300, "shuffle": False}
    model = regressor("concrete", **settings).fit(X, Y)
    none = regressor("concrete", **(settings | {"alpha": 0.0})).fit(X, Y)
    start = regressor("concrete", **(settings | {"learning_rate_init": 1e-300})).fit(X, Y)
    for i, kept in enumerate([1.0, 0.5, 0.5]):  # alpha sum W^2 / (2 N (1 - p)) by W
        slope = 40 / 300 * start.coefs_[i] / kept
        assert_allclose(model.coefs_[i], none.coefs_[i] - 0.1 * slope, rtol=1e-9, atol=1e-12)


def test_more_data_lowers_the_learned_rate():
    """After as many steps with batches of one size: the entropy's share of the loss is 1 / N."""
    rng = np.random.default_rng(1)
    data = rng.uniform(-2, 2, (2000, 1))
    y = np.sin(2 * data[:, 0]) + 0.5 * rng.normal(size=2000)
    settings = {"hidden_layer_sizes": (24,), "dropout": 0.2, "precision": 4.0, "batch_size": 40}
    learned = []
    for rows in (40, 2000):
        steps = {"max_iter": 10_000 // rows, "n_iter_no_change": np.inf}
        model = regressor("concrete", **settings, **steps).fit(data[:rows], y[:rows])
        learned.append(model.network_.layers[-1].learned_rate(model.network_.sites[-1]))
    assert learned[1] < 0.5 * learned[0]


def test_describe_shows_the_learned_rate(capsys):
    model = regressor("concrete", max_iter=3).fit(X, Y)
    rate = model.network_.layers[-1].learned_rate(model.network_.sites[-1])
    assert rate != 0.1
    model.network_.describe()
    assert f"{rate:g}" in capsys.readouterr().out


def test_partial_fit_learns_rates_as_for_the_rows_of_its_first_call():
    model = regressor("concrete").partial_fit(X[:50], Y[:50]).partial_fit(X, Y)
    assert model.network_.layers[-1].rate_penalty == pytest.approx(1 / (100 * 50))


WRONG = {
    "kind": ({"dropout_kind": "alpha"}, "dropout_kind must be 'bernoulli' or 'gaussian'"),
    "masks": ({"dropout_kind": "fixed", "n_masks": 1}, "n_masks must be an integer >= 2, got 1"),
    "gaussian": ({"dropout_kind": "gaussian", "dropout": 1.0}, r"dropout .* \[0, 1\), got 1.0"),
    "concrete": ({"dropout_kind": "concrete", "input_dropout": 1}, r"input_dropout .*\[0, 1\)"),
    "lbfgs": ({"dropout_kind": "fixed", "solver": "lbfgs"}, "with dropout, which lbfgs can't"),
    "adamw": ({"dropout_kind": "concrete", "solver": "adamw"}, "solver must be .*, got 'adamw'"),
    "precision": (
        {"dropout_kind": "concrete", "precision": None},
        r"precision must be a number > 0 .*\(or loss='gaussian_nll'.*, got None",
    ),
    **{
        kind: (
            {"dropout_kind": kind, "dropout_share": "batch"},
            f"dropout_share must be None for the kind '{kind}' of dropout, got 'batch'",
        )
        for kind in ("fixed", "dropconnect")
    },
}


@pytest.mark.parametrize(("settings", "message"), WRONG.values(), ids=WRONG)
def test_what_a_kind_cannot_do_is_refused_in_one_sentence(settings, message):
    with pytest.raises(ValueError, match=message):
        MLPRegressor(**(SMALL | SOLVER | settings)).fit(X, Y)


def test_a_chain_of_an_unknown_kind_is_refused(untyped):
    with pytest.raises(ValueError, match="kind must be 'bernoulli' or"):
        mlp([3], 1, kind="alpha")
    with pytest.raises(ValueError, match="share must be None for the kind 'concrete'"):
        mlp([3], 1, kind="concrete", share="batch")


@pytest.mark.parametrize("share", [None, "batch"])
def test_the_default_kind_is_the_chain_it_has_always_been(share):
    layers = mlp([5, 4], 2, dropout=[0.2, 0.0], input_dropout=0.1, share=share, l2=0.3)
    relu = thinnet.ReLU()
    assert layers == [
        Dropout(0.1, share), Dense(5, l2=0.3), relu, Dropout(0.2, share), Dense(4, l2=0.3), relu,
        Dropout(0.0, share), Dense(2, l2=0.3),
    ]  # fmt: skip
