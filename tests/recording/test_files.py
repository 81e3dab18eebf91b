"""Recordings in files, of estimators, and by the command; what can't be opened is refused."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from commanding import thinnet_command
from full_disks import files_of_at_most
from numpy.testing import assert_array_equal
from sklearn.model_selection import cross_val_score

from thinnet import (
    Dense,
    Dropout,
    EnsembleClassifier,
    MLPClassifier,
    Network,
    Recording,
    ReLU,
    TableClassifier,
    TableRegressor,
    WeightAverage,
    load,
    snapshots,
    train,
)
from thinnet.checks import ModelFileError
from thinnet.recording import files

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 6))
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)


def trained(recording, X=X, y=Y, **settings):
    net = Network([Dense(12), ReLU(), Dropout(0.3), Dense(3)], 6, seed=1)
    settings = {"epochs": 8, "batch_size": 20, "progress": False} | settings
    train(net, X, y, callbacks=[recording], **settings)
    return net


def through_file(recording, tmp_path):
    recording.save(tmp_path / "run.thinnet")
    return load(tmp_path / "run.thinnet")


def assert_same(one, other, steps, member=0):
    for step in steps:
        a, b = one.at(step, member), other.at(step, member)
        assert_array_equal(a.network.theta, b.network.theta)
        assert_array_equal(a.after, b.after)
        assert_array_equal(a.rows, b.rows)
        assert a.loss == b.loss


def test_a_recording_from_a_file_opens_as_the_one_that_was_saved(tmp_path):
    recording = Recording(8, spacing=1)
    net = trained(recording, average=WeightAverage(0.9), sample_weight=np.arange(90.0))
    again = through_file(recording, tmp_path).on(X, Y, sample_weight=np.arange(90.0))
    assert_same(recording, again, range(0, 40, 3))
    assert_array_equal(again.at(40).network.theta, net.theta)
    twice = through_file(again, tmp_path).on(X, Y, sample_weight=np.arange(90.0))
    assert_same(recording, twice, [0, 17, 39])


def test_without_rows_keyframes_open_and_replay_is_refused(tmp_path):
    recording = Recording(spacing=7)
    trained(recording)
    again = through_file(recording, tmp_path)
    for step in again.keyframes_of():
        found, wanted = again.at(step), recording.at(step)
        assert_array_equal(found.network.theta, wanted.network.theta)
        assert_array_equal(found.rows, wanted.rows)
        assert_array_equal(found.masks[0], wanted.masks[0])
        with pytest.raises(ValueError, match=r"must have its data for its loss.*\.on\(X, y\)"):
            _ = found.loss
    with pytest.raises(ValueError, match=r"must have its data for step 8.*0, 7, 14"):
        again.at(8)


@pytest.mark.parametrize(
    "other",
    [(X + 1e-9, Y), (X[::-1], Y), (X.astype(np.float32), Y), (X[:-1], Y[:-1]), (X, Y[::-1])],
    ids=["shifted", "in another order", "of another type", "shorter", "of other targets"],
)
def test_other_data_is_refused(other, tmp_path):
    recording = Recording(spacing=7)
    trained(recording)
    again = through_file(recording, tmp_path)
    with pytest.raises(ValueError, match="must be the data of the training, got other data"):
        again.on(*other)


def test_data_that_changed_since_is_refused_by_its_checksum():
    recording, mine = Recording(spacing=7), X.copy()
    trained(recording, mine)
    recording.at(8)
    mine[3, 2] = 0
    with pytest.raises(ValueError, match="it has changed since"):
        recording.at(9)
    with pytest.raises(ValueError, match=r"checksum.*it has changed since"):
        recording.at(17)
    assert recording.at(14).step == 14  # a keyframe


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda r: r.at(41), r"step must be one that was recorded \(0 to 40, the end\), got 41"),
        (lambda r: r.at(-1), "step must be an integer"),
        (lambda r: r.at(1.5), "step must be an integer"),
        (lambda r: r.at(3, member=1), "member must be an integer"),
        (lambda r: r.at(40).rows, "must be one that was taken to have rows, got 40, the end"),
        (lambda r: r.at(40).loss, "the end of the training"),
        (lambda r: r.at(3).trace(sample=90), "sample must be one of the 20 rows of step 3, got 90"),
        (lambda r: r.at(3).trace(sample="x"), "sample must be one of the 20 rows"),
        (lambda r: Recording().at(0), "must have a training, got none"),
        (lambda r: Recording(1), "keyframes must be"),
        (lambda r: Recording(max_bytes=0), "max_bytes must be"),
        (lambda r: Recording(spacing=0), "spacing must be"),
    ],
)  # fmt: skip
def test_what_there_is_not_is_refused_in_a_sentence(call, words):
    recording = Recording(spacing=7)
    trained(recording)
    with pytest.raises(ValueError, match=words):
        call(recording)


def test_a_recording_with_another_arithmetic_opens_its_keyframes_only():
    recording = Recording(spacing=7)
    trained(recording)
    recording.members[0].tapes[0].arithmetic = "version 0"
    assert recording.at(7).step == 7
    with pytest.raises(ValueError, match="arithmetic must be that of the training, version 0"):
        recording.at(8)


def test_a_file_that_is_cut_short_or_altered_is_refused(tmp_path):
    recording, path = Recording(spacing=7), tmp_path / "run.thinnet"
    trained(recording)
    recording.save(path)
    content = path.read_bytes()
    for n in (0, 5, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:n])
        with pytest.raises(ModelFileError, match=r"cut short|empty"):
            load(path)
    for place in RNG.integers(8, len(content), size=60):
        altered = bytearray(content)
        altered[place] ^= 1
        path.write_bytes(altered)
        with pytest.raises(ModelFileError):
            load(path)


def test_a_disk_that_fills_leaves_the_file_of_before(tmp_path):
    small, large, path = Recording(2, spacing=20), Recording(spacing=1), tmp_path / "run.thinnet"
    trained(small)
    trained(large)
    small.save(path)
    before = path.read_bytes()
    with files_of_at_most(len(before) + 1000), pytest.raises(OSError, match="File too large"):
        large.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["run.thinnet"]
    assert large.at(7).network is not None


def test_a_recording_is_not_saved_where_there_is_no_folder(tmp_path):
    recording = Recording()
    trained(recording)
    with pytest.raises(ValueError, match="recording must be in a folder"):
        recording.save(tmp_path / "none" / "run.thinnet")


def test_keyframes_thin_themselves_and_stay_within_their_bounds():
    recording = Recording(keyframes=10, spacing=1)
    trained(recording, epochs=50)
    found = recording.keyframes_of()
    assert found == list(range(0, 250, 32))
    size = recording.room(recording.at(0).network).keyframe
    bounded = Recording(max_bytes=7.5 * size, spacing=1)
    net = trained(bounded, epochs=50)
    assert bounded.nbytes <= 7.5 * size
    assert_same(recording, bounded, [3, 100, 249])
    room = bounded.room(net)
    assert (room.keyframe, room.keyframes) == (size, 7)
    assert "at most 7 keyframes" in str(room)


def test_a_training_that_has_no_room_goes_on_unrecorded():
    recording = Recording(max_bytes=100)
    with pytest.warns(UserWarning, match="max_bytes must be at least .* not recorded"):
        net = trained(recording)
    assert_array_equal(net.theta, trained(Recording()).theta)


def test_a_training_goes_on_when_memory_ends(monkeypatch):
    from thinnet.recording import tapes

    recording, kept = Recording(spacing=7), tapes.keyframe_of

    def full(training):
        if training.t == 21:
            raise MemoryError
        return kept(training)

    monkeypatch.setattr(tapes, "keyframe_of", full)
    with pytest.warns(UserWarning, match="no memory left"):
        net = trained(recording)
    assert net.clock.step == 40
    assert recording.keyframes_of() == [0, 7, 14]


ESTIMATORS = {
    "alone": lambda r: MLPClassifier((9,), dropout=0.2, max_iter=8, random_state=0, callbacks=[r]),
    "stopped": lambda r: MLPClassifier(
        (9,), max_iter=8, random_state=0, early_stopping=True, class_weight="balanced",
        learning_rate="adaptive", solver="sgd", callbacks=[r],
    ),
    "ensemble": lambda r: EnsembleClassifier(
        MLPClassifier((9,), max_iter=8, callbacks=[r]), n_networks=3, bootstrap=True, n_jobs=2,
        random_state=0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("make", ESTIMATORS.values(), ids=ESTIMATORS)
def test_networks_of_estimators_are_recorded_and_found_again(make, tmp_path):
    recording = Recording(spacing=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged
        model = make(recording).fit(X, Y)
        other = make(Recording()).fit(X, Y)
    networks = getattr(model, "networks_", None) or [model.network_]
    alone = getattr(other, "networks_", None) or [other.network_]
    again = through_file(recording, tmp_path).on(X, Y)
    assert recording.n_members == again.n_members == len(networks)
    for member, net in enumerate(networks):
        end = recording.steps(member)[-1]
        assert_array_equal(recording.at(end, member).network.theta, net.theta)
        assert_array_equal(net.theta, alone[member].theta)
        assert_same(recording, again, [0, 4, end - 1], member)


def table():
    rng = np.random.default_rng(1)
    words = np.array(["a", "b", *(f"w{i}" for i in range(50))])
    frame = pd.DataFrame({"n": rng.normal(size=300), "c": rng.choice(words, 300)})
    frame["d"] = rng.integers(4, size=300)
    return frame, frame["n"] + (frame["c"] == "a") + 0.1 * rng.normal(size=300)


@pytest.mark.parametrize("kind", [TableClassifier, TableRegressor])
def test_networks_of_tables_are_recorded_and_found_again(kind, tmp_path):
    frame, y = table()
    y = np.where(y > 0.3, "yes", "no") if kind is TableClassifier else y.to_numpy()
    recording, settings = Recording(spacing=5), {"n_networks": 2, "max_iter": 6, "random_state": 0}
    model = kind(**settings, callbacks=[recording]).fit(frame, y)
    alone = kind(**settings).fit(frame, y)
    again = through_file(recording, tmp_path).on(frame, y)
    for member, net in enumerate(model.networks_):
        end = recording.steps(member)[-1]
        assert_array_equal(recording.at(end, member).network.theta, net.theta)
        assert_array_equal(net.theta, alone.networks_[member].theta)
        assert_same(recording, again, [0, 7, end - 1], member)


def test_the_command_records_a_table_and_a_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame, y = table()
    frame.assign(y=np.where(y > 0.3, "yes", "no")).to_csv("t.csv", index=False)
    fast = ("--epochs", 2, "--networks", 1, "--hidden", 4)
    code, output = thinnet_command("fit", "t.csv", "--target", "y", "--record", "r.thinnet", *fast)
    assert code == 0, output
    assert "recording: at most 1,000 MB in memory and in r.thinnet" in output
    model, recording = load("t.thinnet"), load("r.thinnet")
    end = recording.steps()[-1]
    assert_array_equal(recording.at(end).network.theta, model.networks_[0].theta)
    for given in (("t.csv", "y"), (pd.read_csv("t.csv"), "y"), (frame, pd.read_csv("t.csv")["y"])):
        again = load("r.thinnet").on(*given)
        assert np.isfinite([again.at(step).loss for step in (0, end // 2, end - 1)]).all()
    code, output = thinnet_command("fit", "spiral", "--epochs", 1, "--record", "s.thinnet")
    assert code == 0, output
    assert load("s.thinnet").n_members == 2
    for place, words in (("t.csv", "another file than DATA"), ("t.thinnet", "another file than")):
        code, output = thinnet_command("fit", "t.csv", "--target", "y", "--record", place)
        assert (code, words in output) == (2, True)
    code, output = thinnet_command(
        "fit", "t.csv", "--target", "y", "--out", "o.thinnet", "--record", "t.thinnet", *fast
    )
    assert code == 2
    assert "a new file or a recording of thinnet's" in output


def test_a_pickled_recording_opens_as_before():
    recording = Recording(spacing=7)
    trained(recording)
    assert_same(recording, pickle.loads(pickle.dumps(recording)), [0, 8, 39])


def test_clones_of_an_estimator_are_recorded_in_the_same_place():
    recording = Recording()
    model = MLPClassifier((4,), max_iter=2, random_state=0, callbacks=[recording])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cross_val_score(model, X, Y, cv=3)
    assert recording.n_members == 3


FORGED = {  # what is altered in a tape, and in the arrays
    "a shorter theta": lambda tape, arrays: arrays.update({"0/0/1/theta": np.zeros(3, "f4")}),
    "no moments": lambda tape, arrays: arrays.pop("0/0/2/optimizer 0"),
    "another type": lambda tape, arrays: arrays.update(
        {"0/0/1/state": arrays["0/0/1/state"].astype("f8"),
         "0/0/1/theta": arrays["0/0/1/theta"].astype("f8")}
    ),
    "an array too many": lambda tape, arrays: arrays.update({"0/0/99/theta": np.zeros(3)}),
    "a step in the wrong batch": lambda tape, arrays: change_frame(tape, 1, 4, 77),
    "a negative step": lambda tape, arrays: change_frame(tape, 0, 0, -1),
    "keyframes out of order": lambda tape, arrays: change_frame(tape, 1, 0, 14),
    "an end before the last keyframe": lambda tape, arrays: set_part(tape, "end", 3),
    "a change of nothing": lambda tape, arrays: set_part(
        tape, "changes", [[3, 0, "rate", 0.1, 0.5]]
    ),
    "no scale": lambda tape, arrays: set_part(tape, "scales", []),
    "no network": lambda tape, arrays: set_part(tape, "network", 3),
}  # fmt: skip


def parts(packed):
    """A packed dict by its keys: pairs of names and values, each of which may be packed."""
    return {pair[0]: pair for pair in packed["of"]}


def set_part(tape, name, value):
    parts(tape)[name][1] = value


def change_frame(tape, k, place, value):
    parts(tape)["frames"][1][k][place] = value


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_file_that_no_recording_can_have_written_is_refused(forge, tmp_path):
    path, recording = tmp_path / "run.thinnet", Recording(spacing=7)
    trained(recording)
    recording.save(path)
    snapshot = snapshots.read_as(files.form(), path)
    arrays = dict(snapshot.arrays)
    members = parts(snapshot.values["recording"])["members"][1]
    forge(parts(members[0])["tapes"][1][0], arrays)
    snapshots.write_as(files.form(), path, snapshots.Snapshot(arrays, snapshot.values))
    with pytest.raises(ModelFileError, match="must hold a recording that this thinnet knows"):
        load(path)
