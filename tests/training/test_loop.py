"""Epochs and steps: what is measured, who is called, what is shown."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_trainings import (
    CLASSES,
    ROWS,
    Recorder,
    layers,
    network,
    numbered_rows,
    problem,
    trained,
)

from thinnet import SGD, Dense, Dropout, ReLU, WeightAverage, train
from thinnet.schedules import InverseTime
from thinnet.schedules.plateau import ReduceOnPlateau


class At:
    """A callback that stops training after some step or epoch."""

    def __init__(self, step=None, epoch=None):
        self.step, self.epoch = step, epoch
        self.steps, self.epochs = [], []

    def on_step_end(self, training):
        self.steps.append(training.t)
        return "this step" if training.t == self.step else None

    def on_epoch_end(self, training):
        self.epochs.append(training.epoch)
        return "this epoch" if training.epoch == self.epoch else None


def test_the_scores_of_a_history_are_weighted_as_the_losses_are():
    X, y = problem()
    weights = np.random.default_rng(1).uniform(0, 2, size=ROWS)
    net = network(layers(rate=0.0))
    z = net.outputs(X)
    history = train(
        net, X, y, optimizer=SGD(0.0), sample_weight=weights, epochs=1, batch_size=8, progress=False
    )
    share = weights / weights.sum()
    each = np.log(np.exp(z).sum(axis=1)) - z[np.arange(ROWS), y]
    hit = z.argmax(axis=1) == y
    assert_allclose([history.last.loss, history.last.score], [share @ each, share @ hit])
    assert_allclose(
        [history.last.clean_loss, history.last.clean_score], [share @ each, share @ hit]
    )


def test_the_clean_score_is_that_of_a_fixed_part_with_dropout_off():
    X, y = numbered_rows()
    recorder, by_hand_scores = Recorder(), []

    class Watch:
        def on_epoch_end(self, training):
            rows = recorder.predicted[-1]
            z = training.network.outputs(X[rows])
            recorder.predicted.pop()
            each = np.log(np.exp(z - z.max(1, keepdims=True)).sum(1)) + z.max(1)
            each -= z[np.arange(len(rows)), y[rows]]
            by_hand_scores.append((each.mean(), (z.argmax(1) == y[rows]).mean()))

    net = network([recorder, *layers()])
    history = train(
        net, X, y, epochs=3, batch_size=8, clean_rows=9, callbacks=[Watch()], progress=False
    )
    clean = np.stack([history["clean_loss"], history["clean_score"]], axis=1)
    assert_allclose(clean, by_hand_scores, rtol=1e-12)
    assert {tuple(rows) for rows in recorder.predicted} == {tuple(recorder.predicted[0])}
    assert len(set(recorder.predicted[0])) == 9


def test_without_clean_rows_there_is_no_clean_score():
    history = train(network(), *problem(), epochs=2, clean_rows=0, progress=False)
    assert np.isnan(history["clean_score"]).all()
    assert np.isfinite(history["score"]).all()


def test_validation_is_measured_with_dropout_off():
    net, held_out = network(), problem(seed=7)
    history = train(net, *problem(), epochs=2, validation=held_out, progress=False)
    z, y = net.outputs(held_out[0]), held_out[1]
    assert history.last.validation_score == (z.argmax(axis=1) == y).mean()
    loss = (np.log(np.exp(z).sum(axis=1)) - z[np.arange(ROWS), y]).mean()
    assert_allclose(history.last.validation_loss, loss)


def test_measuring_changes_nothing_in_training():
    settings = {"validation": problem(seed=7), "clean_rows": 5}
    assert_array_equal(trained(**settings).theta, trained(clean_rows=0).theta)


@pytest.mark.parametrize(("epochs", "measured"), [(6, [2, 5]), (5, [2, 4]), (1, [0])])
def test_scores_are_measured_every_so_many_epochs_and_in_the_last(epochs, measured):
    history = train(
        network(),
        *problem(),
        epochs=epochs,
        evaluate_every=3,
        validation=problem(seed=7),
        progress=False,
    )
    for column in ("clean_loss", "clean_score", "validation_loss", "validation_score"):
        assert_array_equal(np.flatnonzero(np.isfinite(history[column])), measured)
    assert np.isfinite(history["loss"]).all()


def test_a_history_counts_steps_and_epochs_and_knows_the_learning_rates():
    schedule = InverseTime(0.5, decay=1.0)
    history = train(
        network(), *problem(), optimizer=SGD(schedule), epochs=3, batch_size=8, progress=False
    )
    assert_array_equal(history["epoch"], [0, 1, 2])
    assert_array_equal(history["step"], [3, 6, 9])
    assert_allclose(history["learning_rate"], [0.5 / 3, 0.5 / 6, 0.5 / 9])
    assert (history["seconds"] > 0).all()
    assert history.stopped == "all epochs done"


def test_penalties_are_reported_apart_from_the_loss():
    X, y = problem()
    plain = train(network(), X, y, optimizer=SGD(0.0), epochs=1, progress=False).last
    net = network([Dense(7, l1=0.5, bias_l2=2.0), ReLU(), Dropout(0.4), Dense(CLASSES)])
    net.sites[0].p.b[:] = 0.0
    history = train(net, X, y, optimizer=SGD(0.0), epochs=1, progress=False)
    assert history.last.loss == plain.loss
    assert_allclose(history.last.penalty, 0.5 * np.abs(net.sites[0].p.W).sum())
    assert plain.penalty == 0


def test_no_epochs_leave_the_network_as_it_was():
    net = network()
    history = train(net, *problem(), epochs=0, progress=False)
    assert_array_equal(net.theta, network().theta)
    assert (len(history), history.stopped) == (0, "all epochs done")


def test_callbacks_are_called_at_the_ends_of_steps_and_epochs():
    watch = At()
    trained(callbacks=[watch], epochs=2)
    assert (watch.steps, watch.epochs) == ([1, 2, 3, 4, 5, 6], [1, 2])


@pytest.mark.parametrize(
    ("stop", "reason", "steps", "epochs"),
    [
        (At(step=1), "this step", 1, 0),
        (At(step=5), "this step", 5, 1),
        (At(step=6), "this step", 6, 2),
        (At(epoch=2), "this epoch", 6, 2),
    ],
    ids=["first step", "middle", "last step of an epoch", "epoch"],
)
def test_what_a_callback_returns_is_the_reason_to_stop(stop, reason, steps, epochs):
    net = network()
    history = train(net, *problem(), epochs=9, batch_size=8, callbacks=[stop], progress=False)
    assert (history.stopped, net.clock.step, len(history)) == (reason, steps, epochs)


def test_all_callbacks_are_called_also_behind_one_that_stops():
    first, second = At(step=2), At()
    trained(callbacks=[first, second])
    assert second.steps == [1, 2]


def test_a_callback_that_stops_after_the_last_step_of_an_epoch_sees_the_epoch_end():
    stop = At(step=3)
    trained(callbacks=[stop])
    assert stop.epochs == [1]


@pytest.mark.parametrize("column", ["network", "data", "plan", "history", "t", "epoch"])
def test_callbacks_see_the_training_run(column):
    class Watch:
        def on_epoch_end(self, training):
            return f"{column} is there" if hasattr(training, column) else None

    history = train(network(), *problem(), epochs=2, callbacks=[Watch()], progress=False)
    assert history.stopped == f"{column} is there"


def test_a_plateau_cuts_the_learning_rate():
    at_rest = ReduceOnPlateau(1e-30, factor=0.5, patience=2)
    history = train(network(), *problem(), optimizer=SGD(at_rest), epochs=6, progress=False)
    assert_allclose(history["learning_rate"] / 1e-30, [1, 1, 1, 0.5, 0.5, 0.25])


def test_a_plateau_that_watches_nothing_is_refused_or_cuts_nothing():
    rule = SGD(ReduceOnPlateau(0.1, factor=0.5, patience=1))
    try:
        history = train(
            network(), *problem(), optimizer=rule, epochs=5, clean_rows=0, progress=False
        )
    except ValueError:
        return
    assert_array_equal(history["learning_rate"], [0.1] * 5)


@pytest.mark.parametrize("most", [1, 2, 256])
def test_weights_do_not_depend_on_how_many_chunks_of_steps_are_kept(most, monkeypatch):
    monkeypatch.setattr("thinnet.training.compiled.MOST_CHUNKS", most)
    X, y = numbered_rows()
    each, some = network(), network()
    for net, average in ((each, None), (some, WeightAverage(0.0, every=3))):
        how = {"epochs": 7, "batch_size": 4, "progress": False, "average": average}
        train(net, X, y, optimizer=SGD(0.1), **how)
    assert_array_equal(some.theta, each.theta)


def test_a_progress_bar_is_shown_where_it_is_asked_for(capsys):
    train(network(), *problem(), epochs=1, batch_size=8, progress=True, title="thinning")
    shown = capsys.readouterr()
    assert "thinning" in shown.err
    assert "3/3" in shown.err
    assert not shown.out


def test_nothing_is_printed_where_nobody_looks(capsys):
    train(network(), *problem(), epochs=1)
    assert capsys.readouterr() == ("", "")
