"""Checkpoints: a training as a snapshot, and a snapshot as a training again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from thinnet import arithmetic, checks, snapshots
from thinnet.arrays import Array
from thinnet.checks import CheckpointError, one_line
from thinnet.network import executor
from thinnet.network.changes import Change
from thinnet.network.logbook import Entry, Logbook
from thinnet.schedules.plateau import Plateau
from thinnet.snapshots import Snapshot
from thinnet.training.checking import (
    COUNTS,
    check_changes,
    check_fits,
    check_made_for,
    history_name,
)
from thinnet.training.history import COLUMNS, Epoch
from thinnet.training.state import OF_TRAINING, Counts, TrainingState
from thinnet.training.stopping import Waiting

REFERENCE = "reference"  # the arithmetic of the reference executor
LOGBOOK = "logbook "  # before the names of its arrays


class Keeper:
    """Writes the checkpoint at the ends of epochs, and when training ends."""

    def __init__(self, training: TrainingState, path: str | os.PathLike[str] | None) -> None:
        self._training, self._path = training, path
        self._made_for: dict[str, str] = {}
        if path is None:
            return
        snapshots.check_place(path)
        known, dtype = ("float16", "float32", "float64"), training.network.dtype
        checks.must(dtype in known, "the network", f"of type {', '.join(known)} to be kept", dtype)
        self._made_for = fingerprint(training)

    def resume(self) -> None:
        if self._path is None:
            raise ValueError("resume=True needs a checkpoint to go on from, got checkpoint=None")
        if Path(self._path).exists():
            saved = snapshots.read(self._path)
            restore(self._training, saved, self._made_for, self._path)

    def on_epoch_end(self, training: TrainingState) -> None:
        if training.epoch % training.plan.checkpoint_every == 0:
            self.keep()

    def keep(self) -> None:
        if self._path is not None:
            snapshots.write(self._path, snapshot(self._training, self._made_for))


def fingerprint(training: TrainingState) -> dict[str, str]:
    """The settings and data checksums, by name, that a resumed training must agree with."""
    found = dict(training.plan.fingerprint(training.network))
    found["training data"] = training.data.fingerprint()
    validation = training.validation
    found["arithmetic"] = REFERENCE
    if executor.is_compiled(training.network):
        found["arithmetic"] = f"version {arithmetic.VERSION}"
    found["validation data"] = "none" if validation is None else validation.fingerprint()
    return found


def snapshot(training: TrainingState, made_for: Mapping[str, str]) -> Snapshot:
    network = training.network
    columns = {history_name(column): training.history[column] for column in COLUMNS}
    arrays = {**training.arrays(), **columns}
    entries, of_entries = _entry_values(network.logbook.until(network.clock.step))
    arrays |= {f"{LOGBOOK}{name}": array for name, array in of_entries.items()}
    values = {
        "made for": dict(made_for),
        "clock": [network.clock.step, network.clock.epoch],
        "epoch": training.epoch,
        "t": training.t,
        "batch": training.batch,
        "loss sum": training.loss_sum.hex(),
        "plateau": _exact(training.plateau),
        "waiting": _exact(training.waiting),
        "logbook": entries,
        "changes": [_values(change) for change in training.history.changes],
    }
    return Snapshot(arrays, values)


def _exact(state: Iterable[float]) -> list[int | str]:
    """Numbers in a form that JSON keeps to the last bit, infinity included."""
    return [value.hex() if isinstance(value, float) else value for value in state]


def _from_exact(values: Iterable[int | str]) -> list[Any]:
    return [float.fromhex(value) if isinstance(value, str) else value for value in values]


def restore(
    training: TrainingState,
    saved: Snapshot,
    made_for: Mapping[str, str],
    path: str | os.PathLike[str],
) -> None:
    """Bring `training` to the state in `saved`.

    Raises
    ------
    CheckpointError
        If the snapshot is of another network, other data or other settings (the error names the
        first difference), or could not have been written by such a training.
    """
    file = f"checkpoint {os.fspath(path)!r}"
    try:
        check_made_for(saved.values)
        saved = _spelt_now(saved, made_for)
        _check_same(file, saved.values["made for"], made_for)
        own, logbook, changes = _parted(saved)
        check_fits(training, own, _parted(snapshot(training, made_for))[0])
        check_changes(training, changes, saved.values["clock"][0])
    except CheckpointError:
        raise
    except ValueError as error:
        raise CheckpointError(f"{file} must hold a training, but {one_line(error)}") from error
    _change_again(training, changes)
    _take(training, own)
    network = training.network
    network.logbook = network.logbook if logbook is None else logbook
    network.logbook.cut(network.clock.step - training.t)


def _spelt_now(saved: Snapshot, wanted: Mapping[str, str]) -> Snapshot:
    """The snapshot with the names of this version where an older one spelt them otherwise.

    Those that do not name their arithmetic come from before it had versions.
    """
    arrays = {_spelling(name): array for name, array in saved.arrays.items()}
    made_for = {_spelling(name): value for name, value in saved.values["made for"].items()}
    before = REFERENCE if wanted["arithmetic"] == REFERENCE else "version 0"
    made_for.setdefault("arithmetic", before)
    if isinstance(made_for.get("layers"), str):
        made_for["layers"] = _spelling(made_for["layers"])
    return Snapshot(arrays, {**saved.values, "made for": made_for})


def _spelling(text: str) -> str:
    return text.replace("optimiser", "optimizer").replace("initialiser", "initializer")


def _check_same(file: str, found: Mapping[str, Any], wanted: Mapping[str, str]) -> None:
    for name, value in wanted.items():
        other = found.get(name)
        if other != value:
            got = f"{name} {one_line(other)}"
            raise CheckpointError(
                f"{file} must be of this training, with {name} {value}, got {got}"
            )


def _take(training: TrainingState, saved: Snapshot) -> None:
    arrays, values = saved
    clock = training.network.clock
    clock.step, clock.epoch = values["clock"]
    counts = Counts(
        values["epoch"],
        values["t"],
        values["batch"],
        float.fromhex(values["loss sum"]),
        Plateau(*_from_exact(values["plateau"])),
        Waiting(*_from_exact(values["waiting"])),
    )
    training.go_on_from(counts, arrays, _epochs(arrays))


def _values(change: Change) -> list[Any]:
    """A change as a JSON value; what a layer had before follows from the network."""
    before = change.before if change.layer == OF_TRAINING else None
    return [*change[:3], before, change.value]


def _change_again(training: TrainingState, changes: Sequence[Sequence[Any]]) -> None:
    """Change the settings that the interrupted training had changed, each at its step."""
    for step, layer, setting, before, value in changes:
        training.network.clock.step = step
        if layer == OF_TRAINING:
            training.take_learning_rate(value, before)
        else:
            training.change(setting, value, layer=layer)


def _parted(saved: Snapshot) -> tuple[Snapshot, Logbook | None, list[Any]]:
    """A snapshot in three parts: the training's own values, the logbook, and the changes.

    Files of older versions have no logbook (None) and no changes.
    """
    arrays, values = dict(saved.arrays), dict(saved.values)
    entries, changes = values.pop("logbook", None), values.pop("changes", [])
    of_entries = {name: arrays.pop(name) for name in saved.arrays if name.startswith(LOGBOOK)}
    rest = Snapshot(arrays, values)
    if entries is None:
        return rest, None, changes
    named = {name.removeprefix(LOGBOOK): array for name, array in of_entries.items()}
    return rest, _logbook_of(entries, named), changes


def _epochs(arrays: Mapping[str, np.ndarray]) -> list[Epoch]:
    columns = [
        arrays[history_name(column)].astype(int if column in COUNTS else float).tolist()
        for column in COLUMNS
    ]
    return [Epoch(*values) for values in zip(*columns, strict=True)]


def _entry_values(entries: Sequence[Entry]) -> tuple[list[dict[str, Any]], dict[str, Array]]:
    """The entries as JSON values, and their arrays by name."""
    values, arrays = [], dict[str, Array]()
    for i, entry in enumerate(entries):
        named = entry._asdict()
        found = {name: named.pop(name) for name in ("ids", "state")}
        arrays |= {f"{name} {i}": array for name, array in found.items() if array is not None}
        values.append(named)
    return values, arrays


def _logbook_of(values: Any, arrays: Mapping[str, Array]) -> Logbook:
    """The logbook that `_entry_values` wrote; ValueError where it can't be one."""
    fields = set(Entry._fields) - {"ids", "state"}
    fits = isinstance(values, list) and all(
        isinstance(named, dict) and named.keys() == fields for named in values
    )
    checks.must(fits, "logbook", "a list of entries", type(values).__name__)
    return Logbook(
        [
            Entry(**named, ids=arrays.get(f"ids {i}"), state=arrays.get(f"state {i}"))
            for i, named in enumerate(values)
        ]
    )
