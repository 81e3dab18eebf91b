"""Networks behind a plot: of estimators, and of the steps of a recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, MatrixLike, TargetLike
from thinnet.displays.estimators import fitted, last_and_before
from thinnet.estimators.validation import to_predict
from thinnet.losses import Loss
from thinnet.network import Network

MOST_STEPS: Final = 40  # that are opened where none are asked for


class Moment(Protocol):
    """A training as it stood before a step."""

    @property
    def network(self) -> Network: ...


@runtime_checkable
class Moments(Protocol):
    """A recorded training, such as a `Recording`."""

    def at(self, step: int) -> Moment: ...


def network_of(model: Any) -> Network:
    """A network itself, or that of a fitted estimator or of a pipeline's last step."""
    return model if isinstance(model, Network) else fitted(model, "network_").network_


def rows_of(model: Any, X: MatrixLike) -> Any:
    """Rows as the model's network takes them."""
    if isinstance(model, Network):
        return X
    last, before = last_and_before(model)
    return to_predict(last, before(X))


def targets_of(model: Any, y: TargetLike, loss: Loss | None) -> tuple[Any, Loss | None]:
    """Targets as the model's loss takes them, and the loss."""
    if isinstance(model, Network):
        return y, loss
    head = last_and_before(model)[0].head_
    return head.targets(checks.array("y", y)), loss or head.loss


def steps_of(recording: Any, steps: Sequence[int] | Array | None) -> list[int]:
    """`steps`; by default some of all that a recording can open, evenly spaced, and its end."""
    checks.of_kind("recording", recording, Moments)
    if steps is None:
        known = hasattr(recording, "keyframes_of") and hasattr(recording, "steps")
        checks.must(known, "steps", "a sequence of integers for this recording", steps)
        every = recording.steps()
        spaced = _some(every)
        if all(_opens(recording, step) for step in spaced[1:2]):
            return spaced
        return sorted({*_some(recording.keyframes_of()), every[-1]})
    given = np.asarray(steps)
    right = given.ndim == 1 and given.size > 0 and given.dtype.kind in "iu"
    checks.must(right, "steps", "a sequence of at least one integer", steps)
    return list(given.tolist())


def _some(steps: Sequence[int]) -> list[int]:
    places = np.linspace(0, len(steps) - 1, min(len(steps), MOST_STEPS)).astype(int)
    return [int(steps[place]) for place in places]


def _opens(recording: Any, step: int) -> bool:
    """Whether a recording opens at a step, between keyframes too: not without its data."""
    try:
        recording.at(step)
    except ValueError:
        return False
    return True


def networks_at(
    recording: Any, steps: Sequence[int] | Array | None
) -> Iterator[tuple[int, Network]]:
    """The networks of a recording before some steps, each with its step."""
    for step in steps_of(recording, steps):
        yield step, recording.at(step).network
