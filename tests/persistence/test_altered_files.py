"""Checkpoints and model files whose checksum is right and whose content is not: one sentence."""

import copy
import pathlib

import numpy as np
import pytest
from altering import one_sentence
from commanding import thinnet_command
from forging import LEAVES, forged
from mangling import people, written
from model_files import MODELS, a_pipeline, fitted

from thinnet import (
    Adam,
    BatchNorm,
    CheckpointError,
    Dense,
    DivergedError,
    Dropout,
    EarlyStopping,
    ModelFileError,
    Network,
    load,
    save,
    snapshots,
    train,
)
from thinnet.commands import fitting
from thinnet.persistence import files
from thinnet.snapshots import Snapshot

X = np.random.default_rng(0).normal(size=(12, 4))
Y = np.arange(12) % 3
CHAIN = (Dense(5), BatchNorm(), Dropout(0.3), Dense(3))


class StopAt:
    def on_step_end(self, training):
        return "stopped" if training.t == 5 else None


def run(path, **settings):
    network = Network(CHAIN, features=4, seed=1)
    rest = {"epochs": 3, "batch_size": 5, "validation": (X, Y), "early_stopping": EarlyStopping(2)}
    settings = {"optimizer": Adam(0.01), "progress": False, **rest, **settings}
    train(network, X, Y, checkpoint=path, **settings)
    return network


@pytest.fixture(scope="module")
def half_way(tmp_path_factory):
    path = tmp_path_factory.mktemp("half way") / "run.ckpt"
    run(path, callbacks=[StopAt()])
    return snapshots.read(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def refused(path, arrays, values):
    snapshots.write(path, Snapshot(arrays, values))
    before = path.read_bytes()
    with pytest.raises(CheckpointError) as caught:
        run(path, resume=True)
    one_sentence(caught.value, str(path))
    assert path.read_bytes() == before


def test_a_checkpoint_that_was_not_altered_goes_on(path, half_way):
    whole = run(path.with_name("whole"))
    snapshots.write(path, half_way)
    assert (run(path, resume=True).theta == whole.theta).all()


NAMES = ("made for", "clock", "epoch", "t", "batch", "loss sum", "plateau", "waiting")
JUNK = [None, True, -1, 2**64, 0.5, 10**400, "", "x\n y", "\ud800", [], [1], {}, "nan", "inf"]


@pytest.mark.parametrize("name", NAMES)
def test_a_value_that_no_run_could_have_written_is_refused(path, half_way, name):
    arrays, values = half_way
    refused(path, arrays, {other: values[other] for other in values if other != name})
    for junk in JUNK:
        refused(path, arrays, values | {name: junk})
    if isinstance(values[name], list):
        for place in range(len(values[name])):
            for junk in (None, "nan", -7, 10**30, [], 0.5):
                part = list(values[name])
                part[place] = junk
                refused(path, arrays, values | {name: part})


def test_an_array_that_no_run_could_have_written_is_refused(path, half_way):
    arrays, values = half_way
    for name, array in arrays.items():
        rest = {other: arrays[other] for other in arrays if other != name}
        refused(path, rest, values)
        for other in (array.astype("i4"), array[None], np.append(array.ravel(), 0), array[:0]):
            refused(path, rest | {name: other}, values)
    refused(path, dict(arrays) | {"more": np.zeros(1)}, values)
    for name in ("history epoch", "history step"):
        for number in (np.nan, np.inf, -1, 0.5, 1e300):
            refused(path, dict(arrays) | {name: np.full_like(arrays[name], number)}, values)


@pytest.mark.parametrize("junk", LEAVES, ids=lambda value: repr(value)[:20])
def test_a_checkpoint_of_one_word_is_refused(path, half_way, junk):
    refused(path, half_way.arrays, junk)


@pytest.mark.parametrize("seed", range(4))
def test_an_altered_checkpoint_is_refused_or_goes_on(path, half_way, seed):
    refusals = 0
    for i in range(50):
        rng = np.random.default_rng([seed, i])
        snapshots.write(path, Snapshot(*forged(rng, half_way)))
        try:
            with np.errstate(all="ignore"):
                assert run(path, resume=True).outputs(X).shape == (12, 3)
        except CheckpointError as error:
            one_sentence(error, str(path))
            refusals += 1
        except DivergedError as error:  # numbers that no training could have made
            one_sentence(error)
    assert refusals > 30


def saved_six_times(write, path):
    found = set()
    for _ in range(6):
        write(path)
        found.add(path.read_bytes())
    return found


def test_a_checkpoint_written_six_times_is_one_file(path, half_way):
    assert len(saved_six_times(lambda path: snapshots.write(path, half_way), path)) == 1


@pytest.mark.parametrize("name", ["words as objects", "early stopping", "several outputs"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_model_saved_six_times_is_one_file(path, name):
    assert name in MODELS
    model = fitted(name)
    assert len(saved_six_times(lambda path: save(model, path), path)) == 1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_pipeline_and_what_was_loaded_of_it_are_one_file(path):
    model = a_pipeline()
    first = saved_six_times(lambda path: save(model, path), path)
    assert first == saved_six_times(lambda path: save(load(path), path), path)
    assert len(first) == 1


@pytest.fixture(scope="module")
def of_command(tmp_path_factory):
    """A table and what is in the file of its model."""
    folder = tmp_path_factory.mktemp("command")
    table = folder / "table.csv"
    table.write_bytes(written(people(np.random.default_rng(0), rows=60)))
    settings = {"hidden_layer_sizes": (2,), "max_iter": 1, "n_networks": 2}
    job = fitting.FitJob(table, "buys", settings=settings)
    save(fitting.fit(job, progress=False).estimator, folder / "model")
    return table, snapshots.read_as(files._form(), folder / "model")


def attributes(values):
    """Of an estimator, as its file has them."""
    return values["model"]["of"]


CARD = ("table", "target", "rows", "tested on", "plain", "seed", "thinnet", "scores")


@pytest.mark.parametrize("name", CARD)
@pytest.mark.parametrize("junk", [..., {"is": "tuple", "of": []}, [{}]], ids=str)
def test_what_the_command_says_of_a_model_is_checked(path, of_command, name, junk):
    """A part that is missing, and parts of another kind."""
    values = copy.deepcopy(of_command[1].values)
    pairs = attributes(values)["card_"]["of"]
    (place,) = (i for i, (key, _) in enumerate(pairs) if key == name)
    pairs[place : place + 1] = [] if junk is ... else [[name, junk]]
    snapshots.write_as(files._form(), path, Snapshot(of_command[1].arrays, values))
    code, output = thinnet_command("show", path)
    assert code == 1
    assert output.startswith(f"thinnet: model file '{path}' must hold a model that this thinnet")


@pytest.mark.parametrize("text", ["[/red] [bold] :smile:", "\ud800"], ids=["marks", "half"])
def test_words_of_a_model_are_never_marks_of_the_screen(path, of_command, text):
    values = copy.deepcopy(of_command[1].values)
    attributes(values)["notes_"]["of"].append(text)
    snapshots.write_as(files._form(), path, Snapshot(of_command[1].arrays, values))
    code, output = thinnet_command("show", path)
    assert (code, text in output) == ((0, True) if text.isprintable() else (1, False))


def test_an_altered_model_is_shown_and_asked_or_refused(path, of_command, monkeypatch):
    table, snapshot = of_command
    monkeypatch.chdir(path.parent)
    refusals = 0
    for seed in range(15):
        rng = np.random.default_rng(seed)
        snapshots.write_as(files._form(), path, Snapshot(*forged(rng, snapshot)))
        code, output = thinnet_command("show", path)
        if code == 0:
            code, output = thinnet_command("predict", path, table, "--out", "p.csv", "--force")
        refusals += code != 0
        assert code == 0 or output.count("\nthinnet: ") + output.startswith("thinnet: ") == 1
    assert refusals > 5


def test_a_number_type_that_numpy_has_not_is_refused(path):
    header = b'{"__metadata__":{"kind":"thinnet model"},"a":{"dtype":"BF16","shape":[1],'
    header += b'"data_offsets":[0,2]}}'
    header += b" " * (-len(header) % 8)
    pathlib.Path(path).write_bytes(len(header).to_bytes(8, "little") + header + b"\1\1")
    with pytest.raises(ModelFileError) as caught:
        load(path)
    one_sentence(caught.value, str(path))
