"""A training that goes step by step is the one that goes to its end; settings may change."""

import signal

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import thinnet
from thinnet import (
    SGD,
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    EarlyStopping,
    Network,
    ReLU,
    Training,
    keep_mask,
    snapshots,
    train,
)
from thinnet.training.history import COLUMNS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 6))
Y = RNG.integers(3, size=90)
SETTINGS = {"epochs": 6, "batch_size": 20}  # 5 steps an epoch
EXECUTORS = ["compiled", "reference"]


def network(rate=0.3, l2=0.0, executor=None):
    layers = [Dense(16, l2=l2), BatchNorm(), ReLU(), Dropout(rate), Dense(3)]
    return Network(layers, features=6, seed=1, executor=executor)


def in_pieces(training, *pieces):
    return [training.advance(n) for n in pieces]


class From:
    """One value before a step, another from it on."""

    def __init__(self, step, before, after):
        self.step, self.before, self.after = step, before, after

    def at(self, step):
        return self.before if step < self.step else self.after


def assert_same_weights(one, other):
    assert_array_equal(one.theta, other.theta)
    assert_array_equal(one.state, other.state)


def assert_same(one, other):
    assert_same_weights(one, other)
    for step in range(one.clock.step):
        assert_array_equal(one.rows(step), other.rows(step))


@pytest.mark.parametrize("pieces", [[1] * 30, [7, 13, 10], [5, 25], [29, 5], [100]], ids=str)
@pytest.mark.parametrize("executor", EXECUTORS)
def test_the_pieces_in_which_it_goes_make_no_difference(pieces, executor):
    whole, parts = network(executor=executor), network(executor=executor)
    history = train(whole, X, Y, **SETTINGS, validation=(X, Y))
    training = Training(parts, X, Y, **SETTINGS, validation=(X, Y))
    reasons = in_pieces(training, *pieces)
    assert reasons[-1] == history.stopped == training.history.stopped
    assert set(reasons[:-1]) <= {""}
    assert_same(parts, whole)
    for column in set(COLUMNS) - {"seconds"}:
        assert_array_equal(training.history[column], history[column])


def test_a_training_that_has_ended_takes_no_step_more():
    net = network()
    training = Training(net, X, Y, **SETTINGS)
    training.finish()
    theta = net.theta.copy()
    assert training.advance(3) == "all epochs done"
    assert training.finish() is training.history
    assert_array_equal(net.theta, theta)


def test_early_stopping_puts_the_best_weights_back_when_it_ends():
    settings = {"epochs": 200, "validation": (X[:30], Y[:30]), "early_stopping": EarlyStopping(3)}
    whole, parts = network(), network()
    history = train(whole, X[30:], Y[30:], **settings)
    training = Training(parts, X[30:], Y[30:], **settings)
    while not (reason := training.advance(4)):
        pass
    assert reason == history.stopped
    assert training.history.best_epoch == history.best_epoch
    assert_array_equal(parts.theta, whole.theta)


class StopAt:
    """Ctrl-C, or a callback's own reason, after some step."""

    def __init__(self, step, why):
        self.step, self.why = step, why

    def on_step_end(self, training):
        if training.t == self.step:
            return signal.raise_signal(signal.SIGINT) if self.why == "interrupted" else self.why
        return None


def overfitting(why=None, path=None):
    """A training whose best epoch is long past at step 58."""
    noise = {
        "validation": (X[:30], 2 - Y[:30]),
        "early_stopping": EarlyStopping(99, monitor="loss"),
    }
    stops = [] if why is None else [StopAt(58, why)]
    settings = {"epochs": 30, "batch_size": 20, "checkpoint": path, "callbacks": stops}
    return Training(network(), X[30:], Y[30:], optimizer=Adam(0.02), **noise, **settings)


GO_ON = {"finish": lambda training: training.finish().stopped, "advance": lambda t: t.advance(1000)}


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("go", GO_ON.values(), ids=GO_ON)
@pytest.mark.parametrize("why", ["interrupted", "seen enough"])
def test_whatever_stops_a_training_leaves_the_best_weights_and_a_checkpoint(go, why, tmp_path):
    training, wanted = overfitting(why, tmp_path / "run.ckpt"), overfitting()
    assert go(training) == why
    best = training.history.best_epoch
    assert 0 <= best < training.epoch - 1
    wanted.advance(3 * (best + 1))
    assert_same_weights(training.network, wanted.network)
    assert snapshots.read(tmp_path / "run.ckpt").values["t"] == 58


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("go", GO_ON.values(), ids=GO_ON)
def test_what_was_interrupted_goes_on_as_if_it_had_not_been(go):
    training, wanted = overfitting("interrupted"), overfitting()
    assert go(training) == "interrupted"
    training.advance(1)
    assert training.history.stopped == ""
    wanted.advance(59)
    assert_same_weights(training.network, wanted.network)
    assert go(training) == go(wanted)
    assert_same_weights(training.network, wanted.network)


def test_rows_are_known_in_the_middle_of_an_epoch_and_after_another_training():
    net = network()
    first = Training(net, X, Y, **SETTINGS)
    first.advance(3)
    wanted = [net.rows(step).tolist() for step in range(3)]
    train(net, X[:40], Y[:40], epochs=1, batch_size=20)
    assert [net.rows(step).tolist() for step in range(3)] == wanted
    assert net.rows(3).max() < 40


def test_a_training_does_not_go_on_behind_the_steps_of_another():
    net = network()
    first = Training(net, X, Y, **SETTINGS)
    first.advance(4)
    train(net, X[:40], Y[:40], epochs=1, batch_size=20)
    rows = [net.rows(step).tolist() for step in range(6)]
    with pytest.raises(ValueError, match="must stand at step 4, where this training left it, got"):
        first.advance(2)
    assert [net.rows(step).tolist() for step in range(6)] == rows


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_changed_rate_is_a_schedule_that_steps(executor):
    changed, scheduled = network(executor=executor), network(From(8, 0.3, 0.6), executor=executor)
    training = Training(changed, X, Y, **SETTINGS)
    training.advance(8)
    training.change("rate", 0.6)
    training.finish()
    train(scheduled, X, Y, **SETTINGS)
    assert_same(changed, scheduled)
    assert changed.layers[3] == Dropout(0.6)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_changed_learning_rate_is_a_schedule_that_steps(executor):
    changed, scheduled = network(executor=executor), network(executor=executor)
    training = Training(changed, X, Y, **SETTINGS, optimizer=Adam(0.01))
    training.advance(8)
    training.change("learning_rate", 0.002)
    assert training.learning_rate == 0.002
    history = training.finish()
    train(scheduled, X, Y, **SETTINGS, optimizer=Adam(From(8, 0.01, 0.002)))
    assert_same(changed, scheduled)
    assert [tuple(change) for change in history.changes] == [(8, -1, "learning_rate", 0.01, 0.002)]


def test_a_changed_penalty_acts_from_the_next_step_on_in_both_executors():
    found = []
    for executor in EXECUTORS:
        net = network(executor=executor)
        training = Training(net, X, Y, **SETTINGS, optimizer=SGD(0.1))
        training.advance(10)
        training.change("l2", 0.5, layer=0)
        training.finish()
        found.append(net.theta)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-5)
    without = network()
    train(without, X, Y, **SETTINGS, optimizer=SGD(0.1))
    assert np.linalg.norm(found[0][:96]) < 0.6 * np.linalg.norm(without.theta[:96])


@pytest.mark.parametrize("through_a_file", [False, True])
def test_masks_of_earlier_steps_are_those_of_the_rates_then(through_a_file, tmp_path):
    net = network()
    training = Training(net, X, Y, **SETTINGS)
    for rate in (0.5, 0.1):
        training.advance(5)
        training.change("rate", rate)
    training.advance(5)
    if through_a_file:
        thinnet.save(net, tmp_path / "net.thinnet")
        net = thinnet.load(tmp_path / "net.thinnet")
    for step, rate in ((4, 0.3), (5, 0.5), (9, 0.5), (10, 0.1), (14, 0.1)):
        rows = net.rows(step)
        wanted = keep_mask(seed=1, layer=0, step=step, samples=rows, units=16, rate=rate)
        assert_array_equal(net.masks(step=step, samples=rows)[0], wanted)


def test_a_resumed_training_makes_its_changes_again(tmp_path):
    def changed(net, path, steps, **more):
        training = Training(net, X, Y, **SETTINGS, checkpoint=path, **more)
        if not more:
            training.advance(7)
            training.change("rate", 0.6)
            training.change("learning_rate", 0.004)
        training.advance(steps)
        return training

    whole, half, rest = network(), network(), network()
    wanted = changed(whole, tmp_path / "whole", 100)
    changed(half, tmp_path / "half", 8)  # three epochs are complete
    found = changed(rest, tmp_path / "half", 100, resume=True)
    assert_same(rest, whole)
    assert found.history.changes == wanted.history.changes
    assert rest.changes == whole.changes


class Record:
    def __init__(self, every=None):
        self.steps, self.gradients = [], {}
        if every is not None:
            self.every = every

    def on_step_end(self, training):
        self.steps.append(training.t)
        self.gradients[training.t] = training.network.gradient.copy()


@pytest.mark.parametrize("executor", EXECUTORS)
def test_an_observer_is_called_as_often_as_it_wants_to_be(executor):
    each, seldom, other = Record(), Record(every=7), Record(every=4)
    train(network(executor=executor), X, Y, **SETTINGS, callbacks=[each])
    train(network(executor=executor), X, Y, **SETTINGS, callbacks=[seldom, other])
    assert seldom.steps == [7, 14, 21, 28]
    assert other.steps == [4, 8, 12, 16, 20, 24, 28]
    for record in (seldom, other):
        for t, gradient in record.gradients.items():
            assert_array_equal(gradient, each.gradients[t])


def test_an_observer_that_wants_to_be_called_seldom_cuts_few_calls(monkeypatch):
    from thinnet.training.compiled import CompiledSteps

    calls, take = [], CompiledSteps.take
    monkeypatch.setattr(CompiledSteps, "take", lambda *a: calls.append(take(*a)) or calls[-1])
    train(network(), X, Y, **SETTINGS, callbacks=[Record(every=5)])
    assert sum(calls) == 30
    assert len(calls) < 10


REFUSED = {
    "no such setting": (("units", 3), "setting must be 'rate' or"),
    "no layer has it": (("scale", 3), "setting must be one that a layer of this network has"),
    "this layer has not": (("rate", 0.3, 0), "layer must be one with a rate to change"),
    "no such layer": (("rate", 0.3, 9), "layer must be an integer"),
    "out of range": (("rate", 1.5), "rate must be"),
    "learning rate of a layer": (("learning_rate", 0.1, 0), "layer must be None"),
    "negative learning rate": (("learning_rate", -1), "learning_rate must be"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
@pytest.mark.usefixtures("untyped")
def test_what_cannot_be_changed_is_refused_and_changes_nothing(change, message):
    net = network()
    training = Training(net, X, Y, **SETTINGS)
    with pytest.raises(ValueError, match=message):
        training.change(*change[:2], layer=(*change, None)[2])
    assert net.layers == network().layers
    assert training.history.changes == net.changes == []


@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize("n", [0, -1, 1.5, None])
def test_a_number_of_steps_is_a_positive_integer(n):
    with pytest.raises(ValueError, match="n_steps must be an integer"):
        Training(network(), X, Y).advance(n)
