"""Names of earlier versions: a sentence says the new one."""

import importlib
import inspect

import pytest

import thinnet
from thinnet.moved import MODULES

WITHIN = {
    "tables.amounts": "tables.columns.amounts",
    "tables.headers": "tables.reading.headers",
    "uncertainty.mixtures": "uncertainty.draws.mixtures",
}


@pytest.mark.parametrize(("old", "new"), (MODULES | WITHIN).items())
def test_a_module_that_has_moved_is_refused_with_its_new_name(old, new):
    importlib.import_module(f"thinnet.{new}")
    message = f"thinnet.{old} is now thinnet.{new}"
    with pytest.raises(ModuleNotFoundError, match=message):
        importlib.import_module(f"thinnet.{old}")
    with pytest.raises(ModuleNotFoundError, match=message):
        importlib.import_module(f"thinnet.{old}.within")
    room, _, name = f"thinnet.{old}".rpartition(".")
    if hasattr(importlib.import_module(room), name):  # a function with the name that it had
        return
    with pytest.raises(ModuleNotFoundError, match=message):
        exec(f"from {room} import {name}")
    if room == "thinnet":
        with pytest.raises(AttributeError, match=message):
            getattr(thinnet, old)


def test_a_module_that_never_was_is_not_found_as_anywhere():
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'thinnet\.nowhere'"):
        importlib.import_module("thinnet.nowhere")
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'thinnet\.tables\.nowhere'"):
        importlib.import_module("thinnet.tables.nowhere")
    with pytest.raises(AttributeError, match="attribute nowhere"):
        thinnet.nowhere  # noqa: B018


def test_keywords_are_refused_with_their_new_name():
    with pytest.raises(TypeError, match="initialiser is now initializer, got initialiser='zeros'"):
        thinnet.Dense(3, initialiser="zeros")
    network = thinnet.Network([thinnet.Dense(1)], features=1)
    with pytest.raises(TypeError, match="optimiser is now optimizer"):
        thinnet.train(network, [[1.0]], [1.0], optimiser=thinnet.SGD(0.1))


def test_a_method_is_refused_with_its_new_name():
    with pytest.raises(AttributeError, match=r"Training\.run is now Training\.finish"):
        thinnet.Training.run  # noqa: B018


def test_signatures_show_the_new_names():
    assert "initializer" in inspect.signature(thinnet.Dense).parameters
    assert "optimizer" in inspect.signature(thinnet.train).parameters
