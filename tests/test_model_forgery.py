"""Nothing that a model file holds is run, and no file does harm."""

import builtins
import copy
import os
import pickle
import time
import tracemalloc
from contextlib import suppress
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_files import X, a_perceptron, a_pipeline, assert_same, predictions, saved_and_loaded

from thinnet import ModelFileError, checkpoints, load, save
from thinnet.checkpoints import Snapshot
from thinnet.persistence import codec, files, known

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.thinnet"


@pytest.fixture(scope="module")
def perceptron():
    return a_perceptron()


@pytest.fixture(scope="module")
def pipeline():
    return a_pipeline()


def test_nothing_in_a_model_file_is_a_pickle_or_code(perceptron, pipeline, path, monkeypatch):
    def refuse_to(*args, **kwargs):
        raise AssertionError(f"called with {args!r}")

    modules = {key.rpartition(".")[0] for key in known.KNOWN}

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
    start = time.perf_counter()
    tracemalloc.start()
    try:
        return load(path)
    except ModelFileError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return None
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < BYTES
        assert time.perf_counter() - start < SECONDS


def fuzz(attack, cases):
    """Let `attack` loose with so many different draws."""

    @settings(max_examples=cases, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def run(data):
        attack(data.draw)

    run()


def damaged(draw, content):
    """Bytes flipped, cut out or put in, at a few places."""
    content = bytearray(content)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        stop = draw(st.sampled_from([start, start + 1, start + 8, len(content)]))
        content[start:stop] = draw(st.binary(max_size=9))
    return bytes(content)


def attack_bytes(draw, model, content, path):
    path.write_bytes(damaged(draw, content))
    loaded = outcome(path)
    if loaded is not None:
        assert_same(loaded, model)


WORDS_OF_FILES = sorted({*codec.BY_TAG, *known.KNOWN, "array", "os.system", "__class__", "nan"})
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers() | st.sampled_from([-1, 2**31, 2**63, 2**64, 10**30, 10**400]),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(WORDS_OF_FILES),
)
JUNK = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=5), inner, max_size=2),
        st.fixed_dictionaries({"is": st.sampled_from(WORDS_OF_FILES), "of": inner}),
    ),
    max_leaves=6,
)


def nodes(value):
    """Every place in a JSON value, as what holds it and its key there."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in list(inside):
        yield value, key
        if isinstance(part, dict | list):
            yield from nodes(part)


def edit_value(draw, arrays, values):
    places = list(nodes(values)) or [({"": values}, "")]
    holder, key = places[draw(st.integers(0, len(places) - 1))]
    how = draw(st.sampled_from(["junk", "deep", "other", "none", "more", "number"]))
    if how == "junk":
        holder[key] = draw(JUNK)
    elif how == "deep":
        for _ in range(draw(st.integers(1, 100))):
            holder[key] = draw(
                st.sampled_from([[holder[key]], {"is": "tuple", "of": [holder[key]]}])
            )
    elif how == "other":
        there, name = places[draw(st.integers(0, len(places) - 1))]
        holder[key] = copy.deepcopy(there[name])
    elif how == "none":
        del holder[key]
    elif isinstance(holder, dict):
        holder[draw(st.text(max_size=9) | st.sampled_from(WORDS_OF_FILES))] = holder[key]
    else:
        holder.append(holder[key])


def edit_array(draw, arrays, values):
    name = draw(st.sampled_from(sorted(arrays) or [""]))
    array = arrays.pop(name, np.zeros(1))
    how = draw(st.sampled_from(["type", "shape", "numbers", "name", "none", "length"]))
    if how == "type":
        array = array.astype(draw(st.sampled_from(["?", "i1", "u4", "i8", "f2", "f4", "f8"])))
    elif how == "shape":
        array = array.reshape(draw(st.sampled_from([(-1,), (-1, 1), (1, -1), (1,) * 40 + (-1,)])))
    elif how == "numbers":
        array[...] = draw(st.sampled_from([0, 1, 7, 100, array.max(initial=0)]))
    elif how == "length":
        array = np.resize(array, draw(st.integers(0, 2 * array.size)))
    if how != "none":
        arrays[draw(st.sampled_from(["x", "__metadata", *arrays])) if how == "name" else name] = (
            array
        )


def attack_parts(draw, snapshot, path):
    arrays, values = ({**copy.deepcopy(part)} for part in snapshot)
    for _ in range(draw(st.integers(1, 3))):
        draw(st.sampled_from([edit_value, edit_value, edit_array]))(draw, arrays, values)
    checkpoints.write_as(files._form(), path, Snapshot(arrays, values))
    loaded = outcome(path)
    with suppress(Exception), np.errstate(all="ignore"):  # but neither crash nor hang
        predictions(loaded, X)


@pytest.fixture(scope="module", params=["perceptron", "pipeline"])
def model(request):
    return request.getfixturevalue(request.param)


FEW, MANY = 100, pytest.param(2000, marks=pytest.mark.slow)


@pytest.mark.parametrize("cases", [FEW, MANY])
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_a_damaged_file_is_refused_or_loads_the_same_model(cases, model, path):
    save(model, path)
    fuzz(partial(attack_bytes, model=model, content=path.read_bytes(), path=path), cases)


@pytest.mark.parametrize("cases", [FEW, MANY])
@pytest.mark.filterwarnings("ignore:.*encountered in cast:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:model file:UserWarning")
def test_a_forged_file_is_refused_or_loads_a_model_that_does_no_harm(cases, model, path):
    save(model, path)
    snapshot = checkpoints.read_as(files._form(), path)
    fuzz(partial(attack_parts, snapshot=snapshot, path=path), cases)
