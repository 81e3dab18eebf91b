"""A network as it stood at a step of a recorded training, for the commands."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from thinnet.checks import ModelFileError
from thinnet.network import Network
from thinnet.recording import Recording


class Opened(NamedTuple):
    """A model, which of its networks is looked at, and when, in words."""

    model: Any
    member: int | Network
    when: str = ""


def opened(
    path: str, loaded: Any, table: str | os.PathLike[str], member: int, step: int | None
) -> Opened:
    """The model of a file; of a recording that of its training, and the network before a step.

    Parameters
    ----------
    path : str
        The file, for sentences.
    loaded : estimator, Network or Recording
    table : path
        Between keyframes it must be the table of the training, which is replayed then.
    member : int
    step : int or None
        In the network's life; None for the end.

    Raises
    ------
    ModelFileError
        If a step is asked for and the file is no recording.
    ValueError
        If the step was not recorded, or must be replayed and the table is another one.
    """
    if not isinstance(loaded, Recording):
        if step is not None:
            raise ModelFileError(
                f"--step needs a recording, as `thinnet fit --record` writes it, got {path!r}, a "
                f"{type(loaded).__name__}"
            )
        return Opened(loaded, member)
    steps, estimator = loaded.steps(member), loaded.estimator
    if not steps:
        raise ModelFileError(f"recording {path!r} must have steps of network {member}, got none")
    if step is None and member < len(getattr(estimator, "networks_", ())):
        return Opened(estimator, member)
    number = steps[-1] if step is None else step
    known = number in (*loaded.keyframes_of(member), steps[-1])
    if not known and number in steps and hasattr(estimator, "target_name_"):
        loaded.on(table, estimator.target_name_)
    network = loaded.at(number, member).network
    when = "at the end of its training" if number == steps[-1] else f"before step {number}"
    return Opened(network if estimator is None else estimator, network, f"{member} {when}")
