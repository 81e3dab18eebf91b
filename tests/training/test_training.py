"""Training: what a step does, in which order rows come, and what is reported."""

import numpy as np
import oracles
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from thinnet import (
    SGD,
    Adam,
    BatchNorm,
    Dense,
    DropConnect,
    Dropout,
    EarlyStopping,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    SquaredError,
    keep_mask,
    train,
)
from thinnet.layers import Shapes
from thinnet.philox import permutation
from thinnet.schedules import InverseTime
from thinnet.schedules.plateau import ReduceOnPlateau

ROWS, FEATURES, CLASSES, SEED = 20, 5, 3, 11


class Recorder:
    """A user's own layer: passes rows on, and notes the first feature of those it has seen."""

    def __init__(self):
        self.learned, self.predicted = [], []

    def shapes(self, features):
        return Shapes(features)

    def forward(self, site, x, run):
        (self.learned if run.learns else self.predicted).append(x[:, 0].astype(int))
        return x, None

    def backward(self, site, cache, dy):
        return dy


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


def problem(rows=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, FEATURES)), rng.integers(CLASSES, size=rows)


def layers(rate=0.4, l2=0.0):
    return [Dense(7, l2=l2), ReLU(), Dropout(rate), Dense(CLASSES)]


def network(chain=None, seed=SEED, dtype=np.float64):
    return Network(chain or layers(), features=FEATURES, seed=seed, dtype=dtype)


def trained(chain=None, data=None, seed=SEED, **settings):
    X, y = data or problem()
    net = network(chain, seed)
    train(net, X, y, **({"epochs": 3, "batch_size": 8, "progress": False} | settings))
    return net


def numbered_rows(rows=ROWS):
    X, y = problem(rows)
    X[:, 0] = np.arange(rows)
    return X, y


# --- one step, written out by hand ---------------------------------------------------------------


def sgd(theta, g, memory, t):
    return theta - 0.1 * g


def momentum(theta, g, memory, t):
    memory["v"] = 0.9 * memory.get("v", 0) - 0.1 * g
    return theta + memory["v"]


def adam(theta, g, memory, t):
    memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * g
    memory["v"] = 0.999 * memory.get("v", 0) + 0.001 * g**2
    m, v = memory["m"] / (1 - 0.9**t), memory["v"] / (1 - 0.999**t)
    return theta - 0.01 * m / (np.sqrt(v) + 1e-8)


def by_hand(net, X, y, rule, l2, rate, epochs, batch):
    """The same training in plain NumPy, from the first weights of `net`."""
    W1, b1 = (a.copy() for a in net.sites[0].p)
    W2, b2 = (a.copy() for a in net.sites[3].p)
    parts, memory, step, seen = [W1, b1, W2, b2], [{}, {}, {}, {}], 0, []
    for epoch in range(epochs):
        order, losses, hits = permutation(SEED, "shuffle", epoch, len(X)), 0.0, 0
        for start in range(0, len(X), batch):
            rows = order[start : start + batch]
            W1, b1, W2, b2 = parts
            keep = keep_mask(seed=SEED, layer=0, step=step, samples=rows, units=7, rate=rate)
            q = 1 - round(rate * 65536) / 65536
            a = X[rows] @ W1.T + b1
            h = np.maximum(a, 0) * keep / q
            z = h @ W2.T + b2
            p = np.exp(z - z.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            here = np.arange(len(rows))
            losses -= np.log(p[here, y[rows]]).sum()
            hits += (z.argmax(axis=1) == y[rows]).sum()
            dz = (p - np.eye(CLASSES)[y[rows]]) / len(rows)
            da = dz @ W2 * keep / q * (a > 0)
            slopes = [da.T @ X[rows] + 2 * l2 * W1, da.sum(axis=0), dz.T @ h, dz.sum(axis=0)]
            step += 1
            parts = [rule(w, g, m, step) for w, g, m in zip(parts, slopes, memory, strict=True)]
        seen.append((losses / len(X), hits / len(X), l2 * (parts[0] ** 2).sum()))
    return np.concatenate([w.ravel() for w in parts]), np.array(seen).T


@pytest.mark.parametrize(
    ("optimizer", "rule"),
    [(SGD(0.1), sgd), (SGD(0.1, momentum=0.9), momentum), (Adam(0.01), adam)],
    ids=["sgd", "momentum", "adam"],
)
def test_training_equals_the_same_loop_written_by_hand(optimizer, rule):
    X, y = problem()
    net = network(layers(rate=0.4, l2=0.02))
    theta, (losses, scores, penalties) = by_hand(net, X, y, rule, 0.02, 0.4, epochs=4, batch=8)
    history = train(net, X, y, optimizer=optimizer, epochs=4, batch_size=8, progress=False)
    assert_allclose(net.theta, theta, rtol=1e-10, atol=1e-13)
    assert_allclose(history["loss"], losses, rtol=1e-10)
    assert_allclose(history["score"], scores, rtol=1e-12)
    assert_allclose(history["penalty"], penalties, rtol=1e-10)


# --- the order of the rows -----------------------------------------------------------------------


def test_every_row_comes_once_an_epoch_in_another_order_each_time():
    X, y = numbered_rows()
    recorder = Recorder()
    trained([recorder, *layers()], (X, y), epochs=4)
    epochs = np.concatenate(recorder.learned).reshape(4, ROWS)
    assert (np.sort(epochs, axis=1) == np.arange(ROWS)).all()
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_the_order_depends_on_nothing_but_seed_and_epoch():
    def order(seed, chain, **settings):
        recorder = Recorder()
        trained([recorder, *chain], numbered_rows(), seed, **settings)
        return np.concatenate(recorder.learned)

    first = order(1, layers(), batch_size=8)
    assert_array_equal(first, order(1, [Dense(CLASSES)], batch_size=5, optimizer=SGD(1.0)))
    assert (first != order(2, layers())).any()


def test_unshuffled_rows_keep_their_order():
    recorder = Recorder()
    trained([recorder, *layers()], numbered_rows(), shuffle=False, epochs=2)
    assert_array_equal(np.concatenate(recorder.learned), [*range(ROWS), *range(ROWS)])


@pytest.mark.parametrize(("batch_size", "sizes"), [(8, [8, 8, 4]), (20, [20]), (99, [20])])
def test_batches_have_their_size_and_the_last_holds_the_rest(batch_size, sizes):
    recorder = Recorder()
    trained([recorder, *layers()], batch_size=batch_size, epochs=1)
    assert [len(rows) for rows in recorder.learned] == sizes


def test_no_batch_size_means_one_batch_of_all():
    recorder = Recorder()
    trained([recorder, *layers()], batch_size=None, epochs=2)
    assert [len(rows) for rows in recorder.learned] == [ROWS, ROWS]


def test_a_single_row_left_over_joins_a_batch_that_batchnorm_can_learn_from():
    recorder = Recorder()
    trained([recorder, BatchNorm(), Dense(CLASSES)], problem(17), epochs=1)
    assert [len(rows) for rows in recorder.learned] == [8, 9]


# --- what is the same, and what is not -----------------------------------------------------------


def test_the_same_seed_gives_the_same_run_bit_for_bit():
    assert_array_equal(trained().theta, trained().theta)


def test_another_seed_gives_another_run():
    assert (trained(seed=1).theta != trained(seed=2).theta).all()


NOISY = {
    "dropout": layers(),
    "shared": [Dense(7), ReLU(), Dropout(0.4, share="batch"), Dense(CLASSES)],
    "dropconnect": [DropConnect(Dense(7), 0.4), ReLU(), Dense(CLASSES)],
}


@pytest.mark.parametrize("chain", NOISY.values(), ids=NOISY)
@pytest.mark.parametrize("parts", [2, 3, 4])
def test_a_step_in_micro_batches_is_the_step_of_the_whole_batch(chain, parts):
    whole, parted = trained(chain), trained(chain, accumulate=parts)
    assert_allclose(parted.theta, whole.theta, rtol=1e-10, atol=1e-12)


def test_micro_batches_and_weights_go_together():
    weights = np.random.default_rng(1).uniform(0, 2, size=ROWS)
    whole = trained(sample_weight=weights)
    assert_allclose(trained(sample_weight=weights, accumulate=3).theta, whole.theta, rtol=1e-10)


@pytest.mark.parametrize(("rows", "batch_size"), [(10, 4), (2, 8)])
def test_a_batch_with_fewer_rows_than_micro_batches_is_learned_from_all_the_same(rows, batch_size):
    whole = trained(data=problem(rows), batch_size=batch_size)
    parted = trained(data=problem(rows), batch_size=batch_size, accumulate=3)
    assert_allclose(parted.theta, whole.theta, rtol=1e-10, atol=1e-12)


def test_masks_go_with_the_rows_when_the_data_is_permuted():
    X, y = problem()
    order = np.random.default_rng(3).permutation(ROWS)
    straight = trained(data=(X, y), batch_size=None)
    permuted = trained(data=(X[order], y[order]), batch_size=None, samples=order)
    assert_allclose(permuted.theta, straight.theta, rtol=1e-10, atol=1e-12)
    assert not np.allclose(
        trained(data=(X[order], y[order]), batch_size=None).theta, straight.theta
    )


def test_rows_are_numbered_by_their_place_unless_ids_are_given():
    assert_array_equal(trained(samples=range(ROWS)).theta, trained().theta)
    assert (trained(samples=range(100, 100 + ROWS)).theta != trained().theta).any()


def test_ids_that_are_no_indices_name_the_masks_of_training():
    class Outputs(Recorder):
        def forward(self, site, x, run):
            if run.learns:
                self.learned.append(x != 0)
            return x, None

    seen, ids = Outputs(), np.arange(ROWS) * 7 + 4_000_000_000
    chain = [Dropout(0.5), seen, Dense(CLASSES)]
    net = trained(chain, batch_size=None, samples=ids, epochs=2)
    for step in (0, 1):
        assert_array_equal(seen.learned[step], net.masks(step=step, samples=ids)[0])


def test_each_layer_that_draws_has_masks_of_its_own_number():
    class Kept(Recorder):
        def forward(self, site, x, run):
            if run.learns:
                self.learned.append(x != 0)
            return x, None

    first, second = Kept(), Kept()
    chain = [Dropout(0.25), first, Dropout(0.5), second, Dense(CLASSES)]
    trained(chain, batch_size=None, epochs=1)
    coordinates = {"seed": SEED, "step": 0, "samples": range(ROWS), "units": FEATURES}
    masks = [keep_mask(layer=i, rate=r, **coordinates) for i, r in ((0, 0.25), (1, 0.5))]
    assert_array_equal(first.learned[0], masks[0])
    assert_array_equal(second.learned[0], masks[0] & masks[1])


def test_a_unit_whose_draw_equals_the_threshold_is_kept():
    for unit in range(8):
        word = oracles.words(SEED, "train", 0, 0, 0, 0)[unit // 2]
        draw = word // 2**16 if unit % 2 else word % 2**16
        kept = [
            keep_mask(seed=SEED, layer=0, step=0, samples=[0], units=8, rate=rate / 65536)[0, unit]
            for rate in (draw - 1, draw, draw + 1)
        ]
        assert kept == [True, True, False]


def test_steps_and_epochs_are_counted_over_the_whole_life_of_a_network():
    once, twice = trained(optimizer=SGD(0.1), epochs=4), network()
    for _ in range(2):
        train(twice, *problem(), optimizer=SGD(0.1), epochs=2, batch_size=8, progress=False)
    assert_array_equal(twice.theta, once.theta)
    assert (twice.clock.step, twice.clock.epoch) == (12, 4)


def test_a_row_of_weight_two_counts_as_the_row_twice():
    X, y = problem()
    weights = np.ones(ROWS)
    weights[[3, 5]] = 2
    twice = [*range(ROWS), 3, 5]
    whole = {"batch_size": None, "optimizer": SGD(0.1)}
    weighted = trained(layers(rate=0.0), sample_weight=weights, **whole)
    repeated = trained(layers(rate=0.0), (X[twice], y[twice]), **whole)
    assert_allclose(weighted.theta, repeated.theta, rtol=1e-10, atol=1e-13)


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


def test_rows_of_weight_zero_change_nothing():
    X, y = problem()
    weights = np.r_[np.ones(12), np.zeros(8)]
    half = trained(data=(X[:12], y[:12]), batch_size=None, optimizer=SGD(0.1))
    padded = trained(batch_size=None, optimizer=SGD(0.1), sample_weight=weights)
    assert_allclose(padded.theta, half.theta, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("settings", [{"batch_size": 1}, {"clean_rows": 1}], ids=str)
def test_a_batch_or_part_without_any_weight_breaks_nothing(settings):
    for only in range(4):
        weights = np.eye(4)[only]
        net = trained(data=problem(4), sample_weight=weights, **settings)
        assert np.isfinite(net.theta).all()


# --- the step ------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1e-3, 1e3])
def test_a_step_is_no_longer_than_the_clipped_gradient(limit):
    free = trained(batch_size=None, epochs=1, optimizer=SGD(1.0)).theta - network().theta
    net = trained(batch_size=None, epochs=1, optimizer=SGD(1.0), clip_norm=limit)
    wanted = free * min(1.0, limit / np.linalg.norm(free))
    assert_allclose(net.theta - network().theta, wanted, rtol=1e-9, atol=1e-15)


def test_what_is_absent_does_not_count_when_a_gradient_is_clipped():
    chain = [Dense(7, l2=5.0), ReLU(), Dropout(0.5, share="batch"), Dense(CLASSES)]
    net = trained(chain, batch_size=None, epochs=1, optimizer=SGD(1.0), clip_norm=0.1)
    moved = net.theta - network(chain).theta
    assert_allclose(np.linalg.norm(moved), 0.1, rtol=1e-9)
    assert (moved[:35].reshape(7, 5) == 0).all(axis=1).any()


def test_a_schedule_sets_the_learning_rate_of_each_step():
    net = network()
    rates = []

    class Watch:
        def on_step_end(self, training):
            rates.append(training.learning_rate)

    schedule = InverseTime(0.5, decay=1.0)
    train(net, *problem(), optimizer=SGD(schedule), batch_size=8, epochs=1, callbacks=[Watch()])
    assert rates == [0.5 / 2, 0.5 / 3, 0.5 / 4]


def test_a_learning_rate_of_zero_leaves_the_weights_alone():
    assert_array_equal(trained(optimizer=Adam(0.0)).theta, network().theta)


def test_no_unit_exceeds_its_norm_after_training():
    net = trained([Dense(7, max_norm=0.5), ReLU(), Dense(CLASSES)], optimizer=SGD(0.5))
    assert (np.linalg.norm(net.sites[0].p.W, axis=1) <= 0.5 + 1e-12).all()


def test_training_leaves_the_callers_arrays_alone():
    X, y = problem()
    before = X.copy(), y.copy()
    trained(data=(X, y))
    assert_array_equal(X, before[0])
    assert_array_equal(y, before[1])


# --- what is reported ----------------------------------------------------------------------------


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


def test_integer_labels_are_classified_and_other_targets_fitted():
    X, y = problem()
    assert train(network(), X, y, epochs=1, progress=False).score_name == "accuracy"
    line = Network([Dense(1)], features=FEATURES, seed=0)
    assert train(line, X, X[:, 0], epochs=1, progress=False).score_name == "R^2"


def test_a_line_is_learned():
    X, _ = problem(200)
    net = Network([Dense(1)], features=FEATURES, seed=0, dtype=np.float64)
    train(net, X, X @ np.arange(5.0) + 3, optimizer=SGD(0.1), epochs=60, batch_size=20)
    assert_allclose(net.theta, [0, 1, 2, 3, 4, 3], atol=1e-6)


# --- callbacks -----------------------------------------------------------------------------------


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


# --- progress ------------------------------------------------------------------------------------


def test_a_progress_bar_is_shown_where_it_is_asked_for(capsys):
    train(network(), *problem(), epochs=1, batch_size=8, progress=True, title="thinning")
    shown = capsys.readouterr()
    assert "thinning" in shown.err
    assert "3/3" in shown.err
    assert not shown.out


def test_nothing_is_printed_where_nobody_looks(capsys):
    train(network(), *problem(), epochs=1)
    assert capsys.readouterr() == ("", "")


# --- bad settings and bad data -------------------------------------------------------------------

BAD_SETTINGS = {
    "epochs": [-1, 1.5, True, "3", None],
    "batch_size": [0, -1, 2.0, "8"],
    "accumulate": [0, None, 1.5],
    "evaluate_every": [0, None],
    "checkpoint_every": [0, -3],
    "clean_rows": [-1, None, 2.5],
    "clip_norm": [0, -1, float("nan"), float("inf"), "1"],
    "shuffle": [1, None, "yes"],
    "resume": [1, "yes"],
    "loss": [SoftmaxCrossEntropy, "mse", 3],
    "optimizer": [SGD, "adam", 0.1],
    "early_stopping": [3, True, EarlyStopping],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in BAD_SETTINGS for value in BAD_SETTINGS[name]]
)
@pytest.mark.usefixtures("untyped")
def test_a_setting_out_of_its_range_is_named_with_what_it_must_be(name, value):
    settings = {"validation": problem(), "progress": False, name: value}
    with pytest.raises(ValueError, match=rf"^{name}\b.* must be .*, got ") as caught:
        train(network(), *problem(), **settings)
    assert "\n" not in str(caught.value)


def with_value(value, row=3, column=2):
    X, _ = problem()
    X[row, column] = value
    return X


Y = problem()[1]
BAD_DATA = {
    "NaN": (with_value(np.nan), Y, r"X must be finite, got nan in row 3, column 2"),
    "infinity": (with_value(-np.inf), Y, r"X must be finite, got -inf in row 3, column 2"),
    "wrong width": (np.ones((ROWS, 4)), Y, r"takes \(rows, 5\) arrays, got \(20, 4\)"),
    "one axis": (np.ones(5), np.ones(5, int), r"takes \(rows, 5\) arrays, got \(5,\)"),
    "no rows": (np.ones((0, 5)), Y[:0], r"X must not be empty, got shape \(0, 5\)"),
    "a scalar": (np.array(1.0), Y, r"X must be an array with at least one axis, got array\(1\.\)"),
    "a NaN alone": (float("nan"), Y, r"X "),
    "words": (np.full((ROWS, 5), "a"), Y, r"X must be an array of real numbers, got dtype <U1"),
    "nothing": (None, Y, r"X must be an array with at least one axis, got None"),
    "complex": (np.ones((ROWS, 5), complex), Y, r"X must be .* real numbers, got dtype complex"),
    "too few labels": (problem()[0], Y[:-1], r"y must have as many rows as X, got 19 and 20"),
    "no labels": (problem()[0], Y[:0], r"y must not be empty"),
    "label too large": (
        problem()[0],
        np.r_[Y[:-1], 3],
        r"labels must be .* 0 to 2, got 3 in row 19",
    ),
    "label below 0": (problem()[0], np.r_[-1, Y[1:]], r"labels must be .* 0 to 2, got -1 in row 0"),
    "words for labels": (problem()[0], Y.astype(str), r"y must be an array of real numbers"),
    "targets too narrow": (problem()[0], Y / 2, r"y must have the shape \(rows, 3\), got \(20,\)"),
    "NaN in targets": (
        problem()[0],
        np.where(np.arange(60).reshape(20, 3) == 4, np.nan, 1.0),
        r"y must be finite, got nan in row 1, column 1",
    ),
}


@pytest.mark.parametrize(("X", "y", "said"), BAD_DATA.values(), ids=BAD_DATA)
@pytest.mark.usefixtures("untyped")
def test_bad_data_is_refused_in_one_sentence(X, y, said):
    net = network()
    with pytest.raises(ValueError, match=said) as caught:
        train(net, X, y, progress=False)
    assert "\n" not in str(caught.value)
    assert_array_equal(net.theta, network().theta)


BAD_WEIGHTS = {
    "negative": (np.r_[-1.0, np.ones(19)], r"sample_weight must be >= 0 everywhere, got .*-1"),
    "all zero": (np.zeros(20), r"sample_weight must be above 0 somewhere, got 0"),
    "too few": (np.ones(19), r"sample_weight must have as many rows as X, got 19 and 20"),
    "NaN": (np.r_[np.ones(19), np.nan], r"sample_weight must be finite, got nan in row 19"),
    "two axes": (np.ones((20, 2)), r"sample_weight must be one-dimensional, got \(20, 2\)"),
    "a number": (2.0, r"sample_weight must"),
    "words": (["a"] * 20, r"sample_weight must be an array of real numbers"),
}


@pytest.mark.parametrize(("weights", "said"), BAD_WEIGHTS.values(), ids=BAD_WEIGHTS)
@pytest.mark.usefixtures("untyped")
def test_bad_weights_are_refused_in_one_sentence(weights, said):
    with pytest.raises(ValueError, match=said):
        train(network(), *problem(), sample_weight=weights)


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (range(19), r"samples must have as many rows as X, got 19 and 20"),
        (range(-1, 19), r"samples must be integers from 0 .*, got -1"),
        (np.arange(20.0), r"samples must be a sequence of integers"),
        (range(2**32 - 20, 2**32), r"samples must be integers .*, got 4294967295"),
    ],
    ids=["too few", "negative", "floats", "reserved"],
)
def test_bad_ids_are_refused_in_one_sentence(ids, said):
    with pytest.raises(ValueError, match=said):
        train(network(), *problem(), samples=ids)


BAD_VALIDATION = {
    "NaN": ((with_value(np.nan), Y), r"validation X must be finite, got nan in row 3, column 2"),
    "too few labels": ((problem()[0], Y[:3]), r"validation y must have as many rows .* 3 and 20"),
    "label too large": ((problem()[0], Y + 1), r"validation.*labels must be .* 0 to 2, got 3"),
    "wrong width": ((np.ones((20, 4)), Y), r"takes \(rows, 5\) arrays, got \(20, 4\)"),
    "empty": ((np.ones((0, 5)), Y[:0]), r"validation X must not be empty"),
    "X alone": ((problem()[0],), r"validation must be"),
    "four things": ((*problem(), np.ones(ROWS), 1), r"validation must be"),
    "a weight below 0": ((*problem(), -np.ones(ROWS)), r"sample_weight must be >= 0"),
    "a number": (0.1, r"validation must be"),
}


@pytest.mark.parametrize(("validation", "said"), BAD_VALIDATION.values(), ids=BAD_VALIDATION)
@pytest.mark.usefixtures("untyped")
def test_bad_validation_data_is_refused_in_one_sentence(validation, said):
    with pytest.raises(ValueError, match=said):
        train(network(), *problem(), validation=validation)


def test_a_float64_value_too_large_for_the_network_is_refused_with_its_place():
    net = Network(layers(), features=FEATURES, seed=0, dtype=np.float32)
    with pytest.raises(ValueError, match=r"X .*row 3, column 2"):
        train(net, with_value(1e300), Y)


def test_batchnorm_says_that_one_row_is_too_few():
    net = network([BatchNorm(), Dense(CLASSES)])
    with pytest.raises(ValueError, match="at least 2 values per feature, got 1"):
        train(net, *problem(1))


def test_targets_of_another_kind_than_the_loss_are_refused():
    with pytest.raises(ValueError, match=r"y must have the shape \(rows, 3\)"):
        train(network(), *problem(), loss=SquaredError())
