"""`--record`: the whole training in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from thinnet.arrays import Array
from thinnet.cli.common import say

if TYPE_CHECKING:
    from thinnet.recording import Recording

RECORD: Final = (
    "Keep the training in this file, so that each of its steps can be opened in Python "
    "(thinnet.load(FILE).on(X, y).at(step)): weights and settings, no rows; 1 GB at most."
)


def recording_of(
    path: Path | None, reads: Mapping[str, Any], force: bool = False
) -> Recording | None:
    """The recording to train with, and a line on what it may take; None for no file."""
    if path is None:
        return None
    from thinnet.commands import places
    from thinnet.recording import Recording

    places.check("--record", path, places.RECORDING, reads, force)
    recording = Recording()
    say(f"recording: at most {recording.max_bytes / 1e6:,.0f} MB in memory and in {path}")
    return recording


def save_recording(
    recording: Recording | None, path: Path | None, places: Array | None = None
) -> None:
    """Write a recording, and a line on it; `places` are those of its rows in the table."""
    if recording is None or path is None:
        return
    recording.places = places
    recording.save(path)
    n = recording.n_members
    networks = f"{n} network{'s' * (n != 1)}"
    say(f"recording: {path} ({networks}, {recording.nbytes / 1e6:,.1f} MB)")
