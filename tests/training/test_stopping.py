"""Early stopping: when it stops, and which weights it leaves."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from thinnet import (
    SGD,
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    EarlyStopping,
    GaussianNLL,
    Network,
    ReLU,
    SquaredError,
    train,
)
from thinnet.training.stopping import Waiting


def stopped_at(rule, losses, scores=None):
    """The evaluation after which `rule` stops (None: never), and the best one so far."""
    state = Waiting()
    scores = losses if scores is None else scores
    for epoch, (loss, score) in enumerate(zip(losses, scores, strict=True)):
        state = rule.after(state, epoch, loss, score)
        if rule.is_over(state):
            return epoch, state.epoch
    return None, state.epoch


RULES = {
    "falling": ({"patience": 1}, [3, 2, 1], (None, 2)),
    "one worse": ({"patience": 1}, [3, 2, 2.5, 1], (2, 1)),
    "patient": ({"patience": 2}, [3, 2, 2.5, 1], (None, 3)),
    "equal is not better": ({"patience": 2}, [2, 2, 2], (2, 0)),
    "too little is not better": ({"patience": 2, "min_delta": 0.5}, [2, 1.6, 1.5], (2, 0)),
    "enough together": ({"patience": 3, "min_delta": 0.5}, [2, 1.6, 1.4], (None, 2)),
    "negative and falling": ({"patience": 1, "min_delta": 0.1}, [-1, -2, -3], (None, 2)),
    "negative and rising": ({"patience": 1, "min_delta": 0.1}, [-100, -99.5], (1, 0)),
    "negative and slow": ({"patience": 1, "min_delta": 0.1}, [-100, -100.05], (1, 0)),
    "infinite at first": ({"patience": 2}, [math.inf, 5, 4], (None, 2)),
    "NaN at first": ({"patience": 2}, [math.nan, 5, 4, 3], (None, 3)),
    "NaN between": ({"patience": 3}, [5, math.nan, 4, 3], (None, 3)),
}


@pytest.mark.parametrize(("settings", "losses", "wanted"), RULES.values(), ids=RULES)
def test_training_stops_after_so_many_evaluations_without_a_better_loss(settings, losses, wanted):
    assert stopped_at(EarlyStopping(**settings), losses) == wanted


@pytest.mark.parametrize(("settings", "losses", "wanted"), RULES.values(), ids=RULES)
def test_a_score_is_better_where_it_is_larger(settings, losses, wanted):
    scores = [-loss for loss in losses]
    rule = EarlyStopping(**settings, monitor="score")
    assert stopped_at(rule, [0.0] * len(scores), scores) == wanted


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"patience": 0}, "patience must be an integer >= 1, got 0"),
        ({"patience": 2.5}, "patience must be an integer >= 1, got 2.5"),
        ({"min_delta": -0.1}, "min_delta must be a finite number >= 0, got -0.1"),
        ({"min_delta": math.nan}, "min_delta must be a finite number >= 0, got nan"),
        ({"monitor": "accuracy"}, "monitor must be 'loss' or 'score', got 'accuracy'"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("untyped")
def test_a_setting_out_of_its_range_is_refused(settings, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        EarlyStopping(**settings)


# --- in training: validation losses that the test dictates ---------------------------------------


class Dictate:
    """Set the only parameter that counts, so that the validation loss is what we want."""

    def __init__(self, biases):
        self.biases = biases

    def on_step_end(self, training):
        training.network.theta[-1] = self.biases[training.epoch]


def dictated(losses, rule, **settings):
    """Train a network whose squared validation error is ``losses[epoch]``."""
    net = Network([Dense(1)], features=1, seed=0, dtype=np.float64)
    zeros = np.zeros((4, 1))
    history = train(
        net,
        zeros,
        np.arange(4.0),
        loss=SquaredError(),
        optimizer=SGD(0.0),
        epochs=len(losses),
        batch_size=None,
        validation=(zeros, np.zeros(4)),
        early_stopping=rule,
        callbacks=[Dictate(np.sqrt(losses))],
        progress=False,
        **settings,
    )
    return net, history


LOSSES = [9.0, 4.0, 1.0, 2.25, 6.25, 0.25, 0.0]


@pytest.mark.parametrize(
    ("patience", "best", "epochs"), [(1, 2, 4), (2, 2, 5), (3, 6, 7), (9, 6, 7)]
)
def test_the_best_weights_are_put_back(patience, best, epochs):
    net, history = dictated(LOSSES, EarlyStopping(patience))
    assert net.theta[-1] ** 2 == LOSSES[best]
    assert (history.best_epoch, len(history)) == (best, epochs)
    assert_allclose(history["validation_loss"], LOSSES[:epochs])


def test_the_reason_to_stop_is_in_the_history():
    _, history = dictated(LOSSES, EarlyStopping(2))
    assert history.stopped == "no better validation loss in 2 evaluations"


def test_patience_counts_evaluations():
    _, history = dictated([4.0, 1.0, 4.0, 4.0, 4.0, 4.0, 4.0], EarlyStopping(2), evaluate_every=2)
    assert (history.best_epoch, len(history)) == (1, 6)


def test_the_score_is_watched_where_it_is_asked_for():
    X, y = np.eye(4), np.arange(4)
    net = Network([Dense(4)], features=4, seed=0, dtype=np.float64)
    hits = [1, 3, 2, 2]

    class Guess:
        def on_step_end(self, training):
            z = training.network.sites[0].p.W
            z[...] = -np.eye(4)
            z[np.arange(4), np.arange(4)] += 1000.0 * (np.arange(4) < hits[training.epoch])

    history = train(
        net,
        X,
        y,
        optimizer=SGD(0.0),
        epochs=4,
        validation=(X, y),
        early_stopping=EarlyStopping(2, monitor="score"),
        callbacks=[Guess()],
        progress=False,
    )
    assert_array_equal(history["validation_score"], [0.25, 0.75, 0.5, 0.5])
    assert history.best_epoch == 1
    assert (net.outputs(X).argmax(axis=1) == y).mean() == 0.75


@pytest.mark.parametrize("share", [None, "batch"])
def test_running_statistics_come_back_with_the_weights(share):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 5)), rng.integers(3, size=40)
    chain = [Dense(8), BatchNorm(), ReLU(), Dropout(0.3, share=share), Dense(3)]
    net = Network(chain, features=5, seed=1, dtype=np.float64)
    kept = []

    class Keep:
        def on_epoch_end(self, training):
            kept.append((training.network.theta.copy(), training.network.state.copy()))

    history = train(
        net,
        X,
        y,
        optimizer=Adam(0.05),
        epochs=40,
        batch_size=8,
        validation=(X[::-1] + 0.5, y),
        early_stopping=EarlyStopping(3),
        callbacks=[Keep()],
        progress=False,
    )
    assert 0 <= history.best_epoch < len(history) - 1
    assert history.best_epoch == np.argmin(history["validation_loss"])
    assert_array_equal(net.theta, kept[history.best_epoch][0])
    assert_array_equal(net.state, kept[history.best_epoch][1])
    outputs = net.outputs(X[::-1] + 0.5)
    lowest = history["validation_loss"].min()
    z = outputs - outputs.max(axis=1, keepdims=True)
    assert_allclose((np.log(np.exp(z).sum(1)) - z[np.arange(40), y]).mean(), lowest)


def test_a_worse_negative_loss_is_not_taken_for_a_better_one():
    """A density can have a negative loss; -2 is better than -1.9, whatever min_delta is."""
    net = Network([Dense(2)], features=1, seed=0, dtype=np.float64)
    zeros, log_variances = np.zeros((4, 1)), [-6.0, -5.9, -5.8, -5.7]
    history = train(
        net,
        zeros,
        zeros,
        loss=GaussianNLL(),
        optimizer=SGD(0.0),
        epochs=4,
        batch_size=None,
        validation=(zeros, zeros),
        early_stopping=EarlyStopping(2, min_delta=0.01),
        callbacks=[Dictate(log_variances)],
        progress=False,
    )
    assert (history["validation_loss"] < 0).all()
    assert (history.best_epoch, len(history)) == (0, 3)


def test_early_stopping_needs_validation():
    net = Network([Dense(1)], features=1, seed=0)
    with pytest.raises(ValueError, match=r"^early_stopping needs validation data, got .*None$"):
        train(net, np.zeros((4, 1)), np.zeros(4), early_stopping=EarlyStopping())


def test_without_early_stopping_the_last_weights_stay():
    net, history = dictated(LOSSES[:5], None)
    assert net.theta[-1] ** 2 == LOSSES[4]
    assert history.best_epoch == -1


def test_stopping_for_another_reason_puts_the_best_weights_back_too():
    class Stop:
        def on_epoch_end(self, training):
            return "enough" if training.epoch == 4 else None

    net = Network([Dense(1)], features=1, seed=0, dtype=np.float64)
    zeros = np.zeros((4, 1))
    history = train(
        net,
        zeros,
        np.zeros(4),
        optimizer=SGD(0.0),
        epochs=7,
        validation=(zeros, np.zeros(4)),
        early_stopping=EarlyStopping(5),
        callbacks=[Dictate(np.sqrt(LOSSES)), Stop()],
        progress=False,
    )
    assert (history.stopped, history.best_epoch) == ("enough", 2)
    assert net.theta[-1] ** 2 == LOSSES[2]


class WorstError:
    """A metric: minus the largest absolute error, over the weight of all rows."""

    score_name = "worst error"

    def __repr__(self):
        return "WorstError()"

    def score(self, outputs, targets, weights=None):
        return -float(np.abs(outputs - targets).max()) / (1.0 if weights is None else weights.sum())


@pytest.mark.parametrize("executor", ["compiled", "reference"])
def test_a_metric_is_watched_in_place_of_the_losss_own_score(executor, tmp_path):
    rng = np.random.default_rng(0)
    X, y, held = rng.normal(size=(60, 3)), rng.normal(size=60), rng.normal(size=(20, 3))
    held_y, weights = rng.normal(size=20), np.full(20, 2.0)

    def trained(epochs, **settings):
        layers = [Dense(8), ReLU(), Dropout(0.5), Dense(1)]
        network = Network(layers, features=3, seed=0, dtype="float64", executor=executor)
        history = train(
            network, X, y, epochs=epochs, batch_size=20, optimizer=SGD(0.1),
            validation=(held, held_y, weights),
            early_stopping=EarlyStopping(8, monitor=WorstError()), **settings,
        )  # fmt: skip
        return network, history

    network, history = trained(60)
    scores = history["validation_score"]
    assert history.score_name == "worst error"
    assert history.best_epoch == scores.argmax() != history["validation_loss"].argmin()
    assert history.stopped == "no better validation worst error in 8 evaluations"
    worst = -np.abs(network.outputs(held)[:, 0] - held_y).max() / 40
    assert scores.max() == pytest.approx(worst)
    clean = history["clean_score"][history.best_epoch]
    assert clean == pytest.approx(-np.abs(network.outputs(X)[:, 0] - y).max())
    trained(3, checkpoint=tmp_path / "c")
    again, _ = trained(60, checkpoint=tmp_path / "c", resume=True)
    assert_array_equal(again.theta, network.theta)
