"""Checkpoint files: atomic, complete or refused."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from full_disks import FAILURES
from numpy.testing import assert_array_equal
from safetensors.numpy import save_file

from thinnet import (
    SGD,
    Adam,
    CheckpointError,
    Dense,
    Dropout,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    snapshots,
    train,
)
from thinnet.snapshots import Snapshot

ARRAYS = {
    "theta": np.array([1.0, -0.0, np.nan, np.inf, 5e-324]),
    "state": np.zeros((0,), np.float32),
    "outputs": np.arange(6, dtype=np.float32).reshape(2, 3),
}
VALUES = {"epoch": 3, "loss sum": (0.1).hex(), "names": ["ü", 'quote " and \\'], "none": None}
OLD, NEW = Snapshot(ARRAYS, VALUES), Snapshot({"theta": np.ones(3)}, {"epoch": 4})


def assert_same(found, wanted):
    assert found.values == wanted.values
    assert found.arrays.keys() == wanted.arrays.keys()
    for name, array in wanted.arrays.items():
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].shape == array.shape
        assert found.arrays[name].tobytes() == array.tobytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.ckpt"


@pytest.fixture
def content(path):
    snapshots.write(path, OLD)
    return path.read_bytes()


def test_what_is_written_is_read_back_to_the_last_bit(path):
    snapshots.write(path, OLD)
    assert_same(snapshots.read(path), OLD)


def test_a_new_snapshot_takes_the_place_of_the_old(path):
    snapshots.write(path, OLD)
    snapshots.write(path, NEW)
    assert_same(snapshots.read(path), NEW)
    assert list(path.parent.iterdir()) == [path]


def test_arrays_need_not_be_contiguous(path):
    grid = np.arange(12.0).reshape(3, 4)
    snapshots.write(path, Snapshot({"across": grid.T, "every other": grid[:, ::2]}, {}))
    read = snapshots.read(path).arrays
    assert_array_equal(read["across"], grid.T)
    assert_array_equal(read["every other"], grid[:, ::2])


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(path, failure, monkeypatch):
    snapshots.write(path, OLD)
    with monkeypatch.context() as patch:
        patch.setattr(*failure)
        with pytest.raises(OSError, match="No space left"):
            snapshots.write(path, NEW)
    assert_same(snapshots.read(path), OLD)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_a_first_write_that_fails_leaves_nothing(path, failure, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(*failure)
        with pytest.raises(OSError, match="No space left"):
            snapshots.write(path, NEW)
    assert not list(path.parent.iterdir())


def test_the_old_file_stands_until_the_new_one_is_on_the_disk(path, monkeypatch):
    """The order of the calls: written, flushed, and only then renamed."""
    snapshots.write(path, OLD)
    calls, flush, rename = [], os.fsync, Path.replace

    def noting_flush(handle):
        assert_same(snapshots.read(path), NEW if "rename" in calls else OLD)
        calls.append("flush")
        flush(handle)

    def noting_rename(self, target):
        assert_same(snapshots.read(self), NEW)
        calls.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", noting_flush)
    monkeypatch.setattr(Path, "replace", noting_rename)
    snapshots.write(path, NEW)
    assert calls[:2] == ["flush", "rename"]


def refused(path):
    """The one sentence with which a file is refused."""
    with pytest.raises(CheckpointError) as caught:
        snapshots.read(path)
    message = str(caught.value)
    assert repr(str(path)) in message
    assert "\n" not in message
    return message


def test_a_file_cut_short_anywhere_is_refused(path, content):
    for length in [*range(0, 200), *range(200, len(content), 17), len(content) - 1]:
        path.write_bytes(content[:length])
        refused(path)


def test_a_file_with_something_behind_it_is_refused(path, content):
    path.write_bytes(content + b"\0")
    refused(path)


@pytest.mark.parametrize("flip", [0x01, 0x10, 0x80, 0xFF])
def test_an_altered_byte_never_gives_another_snapshot(path, content, flip):
    """Bytes between header and arrays are padding: the only ones that may change unnoticed."""
    accepted = 0
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= flip
        path.write_bytes(altered)
        try:
            found = snapshots.read(path)
        except CheckpointError as error:
            assert repr(str(path)) in str(error)  # noqa: PT017
            continue
        assert_same(found, OLD)
        accepted += 1
    assert accepted < 32


def test_an_altered_number_is_refused(path, content):
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "must match its checksum" in refused(path)


def test_a_file_of_another_format_is_refused_with_its_number(path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "FORMAT", 99)
        snapshots.write(path, OLD)
    assert "must have format 1, got format 99" in refused(path)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"kind": "thinnet model"}], ids=str)
def test_another_safetensors_file_is_refused(path, metadata):
    save_file({"weight": np.ones(3)}, path, metadata=metadata)
    assert "must be a thinnet checkpoint, got another safetensors file" in refused(path)


@pytest.mark.parametrize("junk", [b"", b"\0", b"\0" * 4096, b"PK\x03\x04" + b"x" * 500, b"{}" * 99])
def test_a_file_of_something_else_is_refused(path, junk):
    path.write_bytes(junk)
    refused(path)


def test_a_file_that_is_not_there_is_named(path):
    with pytest.raises(FileNotFoundError, match=r"must be an existing file, got '.*run\.ckpt'"):
        snapshots.read(path)


def test_nothing_in_a_checkpoint_is_a_pickle(content):
    assert b"theta" in content
    assert b"numpy" not in content
    assert not content.startswith(b"\x80")


# --- of which run --------------------------------------------------------------------------------

X = np.random.default_rng(0).normal(size=(12, 4))
Y = np.arange(12) % 3


def run(path, *, resume=False, X=X, y=Y, hidden=5, rate=0.25, seed=3, dtype=np.float32, **settings):
    net = Network(
        [Dense(hidden), ReLU(), Dropout(rate), Dense(3)],
        features=X.shape[1],
        seed=seed,
        dtype=dtype,
    )
    defaults = {"epochs": 2, "batch_size": 5, "optimizer": Adam(0.01), "progress": False}
    train(net, X, y, checkpoint=path, resume=resume, **(defaults | settings))
    return net


@pytest.fixture(scope="module")
def half_way(tmp_path_factory):
    path = tmp_path_factory.mktemp("half way") / "run.ckpt"
    run(path)
    return path


def altered(array, place, value):
    array = array.copy()
    array[place] = value
    return array


OTHERS = {
    "layers": {"hidden": 6},
    "layers (a rate)": {"rate": 0.5},
    "features": {"X": X[:, :3]},
    "seed": {"seed": 4},
    "dtype": {"dtype": np.float64},
    "batch_size": {"batch_size": 4},
    "optimizer": {"optimizer": SGD(0.01)},
    "optimizer (a rate)": {"optimizer": Adam(0.02)},
    "loss": {"loss": SoftmaxCrossEntropy(label_smoothing=0.1)},
    "shuffle": {"shuffle": False},
    "accumulate": {"accumulate": 2},
    "clip_norm": {"clip_norm": 1.0},
    "evaluate_every": {"evaluate_every": 2},
    "clean_rows": {"clean_rows": 3},
    "training data": {"X": altered(X, (7, 2), 0.0)},
    "training data (a label)": {"y": altered(Y, 7, 0)},
    "training data (weights)": {"sample_weight": np.ones(12)},
    "training data (ids)": {"samples": range(1, 13)},
    "validation data": {"validation": (X, Y)},
}


@pytest.mark.parametrize(("name", "other"), OTHERS.items(), ids=OTHERS)
def test_the_checkpoint_of_another_run_is_refused_with_what_differs(half_way, name, other):
    with pytest.raises(CheckpointError) as caught:
        run(half_way, resume=True, **other)
    message = str(caught.value)
    assert f"must be of this training, with {name.split(' (')[0]} " in message
    assert repr(str(half_way)) in message
    assert "\n" not in message


def test_a_refused_checkpoint_is_left_alone(half_way):
    before = half_way.read_bytes()
    with pytest.raises(CheckpointError):
        run(half_way, resume=True, seed=99)
    assert half_way.read_bytes() == before


def test_a_damaged_checkpoint_is_refused_and_left_alone(half_way, path):
    path.write_bytes(half_way.read_bytes()[:-5])
    damaged = path.read_bytes()
    with pytest.raises(CheckpointError, match="cut short or altered"):
        run(path, resume=True)
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("other", [{"epochs": 5}, {"checkpoint_every": 7}], ids=str)
def test_epochs_and_the_pace_of_checkpoints_may_change(half_way, path, other):
    shutil.copy(half_way, path)
    run(path, resume=True, **other)
    assert snapshots.read(path).values["epoch"] == other.get("epochs", 2)


def test_a_checkpoint_is_written_every_so_many_epochs_and_at_the_end(path):
    seen = []

    class Watch:
        def on_step_end(self, training):
            seen.append(snapshots.read(path).values["epoch"] if path.exists() else None)

    run(path, epochs=5, batch_size=None, checkpoint_every=2, callbacks=[Watch()])
    assert seen == [None, None, 2, 2, 4]
    assert snapshots.read(path).values["epoch"] == 5


# --- where it can lie ----------------------------------------------------------------------------


def refused_before_training(path):
    class Never:
        def on_step_end(self, training):
            pytest.fail("training has begun")

    with pytest.raises((ValueError, OSError)) as caught:
        run(path, callbacks=[Never()])
    return str(caught.value)


def test_a_folder_that_is_not_there_is_refused_before_training(tmp_path):
    message = refused_before_training(tmp_path / "missing" / "run.ckpt")
    assert "checkpoint must be in a folder that can be written to" in message
    assert "missing" in message


def test_a_folder_that_cannot_be_written_to_is_refused_before_training(path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # root may write anywhere
    message = refused_before_training(path)
    assert "checkpoint must be in a folder that can be written to" in message


def test_a_folder_in_place_of_the_file_is_refused_before_training(tmp_path):
    assert "checkpoint" in refused_before_training(tmp_path)


def test_a_folder_in_place_of_the_file_is_not_resumed_from(tmp_path):
    with pytest.raises((ValueError, OSError), match="checkpoint must"):
        run(tmp_path, resume=True)


def test_a_file_in_place_of_the_folder_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_text("x")
    message = refused_before_training(tmp_path / "file" / "run.ckpt")
    assert "checkpoint must be in a folder" in message


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b""], ids=["a table", "nothing"])
def test_a_file_that_is_no_checkpoint_is_never_written_over(path, content):
    path.write_bytes(content)
    with pytest.raises(CheckpointError):
        run(path)
    assert path.read_bytes() == content


def test_a_new_run_takes_the_place_of_an_old_checkpoint(path):
    run(path, seed=1)
    run(path, seed=2)
    run(path, seed=2, resume=True)


@pytest.mark.parametrize("bad", [3, b"run.ckpt"])
@pytest.mark.usefixtures("untyped")
def test_a_checkpoint_is_named_by_a_path(bad):
    with pytest.raises(ValueError, match="checkpoint must be a path, got"):
        run(bad)
