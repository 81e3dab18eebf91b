"""Recordings in files: keyframes as safetensors, the rest as JSON; no rows, and no code."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array
from thinnet.atomic import check_place
from thinnet.checks import ModelFileError, one_line
from thinnet.network import Network
from thinnet.network.changes import Change
from thinnet.network.logbook import Logbook
from thinnet.network.row_order import batches
from thinnet.passes import Clock
from thinnet.persistence.codec import pack, unpack
from thinnet.persistence.files import RECORDING
from thinnet.recording.keyframes import Keyframe
from thinnet.recording.members import RecordedNetwork
from thinnet.recording.tapes import FOREVER, Scale, Source, Tape
from thinnet.schedules.plateau import Plateau
from thinnet.snapshots import Form, Snapshot, read_as, write_as
from thinnet.training.plan import Plan
from thinnet.training.state import OF_TRAINING, Counts
from thinnet.training.stopping import Waiting

FORMAT: Final = 1
NAME: Final = "recording"
OF_PLAN: Final = (
    "loss",
    "optimizer",
    "batch_size",
    "shuffle",
    "accumulate",
    "clip_norm",
    "loss_factor",
    "penalty_per",
    "average",
)
SETTINGS: Final = ("keyframes", "max_bytes", "spacing")


def form() -> Form:
    """The kind of file that a recording stands in."""
    return Form(NAME, RECORDING, FORMAT, ModelFileError)


def save(recording: Any, path: str | os.PathLike[str]) -> None:
    """Write a recording to a file (`Recording.save`)."""
    check_place(NAME, path)
    arrays: dict[str, Array] = {}
    members = [
        {"spacing": member.spacing, "tapes": [_of_tape(tape) for tape in member.tapes]}
        for member in recording.members
    ]
    settings = {name: getattr(recording, name) for name in SETTINGS}
    packed = pack({**settings, "members": members, "places": recording.places}, arrays)
    values = {"recording": packed, "estimator": _packed_estimator(recording.estimator, arrays)}
    for m, member in enumerate(recording.members):
        for t, tape in enumerate(member.tapes):
            for k, frame in enumerate(_frames(tape)):
                arrays |= {f"{m}/{t}/{k}/{name}": array for name, array in frame.arrays.items()}
    write_as(form(), path, Snapshot(arrays, values))


def _frames(tape: Tape) -> list[Keyframe]:
    return [*tape.frames, *([] if tape.last is None else [tape.last])]


def _packed_estimator(estimator: Any, arrays: dict[str, Array]) -> Any:
    found: dict[str, Array] = {}
    try:
        packed = None if estimator is None else pack(estimator, found, ("estimator",))
    except ValueError as error:
        warnings.warn(
            f"the recording is saved without its estimator, and can be replayed only as it is "
            f"now: {one_line(error)}",
            UserWarning,
            stacklevel=5,
        )
        return None
    arrays |= found
    return packed


def _of_tape(tape: Tape) -> dict[str, Any]:
    source = None if tape.source is None else list(tape.source[:2])
    return {
        "network": tape.network_of_begin(),
        "plan": {name: getattr(tape.plan, name) for name in OF_PLAN},
        "entry": tape.entry,
        "t_before": tape.t_before,
        "arithmetic": tape.arithmetic,
        "checksum": tape.checksum,
        "frames": [_of_frame(frame) for frame in tape.frames],
        "changes": [list(change) for change in tape.changes],
        "scales": [list(scale) for scale in tape.scales],
        "end": tape.end,
        "last": None if tape.last is None else _of_frame(tape.last),
        "source": source,
    }


def _of_frame(frame: Keyframe) -> list[Any]:
    counts = frame.counts
    rules = [list(counts.plateau), list(counts.waiting)]
    return [frame.step, frame.life_epoch, *counts[:4], *rules, sorted(frame.arrays)]


def load(path: str | os.PathLike[str], kind: Any) -> Any:
    """The recording in a file, of the class `kind`.

    Raises
    ------
    ModelFileError
        If the file is cut short or altered, or no recording can have written it.
    """
    snapshot = read_as(form(), path)
    try:
        return _recording_of(snapshot, kind)
    except MemoryError:
        raise
    except Exception as error:  # a constructor may refuse strange parts in any way
        raise ModelFileError(
            f"{NAME} {os.fspath(path)!r} must hold a recording that this thinnet knows, got one "
            f"that it can't make ({one_line(f'{type(error).__name__}: {error}')})"
        ) from error


def _recording_of(snapshot: Snapshot, kind: Any) -> Any:
    arrays, values = dict(snapshot.arrays), snapshot.values
    of_frames = {name: arrays.pop(name) for name in list(arrays) if "/" in name}
    packed = unpack(values["recording"], arrays)
    recording = kind(packed["keyframes"], max_bytes=packed["max_bytes"], spacing=packed["spacing"])
    places = packed["places"]
    fits = places is None or (isinstance(places, np.ndarray) and places.dtype.kind in "iu")
    checks.must(fits, "places", "integers", type(places).__name__)
    recording.places = places
    if values["estimator"] is not None:
        recording.estimator = unpack(values["estimator"], arrays)
    checks.must(not arrays, "arrays", "of use each", sorted(arrays)[:1])
    for m, member in enumerate(packed["members"]):
        tapes = [_tape(tape, of_frames, f"{m}/{t}") for t, tape in enumerate(member["tapes"])]
        for before, tape in pairwise(tapes):
            checks.must(before.end <= tape.first, "trainings", "one after the other", tape.first)
        spacing = checks.integer("spacing", member["spacing"], 0)
        recording.members.append(RecordedNetwork(tapes, spacing))
    checks.must(not of_frames, "arrays", "of use each", sorted(of_frames)[:1])
    recording.settled = len(recording.members)
    return recording


def _tape(values: Mapping[str, Any], arrays: dict[str, Array], place: str) -> Tape:
    network = values["network"]
    checks.must(isinstance(network, Network), "network", "a Network", type(network).__name__)
    described = network.__getstate__()
    described |= {"logbook": network.logbook.entries}
    for name in ("theta", "state", "clock", "_latest"):
        described.pop(name, None)
    plan = Plan(
        **{name: values["plan"][name] for name in OF_PLAN},
        epochs=FOREVER,
        early_stopping=None,
        evaluate_every=1,
        clean_rows=0,
        checkpoint_every=1,
    )
    frames = [_frame(f, arrays, f"{place}/{k}") for k, f in enumerate(values["frames"])]
    last = values["last"]
    tape = Tape(
        described=described,
        plan=plan,
        entry=Logbook([values["entry"]._replace(steps=1)]).entries[0]._replace(steps=0),
        t_before=checks.integer("t_before", values["t_before"], 0),
        arithmetic=str(values["arithmetic"]),
        checksum=str(values["checksum"]),
        frames=frames,
        changes=[Change(*change) for change in values["changes"]],
        scales=[Scale(*scale) for scale in values["scales"]],
        end=checks.integer("end", values["end"], frames[-1].step),
        last=None if last is None else _frame(last, arrays, f"{place}/{len(frames)}"),
        source=_source(values["source"]),
    )
    _check(tape, network)
    return tape


def _source(values: Sequence[Any] | None) -> Source | None:
    if values is None:
        return None
    places, bootstrap = values
    fits = places is None or (isinstance(places, np.ndarray) and places.dtype.kind in "iu")
    checks.must(fits, "places", "integers", type(places).__name__)
    return Source(places, None if bootstrap is None else checks.integer("seed", bootstrap, 0))


def _frame(values: Sequence[Any], arrays: dict[str, Array], place: str) -> Keyframe:
    step, life_epoch, epoch, t, batch, loss_sum, plateau, waiting, names = values
    for name, count in (("step", step), ("epoch", life_epoch), ("epoch", epoch), ("t", t)):
        checks.integer(name, count, 0)
    counts = Counts(epoch, t, batch, float(loss_sum), Plateau(*plateau), Waiting(*waiting))
    found = {name: arrays.pop(f"{place}/{name}") for name in names}
    return Keyframe(step, life_epoch, counts, found)


def _check(tape: Tape, network: Network) -> None:
    """ValueError unless the parts of a tape fit together: compiled code takes them as they are."""
    n_steps = len(batches(network, *tape.entry[2:5]))
    optimizer: Any = tape.plan.optimizer
    state = optimizer.start(network.theta)
    shapes = {"theta": network.theta, "state": network.state}
    shapes |= {f"optimizer {i}": part for i, part in enumerate(state)}
    shapes |= {} if tape.plan.average is None else {"average": network.theta}
    steps = [frame.step for frame in tape.frames]
    rises = all(a < b for a, b in pairwise(steps))
    checks.must(rises and steps[0] >= tape.entry.first, "keyframes", "in order", steps[:3])
    checks.must(network.clock == Clock(*tape.frames[0][:2]), "clock", "that of the begin", steps[0])
    for frame in _frames(tape):
        epoch, t, batch = frame.counts[:3]
        done = frame.step - tape.entry.first
        checks.integer("batch", batch, 0, n_steps - 1)
        fits = done == epoch * n_steps + batch == t - tape.t_before
        fits &= frame.life_epoch == tape.entry.epoch + epoch
        checks.must(fits, "counts", f"of step {frame.step}", [epoch, t, batch])
        for name, like in shapes.items():
            array = frame.arrays[name]
            fits = array.shape == like.shape and array.dtype == like.dtype
            checks.must(fits, name, f"{like.dtype} {like.shape}", f"{array.dtype} {array.shape}")
        checks.must(frame.arrays.keys() == shapes.keys(), "arrays", "as they are", 0)
    if tape.last is not None:
        checks.must(tape.last.step == tape.end, "the end", str(tape.end), tape.last.step)
    _check_log(tape)


def _check_log(tape: Tape) -> None:
    for scale in tape.scales:
        checks.integer("step", scale.step, 0, tape.end)
        checks.non_negative("scale", scale.scale)
    checks.must(tape.scales[0].step <= tape.first, "scales", "from the begin", tape.scales[0].step)
    latest = tape.first
    for change in tape.changes:
        latest = checks.integer("step of a change", change.step, latest, tape.end)
        if change.layer == OF_TRAINING:
            checks.one_of("setting", change.setting, ("learning_rate",))
            checks.non_negative("learning_rate", change.value)
    tape.network(Clock(tape.end, 0))  # where a change is impossible, it raises
