"""A run that was stopped and resumed is, to the last bit, the run that never stopped."""

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
    DropConnect,
    Dropout,
    EarlyStopping,
    GaussianDropout,
    Network,
    ReLU,
    RMSprop,
    train,
)
from thinnet.schedules import Cosine, Linear
from thinnet.schedules.plateau import ReduceOnPlateau

RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(20, 4)), RNG.integers(3, size=20)
HELD_OUT = RNG.normal(size=(9, 4)), RNG.integers(3, size=9)
EPOCHS, STEPS_PER_EPOCH = 4, 3


class StopAfter:
    def __init__(self, *steps):
        self.steps = steps

    def on_step_end(self, training):
        return "stopped by the test" if training.t in self.steps else None


def layers(rate=0.3, share=None):
    return [Dense(6), BatchNorm(), ReLU(), Dropout(rate, share=share), Dense(3)]


RUNS = {
    "dropout and BatchNorm": {},
    "shared dropout": {"chain": layers(share="batch")},
    "dropconnect": {"chain": [DropConnect(Dense(6), 0.3), ReLU(), Dense(3)]},
    "gaussian": {"chain": [Dense(6), ReLU(), GaussianDropout(0.3), Dense(3)]},
    "rate schedule": {"chain": layers(rate=Linear(0.0, 0.5, n_steps=12))},
    "penalty and norm": {"chain": [Dense(6, l2=0.01, max_norm=1.0), ReLU(), Dense(3, l1=0.01)]},
    "sgd": {"optimizer": SGD(0.1)},
    "momentum": {"optimizer": SGD(0.1, momentum=0.9)},
    "nesterov": {"optimizer": SGD(0.1, momentum=0.9, nesterov=True)},
    "adagrad": {"optimizer": Adagrad(0.1)},
    "rmsprop": {"optimizer": RMSprop(0.01)},
    "adamw": {"optimizer": AdamW(0.01)},
    "shared adam": {"chain": layers(share="batch"), "optimizer": Adam(0.05, epsilon=1e-3)},
    "cosine": {"optimizer": SGD(Cosine(0.1, n_steps=12))},
    "plateau": {
        "optimizer": SGD(ReduceOnPlateau(0.3, factor=0.5, patience=1, min_delta=0.1)),
        "validation": HELD_OUT,
    },
    "early stopping": {
        "optimizer": Adam(0.3),
        "validation": HELD_OUT,
        "early_stopping": EarlyStopping(2),
    },
    "score": {
        "optimizer": Adam(0.3),
        "validation": HELD_OUT,
        "early_stopping": EarlyStopping(1, monitor="score"),
    },
    "accumulate": {"accumulate": 2},
    "weights": {"sample_weight": RNG.uniform(size=20)},
    "ids": {"samples": np.arange(20) * 1000},
    "clipped": {"clip_norm": 0.1},
    "unshuffled": {"shuffle": False},
    "float64": {"dtype": np.float64},
    "sparse evaluation": {"evaluate_every": 3, "clean_rows": 5},
}


def run(*, chain=None, dtype=np.float32, **settings):
    net = Network(chain or layers(), features=4, seed=7, dtype=dtype)
    defaults = {"optimizer": Adam(0.02), "epochs": EPOCHS, "batch_size": 8, "progress": False}
    return net, train(net, X, Y, **(defaults | settings))


def assert_same_run(one, other):
    (net_1, history_1), (net_2, history_2) = one, other
    assert net_1.theta.tobytes() == net_2.theta.tobytes()
    assert net_1.state.tobytes() == net_2.state.tobytes()
    assert net_1.clock == net_2.clock
    assert history_1.stopped == history_2.stopped
    assert history_1.best_epoch == history_2.best_epoch
    assert history_1.score_name == history_2.score_name
    for column in history_1.to_dict().keys() - {"seconds"}:
        assert_array_equal(history_1[column], history_2[column])


@pytest.mark.parametrize("settings", RUNS.values(), ids=RUNS)
def test_a_run_stopped_again_and_again_equals_one_that_never_stopped(settings, tmp_path):
    """Stopped at the first step, within and at the ends of epochs, and before the last step."""
    path = tmp_path / "run.ckpt"
    for step in (1, 2, 3, 5, 6, 7, 11):
        stop = StopAfter(step)
        run(**settings, checkpoint=path, resume=True, callbacks=[stop])
    assert_same_run(run(**settings, checkpoint=path, resume=True), run(**settings))


@pytest.mark.parametrize("step", range(1, EPOCHS * STEPS_PER_EPOCH + 1))
def test_a_run_can_be_stopped_after_any_step(step, tmp_path):
    settings = {"checkpoint": tmp_path / "run.ckpt", "validation": HELD_OUT}
    stopped, history = run(**settings, callbacks=[StopAfter(step)])
    assert history.stopped == "stopped by the test"
    assert stopped.clock.step == step
    assert_same_run(run(**settings, resume=True), run(validation=HELD_OUT))


def test_a_run_can_be_stopped_at_the_end_of_any_epoch(tmp_path):
    class Stop:
        def on_epoch_end(self, training):
            return "one more done"

    for _ in range(EPOCHS - 1):
        run(checkpoint=tmp_path / "run.ckpt", resume=True, callbacks=[Stop()])
    assert_same_run(run(checkpoint=tmp_path / "run.ckpt", resume=True), run())


def test_a_finished_run_can_go_on_for_more_epochs(tmp_path):
    path = tmp_path / "run.ckpt"
    run(checkpoint=path, epochs=2)
    assert_same_run(run(checkpoint=path, epochs=6, resume=True), run(epochs=6))


def test_resuming_a_finished_run_changes_nothing(tmp_path):
    settings = RUNS["early stopping"] | {"checkpoint": tmp_path / "run.ckpt", "epochs": 60}
    once = run(**settings)
    assert once[1].stopped.startswith("no better validation loss")
    assert_same_run(run(**settings, resume=True), once)


def test_resuming_where_there_is_no_file_starts_afresh(tmp_path):
    path = tmp_path / "run.ckpt"
    assert_same_run(run(checkpoint=path, resume=True), run())
    assert path.is_file()


def test_without_resume_a_run_starts_afresh_and_replaces_the_file(tmp_path):
    path = tmp_path / "run.ckpt"
    run(checkpoint=path, callbacks=[StopAfter(5)])
    assert_same_run(run(checkpoint=path), run())
    assert_same_run(run(checkpoint=path, resume=True), run())


def test_resuming_needs_a_checkpoint():
    with pytest.raises(ValueError, match=r"^resume=True needs a checkpoint .*, got .*None$"):
        run(resume=True)


def test_keeping_checkpoints_changes_nothing(tmp_path):
    assert_same_run(run(checkpoint=tmp_path / "run.ckpt"), run())


def test_a_path_may_be_a_string_relative_to_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(checkpoint="run.ckpt", callbacks=[StopAfter(4)])
    assert_same_run(run(checkpoint="run.ckpt", resume=True), run())


def test_a_network_with_a_past_is_resumed_with_its_past(tmp_path):
    def second_run(**settings):
        net, _ = run(epochs=1)
        defaults = {"optimizer": Adam(0.02), "epochs": 3, "batch_size": 8, "progress": False}
        return net, train(net, X, Y, **(defaults | settings))

    second_run(checkpoint=tmp_path / "run.ckpt", callbacks=[StopAfter(4)])
    net = Network(layers(), features=4, seed=7)
    settings = {"optimizer": Adam(0.02), "epochs": 3, "batch_size": 8, "progress": False}
    history = train(net, X, Y, checkpoint=tmp_path / "run.ckpt", resume=True, **settings)
    assert_same_run((net, history), second_run())
    assert net.clock.step == 12


def test_a_run_whose_callback_fails_can_be_resumed_from_its_last_checkpoint(tmp_path):
    class Fail:
        def on_step_end(self, training):
            if training.t == 8:
                raise RuntimeError("the callback's own fault")

    path = tmp_path / "run.ckpt"
    with pytest.raises(RuntimeError, match="own fault"):
        run(checkpoint=path, callbacks=[Fail()])
    assert_same_run(run(checkpoint=path, resume=True), run())


@pytest.mark.parametrize("epochs", [1, 2, 3, 5])
def test_a_shorter_run_resumed_to_more_epochs_is_the_longer_run(epochs, tmp_path):
    """Also where its last epoch was measured only because it was the last."""
    settings = {
        "optimizer": Adam(ReduceOnPlateau(0.05, patience=1, min_delta=0.5)),
        "validation": HELD_OUT,
        "early_stopping": EarlyStopping(3),
        "evaluate_every": 2,
        "batch_size": 8,
    }
    whole, resumed = (Network(layers(), features=4, seed=0) for _ in range(2))
    train(whole, X, Y, epochs=8, **settings)
    path = tmp_path / "run.ckpt"
    train(resumed, X, Y, epochs=epochs, checkpoint=path, **settings)
    train(resumed, X, Y, epochs=8, checkpoint=path, resume=True, **settings)
    assert_array_equal(resumed.theta, whole.theta)
    assert_array_equal(resumed.state, whole.state)
