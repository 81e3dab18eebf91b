"""Recordings: trainings that can be opened at any step, by keyframes and replay."""

import os

from thinnet.recording import files
from thinnet.recording.moment import Moment
from thinnet.recording.recording import Recording

__all__ = ["Moment", "Recording"]


def load(path: str | os.PathLike[str]) -> Recording:
    """The recording in a file, as `thinnet.load` returns it."""
    found: Recording = files.load(path, Recording)
    return found
