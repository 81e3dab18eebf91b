"""A loss that is no longer finite: the error says where, and the last good weights stay."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from thinnet import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    BatchNorm,
    Dense,
    DivergedError,
    Dropout,
    EarlyStopping,
    Network,
    ReLU,
    RMSprop,
    SquaredError,
    snapshots,
    train,
)
from thinnet.layers import Shapes

X, Y = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20.0)


class Poison:
    """A user's own layer that turns to NaN when some step is reached, forward or backward."""

    def __init__(self, step, forward=False, value=np.nan):
        self.step, self.forward_too, self.value = step, forward, value

    def shapes(self, features):
        return Shapes(features)

    def forward(self, site, x, run):
        bad = run.learns and run.step == self.step
        if bad and self.forward_too:
            return x * x.dtype.type(self.value), bad
        return x, bad

    def backward(self, site, cache, dy):
        return dy * dy.dtype.type(self.value) if cache else dy


class Remember:
    """Weights and running statistics as they were before each step, and after its pass."""

    def __init__(self):
        self.thetas, self.states = [], []

    def on_step_end(self, training):
        self.thetas.append(training.network.theta.copy())
        self.states.append(training.network.state.copy())


def network(*poison, rate=0.2):
    chain = [Dense(6), BatchNorm(), ReLU(), Dropout(rate), *poison, Dense(1)]
    return Network(chain, features=4, seed=2)


def diverge(net, **settings):
    settings = {"optimizer": SGD(0.01), "epochs": 4, "batch_size": 8, "progress": False} | settings
    with pytest.raises(DivergedError) as caught:
        train(net, X, Y, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("step", "epoch"), [(0, 0), (2, 0), (3, 1), (7, 2)])
@pytest.mark.parametrize(
    ("forward", "where"),
    [(True, "the output of layer 4, Poison"), (False, "the gradient of layer 4, Poison")],
    ids=["output", "gradient only"],
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("parts", [1, 2])
def test_the_error_names_epoch_step_and_layer(step, epoch, forward, where, value, parts):
    message = diverge(network(Poison(step, forward, value)), accumulate=parts)
    assert f"epoch {epoch}, step {step}: {where} is not finite" in message


def test_steps_are_counted_over_the_whole_life_of_the_network():
    net = network(Poison(14))
    train(net, X, Y, epochs=4, batch_size=8, progress=False)
    assert "epoch 0, step 14" in diverge(net)


def test_a_loss_that_overflows_is_named():
    net = Network([Dense(1)], features=1, seed=0)
    with pytest.raises(DivergedError, match="epoch 0, step 0: the loss is not finite"):
        train(net, np.ones((2, 1)), np.array([1e30, -1e30]), progress=False)


@pytest.mark.parametrize("forward", [True, False], ids=["output", "gradient only"])
@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_the_last_good_weights_and_statistics_stay(step, forward):
    """Those with which the last finite loss was computed, before the step that ruined them."""
    net, seen = network(Poison(step, forward)), Remember()
    first = net.theta.copy()
    diverge(net, callbacks=[seen])
    assert_array_equal(net.theta, [first, *seen.thetas][step - 1])
    assert_array_equal(net.state, seen.states[step - 1])


@pytest.mark.parametrize("forward", [True, False], ids=["output", "gradient only"])
def test_a_first_step_that_diverges_leaves_the_network_as_it_was(forward):
    net = network(Poison(0, forward))
    theta, state = net.theta.copy(), net.state.copy()
    diverge(net)
    assert_array_equal(net.theta, theta)
    assert_array_equal(net.state, state)


def test_a_learning_rate_that_is_far_too_large_leaves_finite_weights():
    net = Network([Dense(6), ReLU(), Dense(1)], features=4, seed=2)
    message = diverge(net, optimizer=SGD(1e3), epochs=100)
    assert "(a smaller learning rate or clip_norm may help)" in message
    assert np.isfinite(net.theta).all()
    assert np.isfinite(net.outputs(X)).all()


def test_the_last_step_of_all_does_not_leave_weights_that_are_not_finite():
    net = Network([Dense(1)], features=1, seed=0)
    settings = {"optimizer": SGD(1e38), "epochs": 1, "batch_size": None, "progress": False}
    try:
        train(net, np.full((4, 1), 10.0), np.full(4, 1e3), **settings)
    except DivergedError as error:
        assert "epoch 0" in str(error)  # noqa: PT017
    assert np.isfinite(net.theta).all()


def test_the_statistics_of_the_pass_that_diverged_are_not_kept():
    net, seen = network(Poison(5, forward=True)), Remember()
    diverge(net, callbacks=[seen])
    counts = net.sites[1].counters.seen
    assert_array_equal(counts, np.full(6, 5.0))


def test_the_checkpoint_of_the_last_good_epoch_stays(tmp_path):
    path = tmp_path / "run.ckpt"
    net, seen = network(Poison(7)), Remember()
    diverge(net, checkpoint=path, callbacks=[seen])
    saved = snapshots.read(path)
    assert np.isfinite(saved.arrays["theta"]).all()
    assert saved.values["t"] <= 7
    assert_array_equal(saved.arrays["theta"], seen.thetas[saved.values["t"] - 1])


def test_a_resumed_run_that_diverges_at_once_keeps_the_weights_it_resumed_with(tmp_path):
    class Stop:
        def on_step_end(self, training):
            return "stop" if training.t == 4 else None

    path, settings = tmp_path / "run.ckpt", {"optimizer": SGD(0.01), "epochs": 4, "batch_size": 8}
    stopped = network(Poison(4))
    train(stopped, X, Y, checkpoint=path, callbacks=[Stop()], progress=False, **settings)
    resumed, whole = network(Poison(4)), network(Poison(4))
    first = resumed.theta.copy()
    diverge(resumed, checkpoint=path, resume=True)
    diverge(whole)
    assert (resumed.theta != first).any()
    assert any(np.array_equal(resumed.theta, good) for good in (stopped.theta, whole.theta))


def test_a_network_can_be_trained_on_after_it_diverged():
    net = Network([Dense(6), ReLU(), Dense(1)], features=4, seed=2)
    diverge(net, optimizer=SGD(1e3), epochs=100)
    history = train(net, X / 100, Y, optimizer=SGD(1e-30), epochs=1, progress=False)
    assert np.isfinite(history.last.clean_loss)


def test_early_stopping_does_not_hide_divergence():
    rule = EarlyStopping(1)
    message = diverge(
        network(Poison(4)), validation=(X, Y), early_stopping=rule, loss=SquaredError()
    )
    assert "epoch 1, step 4" in message


def test_the_error_survives_pickling_with_all_it_knows():
    net = network(Poison(5))
    with pytest.raises(DivergedError) as caught:
        train(net, X, Y, epochs=4, batch_size=8, progress=False)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.epoch, copy.step, str(copy)) == (1, 5, str(caught.value))
    assert len(copy.history) == 1


def test_a_parameter_that_overflows_is_named_by_its_layer():
    net = Network([Dense(6), ReLU(), Dense(1, l2=1e30)], features=4, seed=2)
    assert "a parameter of layer 2, Dense(1" in diverge(net, optimizer=SGD(1e10))


@pytest.mark.parametrize("optimizer", [Adam(), Adagrad(), RMSprop(), AdamW()], ids=type)
def test_units_that_never_fire_do_not_ruin_a_network_of_short_numbers(optimizer):
    net = Network([Dense(6), ReLU(), Dense(1)], features=4, seed=2, dtype=np.float16)
    net.sites[0].p.b[:3] = -1000
    train(net, X, Y, optimizer=optimizer, epochs=3, progress=False)
    assert np.isfinite(net.theta).all()
