"""Nothing that a model file holds is run, and no file does harm."""

import builtins
import os
import pickle
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from altering import altered
from forging import forged
from model_files import X, assert_same, predictions, saved_and_loaded
from promises import done_within

from thinnet import ModelFileError, load, save, snapshots
from thinnet.persistence import files, known
from thinnet.snapshots import Snapshot

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_nothing_in_a_model_file_is_a_pickle_or_code(perceptron, pipeline, path, monkeypatch):
    def refuse_to(*args, **kwargs):
        raise AssertionError(f"called with {args!r}")

    modules = {one.module for one in known.KNOWN.values()}

    def only_known(name, importer=known.import_module):
        assert name in modules
        return importer(name)

    save(pipeline, path)
    load(path)  # whatever is imported lazily has been, by code of its own
    with monkeypatch.context() as patch:
        for module, name in [
            *((pickle, name) for name in ("load", "loads", "dump", "dumps", "Unpickler")),
            *((builtins, name) for name in ("eval", "exec", "compile")),
            *((os, name) for name in ("system", "popen")),
        ]:
            patch.setattr(module, name, refuse_to)
        patch.setattr(known, "import_module", only_known)
        for model in (pipeline, perceptron):
            loaded = saved_and_loaded(model, path)
    assert_same(loaded, perceptron)
    assert b"\x80\x04" not in path.read_bytes()


SECONDS, BYTES = 10, 2**26  # that a small file may take


def outcome(path):
    """What is loaded, None where the file is refused: quickly, and with little memory."""
    tracemalloc.start()
    try:
        with done_within(SECONDS):
            return load(path)
    except ModelFileError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return None
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < BYTES


def attack_bytes(rng, model, content, path):
    path.write_bytes(altered(rng, content))
    loaded = outcome(path)
    if loaded is not None:
        assert_same(loaded, model)


def attack_parts(rng, snapshot, path):
    snapshots.write_as(files._form(), path, Snapshot(*forged(rng, snapshot)))
    loaded = outcome(path)
    with suppress(Exception), np.errstate(all="ignore"):  # but neither crash nor hang
        predictions(loaded, X)


@pytest.fixture(scope="module", params=["perceptron", "pipeline"])
def model(request):
    return request.getfixturevalue(request.param)


CASES = 40  # and 2,000 under attack/


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_a_damaged_file_is_refused_or_loads_the_same_model(model, path, rng):
    save(model, path)
    content = path.read_bytes()
    for _ in range(CASES):
        attack_bytes(rng, model, content, path)


@pytest.mark.filterwarnings("ignore:.*encountered in cast:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:model file:UserWarning")
def test_a_forged_file_is_refused_or_loads_a_model_that_does_no_harm(model, path, rng):
    save(model, path)
    snapshot = snapshots.read_as(files._form(), path)
    for _ in range(CASES):
        attack_parts(rng, snapshot, path)
