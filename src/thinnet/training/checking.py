"""Checks that a training could have written a snapshot; its checksum finds damage only."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array
from thinnet.network.changes import changed, having
from thinnet.philox import MAX_STEP
from thinnet.snapshots import Snapshot
from thinnet.training.history import COLUMNS
from thinnet.training.state import OF_TRAINING, TrainingState

COUNTS: Final = ("epoch", "step")  # the columns of a history that hold integers
MAX_COUNT: Final = 2**53  # above it, floats skip integers


def history_name(column: str) -> str:
    return f"history {column}"


def check_made_for(values: Any) -> None:
    """ValueError where a snapshot doesn't name the training that it was made for."""
    named = isinstance(values, dict) and isinstance(values.get("made for"), dict)
    checks.must(named, "values", "named, 'made for' among them", _excerpt(values))


def check_fits(training: TrainingState, saved: Snapshot, blank: Snapshot) -> None:
    """ValueError where a part is missing, has another type than in `blank`, or can't be true.

    Parameters
    ----------
    training : Training
        The training that `saved` must be a snapshot of.
    saved, blank : Snapshot
        The snapshot of a file, and the one that this training would write now.
    """
    _check_names("arrays", saved.arrays, blank.arrays)
    _check_names("values", saved.values, blank.values)
    histories = {history_name(column) for column in COLUMNS}
    for name, array in saved.arrays.items():
        other = blank.arrays[name]
        shape = array.shape if name in histories else other.shape
        fits = array.dtype == other.dtype and array.shape == shape and array.ndim == other.ndim
        wanted = f"{other.dtype} numbers of the shape {shape if name not in histories else '(n,)'}"
        checks.must(fits, name, wanted, f"{array.dtype} {array.shape}")
    for name, check in VALUES.items():
        check(name, saved.values[name])
    _check_counts(training, saved)


def check_changes(training: TrainingState, changes: Any, step: int) -> None:
    """ValueError where settings can't have been changed in this way up to `step`."""
    lists = type(changes) is list and all(type(c) is list and len(c) == 5 for c in changes)
    checks.must(
        lists, "changes", "lists of step, layer, setting, before and value", _excerpt(changes)
    )
    layers, latest = list(training.network.layers), 0
    for at, place, setting, before, value in changes:
        latest = checks.integer("step of a change", at, max(latest, 0), step)
        if place == OF_TRAINING:
            checks.one_of("setting", setting, ("learning_rate",))
            checks.non_negative("learning_rate", value)
            checks.non_negative("learning_rate before", before)
            continue
        (place,) = having(layers, setting, checks.integer("layer", place, 0))
        layers[place] = changed(layers[place], setting, value)


def _check_names(what: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    other = sorted(found.keys() ^ wanted.keys())
    if other:
        state = "missing" if other[0] in wanted else "unknown"
        raise ValueError(f"{what} must have the names of this version, got {other[0]!r} {state}")


def _check_counts(training: TrainingState, saved: Snapshot) -> None:
    """The counts of epochs and steps stand in several places, and must agree."""
    values, n_steps = saved.values, len(training.slices)
    columns = [saved.arrays[history_name(column)] for column in COLUMNS]
    epoch, batch = values["epoch"], values["batch"]
    same = all(len(column) == epoch for column in columns)
    checks.must(same, "history", f"of {epoch} epochs", [len(column) for column in columns])
    checks.integer("batch", batch, 0, n_steps - 1)
    step, life = values["clock"]
    left = max(training.plan.epochs * n_steps - epoch * n_steps - batch, 0)
    for name, count in (("step", step), ("t", values["t"])):
        checks.integer(name, count, epoch * n_steps + batch, MAX_STEP + 1 - left)
    checks.integer("clock's epoch", life, epoch)
    for name in COUNTS:
        _check_rising(name, saved.arrays[history_name(name)])
    checks.integer("waiting's epoch", values["waiting"][1], -1, epoch - 1)


def _check_rising(name: str, counts: Array) -> None:
    whole = np.isfinite(counts).all() and (counts == np.floor(counts)).all()
    inside = whole and (counts >= 0).all() and (counts < MAX_COUNT).all()
    rises = inside and (np.diff(counts) > 0).all()
    checks.must(rises, history_name(name), "rising counts", _excerpt(counts.tolist()))


def _count(name: str, value: Any) -> None:
    checks.must(type(value) is int, name, "an integer", _excerpt(value))
    checks.integer(name, value, 0, MAX_STEP + 1)


def _hex(name: str, value: Any) -> None:
    number = _float(value)
    checks.must(math.isfinite(number), name, "a finite number in hexadecimal", _excerpt(value))


def _float(value: Any) -> float:
    """The number in a text that `float.hex` wrote; NaN for anything else."""
    try:
        return float.fromhex(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _clock(name: str, value: Any) -> None:
    pair = isinstance(value, list) and len(value) == 2
    checks.must(pair, name, "step and epoch", _excerpt(value))
    for count in value:
        _count(name, count)


def _plateau(name: str, value: Any) -> None:
    triple = isinstance(value, list) and len(value) == 3
    checks.must(triple, name, "best, waited and scale", _excerpt(value))
    best, waited, scale = value
    _best(name, best)
    _count(name, waited)
    checks.unit_interval(f"scale of {name}", _float(scale))


def _waiting(name: str, value: Any) -> None:
    triple = isinstance(value, list) and len(value) == 3
    checks.must(triple, name, "best, epoch and waited", _excerpt(value))
    best, epoch, waited = value
    _best(name, best)
    checks.must(type(epoch) is int, f"epoch of {name}", "an integer", _excerpt(epoch))
    _count(name, waited)


def _best(name: str, value: Any) -> None:
    number = not math.isnan(_float(value))
    checks.must(number, f"best of {name}", "a number in hexadecimal", _excerpt(value))


VALUES: Final[Mapping[str, Callable[[str, Any], None]]] = {
    "clock": _clock,
    "epoch": _count,
    "t": _count,
    "batch": _count,
    "loss sum": _hex,
    "plateau": _plateau,
    "waiting": _waiting,
}


def _excerpt(value: Any) -> str:
    """The beginning of what a file holds, enough to recognise it."""
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
