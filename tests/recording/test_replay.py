"""Each step of a recorded training opens with the bits that it had."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from thinnet import (
    SGD,
    Adam,
    AdamW,
    BatchNorm,
    Dense,
    DivergedError,
    Dropout,
    EarlyStopping,
    Network,
    Recording,
    ReduceOnPlateau,
    ReLU,
    RMSprop,
    Training,
    WeightAverage,
    load,
    train,
)
from thinnet.schedules import Cosine

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 6))
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
HELD = X[:30], Y[:30]


class Steps:
    """The parameters, statistics and masks' rows that training has after each of its steps."""

    def __init__(self):
        self.theta, self.state = {}, {}

    def on_step_end(self, training):
        step = training.network.clock.step
        self.theta[step] = training.network.theta.copy()
        self.state[step] = training.network.state.copy()


def network(executor=None, share=None, dtype=np.float32, l2=0.0):
    layers = [Dense(12, l2=l2), BatchNorm(), ReLU(), Dropout(0.3, share=share), Dense(3)]
    return Network(layers, features=6, seed=1, executor=executor, dtype=dtype)


def recorded(recording, net=None, **settings):
    """A trained network and what each of its steps made."""
    net, steps = net or network(), Steps()
    settings = {"epochs": 8, "batch_size": 20, "progress": False} | settings
    history = train(net, X, Y, callbacks=[steps, recording], **settings)
    return net, steps, history


def assert_opens(recording, net, steps, which=None):
    """Each step's weights, statistics, rows and masks, and the weights that followed."""
    end = recording.steps()[-1]
    for step in which or range(1, end):
        moment = recording.at(step)
        assert_array_equal(moment.network.theta, steps.theta[step])
        assert_array_equal(moment.network.state, steps.state[step])
        assert_array_equal(moment.after, steps.theta[step + 1])
        assert_array_equal(moment.rows, net.rows(step))
        for place, kept in net.masks(step=step, samples=moment.rows).items():
            assert_array_equal(moment.masks[place], kept)
    assert_array_equal(recording.at(end).network.theta, net.theta)
    assert_array_equal(recording.at(end).network.state, net.state)


SETTINGS = {
    "plain": {},
    "no order": {"shuffle": False, "optimizer": SGD(0.1, momentum=0.9)},
    "averaged": {"average": WeightAverage(0.9, every=3), "optimizer": AdamW(0.01)},
    "stopped": {"early_stopping": EarlyStopping(1), "validation": HELD, "epochs": 30},
    "plateaus": {
        "optimizer": Adam(ReduceOnPlateau(0.05, factor=0.5, patience=1)), "validation": HELD
    },
    "scheduled": {"optimizer": RMSprop(Cosine(0.01, n_steps=40)), "clip_norm": 0.5},
    "weighed": {"sample_weight": RNG.random(90), "accumulate": 2, "batch_size": 45},
    "named": {"samples": RNG.integers(2**32 - 2, size=90)},
}  # fmt: skip


@pytest.mark.parametrize("keyframes", [2, 8, 512])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_every_step_opens_with_the_bits_it_had(settings, keyframes):
    recording = Recording(keyframes, spacing=1 if keyframes < 512 else 7)
    net, steps, _ = recorded(recording, **settings)
    last = len(recording.keyframes_of())
    assert last <= keyframes
    assert_opens(recording, net, steps, range(1, recording.steps()[-1], 3))


@pytest.mark.parametrize("share", [None, "batch"])
@pytest.mark.parametrize("executor", ["compiled", "reference"])
def test_both_executors_are_replayed(executor, share):
    recording = Recording(4, spacing=3)
    net, steps, _ = recorded(recording, network(executor, share, l2=0.01), epochs=4)
    assert_opens(recording, net, steps)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_watched_training_has_the_same_bits(settings):
    watched, alone = network(), network()
    settings = {"epochs": 8, "batch_size": 20, "progress": False} | settings
    one = train(watched, X, Y, callbacks=[Recording(8, spacing=1)], **settings)
    other = train(alone, X, Y, **settings)
    assert_array_equal(watched.theta, alone.theta)
    assert_array_equal(watched.state, alone.state)
    assert_array_equal(one["loss"], other["loss"])


def test_changes_during_the_run_are_followed():
    net, steps, recording = network(), Steps(), Recording(6, spacing=1)
    training = Training(net, X, Y, epochs=10, batch_size=20, callbacks=[steps, recording])
    training.advance(7)
    training.change("rate", 0.6)
    training.change("l2", 0.02, layer=0)
    training.advance(11)
    training.change("learning_rate", 0.003)
    training.advance(1)
    training.change("rate", 0.1)
    training.finish()
    assert_opens(recording, net, steps)
    changes = [(change.step, change.setting) for change in recording.changes()]
    assert changes == [(7, "rate"), (7, "l2"), (18, "learning_rate"), (19, "rate")]
    assert [recording.at(s).network.layers[3].rate for s in (6, 7, 19)] == [0.3, 0.6, 0.1]
    assert [recording.at(s).how().rate for s in (17, 18)] == [0.001, 0.003]


def test_a_callback_that_changes_settings_is_followed_too():
    class Changing:
        def on_epoch_end(self, training):
            training.change("rate", 0.05 * training.epoch)
            training.change("learning_rate", 0.01 / training.epoch)

    net, steps, recording = network(), Steps(), Recording(3, spacing=2)
    callbacks = [recording, steps, Changing()]
    train(net, X, Y, epochs=6, batch_size=20, callbacks=callbacks, progress=False)
    assert_opens(recording, net, steps)


def test_a_training_in_pieces_opens_while_it_goes_on():
    net, steps, recording = network(), Steps(), Recording(spacing=4)
    training = Training(net, X, Y, epochs=10, batch_size=20, callbacks=[steps, recording])
    for n in (1, 1, 5, 1, 9):
        training.advance(n)
        assert recording.steps()[-1] == net.clock.step
        assert_opens(recording, net, steps)
    training.finish()
    assert_opens(recording, net, steps)


def test_an_interrupted_training_opens_and_goes_on():
    class Pressed:
        def on_step_end(self, training):
            return "interrupted" if training.t == 13 else None

    net, steps, recording = network(), Steps(), Recording(spacing=4)
    training = Training(
        net, X, Y, epochs=6, batch_size=20, validation=HELD, early_stopping=EarlyStopping(9),
        callbacks=[steps, Pressed(), recording],
    )  # fmt: skip
    assert training.advance(100) == "interrupted"
    assert_array_equal(recording.at(13).network.theta, net.theta)  # the best weights
    training.finish()
    assert_opens(recording, net, steps)


def test_a_training_that_diverges_opens_up_to_the_step_that_went_wrong():
    net, steps, recording = network(), Steps(), Recording(spacing=4)
    with pytest.raises(DivergedError) as error, np.errstate(all="ignore"):
        recorded(recording, net, optimizer=SGD(1e18), epochs=50)
    end = recording.steps()[-1]
    assert end == error.value.step
    assert_array_equal(recording.at(end).network.theta, net.theta)
    del steps


def test_a_resumed_training_goes_on_in_the_same_recording(tmp_path):
    path, recording = tmp_path / "a.ckpt", Recording(spacing=4)
    first, steps, _ = recorded(recording, epochs=3, checkpoint=path)
    net = network()
    settings = {"epochs": 6, "batch_size": 20, "progress": False}
    train(net, X, Y, checkpoint=path, resume=True, callbacks=[steps, recording], **settings)
    assert recording.n_members == 1
    assert_opens(recording, net, steps)
    del first


def test_trainings_of_one_network_are_one_recording_of_its_life():
    net, recording = network(), Recording(spacing=4)
    all_steps = Steps()
    for seed in range(3):
        own = RNG.permutation(90)[: 40 + seed]
        train(net, X[own], Y[own], epochs=2, batch_size=20, callbacks=[all_steps, recording])
    assert (recording.n_members, recording.steps()[-1]) == (1, net.clock.step)
    assert_opens(recording, net, all_steps)


def test_networks_are_members_in_the_order_of_their_trainings():
    recording = Recording()
    one, _, _ = recorded(recording, network(l2=0.1))
    other, _, _ = recorded(recording)
    assert recording.n_members == 2
    for member, net in enumerate([one, other]):
        end = recording.steps(member)[-1]
        assert_array_equal(recording.at(end, member).network.theta, net.theta)


def test_a_loss_is_that_of_the_rows_with_their_masks():
    recording = Recording(spacing=3)
    net, _, history = recorded(recording, epochs=2, batch_size=30)
    losses = [recording.at(step).loss for step in range(6)]
    assert np.mean(losses[:3]) == pytest.approx(history["loss"][0], rel=1e-6)
    assert np.mean(losses[3:]) == pytest.approx(history["loss"][1], rel=1e-6)
    del net


def test_the_textbook_differs_from_compiled_code_by_rounding_and_from_itself_by_nothing():
    differences = {}
    for executor in ("compiled", "reference"):
        recording = Recording(spacing=3)
        net = Network(
            [Dense(12), ReLU(), Dropout(0.3), Dense(3)], 6, seed=1, executor=executor
        )  # fmt: skip
        recorded(recording, net, optimizer=SGD(0.1))
        differences[executor] = np.abs(recording.at(17).difference).max()
    assert differences["reference"] == 0
    assert 0 <= differences["compiled"] < 1e-6


def test_a_moment_traces_one_row_of_its_step():
    recording = Recording(spacing=3)
    recorded(recording)
    moment = recording.at(5)
    trace = moment.trace(sample=int(moment.rows[2]))
    shown = {name for name in trace.to_frame()["name"] if name.startswith("x[")}
    assert shown == {f"x[{moment.rows[2]}, {k}]" for k in range(6)}


@pytest.mark.parametrize("executor", ["compiled", "reference"])
def test_a_trace_of_a_moment_is_held_against_what_followed(executor):
    recording = Recording(spacing=3)
    recorded(recording, network(executor), optimizer=Adam(0.01), clip_norm=0.5)
    moment = recording.at(5)
    trace = moment.trace()
    assert trace.check(1e-4) > 100
    followed = recording.at(6).network.sites[0].p.W
    assert_array_equal(trace.array("really_W0"), followed)
    gap = np.abs(trace.array("W0+") - followed).max()
    assert trace["gap_W0"].value == gap
    assert gap == 0 if executor == "reference" else gap < 1e-5
    assert trace["E"].value == pytest.approx(moment.loss, rel=1e-5)


def test_the_state_of_the_optimizer_is_that_of_the_step():
    recording = Recording(spacing=5)
    net = network("reference")
    recorded(recording, net, optimizer=Adam(0.01))
    moment, how = recording.at(8), recording.at(8).how()
    assert (how.t, how.rate, how.clip_norm) == (8, 0.01, None)
    gradient = moment.network.gradient  # of no pass yet
    assert (gradient == 0).all()
    assert how.state.first.shape == net.theta.shape
    assert np.abs(how.state.second).max() > 0


def test_what_a_moment_shows_are_copies():
    recording = Recording(spacing=3)
    recorded(recording)
    before = recording.at(6).network.theta.copy()
    recording.at(6).network.theta[:] = 0
    recording.at(6).after[:] = 0
    recording.at(6).how().state.first[:] = 0
    assert_array_equal(recording.at(6).network.theta, before)
    assert_array_equal(recording.at(7).network.theta, recording.at(6).after)


def random_training(rng, keyframes):
    """A random network and training, with changes on the way."""
    n, batch = int(rng.integers(20, 120)), int(rng.integers(5, 40))
    X = rng.normal(size=(n, 5)).astype(rng.choice(["float32", "float64"]))
    y = rng.integers(3, size=n)
    layers = [Dense(int(rng.integers(3, 20)), l2=float(rng.choice([0, 0.01]))), ReLU()]
    layers += [BatchNorm()] if rng.random() < 0.4 else []
    layers += [Dropout(0.3, share=rng.choice([None, "batch"])), Dense(3)]
    net = Network(
        layers, 5, seed=int(rng.integers(2**32)), dtype=str(rng.choice(["float32", "float64"])),
        executor=str(rng.choice(["compiled", "compiled", "reference"])),
    )  # fmt: skip
    optimizer = [SGD(0.05, momentum=0.9), Adam(0.01), AdamW(0.01), RMSprop(0.01)][rng.integers(4)]
    average = WeightAverage(0.95) if rng.random() < 0.3 else None
    recording = Recording(keyframes, spacing=1 if keyframes < 50 else None)
    steps = Steps()
    training = Training(
        net, X, y, optimizer=optimizer, epochs=int(rng.integers(5, 40)), batch_size=batch,
        average=average, callbacks=[steps, recording],
    )  # fmt: skip
    for _ in range(3):
        training.advance(int(rng.integers(1, 40)))
        training.change("rate", float(rng.random() / 2))
        training.change("learning_rate", float(rng.random() / 50))
    training.finish()
    return X, y, net, steps, recording


@pytest.mark.slow
@pytest.mark.parametrize("keyframes", [5, 512])
@pytest.mark.parametrize("seed", range(20))
def test_two_hundred_random_steps_open_with_their_bits_also_from_a_file(seed, keyframes, tmp_path):
    rng = np.random.default_rng(seed)
    X, y, net, steps, recording = random_training(rng, keyframes)
    recording.save(tmp_path / "run.thinnet")
    from_file = load(tmp_path / "run.thinnet").on(X, y)
    end = recording.steps()[-1]
    for of in (recording, from_file):
        which = rng.integers(1, max(end, 2), size=200) if end > 1 else []
        for step in which:
            moment = of.at(int(step))
            assert_array_equal(moment.network.theta, steps.theta[step])
            assert_array_equal(moment.network.state, steps.state[step])
        assert_array_equal(of.at(end).network.theta, net.theta)


def test_a_network_that_branches_off_takes_nothing_from_the_one_it_came_from():
    recording = Recording(spacing=4)
    first, _, _ = recorded(recording, epochs=3)
    branch = recording.at(6).network
    train(branch, X, Y, epochs=1, batch_size=20, progress=False, callbacks=[recording])
    assert recording.n_members == 2
    assert_array_equal(recording.at(15).network.theta, first.theta)
    assert_array_equal(recording.at(recording.steps(1)[-1], 1).network.theta, branch.theta)


def test_a_network_too_large_to_be_recorded_takes_nothing_from_others():
    recording = Recording(spacing=1, max_bytes=60_000)
    recorded(recording, epochs=3)
    before = recording.keyframes_of()
    large = Network([Dense(5000), Dense(3)], 6, seed=2)
    with pytest.warns(UserWarning, match="bytes"):
        train(large, X, Y, epochs=1, batch_size=20, progress=False, callbacks=[recording])
    assert recording.keyframes_of() == before
